// SHA-256, HMAC, HKDF, AES-256-GCM: thin owners over libcrypto, nothing of our own.
//
// Contract: stateless functions may be called from any thread; Sha256 and Aead objects belong to
// one thread at a time. Failures of libcrypto are Errc::unexpected; a tag that does not match is
// Errc::verification_failed and nothing of the output may be used. Specified by FIPS 180-4,
// RFC 2104, RFC 5869, SP 800-38D.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "crypto/keys.h"

namespace aierase::crypto {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(ByteView bytes);
  Digest finish();  // and starts anew
 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

Digest sha256(ByteView bytes);
std::array<std::byte, 64> sha512(ByteView bytes);
Result<Digest> hmac_sha256(ByteView key, ByteView message);
// Raw forms work on spans so that callers inside reveal()/fill() make no copies.
Status hkdf_sha256(ByteView ikm, ByteView salt, ByteView info, ByteSpan out);
Status hkdf_expand_sha384(ByteView prk, ByteView info, ByteSpan out);

inline constexpr std::size_t kGcmIvBytes = 12;
inline constexpr std::size_t kGcmTagBytes = 16;

// One AES-256-GCM context, re-keyed per call (the key schedule is cheap); zeroized at the end.
class Aead {
 public:
  Aead();
  ~Aead();
  Aead(Aead&&) noexcept;
  Aead& operator=(Aead&&) noexcept;
  // out.size() == plaintext.size(); tag 16 bytes. In place (same span) is allowed.
  Status seal(ByteView key, ByteView iv, ByteView associated, ByteView plaintext, ByteSpan out,
              ByteSpan tag);
  Status open(ByteView key, ByteView iv, ByteView associated, ByteView ciphertext, ByteView tag,
              ByteSpan out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

bool equal_constant_time(ByteView a, ByteView b) noexcept;
void random_bytes(ByteSpan out);  // getrandom(2); aborts if the kernel has none

// A small sealed message under a key that is used for this purpose alone:
// magic "AES1" || salt 24 || commit 32 || AES-256-GCM(plaintext, AAD = associated) || tag 16, with
// key, iv and commit from HKDF(salt, key, "aierase/seal/v1" || associated); the commit is compared
// first, in constant time, so one message never opens under two keys. (aierase-store(5) SEALED
// MESSAGES: manifests, dataset keys, signer and log key files.)
Result<Bytes> seal_message(const SealKey& key, ByteView associated, ByteView plaintext);
Result<SecretBytes> open_message(const SealKey& key, ByteView associated, ByteView sealed);
// The same into ordinary memory, for content that is confidential but no key: a manifest of 30 MiB
// would not fit into what a process may lock.
Result<Bytes> open_content(const SealKey& key, ByteView associated, ByteView sealed);
// The same for a caller who opens many: the key raw inside somebody's reveal(), and a workspace of
// kSealWorkspaceBytes of locked memory, which holds key material afterwards.
Result<Bytes> open_content(ByteView key, ByteView associated, ByteView sealed, ByteSpan workspace);
inline constexpr std::size_t kSealOverhead = 4 + 24 + 32 + kGcmTagBytes;
inline constexpr std::size_t kSealWorkspaceBytes = 32 + 12 + 32;

}  // namespace aierase::crypto
