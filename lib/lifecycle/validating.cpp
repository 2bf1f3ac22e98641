// The custodian's act after an erasure: accept, reject or escalate its outcome.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/limits.h"
#include "domain/transitions.h"
#include "lifecycle/amending.h"
#include "lifecycle/reserve.h"
#include "lifecycle/signed_acts.h"

namespace aierase::lifecycle {
namespace {

using domain::Validation;

Status check_request(const ValidateRequest& request) {
  RETURN_IF_ERROR(check_text("the reason", request.reason, limits::kReasonBytes));
  RETURN_IF_ERROR(check_text("the remedy", request.remedy, limits::kReasonBytes));
  if (request.verdict == Validation::awaiting) {
    return make_error(Errc::usage, "an outcome is accepted, rejected or escalated");
  }
  if (request.verdict != Validation::accepted && request.reason.empty()) {
    return make_error(Errc::usage, "what is not accepted needs a reason", "add --reason TEXT");
  }
  if (request.verdict == Validation::accepted && !request.remedy.empty()) {
    return make_error(Errc::usage, "what is accepted needs no remedy", "leave out --remedy");
  }
  return {};
}

struct Subject {
  catalog::CertificateHead head;
  std::vector<std::string> capacities;  // of the actor; empty: none that counts
};

// Where a class asks for somebody who did not approve.
Status check_other_person(const domain::Actor& actor, const domain::Plan& plan,
                          const domain::Asset& asset, const policy::Terms& terms,
                          const catalog::CertificateHead& head) {
  if (terms.validation != policy::ValidationRule::other_person) return {};
  const bool approved = std::any_of(plan.approvals.begin(), plan.approvals.end(),
                                    [&](const domain::Approval& approval) {
                                      return approval.decision == domain::Decision::approve &&
                                             domain::same_person(approval.actor, actor);
                                    });
  if (!approved) return {};
  return make_error(Errc::access_denied,
                    "the policy asks for another person: " + actor.login +
                        " approved the erasure of " + asset.name.text(),
                    "another custodian of the asset validates", certificate_text(head.id));
}

// The same rules about people as before the erasure: another person than who asked, not root, and
// a custodian of that asset. Who approved may validate.
Result<std::vector<std::string>> look_at(Core& core, const domain::Actor& actor,
                                         domain::PeopleRule rule,
                                         const catalog::CertificateHead& head) {
  ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, core.view().plan_head(head.plan));
  if (!plan) return make_error(Errc::damaged, "the plan of a certificate is not in the catalog");
  switch (standing_of(actor, plan->requester, rule)) {
    case Standing::counts:
    case Standing::not_custodian:
      break;
    case Standing::is_root:
      return make_error(Errc::access_denied, "root does not validate: it is a person's act",
                        "a custodian validates under an account of their own",
                        certificate_text(head.id));
    case Standing::is_requester:
      return make_error(Errc::access_denied,
                        "whoever requested an erasure does not validate it, under any account",
                        "another custodian of the asset validates", certificate_text(head.id));
  }
  ASSIGN_OR_RETURN(const domain::Asset asset, core.known_asset(head.asset));
  ASSIGN_OR_RETURN(const policy::Decision ruling,
                   core.retention.decide(core.view(), asset, core.now()));
  RETURN_IF_ERROR(check_other_person(actor, *plan, asset, ruling.terms, head));
  std::vector<std::string> capacities;
  if (rule == domain::PeopleRule::single_operator) {
    capacities = {"single operator"};
    return capacities;
  }
  std::vector<domain::Custodian> custodians = asset.custodians;
  if (!ruling.terms.custodians.empty()) {
    ASSIGN_OR_RETURN(const std::vector<domain::Custodian> named,
                     core.settings.find_custodians(ruling.terms.custodians));
    custodians.insert(custodians.end(), named.begin(), named.end());
  }
  for (const domain::Custodian& custodian : custodians) {
    if (domain::is_custodian(actor, {custodian})) capacities.push_back(custodian.text());
  }
  return capacities;
}

Result<std::vector<Subject>> subjects_of(Core& core, const ValidateRequest& request,
                                         domain::PeopleRule rule) {
  std::vector<catalog::CertificateHead> heads;
  if (request.plan) {
    ASSIGN_OR_RETURN(heads, core.view().certificates_of_plan(*request.plan));
    if (heads.empty()) {
      return make_error(Errc::wrong_state,
                        plan_text(*request.plan) + " has erased nothing, so there is no outcome",
                        "`aierase show " + plan_text(*request.plan) + "` tells how far it is",
                        plan_text(*request.plan));
    }
  } else {
    ASSIGN_OR_RETURN(const auto head, core.view().certificate_head(request.certificate));
    if (!head) {
      return make_error(Errc::not_found,
                        "there is no certificate " + certificate_text(request.certificate));
    }
    heads.push_back(*head);
  }
  std::vector<Subject> subjects;
  for (const catalog::CertificateHead& head : heads) {
    ASSIGN_OR_RETURN(std::vector<std::string> capacities, look_at(core, request.actor, rule, head));
    if (!capacities.empty()) subjects.push_back({head, std::move(capacities)});
  }
  if (!subjects.empty()) return subjects;
  return make_error(Errc::access_denied,
                    request.actor.login + " is no custodian of what was erased",
                    "`aierase show` of the asset names its custodians");
}

// The verdict, and the amendment that says it. Behind a verdict that waits it waits too.
Status write(Core& core, catalog::Transaction& transaction, catalog::StoreState& state,
             const Subject& subject, domain::ValidationAct act, const SignedDecision* signed_text) {
  ASSIGN_OR_RETURN(std::string record, validation_record(act));
  ASSIGN_OR_RETURN(const bool waits, verdict_waits(transaction, act.certificate));
  const bool signs = core.signer && !waits;
  domain::AmendmentRecord begun;
  if (signs) {
    ASSIGN_OR_RETURN(begun, begin_amendment(core, transaction, act.certificate));
  }
  const translog::LogRecord leaf{signs ? "validation" : kVerdictWaits, act.time, std::move(record),
                                 translog::Visibility::committed};
  act.log_index = state.log.size;
  RETURN_IF_ERROR(core.append_log(transaction, state, {&leaf, 1}));
  if (signs) {
    std::optional<domain::SignedText> text;
    if (signed_text != nullptr) text = signed_text->text;
    ASSIGN_OR_RETURN(act.amendment, amend_by_verdict(core, transaction, state, std::move(begun),
                                                     act, std::move(text)));
  }
  RETURN_IF_ERROR(transaction.add_validation(act));
  std::string why = act.reason;
  if (!act.remedy.empty()) why += (why.empty() ? "" : "; ") + std::string("remedy: ") + act.remedy;
  if (act.signed_by) why += (why.empty() ? "" : "; ") + carried_text(act.signed_by);
  return transaction.add_event({act.time, act.actor, "validate", asset_text(subject.head.asset),
                                std::string(domain::to_text(subject.head.validation)),
                                std::string(domain::to_text(act.verdict)), why});
}

}  // namespace

