// The one way to read JSON: RapidJSON finds the values, and they are put together here, counted.
// nlohmann's own reader passes over each text twice for our limits, and is slower in each.

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/json.h"

namespace aierase {
namespace {

Error refused(std::size_t offset, const std::string& why) {
  return make_error(Errc::invalid_input, "JSON, byte " + std::to_string(offset) + ": " + why);
}

template <typename Number>
std::optional<Json> number_as(std::string_view digits) {
  Number number{};
  const char* const end = digits.data() + digits.size();
  if (std::from_chars(digits.data(), end, number).ec != std::errc()) return std::nullopt;
  return number;
}

// A whole number keeps each of its digits as far as 64 bits go.
std::optional<Json> number_of(std::string_view digits) {
  std::optional<Json> number;
  if (digits.find_first_of(".eE") == std::string_view::npos) {
    number =
        digits.front() == '-' ? number_as<std::int64_t>(digits) : number_as<std::uint64_t>(digits);
  }
  return number ? number : number_as<double>(digits);
}

// What RapidJSON calls for each value: its names are not ours. Answers false to end the reading.
class Builder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Builder> {
 public:
  explicit Builder(const JsonLimits& limits) : limits_(limits) {}

  Json take() { return std::move(root_); }
  const std::string& refusal() const { return refusal_; }

  bool Null() { return put(nullptr) != nullptr; }
  bool Bool(bool value) { return put(value) != nullptr; }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    std::optional<Json> number = number_of({text, size});
    if (!number) return refuse("a number that is too big or too small");
    return put(std::move(*number)) != nullptr;
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view string(text, size);
    return is_text(string) && put(std::string(string)) != nullptr;
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view key(text, size);
    if (!is_text(key)) return false;
    auto& object = open_.back()->get_ref<Json::object_t&>();
    const std::size_t before = object.size();
    // Sorted text, as we write it, finds its place at the end.
    const auto member = object.try_emplace(object.end(), std::string(key));
    if (object.size() == before) {
      return refuse("the key " + quoted(key) + " stands twice in one object");
    }
    member_ = &member->second;
    return true;
  }
  bool StartObject() { return begin(Json::value_t::object); }
  bool StartArray() { return begin(Json::value_t::array); }
  bool EndObject(rapidjson::SizeType) { return end(); }
  bool EndArray(rapidjson::SizeType) { return end(); }

 private:
  bool refuse(std::string why) {
    refusal_ = std::move(why);
    return false;
  }
  // Half of a surrogate pair is let pass by RapidJSON, and becomes what is no UTF-8.
  bool is_text(std::string_view text) { return is_valid_utf8(text) || refuse("not valid UTF-8"); }
  Json* put(Json value) {
    if (++values_ > limits_.max_values) {
      refuse("more than " + std::to_string(limits_.max_values) + " values");
      return nullptr;
    }
    Json* place = &root_;
    if (!open_.empty()) {
      const bool is_item = open_.back()->is_array();
      place = is_item ? &open_.back()->get_ref<Json::array_t&>().emplace_back() : member_;
    }
    *place = std::move(value);
    return place;
  }
  bool begin(Json::value_t kind) {
    Json* const place = put(Json(kind));
    if (place == nullptr) return false;
    if (open_.size() == limits_.max_depth) {
      return refuse("nested deeper than " + std::to_string(limits_.max_depth) + " levels");
    }
    open_.push_back(place);
    return true;
  }
  bool end() {
    open_.pop_back();
    return true;
  }

  const JsonLimits& limits_;
  Json root_;
  std::vector<Json*> open_;  // objects and lists, the innermost last; none moves while it is open
  Json* member_ = nullptr;   // of the innermost object: what its last key is for
  std::size_t values_ = 0;
  std::string refusal_;
};

Result<Json> read(std::string_view text, const JsonLimits& limits) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  Builder builder(limits);
  // Without calling itself for each level. Its numbers are not exact near the largest.
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
  if (!builder.refusal().empty()) return refused(stream.Tell(), builder.refusal());
  if (result.IsError()) {
    // RapidJSON calls a control character an escape.
    const bool is_character = result.Code() == rapidjson::kParseErrorStringEscapeInvalid;
    return refused(result.Offset(), is_character
                                        ? "an unknown escape or a control character in a string."
                                        : rapidjson::GetParseError_En(result.Code()));
  }
  // A NUL ends the text for RapidJSON.
  if (stream.Tell() != text.size()) return refused(stream.Tell(), "a NUL behind the end");
  return builder.take();
}

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return make_error(Errc::resource_limit, "the JSON text has " + std::to_string(text.size()) +
                                                " bytes; the limit is " +
                                                std::to_string(limits.max_bytes));
  }
  try {
    return read(text, limits);
  } catch (const std::exception&) {
    return make_error(Errc::resource_limit, "no memory to read JSON");
  }
}

}  // namespace aierase
