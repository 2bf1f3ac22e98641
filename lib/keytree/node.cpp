#include "keytree/node.h"

#include <algorithm>
#include <array>

namespace aierase::keytree {
namespace {

constexpr std::string_view kMagic = "AEN1";
constexpr std::uint32_t kSuite = 1;  // HKDF-SHA-256, AES-256-GCM
constexpr std::string_view kLabel = "aierase/node/v1";

constexpr std::size_t kSuiteAt = 4;
constexpr std::size_t kStoreAt = 8;
constexpr std::size_t kLevelAt = 24;
constexpr std::size_t kIndexAt = 28;
constexpr std::size_t kSaltAt = 32;
constexpr std::size_t kCommitAt = kNodeHeaderBytes;
constexpr std::size_t kCiphertextAt = kCommitAt + kNodeCommitBytes;
constexpr std::size_t kTagAt = kCiphertextAt + kEntriesBytes;

struct Derived {
  ByteView key, iv, commit;
};

// The header says whose row this is, so a row that was moved derives other bytes.
Result<Derived> derive(ByteView header, ByteView key, ByteSpan derived) {
  std::array<std::byte, kLabel.size() + kNodeHeaderBytes> label{};
  const ByteView text = as_bytes(kLabel);
  std::copy(text.begin(), text.end(), label.begin());
  std::copy(header.begin(), header.end(), label.begin() + kLabel.size());
  const ByteSpan out = derived.first(kDerivedBytes);
  RETURN_IF_ERROR(crypto::hkdf_sha256(key, header.subspan(kSaltAt, kNodeSaltBytes), label, out));
  return Derived{out.first(crypto::kKeyBytes), out.subspan(crypto::kKeyBytes, crypto::kGcmIvBytes),
                 out.last(kNodeCommitBytes)};
}

void put_header(ByteSpan header, const Uuid& store, domain::NodeId id) {
  const ByteView magic = as_bytes(kMagic);
  std::copy(magic.begin(), magic.end(), header.begin());
  put_be32(header.subspan(kSuiteAt, 4), kSuite);
  std::copy(store.bytes.begin(), store.bytes.end(), header.begin() + kStoreAt);
  put_be32(header.subspan(kLevelAt, 4), id.level);
  put_be32(header.subspan(kIndexAt, 4), id.index);
  crypto::random_bytes(header.subspan(kSaltAt, kNodeSaltBytes));
}

}  // namespace

std::string node_text(domain::NodeId id) {
  return "node " + std::to_string(id.level) + "/" + std::to_string(id.index) + " of the key tree";
}

Error damaged_node(domain::NodeId id, std::string_view what) {
  return make_error(Errc::damaged, node_text(id) + " " + std::string(what),
                    "Nothing was changed. Run `aierase check`, and put back the database as it was "
                    "last in use.",
                    std::to_string(id.level) + "/" + std::to_string(id.index));
}

Status check_header(ByteView row, const Uuid& store, domain::NodeId id) {
  if (row.size() != kNodeRowBytes) {
    return damaged_node(id, "has " + std::to_string(row.size()) + " bytes instead of " +
                                std::to_string(kNodeRowBytes));
  }
  if (as_text(row.first(kMagic.size())) != kMagic) {
    return damaged_node(id, "does not begin as a node does");
  }
  if (get_be32(row.subspan(kSuiteAt, 4)) != kSuite) {
    return damaged_node(id, "names a cipher suite that this version does not know");
  }
  const ByteView owner = row.subspan(kStoreAt, store.bytes.size());
  if (!std::equal(owner.begin(), owner.end(), store.bytes.begin())) {
    return damaged_node(id, "belongs to another store");
  }
  const std::uint32_t level = get_be32(row.subspan(kLevelAt, 4));
  const std::uint32_t index = get_be32(row.subspan(kIndexAt, 4));
  if (level != id.level || index != id.index) {
    return damaged_node(
        id, "holds the row of node " + std::to_string(level) + "/" + std::to_string(index));
  }
  return {};
}

Result<Bytes> seal_node(crypto::Aead& aead, const Uuid& store, domain::NodeId id, ByteView key,
                        ByteView entries, ByteSpan derived) {
  Bytes row(kNodeRowBytes);
  const ByteSpan out(row);
  const ByteSpan header = out.first(kNodeHeaderBytes);
  put_header(header, store, id);
  ASSIGN_OR_RETURN(const Derived parts, derive(header, key, derived));
  std::copy(parts.commit.begin(), parts.commit.end(), out.begin() + kCommitAt);
  RETURN_IF_ERROR(aead.seal(parts.key, parts.iv, header, entries,
                            out.subspan(kCiphertextAt, kEntriesBytes),
                            out.subspan(kTagAt, crypto::kGcmTagBytes)));
  return row;
}

Status open_node(crypto::Aead& aead, const Uuid& store, domain::NodeId id, ByteView key,
                 ByteView row, ByteSpan derived, ByteSpan entries) {
  RETURN_IF_ERROR(check_header(row, store, id));
  const ByteView header = row.first(kNodeHeaderBytes);
  ASSIGN_OR_RETURN(const Derived parts, derive(header, key, derived));
  if (!crypto::equal_constant_time(parts.commit, row.subspan(kCommitAt, kNodeCommitBytes))) {
    return damaged_node(id, "does not belong to the key that leads to it");
  }
  Status opened = aead.open(parts.key, parts.iv, header, row.subspan(kCiphertextAt, kEntriesBytes),
                            row.subspan(kTagAt, crypto::kGcmTagBytes), entries);
  if (!opened.ok() && opened.error().code == Errc::verification_failed) {
    return damaged_node(id, "was altered: its tag does not match");
  }
  return opened;
}

Result<bool> commits_to(ByteView row, ByteView key, ByteSpan derived) {
  ASSIGN_OR_RETURN(const Derived parts, derive(row.first(kNodeHeaderBytes), key, derived));
  return crypto::equal_constant_time(parts.commit, row.subspan(kCommitAt, kNodeCommitBytes));
}

}  // namespace aierase::keytree
