// People's acts upon plans: approve, reject, cancel.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/limits.h"
#include "lifecycle/approving.h"
#include "lifecycle/refusing.h"
#include "lifecycle/reserve.h"
#include "lifecycle/signed_acts.h"
#include "lifecycle/standing.h"

namespace aierase::lifecycle {
namespace {

constexpr std::size_t kDigestPrefix = 12;  // hex digits

Result<domain::Plan> open_plan(Core& core, const Uuid& id) {
  ASSIGN_OR_RETURN(std::optional<domain::Plan> plan, core.view().plan(id));
  if (!plan) {
    return make_error(Errc::not_found, "there is no plan " + plan_text(id),
                      "`aierase list plans` shows what there is", plan_text(id));
  }
  return std::move(*plan);
}

// An approval also releases a plan that was approved before the brake tripped.
bool waits_for_release(const domain::Plan& plan) {
  return is_braked(plan) &&
         (plan.state == domain::PlanState::approved || plan.state == domain::PlanState::running);
}

Status check_requested(const Core& core, const domain::Plan& plan) {
  if (plan.state == domain::PlanState::requested && core.now() >= plan.expires) {
    return make_error(Errc::approval_expired,
                      plan_text(plan.id) + " was not approved by " + to_rfc3339(plan.expires),
                      "request it again with `aierase retire`", plan_text(plan.id));
  }
  switch (plan.state) {
    case domain::PlanState::requested:
      return {};
    case domain::PlanState::rejected:
      return make_error(Errc::approval_refused, plan_text(plan.id) + " was rejected",
                        "request it again with `aierase retire`", plan_text(plan.id));
    case domain::PlanState::expired:
      return make_error(Errc::approval_expired, plan_text(plan.id) + " has expired",
                        "request it again with `aierase retire`", plan_text(plan.id));
    case domain::PlanState::stale:
      return make_error(Errc::plan_stale, plan_text(plan.id) + " is stale",
                        "request it again with `aierase retire`", plan_text(plan.id));
    default:
      return make_error(Errc::wrong_state,
                        plan_text(plan.id) + " is " + std::string(domain::to_text(plan.state)),
                        "`aierase show " + plan_text(plan.id) + "` tells more", plan_text(plan.id));
  }
}

Status check_digest(const domain::Plan& plan, std::string_view prefix) {
  const std::string digest = to_hex(plan.digest);
  if (prefix.size() < kDigestPrefix || prefix.size() > digest.size()) {
    return make_error(Errc::usage, "an approval names the plan's digest with 12 to 64 hex digits",
                      "`aierase show " + plan_text(plan.id) + "` prints it", plan_text(plan.id));
  }
  if (digest.compare(0, prefix.size(), prefix) != 0) {
    return make_error(Errc::plan_stale,
                      "the digest is not that of " + plan_text(plan.id) +
                          ": what you looked at is not what would be erased",
                      "look at it again: `aierase show " + plan_text(plan.id) + "`",
                      plan_text(plan.id));
  }
  return {};
}

// As which custodians of which items the actor may speak; why not, if as none. Who brought the
// policy into force may object as the custodian that it makes of him, and not approve.
Result<std::vector<std::string>> capacities_of(Core& core, const domain::Plan& plan,
                                               const Rulings& rulings, const domain::Actor& actor,
                                               domain::PeopleRule rule, domain::Decision decision) {
  switch (standing_of(actor, plan.requester, rule)) {
    case Standing::counts:
    case Standing::not_custodian:
      break;
    case Standing::is_root:
      return make_error(Errc::access_denied, "root does not approve: an approval is a person's act",
                        "a custodian approves under an account of their own", plan_text(plan.id));
    case Standing::is_requester:
      return make_error(Errc::access_denied,
                        "whoever requested a plan does not approve it, under any account",
                        "another custodian of these assets approves", plan_text(plan.id));
  }
  ASSIGN_OR_RETURN(std::vector<domain::Custodian> custodians,
                   custodians_of(core.view(), assets_of(plan)));
  ASSIGN_OR_RETURN(const std::vector<domain::Custodian> named, named_by_policy(core, rulings));
  const bool own_word =
      decision == domain::Decision::approve && is_loader(core.retention.loader(), actor, rule);
  if (!own_word) custodians.insert(custodians.end(), named.begin(), named.end());
  std::vector<std::string> capacities = capacities_among(custodians, actor, rule);
  if (!capacities.empty()) return capacities;
  if (own_word && !capacities_among(named, actor, rule).empty()) {
    return make_error(Errc::access_denied,
                      actor.login + " is a custodian of " + plan_text(plan.id) +
                          " by the policy alone, and brought that policy into force",
                      "a custodian that is recorded with these assets approves, or somebody else "
                      "whom the policy names",
                      plan_text(plan.id));
  }
  return make_error(Errc::access_denied,
                    actor.login + " is no custodian of any asset in " + plan_text(plan.id),
                    "`aierase show " + plan_text(plan.id) + "` names whose approval is needed",
                    plan_text(plan.id));
}

std::string decision_type(const domain::Approval& approval) {
  return approval.decision == domain::Decision::approve ? "approval" : "rejection";
}

bool is_open(const domain::PlanItem& item) {
  return item.state == domain::ItemState::pending || item.state == domain::ItemState::held;
}

Status drop_open(catalog::Transaction& transaction, const domain::Plan& plan,
                 const std::string& reason) {
  for (const domain::PlanItem& item : plan.items) {
    if (!is_open(item)) continue;
    domain::PlanItem dropped = item;
    dropped.state = domain::ItemState::dropped;
    dropped.reasons = {{Errc::cancelled, reason}};
    RETURN_IF_ERROR(transaction.put_item(plan.id, dropped));
  }
  return {};
}

// The rules that the plan was made under hold no longer: it ends, and nothing of it is erased.
Status make_stale(Core& core, const domain::Plan& plan, const std::string& why) {
  const UtcTime now = core.now();
  core.changed(domain::IdType::plan, plan.id);
  return transact(
      core, ReserveShare::none,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        RETURN_IF_ERROR(drop_open(transaction, plan, why));
        RETURN_IF_ERROR(
            transaction.set_plan_state(plan.id, domain::PlanState::stale, std::nullopt, now));
        RETURN_IF_ERROR(transaction.add_event(
            {now, own_actor(), "stale", plan_text(plan.id), "requested", "stale", why}));
        ASSIGN_OR_RETURN(std::string record, dump_canonical(Json{{"plan", plan.id.hex()}}));
        const translog::LogRecord leaf{"plan-stale", now, std::move(record),
                                       translog::Visibility::committed};
        RETURN_IF_ERROR(core.append_log(transaction, state, {&leaf, 1}));
        return record_refusal(core, transaction, state, plan.id, {own_actor(), now, why, {}, {}});
      });
}

}  // namespace

