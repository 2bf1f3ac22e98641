#include "policy/compare.h"

#include <algorithm>

namespace aierase::policy {
namespace {

// An open floor lies behind every date, no floor before every date.
UtcTime end_of_floor(const Decision& decision) {
  if (decision.floor_open) return UtcTime::max();
  return decision.floor.value_or(UtcTime::min());
}

Shift shift_of(UtcTime before, UtcTime after) {
  if (after == before) return Shift::none;
  return after < before ? Shift::sooner : Shift::later;
}

bool is_kept(const Decision& decision) {
  return decision.floor_open || decision.floor.has_value();
}

// Of one that is kept.
std::string floor_words(const Decision& decision) {
  return decision.floor_open ? "without an end" : "until " + to_rfc3339(*decision.floor);
}

// What became of a floor that ended later before.
std::string shorter_floor(const Decision& before, const Decision& after) {
  if (after.verdict == domain::Verdict::conflict) {
    return "it is in conflict, and kept until that is mended, instead of " + floor_words(before);
  }
  if (!is_kept(after)) return "it is not kept any more, and was kept " + floor_words(before);
  return "it is kept " + floor_words(after) + " instead of " + floor_words(before);
}

std::string erasure_words(const std::optional<UtcTime>& moment) {
  return moment ? to_rfc3339(*moment) : std::string("never");
}

void compare_terms(const Terms& before, const Terms& after, std::vector<std::string>& sentences) {
  if (after.approvals < before.approvals) {
    sentences.push_back("it needs " + std::to_string(after.approvals) + " instead of " +
                        std::to_string(before.approvals) + " approvals");
  }
  if (can_outlast(before.grace, after.grace)) {
    sentences.push_back("its grace is " + to_words(after.grace) + " instead of " +
                        to_words(before.grace));
  }
  if (after.allow_now > before.allow_now) sentences.push_back("it may be retired with --now");
  if (after.validation < before.validation) {
    sentences.push_back("who approved its end may validate it");
  }
  if (after.require_assurance < before.require_assurance) {
    sentences.push_back("assurance " + std::string(domain::to_text(before.require_assurance)) +
                        " is no longer required");
  }
}

}  // namespace

std::optional<UtcTime> unattended_erasure(const Decision& decision) {
  if (decision.verdict == domain::Verdict::conflict || decision.floor_open) return std::nullopt;
  // Only a floor that counts from the retirement can lie behind the ceiling here.
  return decision.due
             ? std::optional(std::max(*decision.due, decision.floor.value_or(*decision.due)))
             : std::nullopt;
}

Change compare(const Decision& before, const Decision& after) {
  Change change;
  change.erasure_before = unattended_erasure(before);
  change.erasure_after = unattended_erasure(after);
  change.erasure = shift_of(change.erasure_before.value_or(UtcTime::max()),
                            change.erasure_after.value_or(UtcTime::max()));
  change.floor = shift_of(end_of_floor(before), end_of_floor(after));
  if (change.erasure == Shift::sooner) {
    change.sentences.push_back("it becomes due at " + erasure_words(change.erasure_after) +
                               " instead of " + erasure_words(change.erasure_before));
  }
  if (change.floor == Shift::sooner) change.sentences.push_back(shorter_floor(before, after));
  compare_terms(before.terms, after.terms, change.sentences);
  return change;
}

}  // namespace aierase::policy
