// Standing approvals are given and revoked: by the account, or by a signature.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "lifecycle/approving.h"
#include "lifecycle/reserve.h"
#include "lifecycle/standing.h"

namespace aierase::lifecycle {
namespace {

constexpr auto kLongest = std::chrono::days(limits::kStandingApprovalDays);

Result<const policy::RetentionClass*> class_of(const Core& core, const std::string& name) {
  if (core.retention.altered()) {
    return make_error(Errc::damaged, *core.retention.altered(),
                      "nothing is approved in advance until a policy is loaded");
  }
  const policy::RetentionClass* rules = core.retention.set().find(name);
  if (rules == nullptr) {
    return make_error(Errc::not_found, "there is no class " + quoted(name) + " in the policy",
                      "`aierase policy load` brings a policy into force");
  }
  if (rules->erase_after) return rules;
  return make_error(Errc::usage,
                    "the class " + quoted(name) + " makes nothing due: it has no erase-after",
                    "approve plans for its assets one by one");
}

// The moment by which both clocks agree that the day is not over, and the other way round.
Status check_term(const domain::StandingUse& terms, const ClockFacts& clock) {
  if (std::max(clock.wall, clock.trusted) >= terms.until) {
    return make_error(Errc::approval_expired,
                      "it would end at " + to_rfc3339(terms.until) + ", and that is over",
                      "give a later day with --until");
  }
  const UtcTime latest = std::min(clock.wall, clock.trusted) + kLongest;
  if (terms.until <= latest && terms.until - terms.from <= kLongest) return {};
  return make_error(Errc::resource_limit,
                    "a standing approval lasts at most " +
                        std::to_string(limits::kStandingApprovalDays) + " days, until " +
                        to_rfc3339(latest),
                    "give an earlier day with --until, and another approval before it ends");
}

Status check_person(const domain::Actor& actor, domain::PeopleRule rule) {
  if (rule == domain::PeopleRule::single_operator || actor.uid != 0) return {};
  return make_error(Errc::access_denied, "root does not approve: an approval is a person's act",
                    "a custodian approves under an account of their own");
}

std::string subject_of(const std::string& class_name) {
  return "class " + class_name;
}

Status record(Core& core, domain::StandingApproval approval, const SignedDecision* decision) {
  return transact(
      core, ReserveShare::none,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        RETURN_IF_ERROR(keep(transaction, decision));
        const domain::StandingUse& terms = approval.terms;
        ASSIGN_OR_RETURN(std::string text, standing_record(approval));
        const translog::LogRecord leaf{"standing-approval", terms.given, std::move(text),
                                       translog::Visibility::committed};
        approval.terms.log_index = state.log.size;
        RETURN_IF_ERROR(core.append_log(transaction, state, {&leaf, 1}));
        RETURN_IF_ERROR(transaction.add_standing_approval(approval));
        return transaction.add_event({terms.given, approval.actor, "approve-standing",
                                      subject_of(terms.retention_class), "",
                                      to_rfc3339(terms.until), carried_text(approval.signed_by)});
      });
}

Status check_number(const std::vector<domain::StandingApproval>& others,
                    const domain::StandingApproval& approval) {
  const auto own = std::count_if(others.begin(), others.end(), [&](const auto& other) {
    return other.terms.retention_class == approval.terms.retention_class &&
           domain::same_person(other.actor, approval.actor);
  });
  if (static_cast<std::size_t>(own) >= limits::kStandingApprovalsOfOne) {
    return make_error(Errc::resource_limit,
                      approval.actor.login + " has " + std::to_string(own) +
                          " standing approvals for class " +
                          quoted(approval.terms.retention_class) + ", and more are not taken",
                      "the one that lasts longest speaks for all of them; `aierase reject "
                      "--standing CLASS` takes them back");
  }
  if (others.size() < limits::kStandingApprovals) return {};
  return make_error(Errc::resource_limit,
                    std::to_string(limits::kStandingApprovals) +
                        " standing approvals are in force, and more are not taken",
                    "`aierase list approvals` shows them");
}

Result<StandingView> give(Core& core, domain::StandingApproval approval,
                          const SignedDecision* decision) {
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  RETURN_IF_ERROR(check_person(approval.actor, state.people_rule));
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  RETURN_IF_ERROR(check_term(approval.terms, clock));
  ASSIGN_OR_RETURN(const std::vector<domain::StandingApproval> others,
                   core.view().standing_approvals_beyond(clock.wall));
  RETURN_IF_ERROR(check_number(others, approval));
  approval.terms.given = core.now();
  const Uuid id = approval.terms.id;
  RETURN_IF_ERROR(record(core, std::move(approval), decision));
  return standing_view(core, id);
}

Result<std::vector<domain::StandingApproval>> mine(Core& core, const domain::Actor& actor,
                                                   const std::string& class_name) {
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  ASSIGN_OR_RETURN(std::vector<domain::StandingApproval> approvals,
                   core.view().standing_approvals_beyond(std::min(clock.wall, clock.trusted)));
  std::erase_if(approvals, [&](const domain::StandingApproval& approval) {
    return approval.terms.retention_class != class_name ||
           !domain::same_person(approval.actor, actor);
  });
  return approvals;
}

// What counted on them is looked at by the next slice of the store's own work, at once.
Status revoke(Core& core, const std::vector<domain::StandingApproval>& approvals,
              const domain::StandingEnd& end, const SignedDecision* decision) {
  core.next_expiry_check = {};
  return transact(core, ReserveShare::half,
                  [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                    RETURN_IF_ERROR(keep(transaction, decision));
                    for (const domain::StandingApproval& approval : approvals) {
                      RETURN_IF_ERROR(end_standing(core, transaction, state, approval, end));
                    }
                    return {};
                  });
}

Error no_approval_of(const std::string& who, const std::string& class_name) {
  return make_error(Errc::not_found,
                    who + " has no standing approval for class " + quoted(class_name),
                    "`aierase list approvals` shows what there is");
}

// Of a text that was signed: who it says approves is who signed it.
Status check_name(const domain::Actor& signer, const std::string& approver) {
  if (signer.login == approver || (signer.person && signer.person->id == approver)) return {};
  return make_error(Errc::verification_failed,
                    "the text is of " + quoted(approver) + ", and " + signer.login + " signed it",
                    "whoever is named in a text signs it");
}

Status check_host(const Core& core, const Uuid& store, const std::string& host) {
  if (store != core.store()) {
    return make_error(Errc::not_found, "the class of this text is of another store",
                      "hand it in on the host that it names: " + quoted(host));
  }
  if (host == core.settings.host.host) return {};
  return make_error(Errc::verification_failed,
                    "the host in the signed text is not the name of this one",
                    "have the person sign a new text: aierase show --request --standing CLASS");
}

Result<StandingView> hand_in_approval(Core& core, const domain::Actor& signer,
                                      const SignedDecision& decision,
                                      const certificate::StandingApproval& act) {
  ASSIGN_OR_RETURN(const std::optional<domain::StandingApproval> before,
                   core.view().standing_approval(act.id));
  if (before) {
    return make_error(Errc::wrong_state,
                      "this was handed in before; what ended does not come back with it",
                      "`aierase list approvals` tells how it is");
  }
  ASSIGN_OR_RETURN(const policy::RetentionClass* rules, class_of(core, act.retention_class));
  if (policy::rules_of(*rules) != act.rules) {
    return make_error(
        Errc::plan_stale,
        "the class " + quoted(act.retention_class) + " has other rules than those that were signed",
        "have the person sign a new text: aierase show --request --standing CLASS");
  }
  domain::StandingApproval approval;
  approval.actor = signer;
  approval.signed_by = decision.by;
  approval.terms = {act.id, act.retention_class, act.rules, {}, act.valid_from, act.valid_until, 0};
  return give(core, std::move(approval), &decision);
}

Result<StandingView> hand_in_revocation(Core& core, const domain::Actor& signer,
                                        const SignedDecision& decision,
                                        const certificate::StandingRevocation& act) {
  ASSIGN_OR_RETURN(const std::optional<domain::StandingApproval> approval,
                   core.view().standing_approval(act.approval));
  if (!approval || approval->terms.retention_class != act.retention_class ||
      !domain::same_person(approval->actor, signer)) {
    return no_approval_of(signer.login, act.retention_class);
  }
  if (approval->end) {
    return make_error(Errc::wrong_state, "it ended already, at " + to_rfc3339(approval->end->time),
                      "`aierase list approvals` tells how it is");
  }
  domain::StandingEnd end;
  end.actor = signer;
  end.time = core.now();
  end.reason = act.comment;
  end.signed_by = decision.by;
  RETURN_IF_ERROR(revoke(core, {*approval}, end, &decision));
  return standing_view(core, act.approval);
}

Result<certificate::SignedAct> revocation_text(Core& core, const StandingWish& wish,
                                               const domain::Actor& approver) {
  ASSIGN_OR_RETURN(std::vector<domain::StandingApproval> approvals,
                   mine(core, approver, wish.retention_class));
  if (wish.approval) {
    std::erase_if(approvals, [&](const auto& one) { return one.terms.id != *wish.approval; });
  }
  if (approvals.empty()) return no_approval_of(wish.approver, wish.retention_class);
  if (approvals.size() > 1) {
    return make_error(Errc::usage,
                      wish.approver + " has " + std::to_string(approvals.size()) +
                          " standing approvals for this class, and one text revokes one",
                      "name it with --approval ID; aierase list approvals shows the ids");
  }
  certificate::StandingRevocation act;
  act.approval = approvals.front().terms.id;
  act.store = core.store();
  act.host = core.settings.host.host;
  act.retention_class = wish.retention_class;
  act.approver = wish.approver;
  act.comment = wish.comment;
  return certificate::SignedAct(std::move(act));
}

}  // namespace

