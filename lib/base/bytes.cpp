#include "base/bytes.h"

#include <algorithm>

namespace aierase {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase32Digits = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The most significant bits first, `bits` at a time, the last digit filled up with zero bits.
std::string encode(ByteView bytes, std::string_view digits, unsigned bits) {
  const std::size_t size = (bytes.size() * 8 + bits - 1) / bits;
  std::string text;
  text.reserve(size + 3);  // with what fills it up
  text.resize(size);
  std::size_t filled = 0;
  const std::uint32_t mask = (1U << bits) - 1;
  std::uint32_t pending = 0;
  unsigned count = 0;
  for (const std::byte byte : bytes) {
    pending = (pending << 8 | std::to_integer<std::uint32_t>(byte)) & 0xFFFF;
    count += 8;
    while (count >= bits) {
      count -= bits;
      text[filled++] = digits[pending >> count & mask];
    }
  }
  if (count > 0) text[filled] = digits[pending << (bits - count) & mask];
  return text;
}

// The number of each digit, and kForeign of all other characters.
constexpr std::uint8_t kForeign = 0xFF;
using Numbers = std::array<std::uint8_t, 256>;

constexpr Numbers numbers_of(std::string_view digits) {
  Numbers numbers{};
  for (std::uint8_t& number : numbers) number = kForeign;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    numbers[static_cast<unsigned char>(digits[i])] = static_cast<std::uint8_t>(i);
  }
  return numbers;
}
constexpr Numbers kHexNumbers = numbers_of(kHexDigits);
constexpr Numbers kBase32Numbers = numbers_of(kBase32Digits);
constexpr Numbers kBase64Numbers = numbers_of(kBase64Digits);

// The inverse; refuses foreign characters, superfluous digits and filled-up bits that are not zero.
std::optional<Bytes> decode(std::string_view text, const Numbers& numbers, unsigned bits) {
  Bytes bytes(text.size() * bits / 8);
  std::size_t filled = 0;
  std::uint32_t pending = 0;
  unsigned count = 0;
  for (const char character : text) {
    const std::uint8_t digit = numbers[static_cast<unsigned char>(character)];
    if (digit == kForeign) return std::nullopt;
    pending = (pending << bits | digit) & 0xFFFF;
    count += bits;
    if (count >= 8) {
      count -= 8;
      bytes[filled++] = static_cast<std::byte>(pending >> count & 0xFF);
    }
  }
  if (count >= bits || (pending & ((1U << count) - 1)) != 0) return std::nullopt;
  return bytes;
}

// The same for whole groups of four digits of base64, three bytes each: evidence is full of them.
bool decode_quads(std::string_view text, ByteSpan to) {
  std::uint32_t seen = 0;
  for (std::size_t from = 0, at = 0; from < text.size(); from += 4, at += 3) {
    const auto digit = [&](std::size_t i) -> std::uint32_t {
      return kBase64Numbers[static_cast<unsigned char>(text[from + i])];
    };
    const std::uint32_t first = digit(0), second = digit(1), third = digit(2), last = digit(3);
    seen |= first | second | third | last;
    const std::uint32_t group = first << 18 | second << 12 | third << 6 | last;
    to[at] = static_cast<std::byte>(group >> 16 & 0xFF);
    to[at + 1] = static_cast<std::byte>(group >> 8 & 0xFF);
    to[at + 2] = static_cast<std::byte>(group & 0xFF);
  }
  return seen < kBase64Digits.size();
}

template <typename Integer>
void put(ByteSpan to, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    to[i] = static_cast<std::byte>(value >> (8 * (sizeof(Integer) - 1 - i)) & 0xFF);
  }
}

template <typename Integer>
Integer get(ByteView from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    value = value << 8 | std::to_integer<std::uint64_t>(from[i]);
  }
  return static_cast<Integer>(value);
}

template <typename Integer>
void append_integer(Bytes& to, Integer value) {
  to.resize(to.size() + sizeof(Integer));
  put<Integer>(ByteSpan(to).last(sizeof(Integer)), value);
}

}  // namespace

std::string to_hex(ByteView bytes) {
  return encode(bytes, kHexDigits, 4);
}

std::optional<Bytes> from_hex(std::string_view text) {
  return decode(text, kHexNumbers, 4);
}

std::string to_base64(ByteView bytes) {
  std::string text = encode(bytes, kBase64Digits, 6);
  while (text.size() % 4 != 0) text += '=';
  return text;
}

std::optional<Bytes> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int padding = 0; padding < 2 && !text.empty() && text.back() == '='; ++padding) {
    text.remove_suffix(1);
  }
  Bytes bytes(text.size() * 6 / 8);
  const std::size_t quads = text.size() / 4;
  const std::optional<Bytes> rest = decode(text.substr(4 * quads), kBase64Numbers, 6);
  if (!rest || !decode_quads(text.substr(0, 4 * quads), bytes)) return std::nullopt;
  std::copy(rest->begin(), rest->end(), bytes.end() - static_cast<std::ptrdiff_t>(rest->size()));
  return bytes;
}

std::string to_base32(ByteView bytes) {
  return encode(bytes, kBase32Digits, 5);
}

std::optional<Bytes> from_base32(std::string_view text) {
  return decode(text, kBase32Numbers, 5);
}

void append(Bytes& to, ByteView from) {
  to.insert(to.end(), from.begin(), from.end());
}

void put_be16(ByteSpan to, std::uint16_t value) {
  put(to, value);
}
void put_be32(ByteSpan to, std::uint32_t value) {
  put(to, value);
}
void put_be64(ByteSpan to, std::uint64_t value) {
  put(to, value);
}
std::uint16_t get_be16(ByteView from) {
  return get<std::uint16_t>(from);
}
std::uint32_t get_be32(ByteView from) {
  return get<std::uint32_t>(from);
}
std::uint64_t get_be64(ByteView from) {
  return get<std::uint64_t>(from);
}
void append_be16(Bytes& to, std::uint16_t value) {
  append_integer(to, value);
}
void append_be32(Bytes& to, std::uint32_t value) {
  append_integer(to, value);
}
void append_be64(Bytes& to, std::uint64_t value) {
  append_integer(to, value);
}

}  // namespace aierase
