#include "certificate/people_check.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "certificate/amendment.h"
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

std::optional<Signed> signed_of(JsonView part) {
  const std::optional<Bytes> text = from_base64(part["text_base64"].text());
  const std::optional<Bytes> signature = from_base64(part["signature_base64"].text());
  if (!text || !signature) return std::nullopt;
  if (to_hex(crypto::sha256(*text)) != part["text_sha256"].text()) return std::nullopt;
  if (to_hex(crypto::sha256(*signature)) != part["signature_sha256"].text()) return std::nullopt;
  return Signed{std::string(as_text(*text)), std::string(as_text(*signature))};
}

// What a text says of one plan.
struct Word {
  DecisionAct act;
  ActPlan plan;
};

std::optional<Word> word_on(std::string_view text, std::string_view store, std::string_view id,
                            std::string_view digest) {
  Result<SignedAct> act = parse_signed_act(text);
  auto* decision = act.ok() ? std::get_if<DecisionAct>(&*act) : nullptr;
  if (decision == nullptr) return std::nullopt;
  const auto plan =
      std::find_if(decision->plans.begin(), decision->plans.end(), [&](const ActPlan& one) {
        return one.store.text() == store && domain::id_text(domain::IdType::plan, one.plan) == id &&
               to_hex(one.digest) == digest;
      });
  if (plan == decision->plans.end()) return std::nullopt;
  ActPlan found = *plan;
  return Word{std::move(*decision), std::move(found)};
}

bool names(const ActPlan& plan, std::string_view asset) {
  return std::any_of(plan.assets.begin(), plan.assets.end(),
                     [&](const domain::AssetName& name) { return name.text() == asset; });
}

// Of a long plan a text names the first assets alone: then the digest has to cover this one, and
// what it was made of is not here.
bool is_cut(const ActPlan& plan) {
  return plan.assets.size() < plan.asset_count;
}

// Whoever signed saw names, not ids; and what he signed had an end.
Fault word_fault(const Word& word, JsonView asset, JsonView at, const std::string& who) {
  if (!is_cut(word.plan) && !names(word.plan, asset["name"].text())) {
    return "what " + who + " signed does not name this asset";
  }
  const std::optional<UtcTime> time = from_rfc3339(at.text());
  if (!time || *time >= word.act.valid_until) {
    return "what " + who + " signed was not valid any more when it counted";
  }
  return std::nullopt;
}

using Classes = std::set<std::string_view>;

Classes classes_of(JsonView predicate) {
  Classes classes;
  for (const JsonView one : predicate["policy"]["classes"]) {
    if (one.is_string()) classes.insert(one.text());
  }
  return classes;
}

// Of an approval in advance: it was in force when the plan was made and when the erasure began, and
// was given for a class that applied.
Fault standing_fault(JsonView person, JsonView standing, JsonView predicate,
                     const Classes& applied) {
  const std::optional<UtcTime> given = from_rfc3339(standing["given_at"].text());
  const std::optional<UtcTime> from = from_rfc3339(standing["valid_from"].text());
  const std::optional<UtcTime> until = from_rfc3339(standing["valid_until"].text());
  const std::optional<UtcTime> used = from_rfc3339(person["at"].text());
  const std::optional<UtcTime> intent = from_rfc3339(predicate["times"]["intent_at"].text());
  if (!given || !from || !until || !used || !intent) {
    return "an approval in advance says not when";
  }
  if (*used < *from || *used >= *until || *intent >= *until) {
    return "an approval in advance was not in force when it counted";
  }
  const JsonView name = standing["retention_class"];
  if (!name.is_string() || applied.count(name.text()) == 0) {
    return "an approval in advance is for a class that did not apply";
  }
  return std::nullopt;
}

bool approves_in_advance(const std::string& text, JsonView standing, JsonView predicate) {
  const Result<SignedAct> act = parse_signed_act(text);
  const auto* approval = act.ok() ? std::get_if<StandingApproval>(&*act) : nullptr;
  return approval != nullptr && approval->store.text() == predicate["store"]["id"].text() &&
         approval->id.text() == standing["id"].text() &&
         approval->retention_class == standing["retention_class"].text() &&
         to_hex(approval->rules) == standing["rules_sha256"].text() &&
         to_rfc3339(approval->valid_from) == standing["valid_from"].text() &&
         to_rfc3339(approval->valid_until) == standing["valid_until"].text();
}

// Whether the signature holds over what was handed in, under the key that is named.
Fault held_fault(JsonView part, const std::optional<Signed>& handed_in, const std::string& who) {
  if (!handed_in) return "what " + who + " signed is not what its digests say";
  const Result<SshSigner> signer = verify_ssh_signature(handed_in->signature, handed_in->text);
  if (!signer.ok()) return "the signature of " + who + " does not hold";
  if (signer->key.fingerprint() != part["key"].text() ||
      signer->key.line() != part["public_key"].text()) {
    return who + " signed with another key than it names";
  }
  return std::nullopt;
}

std::optional<Word> word_of_approver(std::string_view text, JsonView predicate) {
  const JsonView disposal = predicate["disposal"];
  return word_on(text, predicate["store"]["id"].text(), disposal["plan"].text(),
                 disposal["plan_digest"].text());
}

