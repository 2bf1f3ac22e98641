#include "lifecycle/noticing.h"

#include "lifecycle/reserve.h"
#include "lifecycle/standing.h"

namespace aierase::lifecycle {
namespace {

using domain::Notice;
using domain::NoticeKind;

constexpr std::uint32_t kDaysBeforeExpiry[] = {7, 1};
constexpr auto kDoubtedFor = std::chrono::hours(1);
constexpr auto kFarthest = std::chrono::days(15);  // fewer than fifteen: fourteen whole days

std::string items_words(std::size_t items) {
  return items == 1 ? "1 asset" : std::to_string(items) + " assets";
}

domain::AuditRow row_of(const Notice& notice, UtcTime now) {
  domain::AuditRow row;
  row.time = now;
  row.last = now;
  row.actor = own_actor();
  row.action = domain::to_text(notice.kind);
  row.method = "Daemon.Notice";
  row.subjects = {{notice.subject, notice.name}};
  row.outcome = domain::kAuditNotice;
  row.detail = notice.text;
  return writable(std::move(row));
}

// ---- what the periodic work finds ---------------------------------------------------------------

// Told by the earlier of the two clocks, as what nobody attends is erased.
Status find_erasures(Core& core, const ClockFacts& clock, std::vector<Notice>& found,
                     std::vector<Notice>& doubted) {
  const UtcTime now = std::min(clock.wall, clock.trusted);
  ASSIGN_OR_RETURN(const std::vector<Uuid> plans,
                   core.view().plans_due_before(clock.wall + kFarthest));
  for (const Uuid& id : plans) {
    ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, readable_head(core, id));
    if (!plan || !plan->due || attendance_of(*plan) == Attendance::attended) continue;
    if (clock.wall >= *plan->due && !is_due(*plan, clock)) {
      doubted.push_back(stopped(plan_text(id), *plan->due,
                                "its grace has ended by the clock of this host, but too little "
                                "time is known to have passed; if the clock is right: aierase "
                                "enforce --confirm-clock"));
    }
    const auto days = domain::days_reached(*plan->due, now);
    if (!days) continue;
    ASSIGN_OR_RETURN(const std::size_t items, core.view().item_count(id));
    found.push_back({NoticeKind::erasure_comes, plan_text(id), "", *plan->due, *days,
                     items_words(items) + " of " + plan_text(id) + " will be erased " +
                         domain::days_words(*days) + ", at " + to_rfc3339(*plan->due) +
                         "; aierase cancel keeps them until then"});
  }
  return {};
}

Status find_expiries(Core& core, UtcTime now, std::vector<Notice>& found) {
  ASSIGN_OR_RETURN(const std::vector<Uuid> plans,
                   core.view().plans_in(domain::PlanState::requested));
  for (const Uuid& id : plans) {
    ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, readable_head(core, id));
    if (!plan || now >= plan->expires) continue;
    const auto days = domain::days_reached(plan->expires, now, kDaysBeforeExpiry);
    if (!days) continue;
    found.push_back({NoticeKind::plan_expires, plan_text(id), "", plan->expires, *days,
                     plan_text(id) + " expires " + domain::days_words(*days) + ", at " +
                         to_rfc3339(plan->expires) + ", and is not approved"});
  }
  return {};
}

Status find_ends(Core& core, UtcTime now, std::vector<Notice>& found) {
  ASSIGN_OR_RETURN(const std::vector<domain::StandingApproval> approvals,
                   core.view().standing_approvals_beyond(now));
  for (const domain::StandingApproval& approval : approvals) {
    const domain::StandingUse& terms = approval.terms;
    const auto days = domain::days_reached(terms.until, now);
    if (!days) continue;
    found.push_back({NoticeKind::approval_ends, terms.id.text(), "class " + terms.retention_class,
                     terms.until, *days,
                     "the standing approval of " + approval.actor.login + " for class " +
                         terms.retention_class + " ends " + domain::days_words(*days) + ", at " +
                         to_rfc3339(terms.until) + "; aierase approve --standing gives another"});
  }
  return {};
}

}  // namespace