Status log_decision(Core& core, catalog::Transaction& transaction, catalog::StoreState& state,
                    const domain::Plan& plan, domain::Approval& approval,
                    const SignedDecision* signed_decision) {
  RETURN_IF_ERROR(keep(transaction, signed_decision));
  ASSIGN_OR_RETURN(std::string record, decision_record(plan, approval));
  const translog::LogRecord leaf{decision_type(approval), approval.time, std::move(record),
                                 translog::Visibility::committed};
  approval.log_index = state.log.size;
  RETURN_IF_ERROR(core.append_log(transaction, state, {&leaf, 1}));
  return transaction.add_approval(approval);
}

Status set_items(Core& core, catalog::Transaction& transaction, const domain::Plan& plan,
                 const catalog::Event& act) {
  const auto state = domain::parse_asset_state(act.to);
  if (!state) return make_error(Errc::unexpected, "not an asset's state: " + act.to);
  for (const domain::PlanItem& item : plan.items) {
    if (!is_open(item)) continue;
    const bool waited = item.state == domain::ItemState::pending && !item.reasons.empty();
    if (*state == domain::AssetState::retired && waited) {
      domain::PlanItem agreed = item;
      agreed.reasons.clear();
      RETURN_IF_ERROR(transaction.put_item(plan.id, agreed));
    }
    catalog::Event event = act;
    event.subject = asset_text(item.asset);
    ASSIGN_OR_RETURN(const catalog::AssetHead head, core.known_head(item.asset));
    event.from = domain::to_text(head.state);
    RETURN_IF_ERROR(transaction.set_asset_state(item.asset, *state, act.reason));
    RETURN_IF_ERROR(transaction.add_event(event));
    if (*state == domain::AssetState::retired) {
      RETURN_IF_ERROR(transaction.put_event(item.asset, domain::AssetEvent::retired, act.time));
    }
    core.changed(domain::IdType::asset, item.asset);
  }
  return {};
}

UtcTime agreed_due(const domain::Plan& plan) {
  UtcTime due{};
  for (const domain::Approval& approval : plan.approvals) {
    due = std::max({due, approval.time, approval.due.value_or(due)});
  }
  return due;
}

