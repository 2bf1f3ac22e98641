#include "rootslot/blocks.h"

#include <algorithm>

#include "crypto/primitives.h"

namespace aierase::rootslot {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kMagicBytes = 4;
constexpr std::size_t kVersionAt = 4;
constexpr std::size_t kStoreAt = 8;

constexpr std::string_view kHeaderMagic = "AESH";
constexpr std::size_t kInodeAt = 24;
constexpr std::size_t kUuidLengthAt = 32;
constexpr std::size_t kUuidAt = 36;
constexpr std::size_t kUuidRoom = 64;
constexpr std::size_t kExtentCountAt = 100;
constexpr std::size_t kExtentsAt = 104;
constexpr std::size_t kExtentBytes = 24;
constexpr std::size_t kExtentRoom = 160;
constexpr std::size_t kHeaderDigestAt = kBlockBytes - 32;
static_assert(kExtentsAt + kExtentRoom * kExtentBytes <= kHeaderDigestAt);

constexpr std::string_view kCopyMagic = "AESL";
constexpr std::size_t kEpochAt = 24;
constexpr std::size_t kSecretAt = 32;
constexpr std::size_t kCheckAt = 64;
constexpr std::size_t kCopyEnd = 96;

constexpr std::string_view kAnchorMagic = "AESA";
constexpr std::size_t kGenerationAt = 24;
constexpr std::size_t kLogSizeAt = 32;
constexpr std::size_t kLogRootAt = 40;
constexpr std::size_t kHoldCountAt = 72;
constexpr std::size_t kAnchorTagAt = 80;
constexpr std::size_t kAnchorEnd = 112;
static_assert(kCopyEnd <= kPayloadBytes && kAnchorEnd <= kPayloadBytes);

void put(ByteSpan block, std::size_t at, ByteView bytes) {
  std::copy(bytes.begin(), bytes.end(), block.begin() + static_cast<std::ptrdiff_t>(at));
}

void begin_block(ByteSpan block, std::string_view magic, const Uuid& store) {
  std::fill(block.begin(), block.end(), std::byte{0});
  put(block, 0, as_bytes(magic));
  put_be32(block.subspan(kVersionAt, 4), kVersion);
  put(block, kStoreAt, store.view());
}

bool begins_with(ByteView block, std::string_view magic) {
  return as_text(block.first(kMagicBytes)) == magic;
}

bool all_zero(ByteView bytes) {
  std::byte any{0};
  for (const std::byte byte : bytes) any |= byte;
  return any == std::byte{0};
}

Uuid store_of(ByteView block) {
  Uuid store;
  const ByteView bytes = block.subspan(kStoreAt, store.bytes.size());
  std::copy(bytes.begin(), bytes.end(), store.bytes.begin());
  return store;
}

// Only what is public is covered: the key is derived from the secret, so it covers that as well.
Result<Digest> check_of(const crypto::SlotSecret& secret, ByteView block) {
  ASSIGN_OR_RETURN(const crypto::SealKey key, crypto::slot_check_key(secret));
  return key.bytes().reveal([&](ByteView raw) -> Result<Digest> {
    return crypto::hmac_sha256(raw, block.first(kSecretAt));
  });
}

Result<Digest> anchor_tag(const crypto::SealKey& key, ByteView block) {
  return key.bytes().reveal([&](ByteView raw) -> Result<Digest> {
    return crypto::hmac_sha256(raw, block.first(kAnchorTagAt));
  });
}

}  // namespace

std::vector<Extent> merged(std::vector<Extent> extents) {
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.logical < b.logical; });
  std::vector<Extent> result;
  for (const Extent& extent : extents) {
    if (!result.empty() && result.back().logical + result.back().length == extent.logical &&
        result.back().physical + result.back().length == extent.physical) {
      result.back().length += extent.length;
    } else {
      result.push_back({extent.logical, extent.physical, extent.length, false});
    }
  }
  return result;
}

SlotHeader make_header(const Uuid& store, std::string filesystem_uuid, std::uint64_t inode,
                       std::vector<Extent> extents) {
  SlotHeader header{store, std::move(filesystem_uuid), inode, 0, merged(std::move(extents))};
  header.extent_count = static_cast<std::uint32_t>(header.extents.size());
  if (header.extents.size() > kExtentRoom) header.extents.resize(kExtentRoom);
  if (header.filesystem_uuid.size() > kUuidRoom) header.filesystem_uuid.resize(kUuidRoom);
  return header;
}

bool lies_as_recorded(const SlotHeader& recorded, const SlotHeader& now) {
  // A kernel that does not tell the uuid says nothing for or against.
  const bool told = !recorded.filesystem_uuid.empty() && !now.filesystem_uuid.empty();
  if (told && recorded.filesystem_uuid != now.filesystem_uuid) return false;
  return recorded.inode == now.inode && recorded.extent_count == now.extent_count &&
         recorded.extents == now.extents;
}

void encode_header(const SlotHeader& header, ByteSpan block) {
  begin_block(block, kHeaderMagic, header.store);
  put_be64(block.subspan(kInodeAt, 8), header.inode);
  put_be32(block.subspan(kUuidLengthAt, 4),
           static_cast<std::uint32_t>(header.filesystem_uuid.size()));
  put(block, kUuidAt, as_bytes(header.filesystem_uuid));
  put_be32(block.subspan(kExtentCountAt, 4), header.extent_count);
  std::size_t at = kExtentsAt;
  for (const Extent& extent : header.extents) {
    put_be64(block.subspan(at, 8), extent.logical);
    put_be64(block.subspan(at + 8, 8), extent.physical);
    put_be64(block.subspan(at + 16, 8), extent.length);
    at += kExtentBytes;
  }
  put(block, kHeaderDigestAt, crypto::sha256(block.first(kHeaderDigestAt)));
}

