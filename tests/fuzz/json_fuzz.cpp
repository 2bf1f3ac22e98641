// parse_json and back: what parses can be dumped, and dumps to the same again. What it takes is
// what another reader takes, with the same value; what it refuses beyond that are its own rules. In
// what read_json makes of it, each value stands where the other reader has it.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/json_view.h"

namespace {

using aierase::Json;

// A double cannot hold it, there are two of a key, or too many levels: nlohmann lets these pass.
bool is_own_rule(const std::string& message) {
  for (const char* rule : {"too big", "stands twice", "nested deeper"}) {
    if (message.find(rule) != std::string::npos) return true;
  }
  return false;
}

bool same(aierase::JsonView view, const Json& other) {
  if (view.is_null() != other.is_null() || view.is_array() != other.is_array() ||
      view.is_object() != other.is_object() || view.is_string() != other.is_string() ||
      view.truth().has_value() != other.is_boolean() ||
      view.number().has_value() != other.is_number_unsigned() || view.size() != other.size() ||
      view.empty() != other.empty()) {
    return false;
  }
  if (view.is_string() && view.text() != other.get_ref<const std::string&>()) return false;
  if (view.truth() && *view.truth() != other.get<bool>()) return false;
  if (view.number() && *view.number() != other.get<std::uint64_t>()) return false;
  std::size_t at = 0;
  for (const aierase::JsonView item : view) {
    if (!same(item, other[at]) || !same(view[at], other[at])) return false;
    ++at;
  }
  if (!other.is_object()) return at == (other.is_array() ? other.size() : 0);
  for (const auto& [key, value] : other.items()) {
    if (view.key(at) != key || !same(view[at], value)) return false;
    if (!view.contains(key) || !same(view[key], value)) return false;
    for (const std::string& absent : {key + "x", key.substr(0, key.size() / 2), "x" + key}) {
      if (view.contains(absent) != other.contains(absent)) return false;
    }
    ++at;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const aierase::Result<Json> parsed = aierase::parse_json(text, {64 << 10, 16});
  // A NUL ends the text for it, and a byte order mark is skipped.
  const bool comparable = text.find('\0') == std::string_view::npos && !text.starts_with("\xEF");
  const aierase::Result<aierase::JsonDocument> document = aierase::read_json(text, {64 << 10, 16});
  if (document.ok() != parsed.ok()) std::abort();
  if (!parsed.ok() && parsed.error().message != document.error().message) std::abort();
  const Json other =
      comparable ? Json::parse(text, nullptr, false) : Json(Json::value_t::discarded);
  if (!parsed.ok()) {
    const bool agreed =
        other.is_discarded() || size > (64 << 10) || is_own_rule(parsed.error().message);
    if (!agreed) std::abort();
    return 0;
  }
  if (other.is_discarded() || other != *parsed || other.type() != parsed->type()) std::abort();
  if (!same(document->root(), other)) std::abort();
  const aierase::Result<std::string> once = aierase::dump_canonical(*parsed);
  if (!once.ok() || *once != other.dump()) std::abort();
  const aierase::Result<Json> again = aierase::parse_json(*once, {1 << 20, 16});
  if (!again.ok() || *aierase::dump_canonical(*again) != *once) std::abort();
  return 0;
}
