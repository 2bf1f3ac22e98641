// A retention class: what a policy says about the assets that are in it.
//
// Contract: values. The defaults below are those of the built-in class "default" but for
// allow_now, which it alone begins with. Specified in: aierase-policy(5) KEYS OF A CLASS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/duration.h"
#include "domain/selector.h"
#include "domain/states.h"

namespace aierase::policy {

enum class Trigger { created, last_used, retired, superseded, placed_on_market };
enum class ValidationRule { any_custodian, other_person };  // the stricter one last
enum class OnConflict { keep, suspend };                    // the stricter one last
enum class AllowNow { no, yes };

std::string_view to_text(Trigger trigger) noexcept;  // "placed-on-market"
std::string_view to_text(ValidationRule rule) noexcept;
std::string_view to_text(OnConflict action) noexcept;
std::optional<Trigger> parse_trigger(std::string_view text) noexcept;
std::optional<ValidationRule> parse_validation_rule(std::string_view text) noexcept;
std::optional<OnConflict> parse_on_conflict(std::string_view text) noexcept;
// "its import", "its last use", "it was placed on the market", for sentences.
std::string_view event_words(Trigger trigger) noexcept;

inline constexpr std::string_view kDefaultClass = "default";

struct RetentionClass {
  std::string name;
  std::vector<domain::Selector> match;  // all must hold; empty: by `retention` alone
  std::optional<Duration> retain_for;   // floor
  std::optional<Duration> erase_after;  // ceiling
  Trigger trigger = Trigger::created;
  std::optional<std::uint32_t> keep_last;
  Duration grace{7, Duration::Unit::days};
  AllowNow allow_now = AllowNow::no;
  std::uint32_t approvals = 1;
  std::vector<std::string> custodians;  // "alice", "@owners": beside the asset's own
  ValidationRule validation = ValidationRule::any_custodian;
  domain::Level require_assurance = domain::Level::ea0;
  std::string basis;
  OnConflict on_conflict = OnConflict::keep;
  friend bool operator==(const RetentionClass&, const RetentionClass&) = default;
};

// Beyond any of them an unattended run executes nothing. Percent never means fewer items than
// kBrakeLeastItems.
struct Brake {
  std::uint32_t items = 25;
  std::uint32_t percent = 10;
  std::uint64_t bytes = 1'000'000'000'000;
  friend bool operator==(const Brake&, const Brake&) = default;
};
inline constexpr std::uint32_t kBrakeLeastItems = 3;

}  // namespace aierase::policy
