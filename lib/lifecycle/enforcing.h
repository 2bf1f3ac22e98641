// One run of the nightly job: what the policy makes due goes into plans, what is approved and due
// is erased, and what waits for people is told.
//
// Contract: used by the store thread; step() does at most one page of work, so that a hold gets
// between. A run may be dropped or killed after any step: the next one completes what it left, and
// one right after a run that came through changes nothing. One asset that cannot be decided never
// stops the others. With Persist::dry_run nothing is written, and another moment may be asked
// about; holds, plans and approvals are those of now. Only one run that writes goes on at a time.
// Specified in: aierase-policy(5) THE NIGHTLY RUN, aierase(1) enforce.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lifecycle/store.h"

namespace aierase::lifecycle {

struct EnforceRequest {
  domain::Actor actor;  // requester of the plans that are made
  Persist persist = Persist::yes;
  std::optional<UtcTime> at;  // dry_run alone; none: now
};

// What the run found about one asset whose rules make it due, or contradict each other.
enum class EnforceOutcome {
  waiting,   // in a plan that waits for approvals
  braked,    // in one that waits for one approval more
  in_grace,  // in one that is approved, and not due yet
  held,      // a legal hold keeps it
  floored,   // a floor keeps it
  conflict,  // its rules contradict each other
  blocked,   // what depends on it keeps it, or the like
  refused,   // a custodian rejected the plan; it is asked about again after a while
  failed,    // it could not be decided, or fell out when it was to be erased
};
inline constexpr std::size_t kEnforceOutcomes = 9;
std::string_view to_text(EnforceOutcome outcome) noexcept;  // "in-grace"

struct EnforceItem {
  Uuid asset;
  domain::AssetName name;
  EnforceOutcome outcome = EnforceOutcome::waiting;
  std::string retention_class;  // that decides
  std::optional<UtcTime> due;   // when its ceiling passed, or passes
  std::optional<Uuid> plan;
  std::optional<UtcTime> erasure;  // of its plan; in a dry run, if that were approved then
  std::string reason;
};

// How a run ended, the worst of what it met; what a script asks for first.
enum class EnforceEnd { clear, waiting, blocked, braked, clock, partial };
std::string_view to_text(EnforceEnd end) noexcept;

struct EnforceReport {
  UtcTime moment{};             // by which it was decided
  std::uint64_t looked_at = 0;  // assets
  std::uint64_t erased = 0;     // since the run before
  std::array<std::uint64_t, kEnforceOutcomes> counts{};
  std::uint64_t overdue = 0;                // due, and waiting for people longer than a day
  std::vector<Uuid> plans;                  // made by this run
  std::vector<std::string> brake;           // why it tripped
  std::vector<std::string> clock;           // why the clock is not believed
  std::optional<UtcTime> approval_expires;  // the first of the requests that wait
  std::vector<EnforceItem> items;           // at most limits::kEnforceItemsShown
  std::uint64_t count(EnforceOutcome outcome) const {
    return counts[static_cast<std::size_t>(outcome)];
  }
  EnforceEnd end() const;
};

// Errc::usage of a moment that has passed, or is asked about by a run that writes.
Status check_request(const Store& store, const EnforceRequest& request);

class EnforceRun {
 public:
  EnforceRun(Store& store, EnforceRequest request);
  ~EnforceRun();
  Result<bool> step();  // false: nothing is left to do
  const EnforceReport& report() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aierase::lifecycle