Result<std::string> decision_record(const domain::Plan& plan, const domain::Approval& approval) {
  Json record{{"plan", plan.id.hex()},
              {"digest", to_hex(plan.digest)},
              {"decision", domain::to_text(approval.decision)},
              {"as", approval.capacities},
              {"by", actor_json(approval.actor)},
              {"reason", approval.reason}};
  if (approval.due) record["due"] = to_rfc3339(*approval.due);
  if (approval.standing) record["standing"] = approval.standing->id.hex();
  add_signed_by(record, approval.actor, approval.signed_by);
  return dump_canonical(record);
}

Result<std::optional<std::string>> altered_approval(const catalog::ReadView& view,
                                                    const domain::Plan& plan) {
  for (const domain::Approval& approval : plan.approvals) {
    ASSIGN_OR_RETURN(const std::string record, decision_record(plan, approval));
    ASSIGN_OR_RETURN(const std::optional<domain::LogLeaf> leaf, view.log_leaf(approval.log_index));
    bool same = leaf && leaf->type == decision_type(approval) && leaf->time == approval.time &&
                leaf->record == record && translog::leaf_body(*leaf).ok();
    if (same && approval.signed_by) {
      ASSIGN_OR_RETURN(same, is_kept(view, *approval.signed_by));
    }
    if (!same) return std::optional<std::string>(approval.actor.login);
  }
  return std::optional<std::string>();
}

Result<PlanView> Store::approve(const domain::Actor& caller, const Uuid& id,
                                std::string_view digest_prefix,
                                const SignedDecision* signed_decision) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.writable());
  RETURN_IF_ERROR(core.check_login(caller));
  ASSIGN_OR_RETURN(const domain::Actor actor, core.with_entry(caller));
  ASSIGN_OR_RETURN(const domain::Plan plan, open_plan(core, id));
  const bool release = waits_for_release(plan);
  if (!release) RETURN_IF_ERROR(check_requested(core, plan));
  RETURN_IF_ERROR(check_digest(plan, digest_prefix));
  ASSIGN_OR_RETURN(const catalog::StoreState store_state, core.view().state());
  domain::Approval approval;
  approval.plan = id;
  approval.actor = actor;
  if (signed_decision != nullptr) approval.signed_by = signed_decision->by;
  approval.time = core.now();
  RETURN_IF_ERROR(check_counts_at(signed_decision, approval.time));
  approval.log_index = store_state.log.size;  // where it will stand
  // A clock that is behind must not cut the grace short.
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  const UtcTime from =
      plan.timing == domain::Timing::now ? approval.time : std::max(approval.time, clock.trusted);
  ASSIGN_OR_RETURN(Rulings rulings, rulings_on(core, plan, from));
  if (release) rulings.due = approval.time;  // its grace is over
  if (rulings.no_haste) {
    const std::string why = "it was to go without grace: " + rulings.no_haste->text;
    RETURN_IF_ERROR(make_stale(core, plan, why));
    return make_error(Errc::plan_stale, plan_text(id) + " is stale: " + why,
                      "request it again without --now", plan_text(id));
  }
  ASSIGN_OR_RETURN(approval.capacities, capacities_of(core, plan, rulings, actor,
                                                      store_state.people_rule, approval.decision));
  for (const domain::Approval& earlier : plan.approvals) {
    if (domain::same_person(earlier.actor, actor) && !earlier.standing &&
        earlier.decision == domain::Decision::approve) {
      return make_error(
          Errc::wrong_state,
          actor.login + " has approved " + plan_text(id) + " already; another custodian is needed",
          "`aierase show " + plan_text(id) + "` names whose approval is needed", plan_text(id));
    }
  }
  ASSIGN_OR_RETURN(InForce word, approvals_today(core, plan));
  word.approvals.push_back(approval);
  ASSIGN_OR_RETURN(const bool complete,
                   all_approved(core, plan, rulings, word.approvals, store_state.people_rule));
  // A plan that waits for people again is not due before it was agreed to be.
  const UtcTime due = std::max(rulings.due, agreed_due(plan));
  if (complete) approval.due = due;
  RETURN_IF_ERROR(transact(
      core, ReserveShare::half,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        RETURN_IF_ERROR(log_decision(core, transaction, state, plan, approval, signed_decision));
        const std::string before(domain::to_text(plan.state));
        const domain::PlanState after =
            complete && !release ? domain::PlanState::approved : plan.state;
        RETURN_IF_ERROR(transaction.add_event(
            {approval.time, actor, release ? "release" : "approve", plan_text(id), before,
             std::string(domain::to_text(after)), carried_text(approval.signed_by)}));
        if (!complete) return {};
        RETURN_IF_ERROR(transaction.set_plan_state(id, after, due, std::nullopt));
        if (release) return {};
        return set_items(core, transaction, plan,
                         {approval.time, actor, "retire", "", "", "retired",
                          "approved " + plan_text(id) + ": " + plan.reason});
      }));
  core.changed(domain::IdType::plan, id);
  if (complete && !release) {
    for (const domain::PlanItem& item : plan.items) core.keys.revoke(item.asset);
  }
  return plan_view(core, id);
}

