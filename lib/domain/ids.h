// Typed ids and asset names: what people type, and the only two ways to name a thing.
//
// Contract: values, no I/O. An id's text is its type letter, '-', and 26 base32 characters of the
// 16-byte uuid; a unique prefix of 6 characters behind the dash is enough when people type one.
// A name is `[org/]name[:version]`, letters, digits, '.', '_', '-', at most 200 bytes, and may not
// look like an id (`[apchj]-[a-z2-7]{6,26}`). Specified in: aierase(1) NAMES.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/uuid.h"

namespace aierase::domain {

enum class IdType : char { asset = 'a', plan = 'p', certificate = 'c', hold = 'h', job = 'j' };

std::string id_text(IdType type, const Uuid& uuid);  // "a-…26…"

// What a person typed where an id or a name may stand.
struct IdPrefix {
  IdType type = IdType::asset;
  std::string digits;         // 6 to 26 characters of base32
  std::optional<Uuid> whole;  // set when all 26 are there
};
std::optional<IdPrefix> parse_id(std::string_view text);
// Of one given type; a text of another shape is Errc::usage naming what was expected.
Result<IdPrefix> require_id(IdType type, std::string_view text);
// Whether the uuid's text begins with the prefix.
bool matches(const IdPrefix& prefix, const Uuid& uuid);
// The smallest and largest uuid with that prefix, for a range scan by primary key.
struct UuidRange {
  Uuid first, last;
};
UuidRange range_of(const IdPrefix& prefix);

class AssetName {
 public:
  AssetName() = default;
  static Result<AssetName> parse(std::string_view text);
  const std::string& text() const { return text_; }  // "org/name:version"
  std::string_view base() const;                     // "org/name"
  std::string_view version() const;                  // "" where there is none
  friend auto operator<=>(const AssetName&, const AssetName&) = default;

 private:
  explicit AssetName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// Shell glob ('*', '?', '[...]') over a name, as --match name=GLOB has it.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace aierase::domain
