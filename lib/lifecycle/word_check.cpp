#include "lifecycle/word_check.h"

#include "base/limits.h"
#include "lifecycle/standing.h"

namespace aierase::lifecycle {
namespace {

using Severity = Finding::Severity;

constexpr const char* kRestore = "put an undamaged copy of the current database back";

Finding altered(std::string code, std::string subject, std::string text, std::string mend) {
  return {Severity::error, std::move(code), std::move(subject), std::move(text), std::move(mend)};
}

}  // namespace

Status WordCheck::look_at_store(std::vector<Finding>& findings) {
  ASSIGN_OR_RETURN(const std::optional<std::string> hold, altered_hold(core_.view()));
  if (hold) {
    findings.push_back(altered("hold-altered", *hold,
                               "a legal hold is not what the log committed to; nothing is erased",
                               kRestore));
  }
  if (core_.retention.altered()) {
    findings.push_back(altered("policy-altered", "policy",
                               *core_.retention.altered() + "; nothing is erased",
                               std::string(kRestore) + ", or load the policy again"));
  }
  stage_ = Stage::standing;
  return {};
}

Status WordCheck::look_at_standing(std::vector<Finding>& findings) {
  ASSIGN_OR_RETURN(const catalog::Page<domain::StandingApproval> page,
                   core_.view().standing_approvals(cursor_, limits::kListPageRows));
  ASSIGN_OR_RETURN(const std::vector<StandingFacts> all,
                   standing_facts(core_, core_.view(), page.rows, {}));
  for (const StandingFacts& facts : all) {
    if (facts.record == Binding::unchanged) continue;
    const domain::StandingApproval& approval = facts.approval;
    findings.push_back(altered("standing-altered", approval.terms.id.text(),
                               "the standing approval of " + approval.actor.login + " for class " +
                                   approval.terms.retention_class +
                                   " is not what the log committed to; it counts for nothing",
                               kRestore));
  }
  cursor_ = page.next;
  if (cursor_.empty()) stage_ = Stage::open_plans;
  return {};
}

Status WordCheck::look_at_open_plans(std::vector<Finding>& findings) {
  for (std::size_t looked = 0; looked < limits::kListPageRows && !plans_.empty(); ++looked) {
    const Uuid id = plans_.back();
    plans_.pop_back();
    ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, core_.view().plan(id));
    if (!plan) continue;
    ASSIGN_OR_RETURN(const std::optional<std::string> login, altered_approval(core_.view(), *plan));
    const char* cancel = "cancel it and ask anew, or put an undamaged copy of the database back";
    if (login) {
      findings.push_back(altered("approval-altered", plan_text(id),
                                 "the approval of " + *login +
                                     " is not what the log committed to; the plan erases nothing",
                                 cancel));
    }
    if (plan_digest(core_.store(), *plan) != plan->digest) {
      findings.push_back(altered("plan-altered", plan_text(id),
                                 "its items are not those of its digest; it erases nothing",
                                 cancel));
    }
    if (plan->due && *plan->due < agreed_due(*plan)) {
      findings.push_back(altered("due-altered", plan_text(id),
                                 "its moment of erasure is earlier than the log says (" +
                                     to_rfc3339(agreed_due(*plan)) + "); it erases nothing",
                                 cancel));
    }
  }
  if (plans_.empty()) stage_ = Stage::ended_plans;
  return {};
}

Status WordCheck::look_at_ended_plans(std::vector<Finding>& findings) {
  ASSIGN_OR_RETURN(const std::vector<Uuid> plans,
                   core_.view().ends_without_record(limits::kListPageRows));
  for (const Uuid& id : plans) {
    findings.push_back(altered("record-missing", plan_text(id),
                               "it ended with something not erased, and there is no record of it",
                               kRestore));
  }
  stage_ = Stage::over;
  return {};
}

Result<bool> WordCheck::step(std::vector<Finding>& findings) {
  switch (stage_) {
    case Stage::store:
      RETURN_IF_ERROR(look_at_store(findings));
      break;
    case Stage::standing:
      RETURN_IF_ERROR(look_at_standing(findings));
      if (stage_ != Stage::open_plans) break;
      for (const auto state : {domain::PlanState::requested, domain::PlanState::approved,
                               domain::PlanState::running}) {
        ASSIGN_OR_RETURN(const std::vector<Uuid> plans, core_.view().plans_in(state));
        plans_.insert(plans_.end(), plans.begin(), plans.end());
      }
      break;
    case Stage::open_plans:
      RETURN_IF_ERROR(look_at_open_plans(findings));
      break;
    case Stage::ended_plans:
      RETURN_IF_ERROR(look_at_ended_plans(findings));
      break;
    case Stage::over:
      break;
  }
  return stage_ != Stage::over;
}

}  // namespace aierase::lifecycle
