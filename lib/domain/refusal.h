// All that the record of a plan says that ended otherwise than done: who wanted it, who or what
// ended it, and what was not erased.
//
// Contract: values; filled by lifecycle in the transaction that ends the plan, rendered by
// certificate. Specified in: aierase-certificate(5) REFUSALS.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/disposition.h"

namespace aierase::domain {

// How a plan ended that did not end as everybody who agreed to it expected.
constexpr bool is_refusal(PlanState state) {
  return state == PlanState::rejected || state == PlanState::cancelled ||
         state == PlanState::expired || state == PlanState::stale || state == PlanState::failed ||
         state == PlanState::partial;
}

struct PlanEnding {
  Actor actor;  // a person, or the daemon where time or the gate ended it
  UtcTime time{};
  std::string why;
  std::vector<std::string> capacities;  // as Approval's; empty where nobody is asked as whom
  std::optional<SignedBy> signed_by;
};

struct RefusalRecord {
  Uuid store;
  std::string host;
  std::string machine_id_digest;
  std::string tool_version, tool_build;
  PeopleRule people_rule = PeopleRule::two_person;
  Plan plan;          // as it ended, with all items and approvals
  Digest policy_now;  // version in force when it ended
  PlanEnding ending;
  std::optional<SignedText> signed_text;  // of ending.signed_by
};

}  // namespace aierase::domain
