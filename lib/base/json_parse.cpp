// The one reader of JSON: RFC 8259 to the letter, with our limits, in one pass.

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace aierase {
namespace {

Error refused(std::size_t offset, const std::string& why) {
  return make_error(Errc::invalid_input, "JSON, byte " + std::to_string(offset) + ": " + why);
}

// The highest bit of each byte of `word` that is zero, and maybe of bytes above such a one.
constexpr std::uint64_t kEach = 0x0101010101010101;
constexpr std::uint64_t kHighest = kEach * 0x80;
std::uint64_t zero_bytes(std::uint64_t word) {
  return (word - kEach) & ~word & kHighest;
}

bool ends_plain_text(char character) {
  const auto code = static_cast<unsigned char>(character);
  return code < 0x20 || code >= 0x80 || code == '"' || code == '\\';
}

// How many characters of `text` stand for themselves: ASCII, no control, no quote, no backslash.
std::size_t plain_text(std::string_view text) {
  std::size_t at = 0;
  for (std::uint64_t word = 0; text.size() - at >= sizeof word; at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    const std::uint64_t controls = (word - kEach * 0x20) & ~word & kHighest;
    const std::uint64_t special = controls | (word & kHighest) | zero_bytes(word ^ kEach * '"') |
                                  zero_bytes(word ^ kEach * '\\');
    if (special == 0) continue;
    if constexpr (std::endian::native != std::endian::little) break;
    return at + static_cast<std::size_t>(std::countr_zero(special)) / 8;
  }
  while (at < text.size() && !ends_plain_text(text[at])) ++at;
  return at;
}

void append_utf8(std::string& to, char32_t code) {
  const auto put = [&to](char32_t byte) { to += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

// Every function answers false where something was refused; `error()` has the first such thing.
class Parser {
 public:
  Parser(std::string_view text, const JsonLimits& limits) : text_(text), limits_(limits) {}

  bool whole(Json& to) {
    if (!value(to)) return false;
    skip_blanks();
    return at_ == text_.size() || refuse("something stands behind the end");
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  bool refuse(const std::string& why) { return refuse(at_, why); }
  bool refuse(std::size_t offset, const std::string& why) {
    error_ = refused(offset, why);
    return false;
  }
  // No character of JSON is NUL: past the end there is nothing that anybody looks for.
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char character) {
    if (next() != character) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  void skip_blanks() {
    while (next() == ' ' || next() == '\n' || next() == '\r' || next() == '\t') ++at_;
  }

  bool value(Json& to) {
    skip_blanks();
    if (++values_ > limits_.max_values) {
      return refuse("more than " + std::to_string(limits_.max_values) + " values");
    }
    switch (next()) {
      case '{':
      case '[':
        return container(to);
      case '"':
        return text_value(to);
      case 'n':
        return take_word("null") || refuse("not valid JSON");  // it is null already
      case 't':
        to = true;
        return take_word("true") || refuse("not valid JSON");
      case 'f':
        to = false;
        return take_word("false") || refuse("not valid JSON");
      default:
        return number(to);
    }
  }

  bool container(Json& to) {
    const bool is_object = take('{');
    if (!is_object) ++at_;
    if (++depth_ > limits_.max_depth) {
      return refuse("nested deeper than " + std::to_string(limits_.max_depth) + " levels");
    }
    if (!(is_object ? members(to) : items(to))) return false;
    --depth_;
    return true;
  }

  bool members(Json& to) {
    to = Json(Json::value_t::object);
    auto& object = to.get_ref<Json::object_t&>();
    skip_blanks();
    if (take('}')) return true;
    do {
      skip_blanks();
      std::string key;
      if (next() != '"') return refuse("no key where one must stand");
      if (!text(key)) return false;
      const std::size_t before = object.size();
      // Sorted text, as we write it, finds its place at the end.
      const auto member = object.try_emplace(object.end(), std::move(key));
      if (object.size() == before) {
        return refuse("the key " + quoted(member->first) + " stands twice in one object");
      }
      skip_blanks();
      if (!take(':')) return refuse("no colon behind a key");
      if (!value(member->second)) return false;
      skip_blanks();
    } while (take(','));
    return take('}') || refuse("neither a comma nor the end of an object");
  }

  bool items(Json& to) {
    to = Json(Json::value_t::array);
    auto& array = to.get_ref<Json::array_t&>();
    skip_blanks();
    if (take(']')) return true;
    do {
      if (!value(array.emplace_back())) return false;
      skip_blanks();
    } while (take(','));
    return take(']') || refuse("neither a comma nor the end of a list");
  }

  bool text_value(Json& to) {
    std::string read;
    if (!text(read)) return false;
    to = std::move(read);
    return true;
  }

  bool text(std::string& to) {
    ++at_;  // the quote
    for (;;) {
      const std::size_t plain = plain_text(text_.substr(at_));
      to.append(text_, at_, plain);
      at_ += plain;
      if (take('"')) return true;
      if (at_ == text_.size()) return refuse("a text without its end");
      const auto code = static_cast<unsigned char>(text_[at_]);
      if (code < 0x20) return refuse("a control character in a text");
      if (!(code == '\\' ? escaped(to) : foreign(to))) return false;
    }
  }

  // What is not ASCII: whole sequences of UTF-8, as they are.
  bool foreign(std::string& to) {
    std::size_t end = at_;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0x80U) != 0) ++end;
    const std::string_view run = text_.substr(at_, end - at_);
    if (!is_valid_utf8(run)) return refuse("not valid UTF-8");
    to += run;
    at_ = end;
    return true;
  }

  bool escaped(std::string& to) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const std::size_t begin = at_++;
    const char letter = next();
    if (letter == 'u') return escaped_code(begin, to);
    const std::size_t known = letter == '\0' ? std::string_view::npos : kLetters.find(letter);
    if (known == std::string_view::npos) return refuse(begin, "an escape that JSON does not know");
    to += kMeanings[known];
    ++at_;
    return true;
  }

  // \uXXXX, or two of them for what lies beyond 16 bits.
  bool escaped_code(std::size_t begin, std::string& to) {
    const std::optional<char32_t> first = code_unit();
    if (!first) return refuse(begin, "\\u without four hexadecimal digits");
    char32_t code = *first;
    if (code >= 0xD800 && code <= 0xDFFF) {
      const bool is_pair = code < 0xDC00 && take('\\') && next() == 'u';
      const std::optional<char32_t> second = is_pair ? code_unit() : std::nullopt;
      if (!second || *second < 0xDC00 || *second > 0xDFFF) {
        return refuse(begin, "half of a surrogate pair");
      }
      code = 0x10000 + ((code - 0xD800) << 10) + (*second - 0xDC00);
    }
    append_utf8(to, code);
    return true;
  }

  // From its "u" on.
  std::optional<char32_t> code_unit() {
    constexpr std::size_t kDigits = 4;
    const std::string_view digits = text_.substr(at_ + 1, kDigits);
    std::uint32_t code = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != kDigits || read.ptr != digits.data() + kDigits) return std::nullopt;
    at_ += 1 + kDigits;
    return code;
  }

  bool number(Json& to) {
    const std::size_t begin = at_;
    const bool negative = take('-');
    if (!is_digit(next())) return refuse(begin, "not valid JSON");
    if (!take('0')) skip_digits();
    const bool whole = next() != '.' && next() != 'e' && next() != 'E';
    if (take('.') && !skip_digits()) return refuse("no digit behind the point of a number");
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!skip_digits()) return refuse("no digit in the exponent of a number");
    }
    const char* const from = text_.data() + begin;
    const char* const end = text_.data() + at_;
    if (whole &&
        (negative ? read<std::int64_t>(from, end, to) : read<std::uint64_t>(from, end, to)))
      return true;
    return read<double>(from, end, to) || refuse(begin, "a number that is too large or too small");
  }
  bool skip_digits() {
    const std::size_t begin = at_;
    while (is_digit(next())) ++at_;
    return at_ != begin;
  }
  template <typename Number>
  static bool read(const char* from, const char* end, Json& to) {
    Number number{};
    if (std::from_chars(from, end, number).ec != std::errc()) return false;
    to = number;
    return true;
  }

  const std::string_view text_;
  const JsonLimits& limits_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t values_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return make_error(Errc::resource_limit, "the JSON text has " + std::to_string(text.size()) +
                                                " bytes; the limit is " +
                                                std::to_string(limits.max_bytes));
  }
  try {
    Parser parser(text, limits);
    Json json;
    if (parser.whole(json)) return json;
    return *parser.error();
  } catch (const std::exception&) {
    return make_error(Errc::resource_limit, "no memory to read JSON");
  }
}

}  // namespace aierase
