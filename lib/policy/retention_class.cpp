#include "policy/retention_class.h"

#include <array>

namespace aierase::policy {
namespace {

// Each table is indexed by its enumerator.
constexpr std::array<std::string_view, 5> kTriggers{"created", "last-used", "retired", "superseded",
                                                    "placed-on-market"};
constexpr std::array<std::string_view, 5> kEventWords{"its import", "its last use",
                                                      "its retirement", "it was superseded",
                                                      "it was placed on the market"};
constexpr std::array<std::string_view, 2> kValidationRules{"any-custodian", "other-person"};
constexpr std::array<std::string_view, 2> kOnConflict{"keep", "suspend"};

template <typename Enum, std::size_t N>
std::string_view word(const std::array<std::string_view, N>& table, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? table[index] : std::string_view("unknown");
}

template <typename Enum, std::size_t N>
std::optional<Enum> find(const std::array<std::string_view, N>& table, std::string_view text) {
  for (std::size_t i = 0; i < N; ++i) {
    if (table[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_text(Trigger trigger) noexcept {
  return word(kTriggers, trigger);
}
std::string_view to_text(ValidationRule rule) noexcept {
  return word(kValidationRules, rule);
}
std::string_view to_text(OnConflict action) noexcept {
  return word(kOnConflict, action);
}
std::optional<Trigger> parse_trigger(std::string_view text) noexcept {
  return find<Trigger>(kTriggers, text);
}
std::optional<ValidationRule> parse_validation_rule(std::string_view text) noexcept {
  return find<ValidationRule>(kValidationRules, text);
}
std::optional<OnConflict> parse_on_conflict(std::string_view text) noexcept {
  return find<OnConflict>(kOnConflict, text);
}
std::string_view event_words(Trigger trigger) noexcept {
  return word(kEventWords, trigger);
}

}  // namespace aierase::policy
