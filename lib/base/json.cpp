#include "base/json.h"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

namespace aierase {
namespace {

// Reads characters and counts them, so that a refusal inside the scan can name its place.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* count) : at_(at), count_(count) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*count_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) {
    return a.at_ == b.at_;
  }
  friend bool operator!=(const CountingIterator& a, const CountingIterator& b) { return !(a == b); }

 private:
  const char* at_;
  std::size_t* count_;
};

Error refused(std::size_t offset, const std::string& why) {
  return make_error(Errc::invalid_input, "JSON, byte " + std::to_string(offset) + ": " + why);
}

// Builds the value as it reads, and ends at the first thing that is refused: depth, number of
// values, duplicate keys, syntax.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  Builder(const JsonLimits& limits, const std::size_t* count) : limits_(limits), count_(count) {}

  const std::optional<Error>& error() const { return error_; }
  Json take() { return std::move(root_); }

  bool null() override { return put(nullptr) != nullptr; }
  bool boolean(bool value) override { return put(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return put(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return put(value) != nullptr; }
  bool number_float(number_float_t value, const string_t&) override {
    return put(value) != nullptr;
  }
  bool string(string_t& value) override { return put(std::move(value)) != nullptr; }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return enter(Json::object()); }
  bool start_array(std::size_t) override { return enter(Json::array()); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    auto& members = open_.back()->get_ref<Json::object_t&>();
    const auto [member, fresh] = members.try_emplace(std::move(name));
    member_ = &member->second;
    if (fresh) return true;
    error_ = refused(*count_, "the key " + quoted(name) + " stands twice in one object");
    return false;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    // The library's sentence quotes the input; the place is what a person needs.
    if (!error_) error_ = refused(position, "not valid JSON, or not valid UTF-8");
    return false;
  }

 private:
  // Where it stands now; null beyond a limit. What is open does not move while it is.
  Json* put(Json value) {
    if (++values_ > limits_.max_values) {
      error_ = refused(*count_, "more than " + std::to_string(limits_.max_values) + " values");
      return nullptr;
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (!open_.back()->is_array()) {
      *member_ = std::move(value);
      return member_;
    }
    auto& items = open_.back()->get_ref<Json::array_t&>();
    return &items.emplace_back(std::move(value));
  }
  bool enter(Json container) {
    if (open_.size() >= limits_.max_depth) {
      error_ =
          refused(*count_, "nested deeper than " + std::to_string(limits_.max_depth) + " levels");
      return false;
    }
    Json* const place = put(std::move(container));
    if (place != nullptr) open_.push_back(place);
    return place != nullptr;
  }
  bool leave() {
    open_.pop_back();
    return true;
  }

  const JsonLimits& limits_;
  std::size_t values_ = 0;
  const std::size_t* count_;
  Json root_;
  std::vector<Json*> open_;  // objects and arrays around what is read, the innermost last
  Json* member_ = nullptr;   // of the innermost object: whose key was read last
  std::optional<Error> error_;
};

Result<Json> build(std::string_view text, const JsonLimits& limits) {
  {
    std::size_t nowhere = 0;
    Builder builder(limits, &nowhere);
    if (Json::sax_parse(text.data(), text.data() + text.size(), &builder)) return builder.take();
  }
  // Again, slowly: where it is refused, for people to find it.
  std::size_t count = 0;
  Builder builder(limits, &count);
  const CountingIterator begin(text.data(), &count);
  const CountingIterator end(text.data() + text.size(), &count);
  static_cast<void>(Json::sax_parse(begin, end, &builder));
  if (builder.error()) return *builder.error();
  return refused(count, "not valid JSON");
}

// Number of bytes of the well-formed UTF-8 sequence at the start of `text`; 0 where there is none.
std::size_t utf8_sequence(std::string_view text, char32_t& code_point) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    code_point = lead;
    return 1;
  }
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  code_point = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
    code_point = code_point << 6 | (byte(i) & 0x3FU);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < kSmallest[length] || code_point > 0x10FFFF || surrogate) return 0;
  return length;
}

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

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return make_error(Errc::resource_limit, "the JSON text has " + std::to_string(text.size()) +
                                                " bytes; the limit is " +
                                                std::to_string(limits.max_bytes));
  }
  // The library takes a NUL for the end of the text and skips a byte order mark.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return refused(nul, "a NUL byte");
  }
  if (text.substr(0, 3) == "\xEF\xBB\xBF") return refused(0, "a byte order mark");
  try {
    return build(text, limits);
  } catch (const Json::exception&) {
    return refused(0, "not valid JSON");
  } catch (const std::exception&) {
    return make_error(Errc::resource_limit, "no memory to read JSON");
  }
}

Result<std::string> dump_canonical(const Json& value) {
  return dump(value, -1);
}

Result<std::string> dump_pretty(const Json& value) {
  return dump(value, 2);
}

bool is_valid_utf8(std::string_view text) {
  // Eight bytes at a time as long as they are ASCII, which nearly all text is.
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::uint64_t word = 0;
  for (; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
    std::memcpy(&word, text.data(), sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  while (!text.empty()) {
    char32_t code_point = 0;
    const std::size_t length = utf8_sequence(text, code_point);
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
    if (length != 0 && is_printable(code_point)) {
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