Result<PlanView> Store::reject(const domain::Actor& caller, const Uuid& id,
                               const std::string& reason, const SignedDecision* signed_decision) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.writable());
  RETURN_IF_ERROR(core.check_login(caller));
  ASSIGN_OR_RETURN(const domain::Actor actor, core.with_entry(caller));
  RETURN_IF_ERROR(check_text("the reason", reason, limits::kReasonBytes));
  if (reason.empty())
    return make_error(Errc::usage, "a rejection needs a reason", "add --reason TEXT");
  ASSIGN_OR_RETURN(const domain::Plan plan, open_plan(core, id));
  RETURN_IF_ERROR(check_requested(core, plan));
  ASSIGN_OR_RETURN(const catalog::StoreState store_state, core.view().state());
  domain::Approval refusal;
  refusal.plan = id;
  refusal.decision = domain::Decision::reject;
  refusal.actor = actor;
  if (signed_decision != nullptr) refusal.signed_by = signed_decision->by;
  refusal.time = core.now();
  RETURN_IF_ERROR(check_counts_at(signed_decision, refusal.time));
  refusal.reason = reason;
  ASSIGN_OR_RETURN(const Rulings rulings, rulings_on(core, plan, refusal.time));
  ASSIGN_OR_RETURN(refusal.capacities, capacities_of(core, plan, rulings, actor,
                                                     store_state.people_rule, refusal.decision));
  RETURN_IF_ERROR(transact(
      core, ReserveShare::half,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        RETURN_IF_ERROR(log_decision(core, transaction, state, plan, refusal, signed_decision));
        RETURN_IF_ERROR(transaction.add_event(
            {refusal.time, actor, "reject", plan_text(id), "requested", "rejected", reason}));
        RETURN_IF_ERROR(transaction.set_plan_state(id, domain::PlanState::rejected, std::nullopt,
                                                   refusal.time));
        return record_refusal(core, transaction, state, id,
                              {actor, refusal.time, reason, refusal.capacities, refusal.signed_by});
      }));
  core.changed(domain::IdType::plan, id);
  return plan_view(core, id);
}

Result<PlanView> Store::cancel(const domain::Actor& actor, const Uuid& id) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.writable());
  RETURN_IF_ERROR(core.check_login(actor));
  ASSIGN_OR_RETURN(const domain::Plan plan, open_plan(core, id));
  const bool approved =
      plan.state == domain::PlanState::approved || plan.state == domain::PlanState::running;
  if (!approved) RETURN_IF_ERROR(check_requested(core, plan));
  const UtcTime now = core.now();
  const bool begun = std::any_of(plan.items.begin(), plan.items.end(), [](const auto& item) {
    return item.state == domain::ItemState::erased;
  });
  const domain::PlanState end = begun ? domain::PlanState::partial : domain::PlanState::cancelled;
  RETURN_IF_ERROR(transact(
      core, ReserveShare::half,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        if (approved) {
          RETURN_IF_ERROR(set_items(
              core, transaction, plan,
              {now, actor, "cancel", "", "", "suspended", plan_text(id) + " was cancelled"}));
        }
        RETURN_IF_ERROR(drop_open(transaction, plan, "cancelled by " + actor.login));
        RETURN_IF_ERROR(transaction.set_plan_state(id, end, std::nullopt, now));
        RETURN_IF_ERROR(transaction.add_event({now, actor, "cancel", plan_text(id),
                                               std::string(domain::to_text(plan.state)),
                                               std::string(domain::to_text(end)), ""}));
        ASSIGN_OR_RETURN(std::string record,
                         dump_canonical(Json{{"plan", id.hex()}, {"by", actor_json(actor)}}));
        const translog::LogRecord leaf{"plan-cancelled", now, std::move(record),
                                       translog::Visibility::committed};
        RETURN_IF_ERROR(core.append_log(transaction, state, {&leaf, 1}));
        return record_refusal(core, transaction, state, id,
                              {actor, now, "cancelled by " + actor.login, {}, {}});
      }));
  core.changed(domain::IdType::plan, id);
  return plan_view(core, id);
}

}  // namespace aierase::lifecycle