Result<SlotHeader> decode_header(ByteView block) {
  if (!begins_with(block, kHeaderMagic)) {
    return make_error(Errc::damaged, "it does not begin as a root slot does");
  }
  const std::uint32_t version = get_be32(block.subspan(kVersionAt, 4));
  if (version > kVersion) {
    return make_error(Errc::newer_format,
                      "it has format " + std::to_string(version) + "; this version knows " +
                          std::to_string(kVersion),
                      "Use the version of aierase that wrote it, or a later one.");
  }
  const Digest digest = crypto::sha256(block.first(kHeaderDigestAt));
  const std::uint32_t uuid_length = get_be32(block.subspan(kUuidLengthAt, 4));
  if (version != kVersion || uuid_length > kUuidRoom ||
      !crypto::equal_constant_time(digest, block.subspan(kHeaderDigestAt))) {
    return make_error(Errc::damaged, "its header was altered: the checksum does not match");
  }
  SlotHeader header;
  header.store = store_of(block);
  header.inode = get_be64(block.subspan(kInodeAt, 8));
  header.filesystem_uuid = std::string(as_text(block.subspan(kUuidAt, uuid_length)));
  header.extent_count = get_be32(block.subspan(kExtentCountAt, 4));
  const std::size_t recorded = std::min<std::size_t>(header.extent_count, kExtentRoom);
  for (std::size_t i = 0; i < recorded; ++i) {
    const ByteView record = block.subspan(kExtentsAt + i * kExtentBytes, kExtentBytes);
    header.extents.push_back({get_be64(record.subspan(0, 8)), get_be64(record.subspan(8, 8)),
                              get_be64(record.subspan(16, 8)), false});
  }
  return header;
}

Status encode_copy(const Uuid& store, std::uint64_t epoch, const crypto::SlotSecret& secret,
                   ByteSpan block) {
  begin_block(block, kCopyMagic, store);
  put_be64(block.subspan(kEpochAt, 8), epoch);
  ASSIGN_OR_RETURN(const Digest check, check_of(secret, block));
  secret.bytes().reveal([&](ByteView bytes) { put(block, kSecretAt, bytes); });
  put(block, kCheckAt, check);
  return {};
}

Result<SlotCopy> decode_copy(ByteView block) {
  SlotCopy copy;
  if (all_zero(block)) {
    copy.state = CopyState::zero;
    return copy;
  }
  if (!begins_with(block, kCopyMagic) || get_be32(block.subspan(kVersionAt, 4)) != kVersion ||
      !all_zero(block.subspan(kCopyEnd))) {
    return copy;
  }
  ASSIGN_OR_RETURN(SecretBytes bytes,
                   SecretBytes::copy_of(block.subspan(kSecretAt, crypto::kKeyBytes)));
  ASSIGN_OR_RETURN(crypto::SlotSecret secret, crypto::SlotSecret::adopt(std::move(bytes)));
  ASSIGN_OR_RETURN(const Digest check, check_of(secret, block));
  if (!crypto::equal_constant_time(check, block.subspan(kCheckAt, check.size()))) return copy;
  copy.state = CopyState::good;
  copy.store = store_of(block);
  copy.epoch = get_be64(block.subspan(kEpochAt, 8));
  copy.secret = std::move(secret);
  return copy;
}

Status encode_anchor(const Uuid& store, const crypto::SealKey& key, const Anchor& anchor,
                     ByteSpan block) {
  begin_block(block, kAnchorMagic, store);
  put_be64(block.subspan(kGenerationAt, 8), anchor.generation);
  put_be64(block.subspan(kLogSizeAt, 8), anchor.log_size);
  put(block, kLogRootAt, anchor.log_root);
  put_be64(block.subspan(kHoldCountAt, 8), anchor.hold_count);
  ASSIGN_OR_RETURN(const Digest tag, anchor_tag(key, block));
  put(block, kAnchorTagAt, tag);
  return {};
}

Result<std::optional<Anchor>> decode_anchor(const Uuid& store, const crypto::SealKey& key,
                                            ByteView block) {
  std::optional<Anchor> anchor;
  if (!begins_with(block, kAnchorMagic) || get_be32(block.subspan(kVersionAt, 4)) != kVersion ||
      store_of(block) != store) {
    return anchor;
  }
  ASSIGN_OR_RETURN(const Digest tag, anchor_tag(key, block));
  if (!crypto::equal_constant_time(tag, block.subspan(kAnchorTagAt, tag.size()))) return anchor;
  anchor.emplace();
  anchor->generation = get_be64(block.subspan(kGenerationAt, 8));
  anchor->log_size = get_be64(block.subspan(kLogSizeAt, 8));
  const ByteView root = block.subspan(kLogRootAt, anchor->log_root.size());
  std::copy(root.begin(), root.end(), anchor->log_root.begin());
  anchor->hold_count = get_be64(block.subspan(kHoldCountAt, 8));
  return anchor;
}

}  // namespace aierase::rootslot
