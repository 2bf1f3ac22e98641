// parse_json and back: what parses can be dumped, and dumps to the same again. What it takes is
// what another reader takes, with the same value; what it refuses beyond that are its own rules.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace {

using aierase::Json;

// A double cannot hold it, there are two of a key, or too many levels: nlohmann lets these pass.
bool is_own_rule(const std::string& message) {
  for (const char* rule : {"too big", "stands twice", "nested deeper"}) {
    if (message.find(rule) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const aierase::Result<Json> parsed = aierase::parse_json(text, {64 << 10, 16});
  // A NUL ends the text for it, and a byte order mark is skipped.
  const bool comparable = text.find('\0') == std::string_view::npos && !text.starts_with("\xEF");
  const Json other =
      comparable ? Json::parse(text, nullptr, false) : Json(Json::value_t::discarded);
  if (!parsed.ok()) {
    const bool agreed =
        other.is_discarded() || size > (64 << 10) || is_own_rule(parsed.error().message);
    if (!agreed) std::abort();
    return 0;
  }
  if (other.is_discarded() || other != *parsed || other.type() != parsed->type()) std::abort();
  const aierase::Result<std::string> once = aierase::dump_canonical(*parsed);
  if (!once.ok() || *once != other.dump()) std::abort();
  const aierase::Result<Json> again = aierase::parse_json(*once, {1 << 20, 16});
  if (!again.ok() || *aierase::dump_canonical(*again) != *once) std::abort();
  return 0;
}
