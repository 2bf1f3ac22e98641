// The kinds of keys, as distinct types: a Dek cannot stand where a NodeKey is asked for.
//
// Contract: each holds exactly 32 bytes of SecretBytes; move-only; made by random() or by a
// derivation named here. Vocabulary: SP 800-57. Derivations: aierase-store(5) KEYS.
#pragma once

#include <cstdint>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "base/uuid.h"

namespace aierase::crypto {

inline constexpr std::size_t kKeyBytes = 32;

template <typename Tag>
class Key32 {
 public:
  Key32() = default;  // empty: only to be assigned to
  // Errc::invalid_input unless exactly 32 bytes.
  static Result<Key32> adopt(SecretBytes bytes) {
    if (bytes.size() != kKeyBytes) return make_error(Errc::invalid_input, "a key is 32 bytes");
    return Key32(std::move(bytes));
  }
  static Result<Key32> random() {
    ASSIGN_OR_RETURN(SecretBytes bytes, SecretBytes::random(kKeyBytes));
    return Key32(std::move(bytes));
  }
  const SecretBytes& bytes() const noexcept { return bytes_; }
  SecretBytes& bytes() noexcept { return bytes_; }
  bool empty() const noexcept { return bytes_.empty(); }
  Result<Key32> clone() const {
    ASSIGN_OR_RETURN(SecretBytes bytes, bytes_.clone());
    return Key32(std::move(bytes));
  }

 private:
  explicit Key32(SecretBytes bytes) : bytes_(std::move(bytes)) {}
  SecretBytes bytes_;
};

using UnlockSecret = Key32<struct UnlockSecretTag>;  // U
using SlotSecret = Key32<struct SlotSecretTag>;      // S_e
using RootSecret = Key32<struct RootSecretTag>;      // R_e
using NodeKey = Key32<struct NodeKeyTag>;            // one node version
using Dek = Key32<struct DekTag>;                    // K_obj, the leaf of an asset
using SealKey = Key32<struct SealKeyTag>;  // derived from a Dek or from U, for one purpose

// R_e = HKDF-SHA-256(salt = store || epoch, ikm = S_e || U, info = "aierase/root/v1"); U may be
// null.
Result<RootSecret> derive_root(const SlotSecret& slot, const UnlockSecret* unlock,
                               const Uuid& store, std::uint64_t epoch);
// kcv = HKDF(K_obj, "aierase/kcv/v1" || store || asset): public, printed on certificates.
Result<Digest> key_check_value(const Dek& dek, const Uuid& store, const Uuid& asset);
// The same from 32 raw bytes inside somebody's reveal(): the tree's erase path, without a copy.
Result<Digest> key_check_value(ByteView dek, const Uuid& store, const Uuid& asset);
Result<SealKey> blob_key(const Dek& dek, const Uuid& blob);  // "aierase/blob/v1" || blob
Result<SealKey> manifest_key(const Dek& dek);                // "aierase/manifest/v1"
// The same from 32 raw bytes inside somebody's reveal(), into kKeyBytes of locked memory.
Status manifest_key(ByteView dek, ByteSpan out);
Result<SealKey> payload_key(const Dek& dek);             // "aierase/payload/v1"
Result<SealKey> anchor_key(const RootSecret& root);      // "aierase/anchor/v1"
Result<SealKey> slot_check_key(const SlotSecret& slot);  // "aierase/slot-check/v1"
Result<SealKey> keyfile_key(const UnlockSecret& unlock,
                            std::string_view purpose);  // "aierase/keyfile/v1" || purpose
// Argon2id of a passphrase; cost as stored in STORE/root-slot.
struct PassphraseCost {
  std::uint64_t operations = 3;
  std::uint64_t memory_bytes = 256ULL << 20;
};
Result<UnlockSecret> unlock_from_passphrase(const SecretBytes& passphrase, ByteView salt16,
                                            const PassphraseCost& cost);

}  // namespace aierase::crypto
