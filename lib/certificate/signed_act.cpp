#include "certificate/signed_act.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/limits.h"
#include "certificate/act_phrases.h"
#include "certificate/act_text.h"
#include "certificate/ssh_signature.h"
#include "crypto/primitives.h"

namespace aierase::certificate {
namespace {

constexpr std::array kDecisions{ActDecision::approve, ActDecision::reject, ActDecision::accept,
                                ActDecision::reject_outcome, ActDecision::escalate};

Error bad(std::string why) {
  return make_error(Errc::invalid_input, "the text to sign cannot be made: " + std::move(why));
}

enum class Presence { required, optional };

Status check_words(std::string_view what, std::string_view words, std::size_t max_bytes,
                   Presence presence) {
  if (presence == Presence::required && words.empty()) {
    return bad(std::string(what) + " is missing");
  }
  if (words.size() > max_bytes) {
    return make_error(Errc::resource_limit,
                      std::string(what) + " has " + std::to_string(words.size()) +
                          " bytes; the limit is " + std::to_string(max_bytes));
  }
  if (!is_valid_utf8(words)) return bad(std::string(what) + " is not UTF-8");
  return {};
}

Status check_time(std::string_view what, UtcTime time) {
  if (from_rfc3339(to_rfc3339(time)) == time) return {};
  return bad(std::string(what) + " is not between the years 1970 and 9999");
}

Status check_plan_words(const ActPlan& plan) {
  RETURN_IF_ERROR(
      check_words("the host of a plan", plan.host, limits::kLabelValueBytes, Presence::required));
  RETURN_IF_ERROR(check_words("the requester of a plan", plan.requester, limits::kLabelValueBytes,
                              Presence::required));
  RETURN_IF_ERROR(
      check_words("the reason of a plan", plan.reason, limits::kReasonBytes, Presence::required));
  RETURN_IF_ERROR(
      check_words("the ticket of a plan", plan.ticket, limits::kReasonBytes, Presence::optional));
  if (plan.notes.size() > limits::kNotesPerSignedPlan) {
    return bad("a plan has " + std::to_string(plan.notes.size()) + " notes; the limit is " +
               std::to_string(limits::kNotesPerSignedPlan));
  }
  for (const std::string& note : plan.notes) {
    RETURN_IF_ERROR(
        check_words("a note of a plan", note, limits::kReasonBytes, Presence::required));
  }
  return {};
}

Status check_plan(const ActPlan& plan, ActDecision decision) {
  RETURN_IF_ERROR(check_plan_words(plan));
  if (plan.asset_count == 0 || plan.asset_count > limits::kItemsPerPlan) {
    return bad("a plan has 1 to " + std::to_string(limits::kItemsPerPlan) + " assets, not " +
               std::to_string(plan.asset_count));
  }
  if (plan.assets.size() != std::min(plan.asset_count, limits::kNamesPerSignedPlan)) {
    return bad("of " + std::to_string(plan.asset_count) + " assets " +
               std::to_string(plan.assets.size()) + " are named");
  }
  for (const domain::AssetName& name : plan.assets) {
    if (name.text().empty()) return bad("an asset has no name");
  }
  if (plan.outcome.has_value() != is_validation(decision)) {
    return bad("an outcome belongs to the validation of a plan, and to nothing else");
  }
  if (plan.outcome && plan.outcome->erased > plan.asset_count) {
    return bad("more assets are erased than the plan has");
  }
  return {};
}

Status check_plans(const std::vector<ActPlan>& plans, ActDecision decision) {
  if (plans.empty() || plans.size() > limits::kPlansPerSignedAct) {
    return make_error(plans.empty() ? Errc::invalid_input : Errc::resource_limit,
                      "a text to sign has 1 to " + std::to_string(limits::kPlansPerSignedAct) +
                          " plans, not " + std::to_string(plans.size()),
                      "Make several texts.");
  }
  std::vector<std::pair<Uuid, Uuid>> ids;
  for (const ActPlan& plan : plans) {
    RETURN_IF_ERROR(check_plan(plan, decision));
    ids.emplace_back(plan.store, plan.plan);
  }
  std::sort(ids.begin(), ids.end());
  if (std::adjacent_find(ids.begin(), ids.end()) != ids.end())
    return bad("a plan stands in it twice");
  return {};
}

// What a standing approval and its revocation have in common.
template <typename Standing>
Status check_standing(const Standing& act) {
  RETURN_IF_ERROR(check_words("the host", act.host, limits::kLabelValueBytes, Presence::required));
  RETURN_IF_ERROR(check_words("the retention class", act.retention_class, limits::kLabelValueBytes,
                              Presence::required));
  return check_words("the approver", act.approver, limits::kLabelValueBytes, Presence::required);
}

void append_plan(std::string& text, const ActPlan& plan, std::size_t number, std::size_t of) {
  text += "\nPlan " + std::to_string(number) + " of " + std::to_string(of) + "\n";
  append_line(text, label::kPlan, domain::id_text(domain::IdType::plan, plan.plan));
  append_line(text, label::kDigest, to_hex(plan.digest));
  append_line(text, label::kPlanStore, plan.store.text());
  append_quoted_line(text, label::kPlanHost, plan.host);
  append_quoted_line(text, label::kRequester, plan.requester);
  append_quoted_line(text, label::kReason, plan.reason);
  append_quoted_line(text, label::kTicket, plan.ticket);
  for (const std::string& note : plan.notes) append_quoted_line(text, label::kNote, note);
  if (plan.outcome) {
    append_line(text, label::kErased, std::to_string(plan.outcome->erased));
    append_line(text, label::kNotErased, std::to_string(plan.asset_count - plan.outcome->erased));
    append_line(text, label::kCertificates, to_hex(plan.outcome->certificates));
  }
  append_line(text, label::kPlanAssets, std::to_string(plan.asset_count));
  for (const domain::AssetName& name : plan.assets) append_line(text, label::kAsset, name.text());
  if (plan.asset_count > plan.assets.size()) text += more_assets(plan);
}

Result<std::string> text_of(const DecisionAct& act) {
  RETURN_IF_ERROR(check_time("its end", act.valid_until));
  RETURN_IF_ERROR(
      check_words("the comment", act.comment, limits::kReasonBytes,
                  needs_comment(act.decision) ? Presence::required : Presence::optional));
  RETURN_IF_ERROR(check_plans(act.plans, act.decision));
  std::size_t assets = 0;
  for (const ActPlan& plan : act.plans) assets += plan.asset_count;
  std::string text(kDecisionTitle);
  append_line(text, label::kDecision, to_text(act.decision));
  text += meaning_of(act.decision);
  append_line(text, label::kValidUntil, to_rfc3339(act.valid_until));
  append_quoted_line(text, label::kComment, act.comment);
  append_line(text, label::kPlans, std::to_string(act.plans.size()));
  append_line(text, label::kAssets, std::to_string(assets));
  std::size_t number = 0;
  for (const ActPlan& plan : act.plans) append_plan(text, plan, ++number, act.plans.size());
  return text;
}

Result<std::string> text_of(const StandingApproval& act) {
  RETURN_IF_ERROR(check_standing(act));
  RETURN_IF_ERROR(check_time("its begin", act.valid_from));
  RETURN_IF_ERROR(check_time("its end", act.valid_until));
  if (act.valid_until <= act.valid_from) return bad("a standing approval ends after its begin");
  std::string text(kStandingTitle);
  append_line(text, label::kApproval, act.id.text());
  append_line(text, label::kStore, act.store.text());
  append_quoted_line(text, label::kHost, act.host);
  append_quoted_line(text, label::kClass, act.retention_class);
  append_line(text, label::kRules, to_hex(act.rules));
  append_quoted_line(text, label::kApprover, act.approver);
  append_line(text, label::kValidFrom, to_rfc3339(act.valid_from));
  append_line(text, label::kValidUntil, to_rfc3339(act.valid_until));
  return text;
}

Result<std::string> text_of(const StandingRevocation& act) {
  RETURN_IF_ERROR(check_standing(act));
  RETURN_IF_ERROR(
      check_words("the comment", act.comment, limits::kReasonBytes, Presence::optional));
  std::string text(kRevocationTitle);
  append_line(text, label::kApproval, act.approval.text());
  append_line(text, label::kStore, act.store.text());
  append_quoted_line(text, label::kHost, act.host);
  append_quoted_line(text, label::kClass, act.retention_class);
  append_quoted_line(text, label::kApprover, act.approver);
  append_quoted_line(text, label::kComment, act.comment);
  return text;
}

}  // namespace

std::string_view to_text(ActDecision decision) noexcept {
  switch (decision) {
    case ActDecision::approve:
      return "approve";
    case ActDecision::reject:
      return "reject";
    case ActDecision::accept:
      return "accept";
    case ActDecision::reject_outcome:
      return "reject-outcome";
    case ActDecision::escalate:
      return "escalate";
  }
  return {};
}

std::optional<ActDecision> parse_act_decision(std::string_view text) noexcept {
  for (const ActDecision decision : kDecisions) {
    if (to_text(decision) == text) return decision;
  }
  return std::nullopt;
}

bool is_validation(ActDecision decision) noexcept {
  return decision != ActDecision::approve && decision != ActDecision::reject;
}

bool needs_comment(ActDecision decision) noexcept {
  return decision != ActDecision::approve && decision != ActDecision::accept;
}

Result<std::string> render(const SignedAct& act) {
  Result<std::string> text = std::visit([](const auto& of) { return text_of(of); }, act);
  if (!text.ok()) return text;
  *text += kHowToSign;
  if (text->size() > limits::kSignedActBytes) {
    return make_error(Errc::resource_limit,
                      "the text to sign has " + std::to_string(text->size()) +
                          " bytes; the limit is " + std::to_string(limits::kSignedActBytes),
                      "Make several texts, with fewer plans each.");
  }
  return text;
}

Status check_validity(const SignedAct& act, UtcTime now) {
  const auto expired = [](UtcTime end) {
    return make_error(Errc::approval_expired, "what was signed was valid until " + to_rfc3339(end),
                      "Have a text made anew and signed again.");
  };
  if (const auto* decision = std::get_if<DecisionAct>(&act)) {
    if (now >= decision->valid_until) return expired(decision->valid_until);
  }
  if (const auto* standing = std::get_if<StandingApproval>(&act)) {
    if (now >= standing->valid_until) return expired(standing->valid_until);
    if (now < standing->valid_from) {
      return make_error(Errc::wrong_state,
                        "the standing approval begins only at " + to_rfc3339(standing->valid_from));
    }
  }
  return {};
}

Result<DecisionAct> merge(const std::vector<DecisionAct>& acts) {
  if (acts.empty()) return bad("there is nothing to merge");
  DecisionAct merged = acts.front();
  for (std::size_t i = 1; i < acts.size(); ++i) {
    if (acts[i].decision != merged.decision || acts[i].comment != merged.comment) {
      return bad("one text is one decision with one comment");
    }
    merged.valid_until = std::min(merged.valid_until, acts[i].valid_until);
    merged.plans.insert(merged.plans.end(), acts[i].plans.begin(), acts[i].plans.end());
  }
  RETURN_IF_ERROR(check_plans(merged.plans, merged.decision));
  return merged;
}

Digest certificates_digest(const std::vector<CertifiedStatement>& statements) {
  std::vector<std::pair<std::string, const Digest*>> rows;
  for (const CertifiedStatement& statement : statements) {
    rows.emplace_back(domain::id_text(domain::IdType::certificate, statement.certificate),
                      &statement.sha256);
  }
  std::sort(rows.begin(), rows.end());
  std::string lines;
  for (const auto& [id, digest] : rows) lines += to_hex(*digest) + "  " + id + "\n";
  return crypto::sha256(as_bytes(lines));
}

SignedFile split_signed_file(std::string_view file) {
  const std::string begin = "\n" + std::string(kSshSignatureBegin);
  const std::size_t at = file.find(begin);
  if (at == std::string_view::npos) return {file, {}};
  std::string_view signature = file.substr(at + 1);
  // Blank lines that a mail program left behind it.
  const std::size_t last = signature.find_last_not_of(" \t\r\n");
  return {file.substr(0, at + 1), signature.substr(0, last + 1)};
}

}  // namespace aierase::certificate
