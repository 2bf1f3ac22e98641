// A uuid of ours: 16 random bytes, no version bits (erasure-design: "16 raw random bytes").
// Text form: the 26 characters of to_base32(), prefixed by a type letter in domain/ids.h.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace aierase {

struct Uuid {
  std::array<std::byte, 16> bytes{};

  static Uuid random();  // from getrandom(2)
  static std::optional<Uuid> from_bytes(ByteView raw);
  static std::optional<Uuid> from_text(std::string_view base32);

  ByteView view() const { return bytes; }
  std::string text() const { return to_base32(bytes); }
  std::string hex() const { return to_hex(bytes); }
  bool is_zero() const;
  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

}  // namespace aierase
