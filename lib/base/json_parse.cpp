// The one way to read JSON: RapidJSON finds the values in a copy of the text and leaves them where
// they stand; here they are counted, checked and noted down.

#ifdef __SSE2__
#define RAPIDJSON_SSE2
#endif
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

#include "base/json.h"
#include "base/json_parts.h"
#include "base/json_view.h"

namespace aierase {
namespace {

using Kind = JsonNode::Kind;

Error refused(std::size_t offset, const std::string& why) {
  return make_error(Errc::invalid_input, "JSON, byte " + std::to_string(offset) + ": " + why);
}

template <typename Number>
bool is_number(std::string_view digits, Number& number) {
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, number);
  return read.ec == std::errc() && read.ptr == end;
}

// A whole number keeps each of its digits as far as 64 bits go.
std::optional<JsonNode> number_of(std::string_view digits) {
  JsonNode node;
  if (digits.front() != '-' && is_number(digits, node.whole)) {
    node.kind = Kind::whole;
    return node;
  }
  std::int64_t negative = 0;
  if (digits.front() == '-' && is_number(digits, negative)) {
    node.kind = Kind::negative;
    node.negative = negative;
    return node;
  }
  double real = 0;
  if (!is_number(digits, real)) return std::nullopt;
  node.kind = Kind::real;
  node.real = real;
  return node;
}

JsonNode text_node(std::string_view text) {
  JsonNode node;
  node.kind = Kind::text;
  node.size = static_cast<std::uint32_t>(text.size());
  node.text = text.data();
  return node;
}

// What RapidJSON calls for each value: its names are not ours. Answers false to end the reading.
class Builder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Builder> {
 public:
  // `texts_are_checked`: no text in it can be other than UTF-8.
  Builder(JsonParts& parts, const JsonLimits& limits, bool texts_are_checked)
      : parts_(parts), limits_(limits), texts_are_checked_(texts_are_checked) {
    open_.reserve(limits.max_depth);
    inside_.reserve(256);
  }

  const std::string& refusal() const { return refusal_; }

  bool Null() { return put({}); }
  bool Bool(bool value) {
    JsonNode node;
    node.kind = Kind::boolean;
    node.truth = value;
    return put(node);
  }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    const std::optional<JsonNode> number = number_of({text, size});
    if (!number) return refuse("a number that is too big or too small");
    return put(*number);
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view string(text, size);
    return is_text(string) && put(text_node(string));
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view key(text, size);
    if (!is_text(key)) return false;
    if (!is_new(open_.back(), key)) {
      return refuse("the key " + quoted(key) + " stands twice in one object");
    }
    inside_.push_back(end_of_nodes());
    parts_.nodes.push_back(text_node(key));
    return true;
  }
  bool StartObject() { return begin(Kind::object); }
  bool StartArray() { return begin(Kind::list); }
  bool EndObject(rapidjson::SizeType) { return end(); }
  bool EndArray(rapidjson::SizeType) { return end(); }

 private:
  // A list or an object that has not ended.
  struct Open {
    std::uint32_t node = 0;
    std::size_t first = 0;  // of its items or keys, in inside_
    std::string_view last_key;
    std::unique_ptr<std::set<std::string_view>> keys;  // once they do not come in their order
  };

  std::uint32_t end_of_nodes() const { return static_cast<std::uint32_t>(parts_.nodes.size()); }
  std::string_view key_at(std::uint32_t place) const {
    return {parts_.nodes[place].text, parts_.nodes[place].size};
  }
  bool refuse(std::string why) {
    refusal_ = std::move(why);
    return false;
  }
  // Half of a surrogate pair is let pass by RapidJSON, and becomes what is no UTF-8.
  bool is_text(std::string_view text) {
    return texts_are_checked_ || is_valid_utf8(text) || refuse("not valid UTF-8");
  }
  // We write keys in their order: then there is nothing to remember but the last.
  bool is_new(Open& object, std::string_view key) {
    if (!object.keys) {
      if (inside_.size() == object.first || comes_before(object.last_key, key)) {
        object.last_key = key;
        return true;
      }
      object.keys = std::make_unique<std::set<std::string_view>>();
      for (std::size_t i = object.first; i < inside_.size(); ++i) {
        object.keys->insert(key_at(inside_[i]));
      }
    }
    return object.keys->insert(key).second;
  }
  bool put(const JsonNode& node) {
    if (++values_ > limits_.max_values) {
      return refuse("more than " + std::to_string(limits_.max_values) + " values");
    }
    const bool is_item = !open_.empty() && parts_.nodes[open_.back().node].kind == Kind::list;
    if (is_item) inside_.push_back(end_of_nodes());
    parts_.nodes.push_back(node);
    return true;
  }
  bool begin(Kind kind) {
    JsonNode node;
    node.kind = kind;
    if (!put(node)) return false;
    if (open_.size() == limits_.max_depth) {
      return refuse("nested deeper than " + std::to_string(limits_.max_depth) + " levels");
    }
    open_.push_back({end_of_nodes() - 1, inside_.size(), {}, nullptr});
    return true;
  }
  bool end() {
    const Open& ended = open_.back();
    const auto first = inside_.begin() + static_cast<std::ptrdiff_t>(ended.first);
    if (ended.keys) {
      std::sort(first, inside_.end(), [&](std::uint32_t a, std::uint32_t b) {
        return comes_before(key_at(a), key_at(b));
      });
    }
    JsonNode& node = parts_.nodes[ended.node];
    node.size = static_cast<std::uint32_t>(inside_.end() - first);
    node.first = static_cast<std::uint32_t>(parts_.places.size());
    parts_.places.insert(parts_.places.end(), first, inside_.end());
    inside_.erase(first, inside_.end());
    open_.pop_back();
    return true;
  }

