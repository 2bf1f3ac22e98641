// ECDSA over NIST P-256 with SHA-256, verification only: most security keys of people hold no
// other, and TPMs sign with it.
//
// Contract: stateless, any thread, nothing secret. A point is the uncompressed form 04 || X || Y; r
// and s are big-endian. Of one valid signature anybody can make a second one (r, n - s): a
// signature shows who signed, its bytes are never an identity. Specified by FIPS 186-5, SEC 1.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/bytes.h"

namespace aierase::crypto {

using P256Point = std::array<std::byte, 65>;

struct P256Signature {
  std::array<std::byte, 32> r{};
  std::array<std::byte, 32> s{};
};

bool is_valid_p256_point(const P256Point& point);
// As openssl reads them: SubjectPublicKeyInfo, and SEQUENCE { INTEGER r, INTEGER s }. Nothing where
// the bytes are not the one encoding.
Bytes p256_public_key_der(const P256Point& point);
std::optional<P256Point> parse_p256_public_key_der(ByteView der);
Bytes p256_signature_der(const P256Signature& signature);
std::optional<P256Signature> parse_p256_signature_der(ByteView der);
bool verify_p256(const P256Point& key, ByteView message, const P256Signature& signature);

}  // namespace aierase::crypto
