// Members of JSON objects that are left out where there is nothing to say.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/time.h"
#include "base/uuid.h"
#include "domain/ids.h"

namespace aierase::daemon {

inline void put(Json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}
inline void put(Json& object, const char* key, const std::optional<UtcTime>& time) {
  if (time) object[key] = to_rfc3339(*time);
}
inline void put_id(Json& object, const char* key, domain::IdType type,
                   const std::optional<Uuid>& id) {
  if (id) object[key] = domain::id_text(type, *id);
}

}  // namespace aierase::daemon
