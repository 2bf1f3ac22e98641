#include "lifecycle/sweeping.h"

#include <algorithm>
#include <tuple>

#include "base/limits.h"
#include "lifecycle/erase_round.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

constexpr auto kBetweenFullSweeps = std::chrono::days(7);
constexpr std::size_t kLooksPerWrite = 10'000;

bool concerns_the_run(const policy::Decision& decision, UtcTime moment) {
  switch (decision.verdict) {
    case domain::Verdict::due:
    case domain::Verdict::conflict:
      return true;
    case domain::Verdict::blocked:
      return decision.due && *decision.due <= moment;
    case domain::Verdict::eligible:
      return false;
  }
  return false;
}

}  // namespace

std::optional<UtcTime> next_look(const policy::Decision& decision) {
  if (decision.verdict == domain::Verdict::conflict) return UtcTime{};  // until it is none
  std::optional<UtcTime> next = decision.due;
  for (const policy::Rule& ceiling : decision.ceilings) {
    // It counts as soon as newer versions come or go, of which this one is not told.
    if (ceiling.standing != policy::Standing::exempt || !ceiling.moment) continue;
    next = std::min(next.value_or(*ceiling.moment), *ceiling.moment);
  }
  return next;
}

Status Sweep::begin(const catalog::Enforcement& last) {
  const Digest& version = core_.retention.set().version();
  const bool known =
      last.swept && last.swept_policy == version && moment_ < *last.swept + kBetweenFullSweeps;
  phase_ = known ? Phase::changed : Phase::all;
  if (known) {
    swept_policy_.reset();
    return {};
  }
  sweeps_under_ = version;
  if (persist_ == Persist::dry_run) return {};
  return transact(core_, ReserveShare::none,
                  [](catalog::Transaction& transaction, catalog::StoreState&) {
                    return transaction.begin_sweep();
                  });
}

void Sweep::note(const catalog::Looked& looked, const policy::Decision& decision) {
  if (!concerns_the_run(decision, moment_)) return;
  const std::string& name = decision.ceilings.empty() ? looked.asset.retention
                                                      : decision.ceilings.front().retention_class;
  const auto known = std::find(classes_.begin(), classes_.end(), name);
  const auto index = static_cast<std::size_t>(known - classes_.begin());
  if (known == classes_.end()) classes_.push_back(name);
  found_.push_back({looked.row, looked.asset.id, index});
}

// What has to be written of it; what cannot be decided is looked at again by the next run.
Result<std::vector<catalog::Look>> Sweep::look_at(const std::vector<catalog::Looked>& page) {
  std::vector<catalog::Look> changed;
  RankMemory ranks;
  for (const catalog::Looked& looked : page) {
    ++looked_at_;
    if (looked.unreadable) {
      failures_.push_back({looked.row, looked.asset.id, looked.asset.name, *looked.unreadable});
      changed.push_back({looked.row, UtcTime{}});
      continue;
    }
    const Result<policy::Decision> decision = core_.retention.decide(
        core_.view(), looked.asset, moment_, policy::Detail::verdicts, &ranks);
    if (!decision.ok()) {
      if (!concerns_one(decision.error())) return decision.error();
      failures_.push_back({looked.row, looked.asset.id, looked.asset.name, decision.error()});
      changed.push_back({looked.row, UtcTime{}});
      continue;
    }
    note(looked, *decision);
    const std::optional<UtcTime> next = next_look(*decision);
    if (next != looked.moment) changed.push_back({looked.row, next});
  }
  return changed;
}

Status Sweep::write_looks() {
  if (looks_.empty()) return {};
  const std::vector<catalog::Look> looks = std::move(looks_);
  looks_.clear();
  return transact(core_, ReserveShare::none,
                  [&](catalog::Transaction& transaction, catalog::StoreState&) {
                    return transaction.put_looks(looks);
                  });
}

