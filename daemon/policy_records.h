// What a policy says, as the JSON objects of the interface.
//
// Contract: pure; as records.h. Specified in: aierase(1) JSON; org.aierase1(5).
#pragma once

#include <vector>

#include "base/json.h"
#include "lifecycle/enforcing.h"
#include "lifecycle/store.h"

namespace aierase::daemon {

Json reasons_json(const std::vector<domain::Reason>& reasons);
// Of one asset: kept or due, until when, by which rules, and what an erasure needs.
Json rules_json(const policy::Decision& decision);
// Which policy is in force, since when, by whom.
Json in_force_json(const lifecycle::Retention& retention);
Json enforce_json(const lifecycle::EnforceReport& report, const lifecycle::EnforceRequest& request);
// How the last nightly run ended, and whether somebody has to look.
Json enforcement_json(const lifecycle::EnforceState& state);
Json policy_report_json(const lifecycle::PolicyReport& report);

}  // namespace aierase::daemon
