// What is due: the slices of work that the store thread does between two calls.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "lifecycle/core.h"
#include "lifecycle/erase_round.h"
#include "lifecycle/noticing.h"
#include "lifecycle/publishing.h"
#include "lifecycle/refusing.h"
#include "lifecycle/reserve.h"
#include "lifecycle/standing.h"

namespace aierase::lifecycle {
namespace {

constexpr auto kExpiryCheckEvery = std::chrono::seconds(60);

// A plan of which only held items are left keeps its approvals and loses its moment, until a hold
// is lifted.
Status end_plan(Core& core, const Uuid& id) {
  ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, core.view().plan(id));
  if (!plan) return make_error(Errc::damaged, "a plan to finish is not in the catalog");
  ASSIGN_OR_RETURN(const bool held, core.view().has_held_items(id));
  if (held) {
    core.changed(domain::IdType::plan, id);
    return transact(
        core, ReserveShare::half, [&](catalog::Transaction& transaction, catalog::StoreState&) {
          return transaction.set_plan_state(id, plan->state, std::nullopt, std::nullopt);
        });
  }
  std::size_t erased = 0;
  std::size_t dropped = 0;
  for (const domain::PlanItem& item : plan->items) {
    if (item.state == domain::ItemState::erased) ++erased;
    if (item.state == domain::ItemState::dropped) ++dropped;
  }
  domain::PlanState end = domain::PlanState::done;
  if (dropped > 0) end = erased > 0 ? domain::PlanState::partial : domain::PlanState::failed;
  core.changed(domain::IdType::plan, id);
  const UtcTime now = core.now();
  const std::string what =
      std::to_string(erased) + " erased, " + std::to_string(dropped) + " fell out";
  return transact(
      core, ReserveShare::half,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        RETURN_IF_ERROR(transaction.set_plan_state(id, end, plan->due, now));
        RETURN_IF_ERROR(transaction.add_event({now, own_actor(), "execute", plan_text(id),
                                               std::string(domain::to_text(plan->state)),
                                               std::string(domain::to_text(end)), what}));
        if (dropped > 0) {
          RETURN_IF_ERROR(record_refusal(core, transaction, state, id,
                                         {own_actor(), now, "executed: " + what, {}, {}}));
        }
        if (erased == 0) return {};
        return tell(core, transaction, validation_waits(*plan, erased, now));
      });
}

Status expire(Core& core, const Uuid& id, UtcTime now) {
  ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, readable_head(core, id));
  if (!plan || now < plan->expires) return {};
  core.changed(domain::IdType::plan, id);
  return transact(core, ReserveShare::none,
                  [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                    RETURN_IF_ERROR(transaction.set_plan_state(id, domain::PlanState::expired,
                                                               std::nullopt, now));
                    RETURN_IF_ERROR(transaction.add_event({now, own_actor(), "expire",
                                                           plan_text(id), "requested", "expired",
                                                           "nobody approved it in time"}));
                    ASSIGN_OR_RETURN(std::string record, dump_canonical(Json{{"plan", id.hex()}}));
                    const translog::LogRecord leaf{"plan-expired", now, std::move(record),
                                                   translog::Visibility::committed};
                    RETURN_IF_ERROR(core.append_log(transaction, state, {&leaf, 1}));
                    return record_refusal(core, transaction, state, id,
                                          {own_actor(), now, "nobody approved it in time", {}, {}});
                  });
}

Status expire_requests(Core& core) {
  const UtcTime now = core.now();
  if (core.since_boot() < core.next_expiry_check) return {};
  core.next_expiry_check = core.since_boot() + kExpiryCheckEvery;
  refill_reserve(core);  // a person's act on a full disk has taken of it
  RETURN_IF_ERROR(note_enrolments(core));
  RETURN_IF_ERROR(return_lapsed(core));
  ASSIGN_OR_RETURN(const std::vector<Uuid> plans,
                   core.view().plans_in(domain::PlanState::requested));
  RETURN_IF_ERROR(look_for_notices(core));
  for (const Uuid& id : plans) {
    const Status done = expire(core, id, now);
    if (!done.ok()) RETURN_IF_ERROR(set_aside(core, id, done.error()));
  }
  return {};
}

// May go in a round that another plan has begun. The brake counts plan by plan, and so do standing
// approvals.
bool goes_along(const Core& core, const domain::Plan& plan) {
  return uses_tpm(core.locator) && core.settings.coalesce.count() > 0 &&
         plan.origin == domain::PlanOrigin::person && plan.state == domain::PlanState::approved &&
         !is_by_standing(plan);
}

struct Due {
  std::optional<Uuid> next;
  std::vector<Uuid> along;  // with it, if it may be accompanied
};

Result<Due> what_is_due(Core& core) {
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  ASSIGN_OR_RETURN(const std::vector<Uuid> plans, core.view().due_plans(clock.wall));
  Due due;
  bool accompanied = false;
  for (const Uuid& id : plans) {
    const auto stuck = core.stuck.find(id);
    if (stuck != core.stuck.end() && core.since_boot() < stuck->second.until) continue;
    ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, readable_head(core, id));
    if (!plan || !is_due(*plan, clock)) continue;
    if (!due.next && !waits_for_company(core, *plan, clock.wall)) {
      due.next = id;
      accompanied = goes_along(core, *plan);
      if (!uses_tpm(core.locator)) return due;
    } else if (core.alone.count(id) == 0 && goes_along(core, *plan)) {
      due.along.push_back(id);
    }
  }
  if (!accompanied || core.alone.count(*due.next) != 0) due.along.clear();
  return due;
}

