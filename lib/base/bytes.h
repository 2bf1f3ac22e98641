// Bytes and their text forms: hex, base64, base32, big-endian integers.
//
// Contract: pure functions, no allocation limits of their own (callers pass bounded input);
// decoders accept only the canonical form and say nothing about secrets (none may pass here).
// base32 is RFC 4648 lower case without padding, base64 is RFC 4648 with padding.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aierase {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;
using ByteSpan = std::span<std::byte>;
using Digest = std::array<std::byte, 32>;

std::string to_hex(ByteView bytes);
std::optional<Bytes> from_hex(std::string_view text);
std::string to_base64(ByteView bytes);
std::optional<Bytes> from_base64(std::string_view text);
std::string to_base32(ByteView bytes);
std::optional<Bytes> from_base32(std::string_view text);

inline ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes copy_of(ByteView bytes) {
  return Bytes(bytes.begin(), bytes.end());
}
// Out of line: inlined, GCC 12 sees an overrun in vector::insert that is not there.
void append(Bytes& to, ByteView from);

// Fixed-width big-endian integers, the only integer encoding in our formats.
void put_be16(ByteSpan to, std::uint16_t value);
void put_be32(ByteSpan to, std::uint32_t value);
void put_be64(ByteSpan to, std::uint64_t value);
std::uint16_t get_be16(ByteView from);
std::uint32_t get_be32(ByteView from);
std::uint64_t get_be64(ByteView from);
void append_be16(Bytes& to, std::uint16_t value);
void append_be32(Bytes& to, std::uint32_t value);
void append_be64(Bytes& to, std::uint64_t value);

}  // namespace aierase
