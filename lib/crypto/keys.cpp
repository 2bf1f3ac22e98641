#include "crypto/keys.h"

#include <sodium.h>

#include <algorithm>
#include <string_view>

#include "crypto/primitives.h"

namespace aierase::crypto {
namespace {

constexpr std::size_t kPassphraseSaltBytes = 16;
static_assert(kPassphraseSaltBytes == crypto_pwhash_argon2id_SALTBYTES);

Bytes labelled(std::string_view label, ByteView rest = {}) {
  Bytes info = copy_of(as_bytes(label));
  append(info, rest);
  return info;
}

// 32 bytes of HKDF-SHA-256.
Result<SecretBytes> derive(const SecretBytes& ikm, ByteView salt, ByteView info) {
  ASSIGN_OR_RETURN(SecretBytes key, SecretBytes::zeroed(kKeyBytes));
  RETURN_IF_ERROR(ikm.reveal([&](ByteView in) {
    return key.fill([&](ByteSpan out) { return hkdf_sha256(in, salt, info, out); });
  }));
  return key;
}

template <typename Tag>
Result<SealKey> seal_key(const Key32<Tag>& from, ByteView info) {
  // An empty key would derive a key that everybody knows.
  if (from.empty()) return make_error(Errc::unexpected, "a key is derived from no key");
  ASSIGN_OR_RETURN(SecretBytes key, derive(from.bytes(), {}, info));
  return SealKey::adopt(std::move(key));
}

// S_e || U, or S_e alone.
Result<SecretBytes> root_material(const SlotSecret& slot, const UnlockSecret* unlock) {
  const std::size_t size = kKeyBytes + (unlock != nullptr ? kKeyBytes : 0);
  ASSIGN_OR_RETURN(SecretBytes material, SecretBytes::zeroed(size));
  const auto put = [&](const SecretBytes& from, std::size_t offset) {
    from.reveal([&](ByteView in) {
      material.fill([&](ByteSpan out) {
        std::copy(in.begin(), in.end(), out.begin() + static_cast<std::ptrdiff_t>(offset));
      });
    });
  };
  put(slot.bytes(), 0);
  if (unlock != nullptr) put(unlock->bytes(), kKeyBytes);
  return material;
}

}  // namespace

Result<RootSecret> derive_root(const SlotSecret& slot, const UnlockSecret* unlock,
                               const Uuid& store, std::uint64_t epoch) {
  if (slot.empty() || (unlock != nullptr && unlock->empty())) {
    return make_error(Errc::unexpected, "the root secret is derived from no key");
  }
  ASSIGN_OR_RETURN(const SecretBytes material, root_material(slot, unlock));
  Bytes salt = copy_of(store.view());
  append_be64(salt, epoch);
  ASSIGN_OR_RETURN(SecretBytes root, derive(material, salt, labelled("aierase/root/v1")));
  return RootSecret::adopt(std::move(root));
}

Result<Digest> key_check_value(const Dek& dek, const Uuid& store, const Uuid& asset) {
  return dek.bytes().reveal([&](ByteView raw) { return key_check_value(raw, store, asset); });
}

Result<Digest> key_check_value(ByteView dek, const Uuid& store, const Uuid& asset) {
  if (dek.size() != kKeyBytes) return make_error(Errc::invalid_input, "a key is 32 bytes");
  Bytes info = labelled("aierase/kcv/v1", store.view());
  append(info, asset.view());
  Digest value{};
  RETURN_IF_ERROR(hkdf_sha256(dek, {}, info, value));
  return value;
}

Result<SealKey> blob_key(const Dek& dek, const Uuid& blob) {
  return seal_key(dek, labelled("aierase/blob/v1", blob.view()));
}

Result<SealKey> manifest_key(const Dek& dek) {
  return seal_key(dek, labelled("aierase/manifest/v1"));
}

Status manifest_key(ByteView dek, ByteSpan out) {
  if (dek.size() != kKeyBytes || out.size() != kKeyBytes) {
    return make_error(Errc::invalid_input, "a key is 32 bytes");
  }
  return hkdf_sha256(dek, {}, labelled("aierase/manifest/v1"), out);
}

Result<SealKey> payload_key(const Dek& dek) {
  return seal_key(dek, labelled("aierase/payload/v1"));
}

Result<SealKey> anchor_key(const RootSecret& root) {
  return seal_key(root, labelled("aierase/anchor/v1"));
}

Result<SealKey> slot_check_key(const SlotSecret& slot) {
  return seal_key(slot, labelled("aierase/slot-check/v1"));
}

Result<SealKey> keyfile_key(const UnlockSecret& unlock, std::string_view purpose) {
  return seal_key(unlock, labelled("aierase/keyfile/v1", as_bytes(purpose)));
}

Result<UnlockSecret> unlock_from_passphrase(const SecretBytes& passphrase, ByteView salt16,
                                            const PassphraseCost& cost) {
  if (salt16.size() != kPassphraseSaltBytes) {
    return make_error(Errc::invalid_input, "the salt of a passphrase is 16 bytes");
  }
  if (cost.operations < crypto_pwhash_argon2id_OPSLIMIT_MIN ||
      cost.operations > crypto_pwhash_argon2id_OPSLIMIT_MAX ||
      cost.memory_bytes < crypto_pwhash_argon2id_MEMLIMIT_MIN ||
      cost.memory_bytes > crypto_pwhash_argon2id_MEMLIMIT_MAX) {
    return make_error(Errc::invalid_input, "the cost of the passphrase is out of range",
                      "At least 1 operation and 8,192 bytes; 3 and 256 MiB are usual.");
  }
  ASSIGN_OR_RETURN(SecretBytes key, SecretBytes::zeroed(kKeyBytes));
  const int result = passphrase.reveal([&](ByteView secret) {
    return key.fill([&](ByteSpan out) {
      return crypto_pwhash(reinterpret_cast<unsigned char*>(out.data()), out.size(),
                           reinterpret_cast<const char*>(secret.data()), secret.size(),
                           reinterpret_cast<const unsigned char*>(salt16.data()), cost.operations,
                           static_cast<std::size_t>(cost.memory_bytes),
                           crypto_pwhash_ALG_ARGON2ID13);
    });
  });
  if (result != 0) {
    return make_error(Errc::resource_limit,
                      "argon2id did not get " + std::to_string(cost.memory_bytes >> 20) +
                          " MiB of memory for the passphrase",
                      "Free memory, or raise MemoryMax= of the unit.");
  }
  return UnlockSecret::adopt(std::move(key));
}

}  // namespace aierase::crypto
