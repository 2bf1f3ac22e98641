// What standing approvals say of plans of the nightly run, and what becomes of a plan when they say
// it no more.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "lifecycle/approving.h"
#include "lifecycle/noticing.h"
#include "lifecycle/reserve.h"
#include "lifecycle/standing.h"

namespace aierase::lifecycle {
namespace {

// The items that the class makes due.
std::vector<Uuid> made_due_by(const domain::Plan& plan, const Rulings& rulings,
                              const std::string& retention_class) {
  std::vector<Uuid> assets;
  for (std::size_t i = 0; i < plan.items.size(); ++i) {
    if (rulings.items[i].due_by == retention_class) assets.push_back(plan.items[i].asset);
  }
  return assets;
}

// Those that count, one of each person: the one that lasts longest.
std::vector<const StandingFacts*> longest_of_each(const std::vector<StandingFacts>& all,
                                                  const domain::Actor& requester,
                                                  const catalog::StoreState& state,
                                                  const ClockFacts& clock) {
  std::vector<const StandingFacts*> chosen;
  for (const StandingFacts& facts : all) {
    const domain::Actor& actor = facts.approval.actor;
    const bool counts = standing_of(actor, requester, state.people_rule) == Standing::counts;
    if (!counts || facts.capacities.empty() || lapse_of(facts, clock)) continue;
    const auto same = std::find_if(chosen.begin(), chosen.end(), [&](const StandingFacts* other) {
      return domain::same_person(other->approval.actor, actor);
    });
    if (same == chosen.end()) {
      chosen.push_back(&facts);
    } else if ((*same)->approval.terms.until < facts.approval.terms.until) {
      *same = &facts;
    }
  }
  return chosen;
}

domain::Approval approval_by(const StandingFacts& facts, const domain::Plan& plan, UtcTime now) {
  domain::Approval approval;
  approval.plan = plan.id;
  approval.actor = facts.approval.actor;
  approval.time = now;
  approval.capacities = facts.capacities;
  approval.signed_by = facts.approval.signed_by;
  approval.standing = facts.approval.terms;
  return approval;
}

// Pending items that lack approvals today, as places in the plan.
Result<std::vector<std::size_t>> items_lacking(Core& core, const domain::Plan& plan,
                                               const std::vector<domain::Approval>& approvals) {
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  ASSIGN_OR_RETURN(const Rulings rulings, rulings_on(core, plan, core.now()));
  std::vector<std::size_t> lacking;
  for (std::size_t i = 0; i < plan.items.size(); ++i) {
    if (plan.items[i].state != domain::ItemState::pending) continue;
    const PolicyFacts& policy = rulings.items[i];
    ASSIGN_OR_RETURN(const std::vector<domain::Custodian> custodians,
                     core.view().custodians(plan.items[i].asset));
    if (!count_approvals(custodians, policy, terms_of(plan), approvals, state.people_rule)
             .suffices()) {
      lacking.push_back(i);
    }
  }
  return lacking;
}

Status suspend(Core& core, catalog::Transaction& transaction, const domain::Plan& plan,
               const Uuid& asset, const std::string& why) {
  ASSIGN_OR_RETURN(const std::optional<catalog::AssetHead> head, transaction.asset_head(asset));
  if (!head || head->state != domain::AssetState::retired) return {};
  core.changed(domain::IdType::asset, asset);
  const std::string reason = plan_text(plan.id) + " waits for people: " + why;
  RETURN_IF_ERROR(transaction.set_asset_state(asset, domain::AssetState::suspended, reason));
  return transaction.add_event(
      {core.now(), own_actor(), "return", asset_text(asset), "retired", "suspended", reason});
}

// Nothing of it is erased yet: people decide about the whole of it.
Status reopen(Core& core, catalog::Transaction& transaction, const domain::Plan& plan,
              const std::vector<std::size_t>& lacking, const std::vector<domain::Reason>& why) {
  const UtcTime expires = core.now() + kPlanLifetime;
  RETURN_IF_ERROR(transaction.reopen_plan(plan.id, expires));
  RETURN_IF_ERROR(transaction.add_event({core.now(), own_actor(), "return", plan_text(plan.id),
                                         std::string(domain::to_text(plan.state)), "requested",
                                         why.front().text}));
  RETURN_IF_ERROR(tell(core, transaction, plan_waits(plan, expires)));
  for (const std::size_t i : lacking) {
    domain::PlanItem item = plan.items[i];
    item.reasons = why;
    RETURN_IF_ERROR(transaction.put_item(plan.id, item));
  }
  for (const domain::PlanItem& item : plan.items) {
    if (item.state == domain::ItemState::dropped) continue;  // another plan may have retired it
    RETURN_IF_ERROR(suspend(core, transaction, plan, item.asset, why.front().text));
  }
  return {};
}

Status drop_rest(Core& core, catalog::Transaction& transaction, const domain::Plan& plan,
                 const std::vector<std::size_t>& lacking, const std::vector<domain::Reason>& why) {
  for (const std::size_t i : lacking) {
    domain::PlanItem item = plan.items[i];
    item.state = domain::ItemState::dropped;
    item.reasons = why;
    RETURN_IF_ERROR(transaction.put_item(plan.id, item));
    RETURN_IF_ERROR(suspend(core, transaction, plan, item.asset, why.front().text));
  }
  return {};
}

// Where others suffice without those that lapsed, that is found once; each round asks again.
Status return_if_lapsed(Core& core, const Uuid& id) {
  ASSIGN_OR_RETURN(const std::optional<domain::Plan> head, core.view().plan_head(id));
  if (!head) return make_error(Errc::damaged, "an approved plan is not in the catalog");
  ASSIGN_OR_RETURN(const InForce word, approvals_today(core, *head));
  const auto known = core.dispensable.find(id);
  const std::size_t looked_at = known == core.dispensable.end() ? 0 : known->second;
  if (word.lapsed.size() == looked_at) return {};
  ASSIGN_OR_RETURN(const bool returned, return_to_people(core, id));
  if (returned) {
    core.dispensable.erase(id);
  } else {
    core.dispensable[id] = word.lapsed.size();
  }
  return {};
}

}  // namespace

Result<WordInAdvance> word_in_advance(Core& core, const domain::Plan& plan,
                                      const ClockFacts& clock) {
  WordInAdvance word;
  if (plan.origin != domain::PlanOrigin::enforce) return word;
  ASSIGN_OR_RETURN(std::vector<domain::StandingApproval> approvals,
                   core.view().standing_approvals_beyond(std::max(clock.wall, clock.trusted)));
  if (approvals.empty()) return word;
  const UtcTime now = clock.wall;
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  // A clock that is behind must not cut the grace short.
  ASSIGN_OR_RETURN(const Rulings rulings,
                   rulings_by(core, plan, std::max(now, clock.trusted), clock));
  std::set<std::string> classes;
  for (const PolicyFacts& policy : rulings.items) classes.insert(policy.due_by);
  for (const std::string& name : classes) {
    std::vector<domain::StandingApproval> of_class;
    std::copy_if(approvals.begin(), approvals.end(), std::back_inserter(of_class),
                 [&](const auto& one) { return one.terms.retention_class == name; });
    ASSIGN_OR_RETURN(const std::vector<domain::Custodian> custodians,
                     custodians_of(core.view(), made_due_by(plan, rulings, name)));
    ASSIGN_OR_RETURN(const std::vector<StandingFacts> facts,
                     standing_facts(core, core.view(), of_class, custodians));
    for (const StandingFacts* one : longest_of_each(facts, plan.requester, state, clock)) {
      word.approvals.push_back(approval_by(*one, plan, now));
    }
  }
  if (word.approvals.empty()) return word;
  ASSIGN_OR_RETURN(const bool complete,
                   all_approved(core, plan, rulings, word.approvals, state.people_rule));
  if (complete) word.due = word.approvals.back().due = rulings.due;
  return word;
}

Status record_word(Core& core, catalog::Transaction& transaction, catalog::StoreState& state,
                   const domain::Plan& plan, WordInAdvance word) {
  for (domain::Approval& approval : word.approvals) {
    RETURN_IF_ERROR(log_decision(core, transaction, state, plan, approval, nullptr));
    const bool last = word.due && &approval == &word.approvals.back();
    RETURN_IF_ERROR(
        transaction.add_event({approval.time, approval.actor, "approve", plan_text(plan.id),
                               "requested", last ? "approved" : "requested",
                               "in advance, for class " + approval.standing->retention_class}));
  }
  if (!word.due) return {};
  RETURN_IF_ERROR(
      transaction.set_plan_state(plan.id, domain::PlanState::approved, word.due, std::nullopt));
  const domain::Approval& last = word.approvals.back();
  return set_items(core, transaction, plan,
                   {last.time, last.actor, "retire", "", "", "retired",
                    "approved " + plan_text(plan.id) + " in advance: " + plan.reason});
}

Result<bool> return_to_people(Core& core, const Uuid& id) {
  ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, core.view().plan(id));
  if (!plan) return make_error(Errc::damaged, "an approved plan is not in the catalog");
  ASSIGN_OR_RETURN(const InForce word, approvals_today(core, *plan));
  ASSIGN_OR_RETURN(const std::vector<std::size_t> lacking,
                   items_lacking(core, *plan, word.approvals));
  if (lacking.empty()) return false;
  std::vector<domain::Reason> why = word.lapsed;
  if (why.empty()) {
    why = {{Errc::approval_missing, "what was approved in advance does not cover it any more"}};
  }
  const UtcTime now = core.now();
  RETURN_IF_ERROR(transact(
      core, ReserveShare::half,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        RETURN_IF_ERROR(has_begun(*plan) ? drop_rest(core, transaction, *plan, lacking, why)
                                         : reopen(core, transaction, *plan, lacking, why));
        ASSIGN_OR_RETURN(std::string record,
                         dump_canonical(Json{{"plan", id.hex()}, {"reason", why.front().text}}));
        const translog::LogRecord leaf{"plan-returned", now, std::move(record),
                                       translog::Visibility::committed};
        return core.append_log(transaction, state, {&leaf, 1});
      }));
  core.changed(domain::IdType::plan, id);
  return true;
}

Status return_lapsed(Core& core) {
  ASSIGN_OR_RETURN(const std::vector<Uuid> plans, core.view().plans_by_standing());
  for (const Uuid& id : plans) {
    const Status done = return_if_lapsed(core, id);
    if (!done.ok()) RETURN_IF_ERROR(set_aside(core, id, done.error()));
  }
  return {};
}

}  // namespace aierase::lifecycle
