#include "lifecycle/evidence_leaves.h"

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace aierase::lifecycle {

Error no_record_of(const domain::LogLeaf& leaf) {
  return make_error(Errc::damaged,
                    "the record of leaf " + std::to_string(leaf.index) + " is not in the database",
                    "run `aierase check`");
}

Result<Uuid> named_in(const domain::LogLeaf& leaf, const char* key) {
  const Result<Json> record = parse_json(leaf.record);
  const Json named = record.ok() && record->is_object() ? record->value(key, Json()) : Json();
  const auto raw = named.is_string() ? from_hex(named.get_ref<const std::string&>()) : std::nullopt;
  const std::optional<Uuid> id = raw ? Uuid::from_bytes(*raw) : std::nullopt;
  if (id) return *id;
  return make_error(
      Errc::damaged,
      "the record of leaf " + std::to_string(leaf.index) + " names no " + std::string(key),
      "run `aierase check`");
}

}  // namespace aierase::lifecycle
