// JSON in and out: parsing with limits, canonical text.
//
// Contract: parse takes RFC 8259 to the letter, and refuses, with the offset at which it was seen:
// nesting beyond `max_depth`, duplicate keys, invalid UTF-8, a byte order mark, trailing bytes,
// numbers that a double cannot hold, more than `max_bytes`, and more than `max_values` values,
// lest a text of "[],[],[]" takes memory of twenty times its size. What it takes, nlohmann's
// parser takes too, with the same value. Canonical text: UTF-8, keys in byte order, no white
// space; deterministic for equal values.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace aierase {

using Json = nlohmann::json;  // sorts its keys

struct JsonLimits {
  std::size_t max_bytes = 16 << 20;
  std::size_t max_depth = 64;
  std::size_t max_values = 2'000'000;  // a statement of 100,000 subjects has 400,000
};

Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});
Result<std::string> dump_canonical(const Json& value);  // invalid UTF-8: invalid_input
Result<std::string> dump_pretty(const Json& value);     // two spaces, for people

// Valid UTF-8, and nothing below U+0020 nor U+007F to U+009F: fit to be shown on a terminal.
bool is_printable_utf8(std::string_view text);
bool is_valid_utf8(std::string_view text);
// For error messages about hostile text: unprintable bytes become \xNN, at most 80 bytes.
std::string quoted(std::string_view text);
std::string quoted(std::string_view text, std::size_t at_most);
// Exact matches, lest argument-dependent lookup prefers std::quoted of <iomanip>.
inline std::string quoted(const std::string& text) {
  return quoted(std::string_view(text));
}
inline std::string quoted(const char* text) {
  return quoted(std::string_view(text));
}
inline std::string quoted(std::string& text) {
  return quoted(std::string_view(text));
}

}  // namespace aierase
