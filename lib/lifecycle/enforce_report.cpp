// What a nightly run is asked and what it tells, apart from what it does.

#include "lifecycle/enforcing.h"

namespace aierase::lifecycle {
namespace {

bool is_clear(const EnforceReport& report) {
  return report.count(EnforceOutcome::waiting) + report.count(EnforceOutcome::refused) == 0;
}

}  // namespace

std::string_view to_text(EnforceOutcome outcome) noexcept {
  constexpr std::array<std::string_view, kEnforceOutcomes> kWords{"waiting", "braked",  "in-grace",
                                                                  "held",    "floored", "conflict",
                                                                  "blocked", "refused", "failed"};
  const auto index = static_cast<std::size_t>(outcome);
  return index < kWords.size() ? kWords[index] : std::string_view("failed");
}

std::string_view to_text(EnforceEnd end) noexcept {
  switch (end) {
    case EnforceEnd::clear:
      return "clear";
    case EnforceEnd::waiting:
      return "waiting";
    case EnforceEnd::blocked:
      return "blocked";
    case EnforceEnd::braked:
      return "braked";
    case EnforceEnd::clock:
      return "clock";
    case EnforceEnd::partial:
      return "partial";
  }
  return {};
}

EnforceEnd EnforceReport::end() const {
  if (count(EnforceOutcome::failed) > 0) return EnforceEnd::partial;
  if (!clock.empty()) return EnforceEnd::clock;
  if (count(EnforceOutcome::braked) > 0) return EnforceEnd::braked;
  const std::uint64_t blocked_ones = count(EnforceOutcome::floored) +
                                     count(EnforceOutcome::conflict) +
                                     count(EnforceOutcome::blocked);
  if (blocked_ones > 0) return EnforceEnd::blocked;
  return is_clear(*this) ? EnforceEnd::clear : EnforceEnd::waiting;
}

Status check_request(const Store& store, const EnforceRequest& request) {
  if (!request.at) return {};
  if (request.persist == Persist::yes) {
    return make_error(Errc::usage, "only a dry run is asked about another moment",
                      "add --dry-run; a run that erases believes the clock alone");
  }
  if (*request.at < store.now()) {
    return make_error(Errc::usage, to_rfc3339(*request.at) + " has passed",
                      "ask about now, without --at, or about a moment to come");
  }
  return {};
}

}  // namespace aierase::lifecycle
