#include "domain/states.h"

#include <array>
#include <cstddef>

namespace aierase::domain {
namespace {

// Each table is indexed by its enumerator.
constexpr std::array<std::string_view, 6> kAssetKinds{
    "model", "adapter", "checkpoint", "dataset-key", "embedding-index", "configuration"};
constexpr std::array<std::string_view, 5> kAssetStates{"active", "suspended", "retired", "erasing",
                                                       "erased"};
constexpr std::array<std::string_view, 10> kPlanStates{
    "requested", "approved",  "running", "done",  "partial",
    "rejected",  "cancelled", "expired", "stale", "failed"};
constexpr std::array<std::string_view, 4> kVerdicts{"eligible", "due", "blocked", "conflict"};
constexpr std::array<std::string_view, 4> kItemStates{"pending", "erased", "dropped", "held"};
constexpr std::array<std::string_view, 3> kRoundStates{"intent", "destroying", "destroyed"};
constexpr std::array<std::string_view, 4> kValidations{"awaiting", "accepted", "rejected",
                                                       "escalated"};
constexpr std::array<std::string_view, 3> kAmendmentKinds{"validation", "evidence", "erased-again"};
constexpr std::array<std::string_view, 2> kDecisions{"approve", "reject"};
constexpr std::array<std::string_view, 2> kTimings{"after-grace", "now"};
constexpr std::array<std::string_view, 2> kPlanOrigins{"person", "enforce"};
constexpr std::array<std::string_view, 8> kNoticeKinds{
    "plan-waits",   "erasure-comes", "validation-waits", "approval-ends",
    "plan-expires", "stopped",       "overdue",          "enrolment"};
constexpr std::array<std::string_view, 2> kStandingCauses{"revoked", "rules-changed"};
constexpr std::array<std::string_view, 3> kAssetEvents{"retired", "placed-on-market", "mounted"};
constexpr std::array<std::string_view, 2> kHoldReaches{"present", "future"};
constexpr std::array<std::string_view, 4> kRelations{"derived-from", "trained-on", "configured-by",
                                                     "supersedes"};
constexpr std::array<std::string_view, 3> kSourceHistories{"encrypted-from-first-write",
                                                           "retrofitted", "unknown"};
constexpr std::array<std::string_view, 2> kSourceSights{"seen", "hidden"};
constexpr std::array<std::string_view, 2> kExportKinds{"plaintext", "key-release"};
constexpr std::array<std::string_view, 4> kExportMedia{"same-medium", "other-medium", "stream",
                                                       "unknown"};
constexpr std::array<std::string_view, 5> kLevels{"EA0", "EA1", "EA2", "EA3", "EA4"};
constexpr std::array<std::string_view, 2> kAtRest{"none", "unlock-secret"};

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

#define AIERASE_WORDS(Enum, parse, table)                     \
  std::string_view to_text(Enum value) noexcept {             \
    return word(table, value);                                \
  }                                                           \
  std::optional<Enum> parse(std::string_view text) noexcept { \
    return find<Enum>(table, text);                           \
  }

AIERASE_WORDS(AssetKind, parse_asset_kind, kAssetKinds)
AIERASE_WORDS(AssetState, parse_asset_state, kAssetStates)
AIERASE_WORDS(PlanState, parse_plan_state, kPlanStates)
AIERASE_WORDS(Verdict, parse_verdict, kVerdicts)
AIERASE_WORDS(ItemState, parse_item_state, kItemStates)
AIERASE_WORDS(RoundState, parse_round_state, kRoundStates)
AIERASE_WORDS(Validation, parse_validation, kValidations)
AIERASE_WORDS(AmendmentKind, parse_amendment_kind, kAmendmentKinds)
AIERASE_WORDS(Decision, parse_decision, kDecisions)
AIERASE_WORDS(Timing, parse_timing, kTimings)
AIERASE_WORDS(PlanOrigin, parse_plan_origin, kPlanOrigins)
AIERASE_WORDS(NoticeKind, parse_notice_kind, kNoticeKinds)
AIERASE_WORDS(StandingCause, parse_standing_cause, kStandingCauses)
AIERASE_WORDS(AssetEvent, parse_asset_event, kAssetEvents)
AIERASE_WORDS(HoldReach, parse_hold_reach, kHoldReaches)
AIERASE_WORDS(Relation, parse_relation, kRelations)
AIERASE_WORDS(SourceHistory, parse_source_history, kSourceHistories)
AIERASE_WORDS(SourceSight, parse_source_sight, kSourceSights)
AIERASE_WORDS(ExportKind, parse_export_kind, kExportKinds)
AIERASE_WORDS(ExportMedium, parse_export_medium, kExportMedia)
AIERASE_WORDS(Level, parse_level, kLevels)
AIERASE_WORDS(AtRest, parse_at_rest, kAtRest)
#undef AIERASE_WORDS

}  // namespace aierase::domain