Status end_standing(Core& core, catalog::Transaction& transaction, catalog::StoreState& state,
                    const domain::StandingApproval& approval, domain::StandingEnd end) {
  ASSIGN_OR_RETURN(std::string text, standing_end_record(approval.terms.id, end));
  const translog::LogRecord leaf{"standing-ended", end.time, std::move(text),
                                 translog::Visibility::committed};
  end.log_index = state.log.size;
  RETURN_IF_ERROR(core.append_log(transaction, state, {&leaf, 1}));
  RETURN_IF_ERROR(transaction.end_standing_approval(approval.terms.id, end));
  return transaction.add_event({end.time, end.actor, "end-standing",
                                subject_of(approval.terms.retention_class), "in force",
                                std::string(domain::to_text(end.cause)), end.reason});
}

Result<std::vector<domain::StandingApproval>> bound_to_other_rules(Core& core,
                                                                   const policy::PolicySet& next) {
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  ASSIGN_OR_RETURN(std::vector<domain::StandingApproval> approvals,
                   core.view().standing_approvals_beyond(std::min(clock.wall, clock.trusted)));
  std::erase_if(approvals, [&](const domain::StandingApproval& approval) {
    const policy::RetentionClass* rules = next.find(approval.terms.retention_class);
    return rules != nullptr && policy::rules_of(*rules) == approval.terms.rules;
  });
  return approvals;
}

