// What statements name things by: ids, digests, the one subject of a statement.
//
// Contract: pure.
#pragma once

#include <string_view>

#include "base/json_view.h"
#include "domain/ids.h"

namespace aierase::certificate {

// A whole typed id; 64 hexadecimal digits.
bool is_id(domain::IdType type, std::string_view text);
bool is_digest(std::string_view hex);
// A list of that subject and no other, with that digest and no other.
bool is_only_subject(JsonView subjects, std::string_view name, std::string_view sha256);

}  // namespace aierase::certificate
