#include "certificate/naming.h"

#include "base/bytes.h"

namespace aierase::certificate {
namespace {

constexpr std::size_t kTypedIdBytes = 28;

}  // namespace

bool is_id(domain::IdType type, std::string_view text) {
  return text.size() == kTypedIdBytes && domain::require_id(type, text).ok();
}

bool is_digest(std::string_view hex) {
  return hex.size() == 64 && from_hex(hex).has_value();
}

bool is_only_subject(JsonView subjects, std::string_view name, std::string_view sha256) {
  if (!subjects.is_array() || subjects.size() != 1) return false;
  const JsonView subject = subjects[0];
  const JsonView digest = subject["digest"];
  return subject.size() == 2 && subject["name"].is_string() && subject["name"].text() == name &&
         digest.size() == 1 && digest["sha256"].is_string() && digest["sha256"].text() == sha256;
}

}  // namespace aierase::certificate