// Nobody else writes table `look`: what was found may wait for a larger write.
Result<Sweep::After> Sweep::all_page() {
  ASSIGN_OR_RETURN(const std::vector<catalog::Looked> page,
                   core_.view().living_page(after_, limits::kPageRows));
  ASSIGN_OR_RETURN(const std::vector<catalog::Look> changed, look_at(page));
  const bool last = page.size() < limits::kPageRows;
  if (!last) after_ = page.back().row;
  if (persist_ == Persist::yes) {
    looks_.insert(looks_.end(), changed.begin(), changed.end());
    if (last || looks_.size() >= kLooksPerWrite) RETURN_IF_ERROR(write_looks());
  }
  if (last && core_.retention.set().version() == sweeps_under_) swept_policy_ = sweeps_under_;
  return last ? After::last_page : After::more;
}

Result<Sweep::After> Sweep::changed_page() {
  ASSIGN_OR_RETURN(const std::vector<catalog::Looked> page,
                   core_.view().changed_page(after_, limits::kPageRows));
  if (page.empty()) return After::last_page;
  after_ = page.back().row;
  const std::size_t failed_before = failures_.size();
  ASSIGN_OR_RETURN(const std::vector<catalog::Look> changed, look_at(page));
  if (persist_ == Persist::dry_run) return After::more;
  std::vector<catalog::Look> looked;
  for (const catalog::Looked& one : page) {
    const bool failed =
        std::any_of(failures_.begin() + static_cast<std::ptrdiff_t>(failed_before), failures_.end(),
                    [&](const Failure& failure) { return failure.row == one.row; });
    if (!failed) looked.push_back({one.row, std::nullopt});
  }
  RETURN_IF_ERROR(transact(core_, ReserveShare::none,
                           [&](catalog::Transaction& transaction, catalog::StoreState&) -> Status {
                             RETURN_IF_ERROR(transaction.put_looks(changed));
                             return transaction.forget_changes(looked);
                           }));
  return After::more;
}

Result<Sweep::After> Sweep::due_page() {
  ASSIGN_OR_RETURN(const std::vector<catalog::Looked> page,
                   core_.view().due_page(moment_, due_after_, limits::kPageRows));
  if (page.empty()) {
    RETURN_IF_ERROR(write_looks());
    return After::last_page;
  }
  due_after_ = {page.back().moment.value_or(UtcTime{}), page.back().row};
  ASSIGN_OR_RETURN(const std::vector<catalog::Look> changed, look_at(page));
  if (persist_ == Persist::dry_run) return After::more;
  looks_.insert(looks_.end(), changed.begin(), changed.end());
  if (looks_.size() >= kLooksPerWrite) RETURN_IF_ERROR(write_looks());
  return After::more;
}

Result<bool> Sweep::step() {
  switch (phase_) {
    case Phase::all: {
      ASSIGN_OR_RETURN(const After after, all_page());
      if (after == After::last_page) {
        phase_ = Phase::changed;
        after_ = 0;
      }
      return true;
    }
    case Phase::changed: {
      ASSIGN_OR_RETURN(const After after, changed_page());
      // A pass over everything has met whatever is due.
      if (after == After::last_page) phase_ = sweeps_under_ ? Phase::over : Phase::due;
      return phase_ != Phase::over;
    }
    case Phase::due: {
      ASSIGN_OR_RETURN(const After after, due_page());
      if (after == After::last_page) phase_ = Phase::over;
      return phase_ != Phase::over;
    }
    case Phase::over:
      return false;
  }
  return false;
}

std::vector<Sweep::Found> Sweep::take_found() {
  std::vector<Found> found = std::move(found_);
  found_.clear();
  const auto key = [](const Found& one) { return std::tuple(one.retention_class, -one.row); };
  std::sort(found.begin(), found.end(),
            [&](const Found& a, const Found& b) { return key(a) < key(b); });
  found.erase(std::unique(found.begin(), found.end(),
                          [](const Found& a, const Found& b) {
                            return a.row == b.row && a.retention_class == b.retention_class;
                          }),
              found.end());
  return found;
}

}  // namespace aierase::lifecycle