Result<std::vector<std::string>> capacities_over(Core& core, const domain::Actor& actor,
                                                 domain::PeopleRule rule,
                                                 const catalog::CertificateHead& head) {
  return look_at(core, actor, rule, head);
}

Result<std::string> validation_record(const domain::ValidationAct& act) {
  Json record{{"certificate", act.certificate.hex()},
              {"verdict", domain::to_text(act.verdict)},
              {"as", act.capacities},
              {"by", actor_json(act.actor)},
              {"reason", act.reason},
              {"remedy", act.remedy}};
  add_signed_by(record, act.actor, act.signed_by);
  return dump_canonical(record);
}

Result<ValidateReport> Store::validate(const ValidateRequest& wanted) {
  Core& core = *impl_;
  ValidateRequest request = wanted;
  RETURN_IF_ERROR(core.writable());
  RETURN_IF_ERROR(core.check_login(wanted.actor));
  ASSIGN_OR_RETURN(request.actor, core.with_entry(wanted.actor));
  RETURN_IF_ERROR(check_request(request));
  ASSIGN_OR_RETURN(const catalog::StoreState now, core.view().state());
  ASSIGN_OR_RETURN(std::vector<Subject> subjects, subjects_of(core, request, now.people_rule));
  const domain::Validation said = subjects.front().head.validation;
  std::erase_if(subjects, [&](const Subject& subject) {
    return !domain::may_follow(subject.head.validation, request.verdict);
  });
  if (subjects.empty()) {
    return make_error(Errc::wrong_state, "it is " + std::string(domain::to_text(said)) + " already",
                      "`aierase show` of the certificate tells by whom");
  }
  domain::ValidationAct act;
  act.verdict = request.verdict;
  act.actor = request.actor;
  act.time = core.now();
  RETURN_IF_ERROR(check_counts_at(request.signed_decision, act.time));
  act.reason = request.reason;
  act.remedy = request.remedy;
  if (request.signed_decision != nullptr) act.signed_by = request.signed_decision->by;
  RETURN_IF_ERROR(transact(
      core, ReserveShare::half,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        RETURN_IF_ERROR(keep(transaction, request.signed_decision));
        for (const Subject& subject : subjects) {
          act.certificate = subject.head.id;
          act.capacities = subject.capacities;
          RETURN_IF_ERROR(write(core, transaction, state, subject, act, request.signed_decision));
        }
        return {};
      }));
  ValidateReport report;
  report.verdict = request.verdict;
  for (const Subject& subject : subjects) {
    report.certificates.push_back(subject.head.id);
    core.changed(domain::IdType::certificate, subject.head.id);
  }
  if (request.plan) {
    ASSIGN_OR_RETURN(const auto heads, core.view().certificates_of_plan(*request.plan));
    report.awaiting = static_cast<std::size_t>(
        std::count_if(heads.begin(), heads.end(), [](const catalog::CertificateHead& head) {
          return head.validation == Validation::awaiting;
        }));
  }
  return report;
}

Result<std::vector<domain::ValidationAct>> Store::validations(const Uuid& certificate) {
  return impl_->view().validations(certificate);
}

}  // namespace aierase::lifecycle
