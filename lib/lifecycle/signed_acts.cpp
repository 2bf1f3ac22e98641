// Texts for people to sign, and acting upon those that they signed.
#include "lifecycle/signed_acts.h"

#include <algorithm>

#include "base/limits.h"
#include "certificate/ssh_signature.h"
#include "lifecycle/core.h"

namespace aierase::lifecycle {
namespace {

using certificate::ActDecision;
using certificate::ActPlan;
using certificate::DecisionAct;
using certificate::SignedAct;
using Course = HandInReport::Course;

constexpr auto kOutcomeLifetime = std::chrono::days(30);  // as an unapproved plan has it

Result<domain::Plan> known_plan(Core& core, const Uuid& id) {
  ASSIGN_OR_RETURN(std::optional<domain::Plan> plan, core.view().plan(id));
  if (plan) return std::move(*plan);
  return make_error(Errc::not_found, "there is no plan " + plan_text(id) + " in this store",
                    "`aierase list plans` shows what there is", plan_text(id));
}

// Who sets the clock back does not bring an expired text back, and one that is made now is valid.
Result<UtcTime> later_of_both_clocks(const Core& core) {
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  return std::max(clock.wall, clock.trusted);
}

// ---- the text -----------------------------------------------------------------------------------

Result<ActDecision> decision_of(const std::string& word, const domain::Plan& first) {
  std::optional<ActDecision> decision = certificate::parse_act_decision(word);
  if (decision == ActDecision::reject && has_begun(first)) decision = ActDecision::reject_outcome;
  if (decision) return *decision;
  return make_error(Errc::usage, quoted(word) + " is no decision about a plan",
                    "approve or reject before the erasure; accept, reject or escalate after it");
}

Status check_open(const domain::Plan& plan, ActDecision decision, UtcTime now) {
  if (certificate::is_validation(decision)) return {};  // act_plan() asks for an outcome
  const bool open = plan.state == domain::PlanState::requested && now < plan.expires;
  const bool releases = decision == ActDecision::approve && is_braked(plan);
  if (open || (releases && plan.state != domain::PlanState::requested)) return {};
  const std::string state =
      plan.state == domain::PlanState::requested ? "expired" : std::string(to_text(plan.state));
  return make_error(Errc::wrong_state,
                    plan_text(plan.id) + " is " + state + ": nobody can approve or reject it",
                    "`aierase show " + plan_text(plan.id) + "` tells more", plan_text(plan.id));
}

// ---- the way back -------------------------------------------------------------------------------

std::string_view verb_text(HandInVerb verb) {
  switch (verb) {
    case HandInVerb::approve:
      return "approve";
    case HandInVerb::reject:
      return "reject";
    case HandInVerb::validate:
      return "validate";
  }
  return {};
}

HandInVerb verb_of(ActDecision decision) {
  if (certificate::is_validation(decision)) return HandInVerb::validate;
  return decision == ActDecision::approve ? HandInVerb::approve : HandInVerb::reject;
}

Status check_sizes(const HandIn& file) {
  if (file.signature.empty()) {
    return make_error(Errc::invalid_input, "the text comes without a signature",
                      "ssh-keygen -Y sign writes it into FILE.sig");
  }
  for (const auto& [what, size, limit] :
       {std::tuple("the signed text", file.text.size(), limits::kSignedActBytes),
        std::tuple("the signature", file.signature.size(), limits::kSshSignatureBytes)}) {
    if (size <= limit) continue;
    return make_error(Errc::resource_limit, std::string(what) + " has " + std::to_string(size) +
                                                " bytes; the limit is " + std::to_string(limit));
  }
  return {};
}

// What a standing approval and its revocation decide; of a text about plans, what it says.
ActDecision decision_of(const SignedAct& act) {
  if (const auto* decision = std::get_if<DecisionAct>(&act)) return decision->decision;
  return std::holds_alternative<certificate::StandingApproval>(act) ? ActDecision::approve
                                                                    : ActDecision::reject;
}

Result<SignedAct> read_act(const HandIn& file, UtcTime now) {
  ASSIGN_OR_RETURN(SignedAct act, certificate::parse_signed_act(file.text));
  const HandInVerb fits = verb_of(decision_of(act));
  if (fits != file.verb) {
    return make_error(
        Errc::usage,
        "the signed text says \"" + std::string(certificate::to_text(decision_of(act))) +
            "\", which is not for `aierase " + std::string(verb_text(file.verb)) + "`",
        "hand it in with: aierase " + std::string(verb_text(fits)) + " --signed FILE");
  }
  RETURN_IF_ERROR(certificate::check_validity(act, now));
  return act;
}

// A valid signature, by somebody who is enrolled, over a text that is in force.
class Carried {
 public:
  static Result<Carried> open(Core& core, const HandIn& file) {
    RETURN_IF_ERROR(check_sizes(file));
    ASSIGN_OR_RETURN(const certificate::SshSigner signer,
                     certificate::verify_ssh_signature(file.signature, file.text));
    Carried carried;
    ASSIGN_OR_RETURN(carried.signer, file.find_signer(signer.key));
    ASSIGN_OR_RETURN(const UtcTime now, later_of_both_clocks(core));
    ASSIGN_OR_RETURN(SignedAct act, read_act(file, now));
    if (auto* decision = std::get_if<DecisionAct>(&act)) {
      carried.act = std::move(*decision);
      carried.decision.valid_until = carried.act.valid_until;
    } else {
      carried.standing = std::move(act);
    }
    carried.decision.text = {file.text, file.signature, signer.key.line()};
    carried.decision.by = {crypto::sha256(as_bytes(file.text)),
                           crypto::sha256(as_bytes(file.signature)), signer.key.fingerprint(),
                           file.carrier};
    carried.decision.by.carrier.person.reset();
    return carried;
  }

