#include "daemon/json_members.h"

#include <nlohmann/json.hpp>

namespace aierase::daemon {

void put(Json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}

void put(Json& object, const char* key, const std::optional<UtcTime>& time) {
  if (time) object[key] = to_rfc3339(*time);
}

void put_id(Json& object, const char* key, domain::IdType type, const std::optional<Uuid>& id) {
  if (id) object[key] = domain::id_text(type, *id);
}

}  // namespace aierase::daemon
