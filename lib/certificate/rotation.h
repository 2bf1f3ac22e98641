// The record by which signer and log of a store get new keys: signed by the keys before and after.
//
// Contract: the body is a DSSE envelope in canonical JSON, public, and a leaf of the log. All four
// signatures must hold, or it is nothing. Specified in: aierase-certificate(5) ROTATION.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "crypto/signature.h"

namespace aierase::certificate {

inline constexpr std::string_view kRotationPayloadType =
    "application/vnd.aierase.key-rotation+json";

struct KeyPair {
  crypto::PublicKey signer{}, log{};
  friend bool operator==(const KeyPair&, const KeyPair&) = default;
};
struct KeyRotation {
  Uuid store;
  UtcTime time{};
  KeyPair previous, next;
};
struct RotationSigners {
  const crypto::SigningKey* previous_signer = nullptr;
  const crypto::SigningKey* previous_log = nullptr;
  const crypto::SigningKey* next_signer = nullptr;
  const crypto::SigningKey* next_log = nullptr;
};

Result<std::string> rotation_body(const Uuid& store, UtcTime time, const RotationSigners& signers);
Result<KeyRotation> read_rotation(std::string_view body);

}  // namespace aierase::certificate