  domain::Actor signer;
  DecisionAct act;                    // about plans; or else
  std::optional<SignedAct> standing;  // an approval in advance, or its revocation
  SignedDecision decision;
};

// Said already by this person: as this text, or, before an erasure, by any other way.
Result<bool> said_before(Core& core, const Carried& carried, const domain::Plan& plan) {
  if (!certificate::is_validation(carried.act.decision)) {
    const domain::Decision word = carried.act.decision == ActDecision::approve
                                      ? domain::Decision::approve
                                      : domain::Decision::reject;
    return std::any_of(plan.approvals.begin(), plan.approvals.end(),
                       [&](const domain::Approval& earlier) {
                         return earlier.decision == word && !earlier.standing &&
                                domain::same_person(earlier.actor, carried.signer);
                       });
  }
  // An outcome may be judged anew; an old judgement handed in again does not undo the new one.
  ASSIGN_OR_RETURN(const auto heads, core.view().certificates_of_plan(plan.id));
  for (const catalog::CertificateHead& head : heads) {
    ASSIGN_OR_RETURN(const auto acts, core.view().validations(head.id));
    for (const domain::ValidationAct& earlier : acts) {
      if (earlier.signed_by && earlier.signed_by->text == carried.decision.by.text &&
          domain::same_person(earlier.actor, carried.signer)) {
        return true;
      }
    }
  }
  return false;
}

domain::Validation verdict_of(ActDecision decision) {
  if (decision == ActDecision::accept) return domain::Validation::accepted;
  return decision == ActDecision::escalate ? domain::Validation::escalated
                                           : domain::Validation::rejected;
}

template <typename T>
Status outcome(Result<T> result) {
  return result.ok() ? Status() : Status(std::move(result).error());
}

Status act_upon(Store& store, const Carried& carried, const domain::Plan& plan) {
  switch (carried.act.decision) {
    case ActDecision::approve:
      return outcome(
          store.approve(carried.signer, plan.id, to_hex(plan.digest), &carried.decision));
    case ActDecision::reject:
      return outcome(store.reject(carried.signer, plan.id, carried.act.comment, &carried.decision));
    case ActDecision::accept:
    case ActDecision::reject_outcome:
    case ActDecision::escalate:
      break;
  }
  ValidateRequest request;
  request.actor = carried.signer;
  request.plan = plan.id;
  request.verdict = verdict_of(carried.act.decision);
  request.reason = carried.act.comment;
  request.signed_decision = &carried.decision;
  return outcome(store.validate(request));
}

Result<Course> decide_one(Store& store, Core& core, const Carried& carried,
                          const ActPlan& signed_plan) {
  ASSIGN_OR_RETURN(const domain::Plan plan, known_plan(core, signed_plan.plan));
  ASSIGN_OR_RETURN(const ActPlan ours, act_plan(core, plan, carried.act.decision));
  RETURN_IF_ERROR(check_same(ours, signed_plan));
  ASSIGN_OR_RETURN(const bool before, said_before(core, carried, plan));
  if (before) return Course::already;
  RETURN_IF_ERROR(act_upon(store, carried, plan));
  return Course::recorded;
}

Error nothing_for_us(const DecisionAct& act) {
  return make_error(Errc::not_found,
                    act.plans.size() == 1
                        ? std::string("the plan of this text is not of this store")
                        : "none of the " + std::to_string(act.plans.size()) +
                              " plans of this text is of this store",
                    "hand it in on the host that it names: " + quoted(act.plans.front().host));
}

// Where nothing was done, the first refusal is the answer; where there is none, all of it was said
// before.
Status check_any(const HandInReport& report) {
  const auto count = [&](Course course) {
    return std::count_if(report.here.begin(), report.here.end(),
                         [&](const HandInReport::Here& here) { return here.course == course; });
  };
  if (count(Course::recorded) > 0) return {};
  const auto first =
      std::find_if(report.here.begin(), report.here.end(),
                   [](const HandInReport::Here& here) { return here.refusal.has_value(); });
  if (first == report.here.end()) {
    return make_error(Errc::wrong_state,
                      "this was handed in before: " + report.signer.login +
                          " has decided every plan of this store that it names",
                      "`aierase show PLAN` tells how far each is",
                      plan_text(report.here.front().plan));
  }
  Error error = *first->refusal;
  const auto more = count(Course::refused) - 1;
  if (more > 0) {
    error.message += " (and " + std::to_string(more) + " more of this text)";
  }
  return error;
}

}  // namespace

Status check_counts_at(const SignedDecision* decision, UtcTime at) {
  if (decision == nullptr) return {};
  DecisionAct act;
  act.valid_until = decision->valid_until;
  return certificate::check_validity(act, at);
}

Result<DecisionAct> Store::act_to_sign(const SigningWish& wish) {
  Core& core = *impl_;
  if (wish.plans.empty()) return make_error(Errc::usage, "no plan was named");
  RETURN_IF_ERROR(check_text("the reason", wish.comment, limits::kReasonBytes));
  DecisionAct act;
  act.comment = wish.comment;
  ASSIGN_OR_RETURN(const UtcTime now, later_of_both_clocks(core));
  UtcTime end = now + kOutcomeLifetime;
  for (const Uuid& id : wish.plans) {
    ASSIGN_OR_RETURN(const domain::Plan plan, known_plan(core, id));
    ASSIGN_OR_RETURN(const ActDecision decision, decision_of(wish.decision, plan));
    if (!act.plans.empty() && decision != act.decision) {
      return make_error(Errc::usage, "some of these plans have erased, and others have not",
                        "make one text before the erasure, and another one after it");
    }
    act.decision = decision;
    RETURN_IF_ERROR(check_open(plan, decision, now));
    if (!certificate::is_validation(decision)) end = std::min(end, plan.expires);
    ASSIGN_OR_RETURN(ActPlan one, act_plan(core, plan, decision));
    act.plans.push_back(std::move(one));
  }
  if (certificate::needs_comment(act.decision) && act.comment.empty()) {
    return make_error(Errc::usage, "who does not agree says why: the text needs a reason",
                      "add --reason TEXT");
  }
  act.valid_until = wish.valid_until.value_or(end);
  if (act.valid_until <= now) {
    return make_error(Errc::usage, "the text would be valid until " + to_rfc3339(act.valid_until) +
                                       ", and it is later than that already");
  }
  return act;
}

Result<domain::SignedText> Store::signed_text(const domain::SignedBy& signed_by) {
  ASSIGN_OR_RETURN(std::optional<domain::SignedText> text,
                   impl_->view().signed_text(signed_by.signature));
  if (text) return std::move(*text);
  return make_error(Errc::damaged, "what was signed is not in the catalog any more");
}

Result<HandInReport> Store::hand_in(const HandIn& file) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.writable());
  RETURN_IF_ERROR(note_enrolments(core));
  ASSIGN_OR_RETURN(const Carried carried, Carried::open(core, file));
  HandInReport report;
  report.signer = carried.signer;
  report.key = carried.decision.by.key;
  if (carried.standing) {
    report.decision = decision_of(*carried.standing);
    ASSIGN_OR_RETURN(report.standing,
                     hand_in_standing(core, carried.signer, carried.decision, *carried.standing));
    return report;
  }
  report.decision = carried.act.decision;
  for (const ActPlan& plan : carried.act.plans) {
    if (plan.store != core.store()) {
      report.elsewhere.push_back({plan.plan, plan.store, plan.host});
      continue;
    }
    HandInReport::Here here;
    here.plan = plan.plan;
    Result<Course> course = decide_one(*this, core, carried, plan);
    if (!course.ok() && must_stop()) return std::move(course).error();
    here.course = course.ok() ? *course : Course::refused;
    if (!course.ok()) here.refusal = std::move(course).error();
    if (const Result<PlanView> view = plan_view(core, plan.plan); view.ok()) {
      here.state = view->plan.state;
      here.items_waiting = view->needed.items_waiting;
    }
    report.here.push_back(std::move(here));
  }
  if (report.here.empty()) return nothing_for_us(carried.act);
  RETURN_IF_ERROR(check_any(report));
  return report;
}

}  // namespace aierase::lifecycle