Status tell(Core& core, catalog::Transaction& transaction, const Notice& notice) {
  ASSIGN_OR_RETURN(const bool told, transaction.is_told(notice));
  if (told) return {};
  ASSIGN_OR_RETURN(const std::int64_t number, transaction.add_audit(row_of(notice, core.now())));
  return transaction.add_notice(notice, number);
}

Status tell_new(Core& core, const std::vector<Notice>& notices) {
  std::vector<const Notice*> fresh;
  for (const Notice& notice : notices) {
    ASSIGN_OR_RETURN(const bool told, core.view().is_told(notice));
    if (!told) fresh.push_back(&notice);
  }
  if (fresh.empty()) return {};
  return transact(core, ReserveShare::none,
                  [&](catalog::Transaction& transaction, catalog::StoreState&) -> Status {
                    for (const Notice* notice : fresh) {
                      RETURN_IF_ERROR(tell(core, transaction, *notice));
                    }
                    return {};
                  });
}

// A clock that jumps and is soon corrected is not told of, and nothing else meanwhile: by such a
// row the store would take the time of the jump for its own.
Status look_for_notices(Core& core) {
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  std::vector<Notice> found, doubted;
  RETURN_IF_ERROR(find_erasures(core, clock, found, doubted));
  if (doubted.empty()) {
    core.doubted_since.reset();
  } else {
    const std::chrono::seconds up = core.settings.clock->read().since_boot;
    if (!core.doubted_since) core.doubted_since = up;
    if (up - *core.doubted_since < kDoubtedFor) return {};
    found.insert(found.end(), doubted.begin(), doubted.end());
  }
  const UtcTime now = std::min(clock.wall, clock.trusted);
  RETURN_IF_ERROR(find_expiries(core, now, found));
  RETURN_IF_ERROR(find_ends(core, now, found));
  return tell_new(core, found);
}

Notice plan_waits(const domain::Plan& plan, UtcTime expires) {
  return {NoticeKind::plan_waits,
          plan_text(plan.id),
          "",
          expires,
          0,
          plan_text(plan.id) + " of " + plan.requester.login + " waits for approval, with " +
              items_words(plan.items.size()) + ": " + plan.reason};
}

Notice validation_waits(const domain::Plan& plan, std::size_t certificates, UtcTime since) {
  return {NoticeKind::validation_waits,
          plan_text(plan.id),
          "",
          since,
          0,
          plan_text(plan.id) + " has erased " + items_words(certificates) +
              ", and a custodian has to say whether the outcome is accepted"};
}

std::optional<Notice> ceiling_comes(const domain::Asset& asset, UtcTime ceiling, UtcTime now) {
  const auto days = domain::days_reached(ceiling, now);
  if (!days) return std::nullopt;
  return Notice{NoticeKind::erasure_comes,
                asset_text(asset.id),
                asset.name.text(),
                ceiling,
                *days,
                asset.name.text() + " is due for erasure " + domain::days_words(*days) + ", at " +
                    to_rfc3339(ceiling) + ", by its retention class"};
}

Notice overdue(const std::string& id, const std::string& name, UtcTime since,
               const std::string& why) {
  return {NoticeKind::overdue,
          id,
          name,
          since,
          0,
          (name.empty() ? id : name) + " is overdue since " + to_rfc3339(since) + ": " + why};
}

Notice stopped(const std::string& id, UtcTime since, const std::string& why) {
  return {NoticeKind::stopped, id, "", since, 0, id + " was stopped: " + why};
}

// From the catalog, so that nothing is told that is not durable.
Result<std::vector<domain::AuditRow>> Store::take_notices() {
  Core& core = *impl_;
  ASSIGN_OR_RETURN(const std::int64_t last, core.view().last_notice());
  if (core.noticed >= last) return std::vector<domain::AuditRow>();
  catalog::AuditQuery query;
  query.outcome = domain::kAuditNotice;
  ASSIGN_OR_RETURN(std::vector<domain::AuditRow> rows,
                   core.view().audit_rows(query, core.noticed, last));
  core.noticed = last;
  return rows;
}

}  // namespace aierase::lifecycle
