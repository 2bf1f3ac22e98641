#include "base/json.h"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/characters.h"

namespace aierase {
namespace {

bool is_printable(char32_t code_point) {
  return code_point >= 0x20 && !(code_point >= 0x7F && code_point <= 0x9F);
}

Result<std::string> dump(const Json& value, int indent) {
  try {
    return value.dump(indent, ' ', false, Json::error_handler_t::strict);
  } catch (const Json::exception&) {
    return make_error(Errc::invalid_input, "a text is not valid UTF-8 and cannot be JSON");
  } catch (const std::exception&) {
    return make_error(Errc::resource_limit, "no memory to write JSON");
  }
}

}  // namespace

Result<std::string> dump_canonical(const Json& value) {
  return dump(value, -1);
}

Result<std::string> dump_pretty(const Json& value) {
  return dump(value, 2);
}

bool is_valid_utf8(std::string_view text) {
  // Eight bytes at a time where they are ASCII, which nearly all text is.
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  while (!text.empty()) {
    std::uint64_t word = kHighBits;
    if (text.size() >= sizeof word) std::memcpy(&word, text.data(), sizeof word);
    char32_t code_point = 0;
    const std::size_t length =
        (word & kHighBits) == 0 ? sizeof word : utf8_sequence(text, code_point);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool is_printable_utf8(std::string_view text) {
  while (!text.empty()) {
    char32_t code_point = 0;
    const std::size_t length = utf8_sequence(text, code_point);
    if (length == 0 || !is_printable(code_point)) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kShownBytes = 80;
  return quoted(text, kShownBytes);
}

std::string quoted(std::string_view text, std::size_t at_most) {
  std::string result = "\"";
  std::size_t shown = 0;
  while (shown < text.size()) {
    char32_t code_point = 0;
    const std::size_t length = utf8_sequence(text.substr(shown), code_point);
    const std::size_t step = length == 0 ? 1 : length;
    if (shown + step > at_most) break;
    if (length != 0 && !is_invisible(code_point)) {
      if (code_point == '"' || code_point == '\\') result += '\\';
      result += text.substr(shown, length);
    } else {
      for (const char character : text.substr(shown, step)) {
        char escape[5];
        std::snprintf(escape, sizeof escape, "\\x%02X",
                      static_cast<unsigned>(static_cast<unsigned char>(character)));
        result += escape;
      }
    }
    shown += step;
  }
  result += '"';
  if (shown < text.size()) result += "...";
  return result;
}

}  // namespace aierase
