#include "certificate/json_lookup.h"

#include <nlohmann/json.hpp>

#include "base/bytes.h"

namespace aierase::certificate {
namespace {

constexpr std::size_t kTypedIdBytes = 28;

}  // namespace

const Json& at(const Json& object, std::string_view key) {
  static const Json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

std::string_view text_at(const Json& object, std::string_view key) {
  const Json& value = at(object, key);
  return value.is_string() ? std::string_view(value.get_ref<const std::string&>())
                           : std::string_view();
}

bool is_id(domain::IdType type, std::string_view text) {
  return text.size() == kTypedIdBytes && domain::require_id(type, text).ok();
}

bool is_digest(std::string_view hex) {
  return hex.size() == 64 && from_hex(hex).has_value();
}

}  // namespace aierase::certificate