Fault signature_fault(JsonView person, JsonView standing, JsonView predicate) {
  const JsonView part = person["signature"];
  const std::optional<Signed> handed_in = signed_of(part);
  if (Fault fault = held_fault(part, handed_in, "an approver")) return fault;
  if (standing.is_object()) {
    if (approves_in_advance(handed_in->text, standing, predicate)) return std::nullopt;
    return "what an approver signed is not the approval in advance that counted";
  }
  const std::optional<Word> word = word_of_approver(handed_in->text, predicate);
  if (!word || word->act.decision != ActDecision::approve) {
    return "what an approver signed is not about this plan";
  }
  return word_fault(*word, predicate["asset"], person["at"], "an approver");
}

// That a text was cut, where this asset is not among those that it names.
std::string cut_sentence(const std::optional<Word>& word, JsonView asset) {
  if (!word || !is_cut(word->plan) || names(word->plan, asset["name"].text())) return {};
  return " Not checked: of " + std::to_string(word->plan.asset_count) +
         " assets a signed text names the first " + std::to_string(word->plan.assets.size()) +
         ", and this one is not among them; that it is of that plan is the word of its host.";
}

std::optional<Word> word_of_validator(std::string_view text, JsonView predicate) {
  const JsonView plan = predicate["plan"];
  return word_on(text, predicate["store"]["id"].text(), plan["id"].text(), plan["digest"].text());
}

}  // namespace

std::optional<std::string> rejection_fault(JsonView signature, JsonView predicate) {
  const std::optional<Signed> handed_in = signed_of(signature);
  if (Fault fault = held_fault(signature, handed_in, "who ended the plan")) return fault;
  const JsonView plan = predicate["plan"];
  const std::optional<Word> word = word_on(handed_in->text, predicate["store"]["id"].text(),
                                           plan["id"].text(), plan["digest"].text());
  const bool same = word && word->act.decision == ActDecision::reject &&
                    predicate["outcome"].text() == "rejected" &&
                    word->act.comment == predicate["ended"]["why"].text();
  if (!same) return "what who ended the plan signed is not this rejection";
  return std::nullopt;
}

std::optional<std::string> verdict_fault(JsonView signature, JsonView predicate) {
  const std::optional<Signed> handed_in = signed_of(signature);
  if (Fault fault = held_fault(signature, handed_in, "who validated")) return fault;
  const std::string_view verdict = predicate["validation"].text();
  const ActDecision wanted = verdict == "accepted"   ? ActDecision::accept
                             : verdict == "rejected" ? ActDecision::reject_outcome
                                                     : ActDecision::escalate;
  const std::optional<Word> word = word_of_validator(handed_in->text, predicate);
  const std::string_view reason = predicate["reason"].text();
  const bool same =
      word && word->act.decision == wanted &&
      (word->act.comment.empty() ? reason == kNoneGiven : word->act.comment == reason);
  if (!same) return "what who validated signed is not this verdict";
  return word_fault(*word, predicate["asset"], predicate["at"], "who validated");
}

std::string cut_of_approvers(JsonView predicate) {
  for (const JsonView person : predicate["people"]) {
    if (person["role"].text() != "approver" || person["standing_approval"].is_object()) continue;
    const std::optional<Signed> handed_in = signed_of(person["signature"]);
    if (!handed_in) continue;
    std::string cut =
        cut_sentence(word_of_approver(handed_in->text, predicate), predicate["asset"]);
    if (!cut.empty()) return cut;
  }
  return {};
}

std::string cut_of_validator(JsonView predicate) {
  const std::optional<Signed> handed_in = signed_of(predicate["people"][0]["signature"]);
  if (!handed_in) return {};
  return cut_sentence(word_of_validator(handed_in->text, predicate), predicate["asset"]);
}

bool is_known(JsonView person) {
  return person["uid"].number() || !person["person"].text().empty();
}

bool same_person(JsonView a, JsonView b) {
  const auto account = a["uid"].number();
  const std::string_view entry = a["person"].text();
  return (account && account == b["uid"].number()) ||
         (!entry.empty() && entry == b["person"].text());
}

std::optional<std::string> people_fault(JsonView predicate) {
  if (predicate["holds"]["found"].number() != 0U) return "a legal hold was in force";
  const JsonView disposal = predicate["disposal"];
  const JsonView approvals = disposal["approvals"];
  if (!approvals.is_array() || approvals.empty()) return "nobody approved";
  const std::string rule(disposal["people_rule"].text());
  if (rule != "two-person" && rule != "single-operator") return "its people_rule is unknown";
  std::vector<JsonView> requesters, approvers;
  const JsonView people = predicate["people"];
  if (!people.is_array()) return "its people are no list";
  const Classes applied = classes_of(predicate);
  for (const JsonView person : people) {
    if (!is_known(person)) return "a person has neither uid nor entry";
    const std::string_view role = person["role"].text();
    if (role == "requester") requesters.push_back(person);
    if (role != "approver") continue;
    approvers.push_back(person);
    const JsonView standing = person["standing_approval"];
    if (standing.is_object()) {
      if (Fault fault = standing_fault(person, standing, predicate, applied)) return fault;
    }
    if (!person["signature"].is_object()) continue;
    if (Fault fault = signature_fault(person, standing, predicate)) return fault;
  }
  if (requesters.size() != 1 || approvers.empty()) return "requester or approver are not named";
  const auto asked = [&](JsonView approver) { return same_person(requesters.front(), approver); };
  if (rule == "two-person" && std::any_of(approvers.begin(), approvers.end(), asked)) {
    return "it speaks of two people, but the requester approved";
  }
  return std::nullopt;
}

}  // namespace aierase::certificate
