// Does the record of a plan agree with itself?

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/limits.h"
#include "base/time.h"
#include "certificate/json_lookup.h"
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

bool is_number(const Json& value, std::uint64_t number) {
  return value.is_number_unsigned() && value.get<std::uint64_t>() == number;
}

Fault frame_fault(const Json& statement) {
  if (!statement.is_object() || statement.size() != 4 ||
      text_at(statement, "_type") != kStatementType || !is_refusal(statement)) {
    return "it is no in-toto statement v1 of a refusal";
  }
  const Json& predicate = at(statement, "predicate");
  if (!is_number(at(predicate, "schema_version"), 1)) {
    return "its schema_version is not 1; a later aierase may know it";
  }
  for (const char* part : kRefusalParts) {
    if (at(predicate, part).is_null()) return "its predicate lacks " + std::string(part);
  }
  const auto outcome = domain::parse_plan_state(text_at(predicate, "outcome"));
  if (!outcome || !domain::is_refusal(*outcome)) return "its outcome is not that of a refusal";
  return std::nullopt;
}

Fault plan_fault(const Json& statement, const Json& predicate) {
  const Json& plan = at(predicate, "plan");
  const std::string id(text_at(plan, "id"));
  const std::string digest(text_at(plan, "digest"));
  if (!is_id(domain::IdType::plan, id) || !is_digest(digest)) return "its plan is not named";
  const Json expected = Json::array({{{"name", id}, {"digest", {{"sha256", digest}}}}});
  if (at(statement, "subject") != expected) return "its subject is not its plan";
  for (const char* version : {"at_request_sha256", "at_end_sha256"}) {
    if (!is_digest(text_at(at(predicate, "policy"), version))) return "a policy is not named";
  }
  if (!from_rfc3339(text_at(plan, "requested_at")) ||
      !from_rfc3339(text_at(at(predicate, "ended"), "at"))) {
    return "the times of its request and of its end are missing";
  }
  return std::nullopt;
}

Fault item_fault(const Json& item, std::set<std::string>& assets, std::uint64_t& erased) {
  const std::string asset(text_at(item, "asset"));
  if (!is_id(domain::IdType::asset, asset) || text_at(item, "name").empty()) {
    return "an item names no asset";
  }
  if (!assets.insert(asset).second) return "the asset " + asset + " stands twice";
  const auto state = domain::parse_item_state(text_at(item, "state"));
  if (!state) return "the state of " + asset + " is unknown";
  const bool gone = *state == domain::ItemState::erased;
  const bool certified = is_id(domain::IdType::certificate, text_at(item, "certificate"));
  if (gone != certified || (!gone && item.contains("certificate"))) {
    return "state and certificate of " + asset + " contradict each other";
  }
  if (!at(item, "reasons").is_array()) return "the reasons of " + asset + " are no list";
  if (gone) ++erased;
  return std::nullopt;
}

Fault items_fault(const Json& predicate) {
  const Json& items = at(predicate, "items");
  if (!items.is_array() || items.empty()) return "it names no item";
  if (items.size() > limits::kItemsPerPlan) return "it names too many items";
  std::set<std::string> assets;
  std::uint64_t erased = 0;
  for (const Json& item : items) {
    if (Fault fault = item_fault(item, assets, erased)) return fault;
  }
  const std::uint64_t not_erased = items.size() - erased;
  if (!is_number(at(predicate, "erased"), erased) ||
      !is_number(at(predicate, "not_erased"), not_erased) ||
      text_at(predicate, "text") != refusal_sentence(erased, not_erased)) {
    return "what it says was erased is not what its items say";
  }
  const bool partial = text_at(predicate, "outcome") == "partial";
  if (partial != (erased > 0)) return "its outcome is not what its items say";
  return std::nullopt;
}

std::string who(const Json& person) {
  const Json& uid = at(person, "uid");
  if (uid.is_number_unsigned()) return uid.dump();
  const std::string entry(text_at(person, "person"));
  return entry.empty() ? entry : "person " + entry;
}

Fault people_of_refusal_fault(const Json& predicate) {
  const Json& people = at(predicate, "people");
  if (!people.is_array()) return "its people are no list";
  std::string requester, ender;
  for (const Json& person : people) {
    const std::string role(text_at(person, "role"));
    if (role != "requester" && role != "approver" && role != "ended-by") {
      return "the role of a person is unknown";
    }
    if (who(person).empty()) return "a person has neither uid nor entry";
    if (role == "approver") continue;
    std::string& place = role == "requester" ? requester : ender;
    if (!place.empty()) return "it names two people as " + role;
    place = who(person);
    const Json& signature = at(person, "signature");
    if (role == "ended-by" && signature.is_object()) {
      if (Fault fault = rejection_fault(signature, predicate)) return fault;
    }
  }
  if (requester.empty() || ender.empty()) return "who asked for it or who ended it is not named";
  const bool two = text_at(at(predicate, "plan"), "people_rule") == "two-person";
  if (two && requester == ender && text_at(predicate, "outcome") == "rejected") {
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

bool is_refusal(const Json& statement) {
  return text_at(statement, "predicateType") == kRefusalPredicateType;
}

std::optional<std::string> refusal_fault(const Json& statement) {
  if (Fault fault = frame_fault(statement)) return fault;
  const Json& predicate = at(statement, "predicate");
  if (Fault fault = plan_fault(statement, predicate)) return fault;
  if (Fault fault = items_fault(predicate)) return fault;
  return people_of_refusal_fault(predicate);
}

RefusalSummary summary_of(const Json& statement) {
  const Json& predicate = at(statement, "predicate");
  const std::string word(text_at(predicate, "outcome"));
  RefusalSummary summary;
  summary.outcome = domain::parse_plan_state(word).value_or(summary.outcome);
  summary.plan = text_at(at(predicate, "plan"), "id");
  summary.sentence = "Plan " + summary.plan + " " + what_became(summary.outcome) + ": " +
                     std::string(text_at(predicate, "text")) + ".";
  return summary;
}

}  // namespace aierase::certificate
