#include "lifecycle/word_check.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/limits.h"
#include "lifecycle/amending.h"
#include "lifecycle/standing.h"

namespace aierase::lifecycle {
namespace {

using Severity = Finding::Severity;

constexpr std::size_t kStatementBytesPerStep = 16 << 20;  // of statements
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
  ASSIGN_OR_RETURN(const std::optional<std::string> table, core_.view().unlogged_rows());
  if (table) {
    findings.push_back(altered(*table + "-altered", *table,
                               "there is one that the log did not take in", kRestore));
  }
  stage_ = Stage::signed_leaves;
  return {};
}

namespace {

std::string text_in(const Json& statement, const char* place) {
  const Json::json_pointer pointer(place);
  const bool there = statement.contains(pointer) && statement[pointer].is_string();
  return there ? statement[pointer].get<std::string>() : std::string();
}

// Of what was signed and logged: are the columns beside it those of the statement?
Result<bool> is_as_signed(const catalog::ReadView& view, const catalog::CertificateRow& row) {
  const auto json = parse_json(row.statement, JsonLimits{limits::kCertificateBytes, 32});
  if (!json.ok()) return false;
  ASSIGN_OR_RETURN(const auto acts, view.validations(row.id));
  const auto verdict = acts.empty() ? domain::Validation::awaiting : acts.back().verdict;
  using domain::IdType;
  return row.validation == verdict && text_in(*json, "/predicate/outcome") == row.outcome &&
         text_in(*json, "/predicate/assurance/level") == domain::to_text(row.assurance) &&
         text_in(*json, "/predicate/times/verified_zero_at") == to_rfc3339(row.issued) &&
         text_in(*json, "/predicate/certificate_id") ==
             domain::id_text(IdType::certificate, row.id) &&
         text_in(*json, "/predicate/asset/id") == domain::id_text(IdType::asset, row.asset) &&
         text_in(*json, "/predicate/disposal/plan") == domain::id_text(IdType::plan, row.plan);
}

Result<bool> is_as_signed(const catalog::ReadView&, const catalog::AmendmentRow& row) {
  return said_by(row).ok();
}

Result<bool> is_as_signed(const catalog::ReadView&, const catalog::RefusalRow& row) {
  const auto json = parse_json(row.statement, JsonLimits{limits::kCertificateBytes, 32});
  return json.ok() && text_in(*json, "/predicate/plan/id") == plan_text(row.plan) &&
         text_in(*json, "/predicate/outcome") == domain::to_text(row.outcome);
}

}  // namespace

// Whether the rows of certificates, amendments, refusals and verdicts are what the log took in.
Result<bool> WordCheck::is_as_logged(const domain::LogLeaf& leaf, std::size_t& bytes) const {
  const catalog::ReadView& view = core_.view();
  const auto compare = [&](const auto& row) -> Result<bool> {
    if (!row) return false;
    bytes += row->statement.size();
    ASSIGN_OR_RETURN(const bool logged, is_logged(view, leaf.index, leaf.type, row->signature,
                                                  row->public_key, row->statement));
    if (!logged) return false;
    return is_as_signed(view, *row);
  };
  if (leaf.type == "certificate") {
    ASSIGN_OR_RETURN(const auto row, view.certificate_at(leaf.index));
    return compare(row);
  }
  if (leaf.type == "amendment") {
    ASSIGN_OR_RETURN(const auto row, view.amendment_at(leaf.index));
    return compare(row);
  }
  if (leaf.type == "refusal") {
    ASSIGN_OR_RETURN(const auto row, view.refusal_at(leaf.index));
    return row ? compare(row) : Result<bool>(true);  // one that is missing was told by its plan
  }
  if (leaf.type != "validation" && leaf.type != kVerdictWaits) return true;
  ASSIGN_OR_RETURN(const auto act, view.validation_at(leaf.index));
  if (!act) return false;
  ASSIGN_OR_RETURN(const std::string record, validation_record(*act));
  return leaf.record == record && leaf.time == act->time;
}

Status WordCheck::look_at_signed(std::vector<Finding>& findings) {
  std::size_t bytes = 0;
  ASSIGN_OR_RETURN(const std::vector<domain::LogLeaf> leaves,
                   core_.view().log_leaves(leaf_, limits::kListPageRows));
  if (leaves.empty()) stage_ = Stage::over;
  for (const domain::LogLeaf& leaf : leaves) {
    if (bytes > kStatementBytesPerStep) return {};
    leaf_ = leaf.index + 1;
    ASSIGN_OR_RETURN(const bool same, is_as_logged(leaf, bytes));
    if (same) continue;
    const std::string what = leaf.type == kVerdictWaits ? "validation" : leaf.type;
    findings.push_back(altered(what + "-altered", "leaf " + std::to_string(leaf.index),
                               "the " + what +
                                   " of this leaf of the log is missing, or is "
                                   "not what the log took in",
                               kRestore));
  }
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
    case Stage::signed_leaves:
      RETURN_IF_ERROR(look_at_signed(findings));
      break;
    case Stage::over:
      break;
  }
  return stage_ != Stage::over;
}

}  // namespace aierase::lifecycle
