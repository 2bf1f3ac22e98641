#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "lifecycle/core.h"
#include "lifecycle/reserve.h"
#include "lifecycle/standing.h"

namespace aierase::lifecycle {
namespace {

constexpr std::int64_t kLongestBelievedGap = 7 * 24 * 3600;  // seconds, across a boot
// Beyond it the clock guard is closed: a step, a long gap, or long without synchronisation.
constexpr auto kGuardTolerance = std::chrono::hours(1);

std::vector<domain::Reason> anomalies_of(const ClockFacts& clock) {
  const auto apart =
      clock.wall > clock.trusted ? clock.wall - clock.trusted : clock.trusted - clock.wall;
  if (apart <= kGuardTolerance) return {};
  std::string text = "the clock of this host says " + to_rfc3339(clock.wall) + ", but by what ";
  text += clock.wall > clock.trusted
              ? "is known to have passed it is " + to_rfc3339(clock.trusted) + " at the least"
              : "has passed it is at least " + to_rfc3339(clock.trusted);
  return {{Errc::clock, std::move(text)}};
}

}  // namespace

// Trusted time never runs ahead of either clock and never goes back. Within one boot it advances by
// the smaller of wall and boot-time delta; across a boot it believes the wall only for a short gap
// and a synchronised clock; while the clock is not synchronised it stands still.
void advance_trusted_time(catalog::StoreState& state, const ClockReading& reading) {
  const std::int64_t wall_delta = (reading.wall - state.last_wall).count();
  const std::int64_t boot_delta = reading.since_boot.count() - state.last_boottime;
  std::int64_t advance = 0;
  // The seconds of the two clocks do not begin at once: what one has counted and the other not yet
  // is left for the next look, or a store that commits often would lose every second.
  bool out_of_step = false;
  if (reading.synchronised) {
    if (reading.boot_id == state.last_boot_id) {
      advance = std::max<std::int64_t>(0, std::min(wall_delta, boot_delta));
      out_of_step = std::abs(wall_delta - boot_delta) == 1;
    } else if (wall_delta >= 0 && wall_delta <= kLongestBelievedGap) {
      advance = wall_delta;
    }
  }
  state.trusted += std::chrono::seconds(advance);
  state.last_wall = out_of_step ? state.last_wall + std::chrono::seconds(advance) : reading.wall;
  state.last_boottime = out_of_step ? state.last_boottime + advance : reading.since_boot.count();
  state.last_boot_id = reading.boot_id;
}

Result<ClockFacts> Core::clock_facts() const {
  ASSIGN_OR_RETURN(catalog::StoreState state, view().state());
  const ClockReading reading = settings.clock->read();
  advance_trusted_time(state, reading);
  ClockFacts facts;
  facts.wall = reading.wall;
  facts.trusted = state.trusted;
  facts.anomalies = anomalies_of(facts);
  return facts;
}

std::string_view to_text(WaitsFor what) noexcept {
  switch (what) {
    case WaitsFor::nothing:
      return "nothing";
    case WaitsFor::grace:
      return "grace";
    case WaitsFor::clock:
      return "clock";
    case WaitsFor::brake:
      return "brake";
    case WaitsFor::company:
      return "company";
  }
  return {};
}

// By the last approval that made it due: those before it may have come under another clock, and say
// nothing of the moment at which it was agreed to go.
Attendance attendance_of(const domain::Plan& plan) {
  if (is_by_standing(plan)) return Attendance::unattended;
  const auto last = std::find_if(plan.approvals.rbegin(), plan.approvals.rend(),
                                 [](const domain::Approval& one) { return one.due.has_value(); });
  const bool at_once = last != plan.approvals.rend() && *last->due <= last->time;
  return at_once ? Attendance::attended : Attendance::unattended;
}

bool is_due(const domain::Plan& plan, const ClockFacts& clock) {
  if (!plan.due) return false;
  if (attendance_of(plan) == Attendance::attended) return clock.wall >= *plan.due;
  return clock.anomalies.empty() && std::min(clock.wall, clock.trusted) >= *plan.due;
}

Result<UtcTime> Store::confirm_clock(const domain::Actor& actor) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.writable());
  RETURN_IF_ERROR(core.check_login(actor));
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  const ClockReading reading = core.settings.clock->read();
  RETURN_IF_ERROR(transact(
      core, ReserveShare::none,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        const std::string from = to_rfc3339(clock.trusted);
        const std::string to = to_rfc3339(reading.wall);
        state.trusted = reading.wall;
        state.last_wall = reading.wall;
        state.last_boottime = reading.since_boot.count();
        state.last_boot_id = reading.boot_id;
        RETURN_IF_ERROR(
            transaction.add_event({reading.wall, actor, "confirm-clock", "store", from, to, ""}));
        ASSIGN_OR_RETURN(std::string record, dump_canonical(Json{{"trusted_time", from},
                                                                 {"confirmed", to},
                                                                 {"by", actor_json(actor)}}));
        const translog::LogRecord leaf{"clock-confirmed", reading.wall, std::move(record),
                                       translog::Visibility::committed};
        return core.append_log(transaction, state, {&leaf, 1});
      }));
  return reading.wall;
}

}  // namespace aierase::lifecycle
