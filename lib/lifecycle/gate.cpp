#include "lifecycle/gate.h"

#include <algorithm>

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
  if (!has_approval(in.asset.asset->custodians, in.plan.requester, in.plan.approvals,
                    in.people_rule)) {
    reasons.push_back({Errc::approval_missing, "no custodian of it has approved"});
  }
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
  // Unattended erasure believes neither clock alone; a person's approval is late, never early.
  const UtcTime now = in.attendance == Attendance::unattended
                          ? std::min(in.clock.wall, in.clock.trusted)
                          : in.clock.wall;
  if (now < *in.plan.due) {
    reasons.push_back({Errc::clock, "it is due only at " + to_rfc3339(*in.plan.due)});
  }
  if (in.attendance == Attendance::unattended) {
    reasons.insert(reasons.end(), in.clock.anomalies.begin(), in.clock.anomalies.end());
    reasons.insert(reasons.end(), in.brake.trips.begin(), in.brake.trips.end());
  }
}

}  // namespace

GateDecision Gate::decide(const GateInput& input) {
  GateDecision decision;
  std::vector<Reason>& reasons = decision.reasons;
  look_at_state(input, reasons);
  look_at_holds(input, reasons);
  reasons.insert(reasons.end(), input.policy.floors.begin(), input.policy.floors.end());
  reasons.insert(reasons.end(), input.policy.conflicts.begin(), input.policy.conflicts.end());
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

bool given_as(const domain::Approval& approval, const domain::Custodian& custodian) {
  const bool named = std::find(approval.capacities.begin(), approval.capacities.end(),
                               custodian.text()) != approval.capacities.end();
  // The groups of a person are not kept; who the person was is.
  return named && (custodian.kind == domain::CustodianKind::group ||
                   domain::is_custodian(approval.actor, {custodian}));
}

bool has_approval(const std::vector<domain::Custodian>& custodians, const domain::Actor& requester,
                  const std::vector<domain::Approval>& approvals, domain::PeopleRule rule) {
  return std::any_of(approvals.begin(), approvals.end(), [&](const domain::Approval& approval) {
    if (approval.decision != domain::Decision::approve) return false;
    if (standing_of(approval.actor, requester, rule) != Standing::counts) return false;
    if (rule == domain::PeopleRule::single_operator) return true;
    return std::any_of(
        custodians.begin(), custodians.end(),
        [&](const domain::Custodian& custodian) { return given_as(approval, custodian); });
  });
}

}  // namespace aierase::lifecycle