Result<StandingView> hand_in_standing(Core& core, const domain::Actor& signer,
                                      const SignedDecision& decision,
                                      const certificate::SignedAct& act) {
  if (const auto* approval = std::get_if<certificate::StandingApproval>(&act)) {
    RETURN_IF_ERROR(check_host(core, approval->store, approval->host));
    RETURN_IF_ERROR(check_name(signer, approval->approver));
    return hand_in_approval(core, signer, decision, *approval);
  }
  const auto& revocation = std::get<certificate::StandingRevocation>(act);
  RETURN_IF_ERROR(check_host(core, revocation.store, revocation.host));
  RETURN_IF_ERROR(check_name(signer, revocation.approver));
  return hand_in_revocation(core, signer, decision, revocation);
}

Result<StandingView> Store::approve_standing(const StandingRequest& request) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.writable());
  RETURN_IF_ERROR(core.check_login(request.actor));
  ASSIGN_OR_RETURN(const policy::RetentionClass* rules, class_of(core, request.retention_class));
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  domain::StandingApproval approval;
  ASSIGN_OR_RETURN(approval.actor, core.with_entry(request.actor));
  domain::StandingUse& terms = approval.terms;
  terms.id = Uuid::random();
  terms.retention_class = request.retention_class;
  terms.rules = policy::rules_of(*rules);
  terms.from = std::min(clock.wall, clock.trusted);
  terms.until = request.until;
  return give(core, std::move(approval), nullptr);
}

