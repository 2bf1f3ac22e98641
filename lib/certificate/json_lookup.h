// Looks up members of a statement that promises nothing: they may be missing, or of another type.
//
// Contract: pure; never throws and never inserts. Views live as long as the JSON they were found
// in.
#pragma once

#include <string_view>

#include "base/json.h"
#include "domain/ids.h"

namespace aierase::certificate {

// null where there is no such member, or the value is no object.
const Json& at(const Json& object, std::string_view key);
// Empty where it is no text.
std::string_view text_at(const Json& object, std::string_view key);

// A whole typed id; 64 hexadecimal digits.
bool is_id(domain::IdType type, std::string_view text);
bool is_digest(std::string_view hex);

}  // namespace aierase::certificate