// What a move left open, once the round that it was is over.
Status settle_when_due(Core& core) {
  const bool again = core.uncleared_tpm && core.since_boot() >= core.uncleared_tpm->until;
  return core.locator.move || again ? settle_home(core) : Status();
}

// What was approved in advance is looked at anew before each round; item by item before the first,
// and later by the gate alone.
Result<RoundCourse> run_or_return(Core& core, const Uuid& id, const std::vector<Uuid>& along) {
  ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, core.view().plan_head(id));
  if (!plan || !is_by_standing(*plan)) return run_next_round(core, id, along);
  ASSIGN_OR_RETURN(const InForce word, approvals_today(core, *plan));
  if (plan->state == domain::PlanState::approved || !word.lapsed.empty()) {
    ASSIGN_OR_RETURN(const bool returned, return_to_people(core, id));
    if (returned) return RoundCourse::ran;
  }
  return run_next_round(core, id, along);
}

// What plans, signer and TPM wait for.
Result<bool> next_act(Core& core) {
  if (core.stop) return false;
  if (core.waiting) {
    if (!core.signer) return false;
    Core::Unsigned waiting = std::move(*core.waiting);
    core.waiting.reset();
    RETURN_IF_ERROR(finish_round(core, std::move(waiting.proof), waiting.course));
    core.unlinking.owe(1);
    refill_reserve(core);
    return true;
  }
  if (core.unproven) return ask_for_proof(core);
  if (try_count_again(core)) return true;
  RETURN_IF_ERROR(settle_when_due(core));
  RETURN_IF_ERROR(note_mounts(core));
  RETURN_IF_ERROR(expire_requests(core));
  ASSIGN_OR_RETURN(const Due due, what_is_due(core));
  const std::optional<Uuid>& plan = due.next;
  if (!plan || core.unlinking.is_behind()) {
    ASSIGN_OR_RETURN(const bool went_on, core.unlinking.step(core));
    if (went_on) return true;
  }
  // Nothing else is due: the head of what was erased since the last one is published now, once for
  // all of them.
  if (!plan || !core.signer) return core.publisher->keep_up() == Progress::more;
  Result<RoundCourse> done = run_or_return(core, *plan, due.along);
  if (done.ok()) {
    core.stuck.erase(*plan);
    core.alone.erase(*plan);
    core.round_limit = limits::kItemsPerEraseRound;
    if (*done != RoundCourse::nothing_pending) return true;
    RETURN_IF_ERROR(end_plan(core, *plan));
    return true;
  }
  // What has passed the choke point is finished or undone by recovery alone.
  const Result<std::optional<catalog::EraseRound>> open =
      core.view().round(catalog::Drafts::left_out);
  if (!core.waiting && (!open.ok() || *open)) core.stop = true;
  // A full disk: one item needs no more than the reserve holds.
  if (done.error().code == Errc::no_space && core.round_limit > 1 && !core.stop) {
    core.round_limit = 1;
    return true;
  }
  if (!due.along.empty() && !core.stop && core.alone.insert(*plan).second) {
    core.alone.insert(due.along.begin(), due.along.end());
    return true;
  }
  // Nothing has happened; this plan waits, the others need not.
  core.stuck.insert_or_assign(*plan, Core::Stuck{core.since_boot() + kStuckPause, done.error()});
  return std::move(done).error();
}

}  // namespace

bool has_begun(const domain::Plan& plan) {
  return std::any_of(plan.items.begin(), plan.items.end(), [](const domain::PlanItem& item) {
    return item.state == domain::ItemState::erased;
  });
}

// Where each round writes the memory of a TPM: a person's plan waits for others, unless she asked
// for it now. What a deadline makes due waits for nobody.
std::optional<UtcTime> waits_for_company(const Core& core, const domain::Plan& plan, UtcTime now) {
  const bool may_wait = uses_tpm(core.locator) && plan.origin == domain::PlanOrigin::person &&
                        plan.timing == domain::Timing::after_grace &&
                        plan.state == domain::PlanState::approved;
  if (!may_wait || !plan.due) return std::nullopt;
  const UtcTime until = *plan.due + core.settings.coalesce;
  return now < until ? std::optional<UtcTime>(until) : std::nullopt;
}

Status set_aside(Core& core, const Uuid& plan, const Error& why) {
  if (core.stop || !concerns_one(why)) return why;
  core.stuck.insert_or_assign(plan, Core::Stuck{core.since_boot() + kStuckPause, why});
  return {};
}

Result<std::optional<domain::Plan>> readable_head(Core& core, const Uuid& plan) {
  Result<std::optional<domain::Plan>> head = core.view().plan_head(plan);
  if (head.ok()) return head;
  RETURN_IF_ERROR(set_aside(core, plan, head.error()));
  return std::optional<domain::Plan>();
}

// Where nothing goes on for want of space, of a signer or of a TPM, ciphertext leaves the disk
// still.
Result<bool> Store::execute_due() {
  Core& core = *impl_;
  Result<bool> more = next_act(core);
  if (core.stop || (more.ok() && *more)) return more;
  const Result<bool> went_on = core.unlinking.step(core);
  const bool says_less = !went_on.ok() ? more.ok() : *went_on;
  return says_less ? went_on : std::move(more);
}

Result<bool> Store::plans_wait() const {
  for (const auto state :
       {domain::PlanState::requested, domain::PlanState::approved, domain::PlanState::running}) {
    ASSIGN_OR_RETURN(const std::vector<Uuid> plans, impl_->view().plans_in(state));
    if (!plans.empty()) return true;
  }
  return false;
}

std::vector<std::string> Store::take_changes() {
  std::vector<std::string> taken(impl_->changes.begin(), impl_->changes.end());
  impl_->changes.clear();
  return taken;
}

}  // namespace aierase::lifecycle
