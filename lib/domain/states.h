// The closed sets of words: kinds, states, verdicts, with their text on bus, logs and certificates.
//
// Contract: to_text() is total, parse_*() accepts exactly those texts. The words are those of
// aierase-architecture(7) VOCABULARY.
#pragma once

#include <optional>
#include <string_view>

namespace aierase::domain {

enum class AssetKind { model, adapter, checkpoint, dataset_key, embedding_index, configuration };
enum class AssetState { active, suspended, retired, erasing, erased };
enum class PlanState {
  requested,
  approved,
  running,
  done,
  partial,
  rejected,
  cancelled,
  expired,
  stale,
  failed
};
enum class Verdict { eligible, due, blocked, conflict };
// dropped: fell out, with its reason; held: waits until no legal hold binds its asset.
enum class ItemState { pending, erased, dropped, held };
enum class RoundState { intent, destroying, destroyed };
enum class Validation { awaiting, accepted, rejected, escalated };
// What an amendment of a certificate says.
enum class AmendmentKind { validation, evidence, erased_again };
enum class Decision { approve, reject };
// When an approved plan is executed: after the grace of its assets' classes, or at once.
enum class Timing { after_grace, now };
// Who made a plan: a person who named its assets, or the nightly run for what is due.
enum class PlanOrigin { person, enforce };
// What a notice is about.
enum class NoticeKind {
  plan_waits,
  erasure_comes,
  validation_waits,
  approval_ends,
  plan_expires,
  stopped,
  overdue,
  enrolment
};
// What ended a standing approval before its day.
enum class StandingCause { revoked, rules_changed };
enum class AssetEvent { retired, placed_on_market, mounted };  // that retention counts from
enum class HoldReach { present, future };  // future: also what comes into the store later
enum class Relation { derived_from, trained_on, configured_by, supersedes };
enum class SourceSight { seen, hidden };
enum class SourceHistory { encrypted_from_first_write, retrofitted, unknown };
enum class ExportKind { plaintext, key_release };
enum class ExportMedium { same_medium, other_medium, stream, unknown };
enum class Level { ea0, ea1, ea2, ea3, ea4 };
enum class AtRest { none, unlock_secret };  // is the store protected against theft of the disk

#define AIERASE_WORDS(Enum, parse)               \
  std::string_view to_text(Enum value) noexcept; \
  std::optional<Enum> parse(std::string_view) noexcept

AIERASE_WORDS(AssetKind, parse_asset_kind);  // "dataset-key", "embedding-index"
AIERASE_WORDS(AssetState, parse_asset_state);
AIERASE_WORDS(PlanState, parse_plan_state);
AIERASE_WORDS(Verdict, parse_verdict);
AIERASE_WORDS(ItemState, parse_item_state);
AIERASE_WORDS(RoundState, parse_round_state);
AIERASE_WORDS(Validation, parse_validation);
AIERASE_WORDS(AmendmentKind, parse_amendment_kind);  // "erased-again"
AIERASE_WORDS(Decision, parse_decision);
AIERASE_WORDS(Timing, parse_timing);
AIERASE_WORDS(PlanOrigin, parse_plan_origin);
AIERASE_WORDS(NoticeKind, parse_notice_kind);        // "plan-waits"
AIERASE_WORDS(StandingCause, parse_standing_cause);  // "rules-changed"
AIERASE_WORDS(AssetEvent, parse_asset_event);
AIERASE_WORDS(HoldReach, parse_hold_reach);
AIERASE_WORDS(Relation, parse_relation);             // "derived-from", ...
AIERASE_WORDS(SourceHistory, parse_source_history);  // "encrypted-from-first-write", ...
AIERASE_WORDS(SourceSight, parse_source_sight);
AIERASE_WORDS(ExportKind, parse_export_kind);      // "plaintext", "key-release"
AIERASE_WORDS(ExportMedium, parse_export_medium);  // "same-medium", ...
AIERASE_WORDS(Level, parse_level);                 // "EA0" ... "EA4"
AIERASE_WORDS(AtRest, parse_at_rest);              // "none", "unlock-secret"
#undef AIERASE_WORDS

constexpr bool carries_digest(AssetKind kind) {
  return kind != AssetKind::dataset_key && kind != AssetKind::configuration;
}

}  // namespace aierase::domain