  JsonParts& parts_;
  const JsonLimits& limits_;
  const bool texts_are_checked_;
  std::vector<Open> open_;             // the innermost last
  std::vector<std::uint32_t> inside_;  // the items and keys of those, as JsonParts::places
  std::size_t values_ = 0;
  std::string refusal_;
};

struct Copy {
  std::unique_ptr<JsonParts::Block[]> text;
  bool is_ascii = true;
};

// By sixteens, RapidJSON takes 0x1A to 0x1F for characters that may stand in a text. They may stand
// nowhere, nor may the two before them: in our copy another one that may not takes their place.
Copy copy_to_read(std::string_view text) {
  constexpr std::uint64_t kEach = 0x0101010101010101;  // in each byte
  constexpr std::size_t kBlock = sizeof(JsonParts::Block);
  const std::size_t blocks = text.size() / kBlock + 1;  // with a NUL at least
  Copy copy{std::make_unique_for_overwrite<JsonParts::Block[]>(blocks), true};
  copy.text[blocks - 1] = {};
  if (!text.empty()) std::memcpy(copy.text.get(), text.data(), text.size());
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < blocks; ++i) {
    std::array<std::uint64_t, 2> words;
    std::memcpy(words.data(), copy.text[i].bytes, kBlock);
    seen |= words[0] | words[1];
    const auto refused = [](std::uint64_t word) {
      const std::uint64_t from_0x18 = word ^ 0x18 * kEach;
      return (from_0x18 - 8 * kEach) & ~from_0x18 & 0x80 * kEach;  // a byte of it is below 8
    };
    if ((refused(words[0]) | refused(words[1])) == 0) continue;
    for (char& c : copy.text[i].bytes) c = (c & 0xF8) == 0x18 ? '\1' : c;
  }
  copy.is_ascii = (seen & 0x80 * kEach) == 0;
  return copy;
}

Result<JsonDocument> read(std::string_view text, const JsonLimits& limits) {
  auto parts = std::make_unique<JsonParts>();
  Copy copy = copy_to_read(text);
  parts->text = std::move(copy.text);
  constexpr std::size_t kBytesPerNode = 16;  // in what we write: a guess that saves copying
  parts->nodes.reserve(text.size() / kBytesPerNode);
  parts->places.reserve(text.size() / kBytesPerNode);
  // What is UTF-8 as a whole is so in each part, but for what an escape stands for.
  const bool checked =
      text.find("\\u") == std::string_view::npos && (copy.is_ascii || is_valid_utf8(text));
  Builder builder(*parts, limits, checked);
  rapidjson::InsituStringStream stream(parts->text[0].bytes);
  rapidjson::Reader reader;
  // Without calling itself for each level. Its numbers are not exact near the largest.
  constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag |
                              rapidjson::kParseNumbersAsStringsFlag;
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
  return JsonDocument(std::move(parts));
}

}  // namespace

Result<JsonDocument> read_json(std::string_view text, const JsonLimits& limits) {
  // A place in a document is a number of 32 bits, and no document has more of them than bytes.
  constexpr std::size_t kMostBytes = std::numeric_limits<std::uint32_t>::max();
  const std::size_t most = std::min(limits.max_bytes, kMostBytes);
  if (text.size() > most) {
    return make_error(Errc::resource_limit, "the JSON text has " + std::to_string(text.size()) +
                                                " bytes; the limit is " + std::to_string(most));
  }
  try {
    return read(text, limits);
  } catch (const std::exception&) {
    return make_error(Errc::resource_limit, "no memory to read JSON");
  }
}

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  ASSIGN_OR_RETURN(const JsonDocument document, read_json(text, limits));
  try {
    return document.root().json();
  } catch (const std::exception&) {
    return make_error(Errc::resource_limit, "no memory to read JSON");
  }
}

}  // namespace aierase
