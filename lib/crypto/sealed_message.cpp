#include <algorithm>
#include <string_view>

#include "crypto/primitives.h"

namespace aierase::crypto {
namespace {

constexpr std::string_view kMagic = "AES1";
constexpr std::string_view kLabel = "aierase/seal/v1";
constexpr std::size_t kSaltBytes = 24;
constexpr std::size_t kCommitBytes = 32;
constexpr std::size_t kHeadBytes = 4 + kSaltBytes + kCommitBytes;
static_assert(kHeadBytes + kGcmTagBytes == kSealOverhead);
static_assert(kKeyBytes + kGcmIvBytes + kCommitBytes == kSealWorkspaceBytes);

// key 32 || iv 12 || commit 32, the output of one HKDF call.
struct Derived {
  SecretBytes bytes;

  template <typename Callback>
  auto with(Callback&& callback) const {
    return bytes.reveal([&](ByteView all) {
      return callback(all.first(kKeyBytes), all.subspan(kKeyBytes, kGcmIvBytes),
                      all.last(kCommitBytes));
    });
  }
};

Status derive_into(ByteView key, ByteView salt, ByteView associated, ByteSpan derived) {
  Bytes info = copy_of(as_bytes(kLabel));
  append(info, associated);
  return hkdf_sha256(key, salt, info, derived);
}

Result<Derived> derive(const SealKey& key, ByteView salt, ByteView associated) {
  ASSIGN_OR_RETURN(SecretBytes bytes, SecretBytes::zeroed(kSealWorkspaceBytes));
  RETURN_IF_ERROR(key.bytes().reveal([&](ByteView ikm) {
    return bytes.fill([&](ByteSpan out) { return derive_into(ikm, salt, associated, out); });
  }));
  return Derived{std::move(bytes)};
}

Status check_shape(ByteView sealed) {
  const ByteView magic = as_bytes(kMagic);
  if (sealed.size() >= kSealOverhead && std::equal(magic.begin(), magic.end(), sealed.begin())) {
    return {};
  }
  return make_error(Errc::verification_failed, "this is no sealed message, or only a part of it");
}

ByteView salt_of(ByteView sealed) {
  return sealed.subspan(kMagic.size(), kSaltBytes);
}

// `out` has sealed.size() - kSealOverhead bytes.
Status open_with(ByteView aead_key, ByteView iv, ByteView commit, ByteView associated,
                 ByteView sealed, ByteSpan out) {
  const ByteView stored = sealed.subspan(kMagic.size() + kSaltBytes, kCommitBytes);
  if (!equal_constant_time(commit, stored)) {
    return make_error(Errc::verification_failed,
                      "the sealed message belongs to another key or another place");
  }
  Aead aead;
  return aead.open(aead_key, iv, associated, sealed.subspan(kHeadBytes, out.size()),
                   sealed.last(kGcmTagBytes), out);
}

Status open_into(const SealKey& key, ByteView associated, ByteView sealed, ByteSpan out) {
  ASSIGN_OR_RETURN(const Derived derived, derive(key, salt_of(sealed), associated));
  return derived.with([&](ByteView aead_key, ByteView iv, ByteView commit) -> Status {
    return open_with(aead_key, iv, commit, associated, sealed, out);
  });
}

}  // namespace

Result<Bytes> seal_message(const SealKey& key, ByteView associated, ByteView plaintext) {
  Bytes sealed(kSealOverhead + plaintext.size());
  const ByteSpan all(sealed);
  const ByteSpan salt = all.subspan(kMagic.size(), kSaltBytes);
  const ByteView magic = as_bytes(kMagic);
  std::copy(magic.begin(), magic.end(), sealed.begin());
  random_bytes(salt);
  ASSIGN_OR_RETURN(const Derived derived, derive(key, salt, associated));
  RETURN_IF_ERROR(derived.with([&](ByteView aead_key, ByteView iv, ByteView commit) {
    std::copy(commit.begin(), commit.end(), all.begin() + kMagic.size() + kSaltBytes);
    Aead aead;
    return aead.seal(aead_key, iv, associated, plaintext, all.subspan(kHeadBytes, plaintext.size()),
                     all.last(kGcmTagBytes));
  }));
  return sealed;
}

Result<SecretBytes> open_message(const SealKey& key, ByteView associated, ByteView sealed) {
  RETURN_IF_ERROR(check_shape(sealed));
  ASSIGN_OR_RETURN(SecretBytes plaintext, SecretBytes::zeroed(sealed.size() - kSealOverhead));
  RETURN_IF_ERROR(
      plaintext.fill([&](ByteSpan out) { return open_into(key, associated, sealed, out); }));
  return plaintext;
}

Result<Bytes> open_content(const SealKey& key, ByteView associated, ByteView sealed) {
  RETURN_IF_ERROR(check_shape(sealed));
  Bytes plaintext(sealed.size() - kSealOverhead);
  RETURN_IF_ERROR(open_into(key, associated, sealed, plaintext));
  return plaintext;
}

Result<Bytes> open_content(ByteView key, ByteView associated, ByteView sealed, ByteSpan workspace) {
  RETURN_IF_ERROR(check_shape(sealed));
  if (key.size() != kKeyBytes || workspace.size() != kSealWorkspaceBytes) {
    return make_error(Errc::invalid_input, "a sealed message opens with a key of 32 bytes");
  }
  RETURN_IF_ERROR(derive_into(key, salt_of(sealed), associated, workspace));
  Bytes plaintext(sealed.size() - kSealOverhead);
  RETURN_IF_ERROR(open_with(workspace.first(kKeyBytes), workspace.subspan(kKeyBytes, kGcmIvBytes),
                            workspace.last(kCommitBytes), associated, sealed, plaintext));
  return plaintext;
}

}  // namespace aierase::crypto
