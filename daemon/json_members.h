// Members of JSON objects that are left out where there is nothing to say.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "base/time.h"
#include "base/uuid.h"
#include "domain/ids.h"

namespace aierase::daemon {

void put(Json& object, const char* key, const std::string& text);  // unless it is empty
void put(Json& object, const char* key, const std::optional<UtcTime>& time);
void put_id(Json& object, const char* key, domain::IdType type, const std::optional<Uuid>& id);

}  // namespace aierase::daemon
