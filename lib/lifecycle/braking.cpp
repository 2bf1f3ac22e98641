#include "lifecycle/braking.h"

#include <algorithm>
#include <set>

#include "base/limits.h"

namespace aierase::lifecycle {
namespace {

constexpr auto kRollingDay = std::chrono::hours(24);

domain::Reason reason(std::string text) {
  return {Errc::brake, std::move(text)};
}

std::string in_a_day(std::uint64_t number, const char* what) {
  return "the brake: " + std::to_string(number) + " " + what +
         " would have gone within a day, unattended; ";
}

}  // namespace

const domain::Approval* release_of(const domain::Plan& plan) {
  if (plan.brake.empty()) return nullptr;
  for (const domain::Approval& approval : plan.approvals) {
    if (approval.standing || !approval.due) continue;
    if (approval.log_index > plan.brake_log_index) return &approval;
  }
  return nullptr;
}

bool is_braked(const domain::Plan& plan) {
  return !plan.brake.empty() && release_of(plan) == nullptr;
}

std::vector<domain::Reason> brake_trips(const policy::Brake& brake, const BrakeLoad& load) {
  std::vector<domain::Reason> trips;
  const std::uint64_t items = load.erased.items + load.wanted.items;
  if (items > brake.items) {
    trips.push_back(
        reason(in_a_day(items, "assets") + "the policy allows " + std::to_string(brake.items)));
  }
  const std::uint64_t living = load.living + load.erased.items;
  const std::uint64_t share =
      std::max<std::uint64_t>(policy::kBrakeLeastItems, living * brake.percent / 100);
  if (items > share) {
    trips.push_back(reason(in_a_day(items, "assets") + "the policy allows " +
                           std::to_string(brake.percent) + " percent of " + std::to_string(living) +
                           ", or " + std::to_string(share)));
  }
  const std::uint64_t bytes = load.erased.bytes + load.wanted.bytes;
  if (bytes > brake.bytes) {
    trips.push_back(
        reason(in_a_day(bytes, "bytes") + "the policy allows " + std::to_string(brake.bytes)));
  }
  return trips;
}

Result<BrakeLoad> brake_load(const catalog::ReadView& view, UtcTime moment,
                             const catalog::Amount& wanted) {
  BrakeLoad load;
  load.wanted = wanted;
  ASSIGN_OR_RETURN(load.erased, view.erased_unattended(moment - kRollingDay));
  ASSIGN_OR_RETURN(const catalog::StoreCounts counts, view.counts());
  load.living = counts.active + counts.suspended + counts.retired + counts.erasing;
  return load;
}

domain::Reason leaves_none_reason(const std::string& retention_class) {
  return reason("the brake: nothing that is in use would be left of class " + retention_class);
}

Result<std::vector<domain::Reason>> trips_of_round(
    Core& core, const catalog::ReadView& view, const domain::Plan& plan,
    std::span<const Result<policy::Decision>> rulings, UtcTime moment) {
  std::vector<domain::Reason> trips;
  if (plan.origin == domain::PlanOrigin::person || !plan.brake.empty()) return trips;
  ASSIGN_OR_RETURN(const catalog::Amount wanted, view.pending_amount(plan.id));
  ASSIGN_OR_RETURN(const BrakeLoad load, brake_load(view, moment, wanted));
  trips = brake_trips(core.retention.set().brake(), load);
  std::set<std::string> classes;
  for (const Result<policy::Decision>& ruling : rulings) {
    if (!ruling.ok() || ruling->ceilings.empty()) continue;  // what is unreadable does not go
    classes.insert(ruling->ceilings.front().retention_class);
  }
  const PlanCover cover(plan);
  for (const std::string& name : classes) {
    ASSIGN_OR_RETURN(const bool none, leaves_none(core, name, cover));
    if (none) trips.push_back(leaves_none_reason(name));
  }
  return trips;
}

std::string brake_text(const std::vector<domain::Reason>& trips) {
  std::string text;
  for (const domain::Reason& trip : trips) text += (text.empty() ? "" : "; ") + trip.text;
  return text;
}

}  // namespace aierase::lifecycle
