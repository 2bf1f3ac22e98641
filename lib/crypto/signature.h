// Ed25519 (RFC 8032) for certificates and the log: two keys, never the same.
//
// Contract: the private half is a SecretBytes of 64 bytes (libsodium's form: seed || public);
// signatures are deterministic. PEM is SubjectPublicKeyInfo as `openssl pkey -pubin` reads it.
// key_fingerprint = SHA-256 over the DER of SubjectPublicKeyInfo, shown as "SHA256:" + hex.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"

namespace aierase::crypto {

using PublicKey = std::array<std::byte, 32>;
using Signature = std::array<std::byte, 64>;

class SigningKey {
 public:
  static Result<SigningKey> generate();
  static Result<SigningKey> from_seed(const SecretBytes& seed32);
  Result<Signature> sign(ByteView message) const;
  const PublicKey& public_key() const { return public_key_; }
  Result<SecretBytes> seed() const;  // 32 bytes, for sealing into the key file

 private:
  SigningKey(SecretBytes key, const PublicKey& public_key)
      : key_(std::move(key)), public_key_(public_key) {}
  SecretBytes key_;
  PublicKey public_key_{};
};

// A canonical encoding of a point of the prime-order group, and not its neutral element: what a key
// of a stranger has to be before anything is believed of it.
bool is_valid_public_key(const PublicKey& key);
bool verify_signature(const PublicKey& key, ByteView message, const Signature& signature);
std::string public_key_pem(const PublicKey& key);
Result<PublicKey> parse_public_key_pem(std::string_view pem);  // Ed25519 only
Bytes public_key_der(const PublicKey& key);
Digest key_fingerprint(const PublicKey& key);

}  // namespace aierase::crypto
