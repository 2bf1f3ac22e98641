#include "lifecycle/enforce_notices.h"

#include <algorithm>
#include <limits>

#include "base/limits.h"
#include "lifecycle/erase_round.h"
#include "lifecycle/noticing.h"

namespace aierase::lifecycle {
namespace {

constexpr auto kAhead = std::chrono::days(15);  // fewer than fifteen: fourteen whole days
constexpr std::size_t kLooksAhead = 20'000;     // in a run, so that a night never takes an hour
constexpr std::size_t kCeilingsTold = 1'000;    // in a run; the next one tells the others

// When the asset would go by itself; none: it would not, or a plan tells of it.
Result<std::optional<UtcTime>> ceiling_of(Core& core, const domain::Asset& asset, UtcTime moment) {
  ASSIGN_OR_RETURN(const std::optional<Uuid> plan, core.view().open_plan_of(asset.id));
  if (plan) return std::optional<UtcTime>();
  ASSIGN_OR_RETURN(const policy::Decision ruling,
                   core.retention.decide(core.view(), asset, moment, policy::Detail::verdicts));
  const bool comes = ruling.due && *ruling.due > moment &&
                     ruling.verdict != domain::Verdict::conflict &&
                     (!ruling.floor || *ruling.floor <= *ruling.due) && !ruling.floor_open;
  return comes ? ruling.due : std::nullopt;
}

}  // namespace

// What was told already takes no room here.
Status RunNotices::add(domain::Notice notice) {
  const bool known = std::any_of(notices_.begin(), notices_.end(), [&](const domain::Notice& one) {
    return one.kind == notice.kind && one.subject == notice.subject;
  });
  if (known) return {};
  ASSIGN_OR_RETURN(const bool told, core_.view().is_told(notice));
  if (!told) notices_.push_back(std::move(notice));
  return {};
}

Status RunNotices::add_overdue(const EnforceItem& item, const domain::Plan* plan) {
  if (notices_.size() >= limits::kEnforceItemsShown) return {};
  if (plan != nullptr) {
    return add(overdue(plan_text(plan->id), "", plan->created, "it waits for an approval"));
  }
  if (!item.due) return {};
  return add(overdue(asset_text(item.asset), item.name.text(), *item.due, item.reason));
}

Status RunNotices::add_braked(const Uuid& plan, UtcTime made, const std::string& why) {
  return add(stopped(plan_text(plan), made, why));
}

// Once a day: a clock that is doubted stays so until somebody confirms it.
Status RunNotices::add_clock(UtcTime now, const std::vector<std::string>& why) {
  if (why.empty()) return {};
  return add(stopped("enforce", std::chrono::floor<std::chrono::days>(now),
                     why.front() + "; if the clock is right: aierase enforce --confirm-clock"));
}

Result<bool> RunNotices::look_ahead(UtcTime moment) {
  if (after_.moment < moment) after_ = {moment, std::numeric_limits<std::int64_t>::max()};
  ASSIGN_OR_RETURN(const std::vector<catalog::Looked> page,
                   core_.view().due_page(moment + kAhead, after_, limits::kPageRows));
  if (page.empty()) return false;
  after_ = {page.back().moment.value_or(moment), page.back().row};
  for (const catalog::Looked& looked : page) {
    ++looked_at_;
    if (looked.unreadable) continue;  // the sweep tells of it
    const Result<std::optional<UtcTime>> ceiling = ceiling_of(core_, looked.asset, moment);
    if (!ceiling.ok()) {
      if (core_.stop || !concerns_one(ceiling.error())) return ceiling.error();
      continue;
    }
    if (!*ceiling) continue;
    std::optional<domain::Notice> notice = ceiling_comes(looked.asset, **ceiling, moment);
    if (!notice) continue;
    ASSIGN_OR_RETURN(const bool told, core_.view().is_told(*notice));
    if (told) continue;
    notices_.push_back(std::move(*notice));
    if (++ceilings_ == kCeilingsTold) return false;
  }
  return looked_at_ < kLooksAhead;
}

Status RunNotices::tell() {
  return tell_new(core_, notices_);
}

}  // namespace aierase::lifecycle
