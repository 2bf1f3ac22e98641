// Does the record of a plan agree with itself?

#include <algorithm>
#include <set>

#include "base/limits.h"
#include "base/time.h"
#include "certificate/naming.h"
#include "certificate/people_check.h"
#include "certificate/refusal.h"
#include "certificate/statement.h"
#include "domain/ids.h"

namespace aierase::certificate {
namespace {

using Fault = std::optional<std::string>;

constexpr const char* kRefusalParts[] = {
    "schema_version", "outcome", "text",  "erased",   "not_erased", "store", "plan",
    "ended",          "policy",  "items", "left_out", "people",     "tool",  "not_claimed"};

Fault frame_fault(JsonView statement) {
  if (!statement.is_object() || statement.size() != 4 ||
      statement["_type"].text() != kStatementType || !is_refusal(statement)) {
    return "it is no in-toto statement v1 of a refusal";
  }
  const JsonView predicate = statement["predicate"];
  if (predicate["schema_version"].number() != 1U) {
    return "its schema_version is not 1; a later aierase may know it";
  }
  for (const char* part : kRefusalParts) {
    if (predicate[part].is_null()) return "its predicate lacks " + std::string(part);
  }
  const auto outcome = domain::parse_plan_state(predicate["outcome"].text());
  if (!outcome || !domain::is_refusal(*outcome)) return "its outcome is not that of a refusal";
  return std::nullopt;
}

Fault plan_fault(JsonView statement, JsonView predicate) {
  const JsonView plan = predicate["plan"];
  const std::string id(plan["id"].text());
  const std::string digest(plan["digest"].text());
  if (!is_id(domain::IdType::plan, id) || !is_digest(digest)) return "its plan is not named";
  if (!is_only_subject(statement["subject"], id, digest)) return "its subject is not its plan";
  for (const char* version : {"at_request_sha256", "at_end_sha256"}) {
    if (!is_digest(predicate["policy"][version].text())) return "a policy is not named";
  }
  if (!from_rfc3339(plan["requested_at"].text()) ||
      !from_rfc3339(predicate["ended"]["at"].text())) {
    return "the times of its request and of its end are missing";
  }
  return std::nullopt;
}

Fault item_fault(JsonView item, std::set<std::string>& assets, std::uint64_t& erased) {
  const std::string asset(item["asset"].text());
  if (!is_id(domain::IdType::asset, asset) || item["name"].text().empty()) {
    return "an item names no asset";
  }
  if (!assets.insert(asset).second) return "the asset " + asset + " stands twice";
  const auto state = domain::parse_item_state(item["state"].text());
  if (!state) return "the state of " + asset + " is unknown";
  const bool gone = *state == domain::ItemState::erased;
  const bool certified = is_id(domain::IdType::certificate, item["certificate"].text());
  if (gone != certified || (!gone && item.contains("certificate"))) {
    return "state and certificate of " + asset + " contradict each other";
  }
  if (!item["reasons"].is_array()) return "the reasons of " + asset + " are no list";
  if (gone) ++erased;
  return std::nullopt;
}

Fault items_fault(JsonView predicate) {
  const JsonView items = predicate["items"];
  if (!items.is_array() || items.empty()) return "it names no item";
  if (items.size() > limits::kItemsPerPlan) return "it names too many items";
  std::set<std::string> assets;
  std::uint64_t erased = 0;
  for (const JsonView item : items) {
    if (Fault fault = item_fault(item, assets, erased)) return fault;
  }
  const std::uint64_t not_erased = items.size() - erased;
  if (predicate["erased"].number() != erased || predicate["not_erased"].number() != not_erased ||
      predicate["text"].text() != refusal_sentence(erased, not_erased)) {
    return "what it says was erased is not what its items say";
  }
  const bool partial = predicate["outcome"].text() == "partial";
  if (partial != (erased > 0)) return "its outcome is not what its items say";
  return std::nullopt;
}

Fault people_of_refusal_fault(JsonView predicate) {
  const JsonView people = predicate["people"];
  if (!people.is_array()) return "its people are no list";
  JsonView requester, ender;
  for (const JsonView person : people) {
    const std::string role(person["role"].text());
    if (role != "requester" && role != "approver" && role != "ended-by") {
      return "the role of a person is unknown";
    }
    if (!is_known(person)) return "a person has neither uid nor entry";
    if (role == "approver") continue;
    JsonView& place = role == "requester" ? requester : ender;
    if (!place.is_null()) return "it names two people as " + role;
    place = person;
    const JsonView signature = person["signature"];
    if (role == "ended-by" && signature.is_object()) {
      if (Fault fault = rejection_fault(signature, predicate)) return fault;
    }
  }
  if (requester.is_null() || ender.is_null()) {
    return "who asked for it or who ended it is not named";
  }
  const bool two = predicate["plan"]["people_rule"].text() == "two-person";
  if (two && same_person(requester, ender) && predicate["outcome"].text() == "rejected") {
    return "it speaks of two people, but the requester rejected";
  }
  return std::nullopt;
}

std::string what_became(domain::PlanState outcome) {
  const std::string word(domain::to_text(outcome));
  switch (outcome) {
    case domain::PlanState::expired:
    case domain::PlanState::failed:
      return word;
    case domain::PlanState::stale:
      return "became stale";
    case domain::PlanState::partial:
      return "was carried out in part";
    default:
      return "was " + word;
  }
}

}  // namespace

bool is_refusal(JsonView statement) {
  return statement["predicateType"].text() == kRefusalPredicateType;
}

std::optional<std::string> refusal_fault(JsonView statement) {
  if (Fault fault = frame_fault(statement)) return fault;
  const JsonView predicate = statement["predicate"];
  if (Fault fault = plan_fault(statement, predicate)) return fault;
  if (Fault fault = items_fault(predicate)) return fault;
  return people_of_refusal_fault(predicate);
}

RefusalSummary summary_of(JsonView statement) {
  const JsonView predicate = statement["predicate"];
  const std::string word(predicate["outcome"].text());
  RefusalSummary summary;
  summary.outcome = domain::parse_plan_state(word).value_or(summary.outcome);
  summary.plan = predicate["plan"]["id"].text();
  summary.sentence = "Plan " + summary.plan + " " + what_became(summary.outcome) + ": " +
                     std::string(predicate["text"].text()) + ".";
  return summary;
}

}  // namespace aierase::certificate
