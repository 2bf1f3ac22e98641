#include "certificate/json_lookup.h"

#include <nlohmann/json.hpp>
#include <string>

namespace aierase::certificate {

const Json& at(const Json& object, std::string_view key) {
  static const Json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(std::string(key));
  return found == object.end() ? nothing : *found;
}

std::string_view text_at(const Json& object, std::string_view key) {
  const Json& value = at(object, key);
  return value.is_string() ? std::string_view(value.get_ref<const std::string&>())
                           : std::string_view();
}

}  // namespace aierase::certificate
