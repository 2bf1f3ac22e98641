#include "lifecycle/gate.h"

#include <algorithm>

#include "base/json.h"

namespace aierase::lifecycle {
namespace {

using domain::Reason;

void look_at_state(const GateInput& in, std::vector<Reason>& reasons) {
  const domain::Asset& asset = *in.asset.asset;
  switch (asset.state) {
    case domain::AssetState::erased:
      reasons.push_back({Errc::erased, "it is erased already"});
      return;
    case domain::AssetState::erasing:
      reasons.push_back({Errc::wrong_state, "it is being erased"});
      return;
    case domain::AssetState::retired:
      if (in.purpose == Purpose::request) {
        reasons.push_back({Errc::wrong_state, "it is retired already"});
      }
      return;
    case domain::AssetState::active:
    case domain::AssetState::suspended:
      if (in.purpose == Purpose::execution) {
        reasons.push_back({Errc::wrong_state, "it is not retired"});
      }
      return;
  }
}

void look_at_holds(const GateInput& in, std::vector<Reason>& reasons) {
  for (const domain::Hold& hold : in.asset.holds) {
    reasons.push_back({Errc::legal_hold, "legal hold " +
                                             domain::id_text(domain::IdType::hold, hold.id) +
                                             " of matter \"" + hold.matter + "\""});
  }
}

// A floor gives way to a legal basis alone, which asks for one approval more.
void look_at_policy(const GateInput& in, std::vector<Reason>& reasons) {
  const PolicyFacts& policy = in.policy;
  if (in.plan.below_floor.empty()) {
    reasons.insert(reasons.end(), policy.floors.begin(), policy.floors.end());
  }
  reasons.insert(reasons.end(), policy.conflicts.begin(), policy.conflicts.end());
  if (policy.no_haste) reasons.push_back(*policy.no_haste);
}

void look_at_dependants(const GateInput& in, std::vector<Reason>& reasons) {
  const Errc code = in.purpose == Purpose::execution ? Errc::plan_stale : Errc::policy_conflict;
  for (const domain::LineageName& dependant : in.asset.open_dependants) {
    reasons.push_back({code, dependant.name.text() + " (" +
                                 std::string(domain::to_text(dependant.relation)) +
                                 " it) is alive and neither in the plan nor kept"});
  }
}

void look_at_key(const GateInput& in, std::vector<Reason>& reasons) {
  if (in.purpose != Purpose::execution) return;
  switch (in.asset.key) {
    case KeyCheck::matches:
      break;
    case KeyCheck::not_read:
      reasons.push_back({Errc::unexpected, "its key was not looked at"});
      break;
    case KeyCheck::differs:
      reasons.push_back(
          {Errc::damaged, "the key at its leaf is another asset's; run `aierase check`"});
      break;
    case KeyCheck::unreadable:
      reasons.push_back(
          {Errc::damaged, "the way to its key in the key tree is damaged; run `aierase check`"});
      break;
    case KeyCheck::absent:
      reasons.push_back({Errc::damaged, "there is no key at its leaf; run `aierase check`"});
      break;
  }
  if (in.asset.open_leases > 0) {
    reasons.push_back({Errc::busy, "a reader did not let go of its key in time"});
  }
}

void look_at_approvals(const GateInput& in, std::vector<Reason>& reasons) {
  if (in.purpose == Purpose::request) return;
  if (in.plan.altered) {
    reasons.push_back(
        {Errc::damaged, "the approval of " + *in.plan.altered +
                            " is not what the log committed to; run `aierase check`"});
  }
  const InForce word =
      approvals_in_force(in.plan.approvals, in.plan.standing, in.plan.origin, in.clock);
  const ApprovalCount count = count_approvals(
      in.asset.asset->custodians, in.policy,
      {in.plan.requester, in.plan.below_floor, in.plan.braked_at}, word.approvals, in.people_rule);
  if (count.suffices()) return;
  if (!word.lapsed.empty()) {
    reasons.insert(reasons.end(), word.lapsed.begin(), word.lapsed.end());
    return;
  }
  reasons.push_back({Errc::approval_missing, count.needed == 1
                                                 ? std::string("no custodian of it has approved")
                                                 : std::to_string(count.counted) + " of " +
                                                       std::to_string(count.needed) +
                                                       " approvals of its custodians are there"});
}

void look_at_execution(const GateInput& in, std::vector<Reason>& reasons) {
  if (in.purpose != Purpose::execution) return;
  if (in.plan.state != domain::PlanState::approved && in.plan.state != domain::PlanState::running) {
    reasons.push_back({Errc::approval_missing, "its plan is not approved"});
  }
  if (!in.plan.due) {
    reasons.push_back({Errc::approval_missing, "its plan has no moment of erasure"});
    return;
  }
  if (*in.plan.due < in.plan.agreed) {
    reasons.push_back({Errc::damaged, "its moment of erasure is earlier than the log says (" +
                                          to_rfc3339(in.plan.agreed) + "); run `aierase check`"});
  }
  // Unattended erasure believes neither clock alone; a person's approval is late, never early.
  const UtcTime now = in.attendance == Attendance::unattended
                          ? std::min(in.clock.wall, in.clock.trusted)
                          : in.clock.wall;
  if (now < *in.plan.due) {
    reasons.push_back({Errc::clock, "it is due only at " + to_rfc3339(*in.plan.due)});
  }
  if (in.attendance == Attendance::unattended) {
    reasons.insert(reasons.end(), in.clock.anomalies.begin(), in.clock.anomalies.end());
  }
}

// What nobody named goes only while a rule makes it due, and only so much of it. A plan whose brake
// has tripped was named by one person more than its classes ask for: see the approvals.
void look_at_origin(const GateInput& in, std::vector<Reason>& reasons) {
  if (in.plan.origin != domain::PlanOrigin::enforce) return;
  if (in.policy.verdict == domain::Verdict::eligible) {
    reasons.push_back({Errc::plan_stale, "no rule of the policy in force makes it due any more"});
  }
  if (in.policy.verdict == domain::Verdict::conflict && in.policy.conflicts.empty()) {
    reasons.push_back({Errc::policy_conflict,
                       "its rules contradict each other: a person may retire "
                       "it, no run will"});
  }
  if (!in.plan.braked_at) {
    reasons.insert(reasons.end(), in.brake.trips.begin(), in.brake.trips.end());
  }
}

}  // namespace

GateDecision Gate::decide(const GateInput& input) {
  GateDecision decision;
  std::vector<Reason>& reasons = decision.reasons;
  look_at_state(input, reasons);
  look_at_holds(input, reasons);
  look_at_policy(input, reasons);
  if (input.asset.other_plan) {
    reasons.push_back({Errc::wrong_state,
                       "plan " + domain::id_text(domain::IdType::plan, *input.asset.other_plan) +
                           " names it already"});
  }
  if (input.asset.binding == Binding::changed) {
    reasons.push_back({Errc::plan_stale, "it is no longer what the plan's digest covers"});
  }
  look_at_dependants(input, reasons);
  look_at_approvals(input, reasons);
  look_at_execution(input, reasons);
  look_at_origin(input, reasons);
  look_at_key(input, reasons);

  if (!input.policy.conflicts.empty()) {
    decision.verdict = domain::Verdict::conflict;
  } else if (!reasons.empty()) {
    decision.verdict = domain::Verdict::blocked;
  } else if (input.purpose == Purpose::execution) {
    decision.verdict = domain::Verdict::due;
    decision.permit = ErasePermit(input.asset.asset->id);
  } else {
    decision.verdict = domain::Verdict::eligible;
  }
  return decision;
}

Standing standing_of(const domain::Actor& approver, const domain::Actor& requester,
                     domain::PeopleRule rule) {
  if (rule == domain::PeopleRule::single_operator) return Standing::counts;
  if (approver.uid == 0) return Standing::is_root;
  if (domain::same_person(approver, requester)) return Standing::is_requester;
  if (requester.audit_login_uid && requester.audit_login_uid != domain::kNoUid &&
      (approver.uid == *requester.audit_login_uid ||
       approver.audit_login_uid == requester.audit_login_uid)) {
    return Standing::is_requester;
  }
  if (approver.audit_login_uid && *approver.audit_login_uid == requester.uid) {
    return Standing::is_requester;
  }
  return Standing::counts;
}

bool is_loader(const domain::Actor* loader, const domain::Actor& approver,
               domain::PeopleRule rule) {
  return loader != nullptr && standing_of(approver, *loader, rule) == Standing::is_requester;
}

namespace {

bool names(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

// Of a group somebody may be left: who is in it is not known here.
bool may_approve(const domain::Custodian& custodian, const domain::Plan& plan,
                 domain::PeopleRule rule) {
  if (custodian.kind == domain::CustodianKind::group) return true;
  domain::Actor somebody{custodian.id, custodian.name, {}, {}, {}};
  if (custodian.kind == domain::CustodianKind::person) {
    somebody.person = domain::PersonEntry{custodian.name, {}, {}, {}, {}, {}};
  }
  if (standing_of(somebody, plan.requester, rule) != Standing::counts) return false;
  return std::none_of(plan.approvals.begin(), plan.approvals.end(), [&](const auto& approval) {
    return approval.decision == domain::Decision::approve && !approval.standing &&
           domain::same_person(approval.actor, somebody);
  });
}

}  // namespace

bool given_as(const domain::Approval& approval, const domain::Custodian& custodian) {
  // The groups of a person are not kept; who the person was is.
  return names(approval.capacities, custodian.text()) &&
         (custodian.kind == domain::CustodianKind::group ||
          domain::is_custodian(approval.actor, {custodian}));
}

std::vector<std::string> approvers_left(const std::vector<domain::Custodian>& custodians,
                                        const PolicyFacts& policy, const domain::Plan& plan,
                                        domain::PeopleRule rule) {
  std::vector<std::string> approvers;
  for (const domain::Custodian& custodian : custodians) {
    if (may_approve(custodian, plan, rule)) approvers.push_back(custodian.text());
  }
  for (const std::string& text : policy.custodians) {
    const bool barred = rule == domain::PeopleRule::two_person &&
                        (text == plan.requester.login ||
                         (policy.loader != nullptr && text == policy.loader->login));
    if (!barred && !names(approvers, text)) approvers.push_back(text);
  }
  return approvers;
}

std::optional<domain::Reason> lapse_of(const StandingFacts& facts, const ClockFacts& clock) {
  const domain::StandingApproval& approval = facts.approval;
  const domain::StandingUse& terms = approval.terms;
  const std::string what = "the standing approval of " + approval.actor.login + " for class " +
                           quoted(terms.retention_class);
  if (facts.record == Binding::changed) {
    return Reason{Errc::damaged, what + " is not what the log committed to; run `aierase check`"};
  }
  if (approval.end) {
    const bool revoked = approval.end->cause == domain::StandingCause::revoked;
    return Reason{Errc::approval_refused,
                  what +
                      (revoked ? " was revoked at " : " ended when the class got other rules, ") +
                      to_rfc3339(approval.end->time)};
  }
  if (std::max(clock.wall, clock.trusted) >= terms.until) {
    return Reason{Errc::approval_expired, what + " was valid until " + to_rfc3339(terms.until)};
  }
  if (std::min(clock.wall, clock.trusted) < terms.from) {
    return Reason{Errc::approval_expired,
                  what + " begins only at " + to_rfc3339(terms.from) + ", by both clocks"};
  }
  if (facts.rules != terms.rules) {
    return Reason{Errc::approval_refused, what + " was given for other rules of the class"};
  }
  if (facts.person == StandingFacts::Person::gone) {
    return Reason{Errc::approval_refused,
                  what + " does not count: nobody here is that person any more"};
  }
  return std::nullopt;
}

InForce approvals_in_force(const std::vector<domain::Approval>& approvals,
                           const std::vector<StandingFacts>& standing, domain::PlanOrigin origin,
                           const ClockFacts& clock) {
  InForce word;
  for (const domain::Approval& approval : approvals) {
    if (!approval.standing) {
      word.approvals.push_back(approval);
      continue;
    }
    if (origin != domain::PlanOrigin::enforce) continue;
    const auto facts = std::find_if(
        standing.begin(), standing.end(),
        [&](const StandingFacts& one) { return one.approval.terms.id == approval.standing->id; });
    if (facts == standing.end()) continue;
    if (std::optional<domain::Reason> lapsed = lapse_of(*facts, clock)) {
      word.lapsed.push_back(std::move(*lapsed));
      continue;
    }
    word.approvals.push_back(approval);
    std::vector<std::string>& capacities = word.approvals.back().capacities;
    std::erase_if(capacities, [&](const auto& text) { return !names(facts->capacities, text); });
  }
  return word;
}

namespace {

std::size_t approvals_needed(const PolicyFacts& policy, const ApprovalTerms& terms) {
  const bool below =
      !terms.below_floor.empty() && (!policy.floors.empty() || policy.keeps_after_retirement);
  return std::max<std::size_t>(1, policy.approvals) + (below ? 1 : 0) + (terms.braked_at ? 1 : 0);
}

}  // namespace

ApprovalTerms terms_of(const domain::Plan& plan) {
  ApprovalTerms terms{plan.requester, plan.below_floor, std::nullopt};
  if (!plan.brake.empty()) terms.braked_at = plan.brake_log_index;
  return terms;
}

ApprovalCount count_approvals(const std::vector<domain::Custodian>& custodians,
                              const PolicyFacts& policy, const ApprovalTerms& terms,
                              const std::vector<domain::Approval>& approvals,
                              domain::PeopleRule rule) {
  const auto speaks_for_it = [&](const domain::Approval& approval) {
    if (rule == domain::PeopleRule::single_operator) return true;
    return std::any_of(custodians.begin(), custodians.end(),
                       [&](const auto& custodian) { return given_as(approval, custodian); }) ||
           (!is_loader(policy.loader, approval.actor, rule) &&
            std::any_of(policy.custodians.begin(), policy.custodians.end(),
                        [&](const auto& text) { return names(approval.capacities, text); }));
  };
  std::vector<domain::Actor> people;  // one person counts once, by account and by signature
  bool released = !terms.braked_at;
  for (const domain::Approval& approval : approvals) {
    if (approval.decision != domain::Decision::approve) continue;
    if (standing_of(approval.actor, terms.requester, rule) != Standing::counts) continue;
    if (approval.standing && approval.standing->retention_class != policy.due_by) continue;
    if (!speaks_for_it(approval)) continue;
    const bool counted = std::any_of(people.begin(), people.end(), [&](const auto& person) {
      return domain::same_person(person, approval.actor);
    });
    if (!counted) people.push_back(approval.actor);
    released = released || (!approval.standing && approval.log_index > *terms.braked_at);
  }
  ApprovalCount count{approvals_needed(policy, terms), people.size()};
  if (!released) count.counted = std::min(count.counted, count.needed - 1);
  return count;
}

}  // namespace aierase::lifecycle