Result<std::vector<StandingView>> Store::revoke_standing(const StandingRevocation& request) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.writable());
  RETURN_IF_ERROR(check_text("the reason", request.reason, limits::kReasonBytes));
  domain::StandingEnd end;
  ASSIGN_OR_RETURN(end.actor, core.with_entry(request.actor));
  end.time = core.now();
  end.reason = request.reason;
  ASSIGN_OR_RETURN(const std::vector<domain::StandingApproval> approvals,
                   mine(core, end.actor, request.retention_class));
  if (approvals.empty()) return no_approval_of(request.actor.login, request.retention_class);
  RETURN_IF_ERROR(revoke(core, approvals, end, nullptr));
  std::vector<StandingView> views;
  for (const domain::StandingApproval& approval : approvals) {
    ASSIGN_OR_RETURN(StandingView view, standing_view(core, approval.terms.id));
    views.push_back(std::move(view));
  }
  return views;
}

Result<certificate::SignedAct> Store::standing_to_sign(const StandingWish& wish) {
  Core& core = *impl_;
  RETURN_IF_ERROR(check_text("the reason", wish.comment, limits::kReasonBytes));
  ASSIGN_OR_RETURN(const std::vector<domain::Custodian> named,
                   core.settings.find_custodians({wish.approver}));
  if (named.size() != 1 || named.front().kind != domain::CustodianKind::person) {
    return make_error(Errc::usage, quoted(wish.approver) + " is no person of people.toml",
                      "whoever signs is enrolled there with a key: aierase-people(5)");
  }
  domain::Actor approver;
  approver.uid = named.front().id;
  approver.login = wish.approver;
  approver.person = domain::PersonEntry{wish.approver, "", "", "", "", ""};
  if (wish.decision == "reject") return revocation_text(core, wish, approver);
  if (wish.decision != "approve" || !wish.until) {
    return make_error(Errc::usage, "a standing approval is given until a day, or rejected",
                      "aierase show --request --standing CLASS --approver U --until DATE");
  }
  ASSIGN_OR_RETURN(const policy::RetentionClass* rules, class_of(core, wish.retention_class));
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  certificate::StandingApproval act;
  act.id = Uuid::random();
  act.store = core.store();
  act.host = core.settings.host.host;
  act.retention_class = wish.retention_class;
  act.rules = policy::rules_of(*rules);
  act.approver = wish.approver;
  act.valid_from = std::min(clock.wall, clock.trusted);
  act.valid_until = *wish.until;
  RETURN_IF_ERROR(check_term({act.id, "", {}, {}, act.valid_from, act.valid_until, 0}, clock));
  return certificate::SignedAct(std::move(act));
}

}  // namespace aierase::lifecycle
