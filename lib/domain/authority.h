// The keys that a store speaks with, and the heads of its log that it has signed.
//
// Contract: values. A signer signs certificates whose leaf in the log lies at `first_leaf` or
// behind it, and before that of its successor; a log key signs heads that end behind its
// `first_leaf`, and not behind that of its successor. Nothing here is secret.
// Specified in: aierase-certificate(5) TRUST.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"

namespace aierase::domain {

enum class KeyPurpose { signer, log };
std::string_view to_text(KeyPurpose purpose) noexcept;
std::optional<KeyPurpose> parse_key_purpose(std::string_view text) noexcept;

struct AuthorityKey {
  KeyPurpose purpose = KeyPurpose::signer;
  std::array<std::byte, 32> public_key{};  // Ed25519
  UtcTime since{};
  std::uint64_t first_leaf = 0;  // of the rotation that brought it; 0: it came with the store
};

struct SignedHead {
  std::uint64_t size = 0;  // of the log
  Digest root{};
  UtcTime signed_at{};
  std::string checkpoint;  // a signed note
};

}  // namespace aierase::domain
