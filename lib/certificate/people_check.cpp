#include "certificate/people_check.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"
#include "certificate/amendment.h"
#include "certificate/json_lookup.h"
#include "certificate/signed_act.h"
#include "certificate/ssh_signature.h"
#include "certificate/statement_parts.h"
#include "crypto/primitives.h"

namespace aierase::certificate {
namespace {

using Fault = std::optional<std::string>;

// The text and its armoured signature, as they were handed in.
struct Signed {
  std::string text;
  std::string signature;
};

std::optional<Signed> signed_of(const Json& part) {
  const std::optional<Bytes> text = from_base64(text_at(part, "text_base64"));
  const std::optional<Bytes> signature = from_base64(text_at(part, "signature_base64"));
  if (!text || !signature) return std::nullopt;
  if (to_hex(crypto::sha256(*text)) != text_at(part, "text_sha256")) return std::nullopt;
  if (to_hex(crypto::sha256(*signature)) != text_at(part, "signature_sha256")) return std::nullopt;
  return Signed{std::string(as_text(*text)), std::string(as_text(*signature))};
}

// Is the text that decision about this plan? Its comment, if so.
std::optional<std::string> comment_on(const std::string& text, ActDecision wanted,
                                      std::string_view store, std::string_view id,
                                      std::string_view digest) {
  const Result<SignedAct> act = parse_signed_act(text);
  const auto* decision = act.ok() ? std::get_if<DecisionAct>(&*act) : nullptr;
  if (decision == nullptr || decision->decision != wanted) return std::nullopt;
  const bool named =
      std::any_of(decision->plans.begin(), decision->plans.end(), [&](const ActPlan& plan) {
        return plan.store.text() == store &&
               domain::id_text(domain::IdType::plan, plan.plan) == id &&
               to_hex(plan.digest) == digest;
      });
  return named ? std::optional<std::string>(decision->comment) : std::nullopt;
}

bool approves(const std::string& text, const Json& predicate) {
  const Json& disposal = at(predicate, "disposal");
  return comment_on(text, ActDecision::approve, text_at(at(predicate, "store"), "id"),
                    text_at(disposal, "plan"), text_at(disposal, "plan_digest"))
      .has_value();
}

// Of an approval in advance: it was in force when the plan was made and when the erasure began, and
// was given for a class that applied.
Fault standing_fault(const Json& person, const Json& standing, const Json& predicate) {
  const std::optional<UtcTime> given = from_rfc3339(text_at(standing, "given_at"));
  const std::optional<UtcTime> from = from_rfc3339(text_at(standing, "valid_from"));
  const std::optional<UtcTime> until = from_rfc3339(text_at(standing, "valid_until"));
  const std::optional<UtcTime> used = from_rfc3339(text_at(person, "at"));
  const std::optional<UtcTime> intent = from_rfc3339(text_at(at(predicate, "times"), "intent_at"));
  if (!given || !from || !until || !used || !intent) {
    return "an approval in advance says not when";
  }
  if (*used < *from || *used >= *until || *intent >= *until) {
    return "an approval in advance was not in force when it counted";
  }
  const Json& classes = at(at(predicate, "policy"), "classes");
  const Json& name = at(standing, "retention_class");
  const bool applied =
      classes.is_array() && std::find(classes.begin(), classes.end(), name) != classes.end();
  if (!applied) return "an approval in advance is for a class that did not apply";
  return std::nullopt;
}

bool approves_in_advance(const std::string& text, const Json& standing, const Json& predicate) {
  const Result<SignedAct> act = parse_signed_act(text);
  const auto* approval = act.ok() ? std::get_if<StandingApproval>(&*act) : nullptr;
  return approval != nullptr && approval->store.text() == text_at(at(predicate, "store"), "id") &&
         approval->id.text() == text_at(standing, "id") &&
         approval->retention_class == text_at(standing, "retention_class") &&
         to_hex(approval->rules) == text_at(standing, "rules_sha256") &&
         to_rfc3339(approval->valid_from) == text_at(standing, "valid_from") &&
         to_rfc3339(approval->valid_until) == text_at(standing, "valid_until");
}

// Whether the signature holds over what was handed in, under the key that is named.
Fault held_fault(const Json& part, const std::optional<Signed>& handed_in, const std::string& who) {
  if (!handed_in) return "what " + who + " signed is not what its digests say";
  const Result<SshSigner> signer = verify_ssh_signature(handed_in->signature, handed_in->text);
  if (!signer.ok()) return "the signature of " + who + " does not hold";
  if (signer->key.fingerprint() != text_at(part, "key") ||
      signer->key.line() != text_at(part, "public_key")) {
    return who + " signed with another key than it names";
  }
  return std::nullopt;
}

Fault signature_fault(const Json& part, const Json& standing, const Json& predicate) {
  const std::optional<Signed> handed_in = signed_of(part);
  if (Fault fault = held_fault(part, handed_in, "an approver")) return fault;
  if (standing.is_object()) {
    if (approves_in_advance(handed_in->text, standing, predicate)) return std::nullopt;
    return "what an approver signed is not the approval in advance that counted";
  }
  if (!approves(handed_in->text, predicate))
    return "what an approver signed is not about this plan";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> rejection_fault(const Json& signature, const Json& predicate) {
  const std::optional<Signed> handed_in = signed_of(signature);
  if (Fault fault = held_fault(signature, handed_in, "who ended the plan")) return fault;
  const Json& plan = at(predicate, "plan");
  const std::optional<std::string> reason =
      comment_on(handed_in->text, ActDecision::reject, text_at(at(predicate, "store"), "id"),
                 text_at(plan, "id"), text_at(plan, "digest"));
  const bool same = reason && text_at(predicate, "outcome") == "rejected" &&
                    *reason == text_at(at(predicate, "ended"), "why");
  if (!same) return "what who ended the plan signed is not this rejection";
  return std::nullopt;
}

std::optional<std::string> verdict_fault(const Json& signature, const Json& predicate) {
  const std::optional<Signed> handed_in = signed_of(signature);
  if (Fault fault = held_fault(signature, handed_in, "who validated")) return fault;
  const std::string_view verdict = text_at(predicate, "validation");
  const ActDecision wanted = verdict == "accepted"   ? ActDecision::accept
                             : verdict == "rejected" ? ActDecision::reject_outcome
                                                     : ActDecision::escalate;
  const Json& plan = at(predicate, "plan");
  const std::optional<std::string> comment =
      comment_on(handed_in->text, wanted, text_at(at(predicate, "store"), "id"),
                 text_at(plan, "id"), text_at(plan, "digest"));
  const std::string_view reason = text_at(predicate, "reason");
  const bool same = comment && (comment->empty() ? reason == kNoneGiven : *comment == reason);
  if (!same) return "what who validated signed is not this verdict";
  return std::nullopt;
}

std::optional<std::string> people_fault(const Json& predicate) {
  const Json& holds_found = at(at(predicate, "holds"), "found");
  if (!holds_found.is_number_unsigned() || holds_found.get<std::uint64_t>() != 0)
    return "a legal hold was in force";
  const Json& disposal = at(predicate, "disposal");
  const Json& approvals = at(disposal, "approvals");
  if (!approvals.is_array() || approvals.empty()) return "nobody approved";
  const std::string rule(text_at(disposal, "people_rule"));
  if (rule != "two-person" && rule != "single-operator") return "its people_rule is unknown";
  std::set<std::string> requesters, approvers;  // by account, or by entry where there is none
  const Json& people = at(predicate, "people");
  if (!people.is_array()) return "its people are no list";
  for (const Json& person : people) {
    const Json& uid = at(person, "uid");
    const std::string entry(text_at(person, "person"));
    if (!uid.is_number_unsigned() && entry.empty()) return "a person has neither uid nor entry";
    const std::string who = uid.is_number_unsigned() ? uid.dump() : "person " + entry;
    const std::string role(text_at(person, "role"));
    if (role == "requester") requesters.insert(who);
    if (role != "approver") continue;
    approvers.insert(who);
    const Json& standing = at(person, "standing_approval");
    if (standing.is_object()) {
      if (Fault fault = standing_fault(person, standing, predicate)) return fault;
    }
    const Json& signature = at(person, "signature");
    if (!signature.is_object()) continue;
    if (Fault fault = signature_fault(signature, standing, predicate)) return fault;
  }
  if (requesters.size() != 1 || approvers.empty()) return "requester or approver are not named";
  if (rule == "two-person" && approvers.count(*requesters.begin()) != 0) {
    return "it speaks of two people, but the requester approved";
  }
  return std::nullopt;
}

}  // namespace aierase::certificate
