// The places of versions among each other, for keep-last.
//
// Contract: pure. A group is all living assets with the same org/name before the ':'; only active
// and suspended ones have a place, newest import first, the greater name first where two are
// equally old. Each class with keep-last counts those assets of the group to which it applies.
// Compute anew whenever an asset of the group is imported, retired, resumed, erased or set
// otherwise. Specified in: aierase-policy(5) keep-last.
#pragma once

#include <vector>

#include "policy/evaluate.h"

namespace aierase::policy {

// Fills `ranks` of every member. Members of different names are an error of the caller; they would
// count as one group.
void rank_versions(const PolicySet& set, std::vector<Facts>& group);

}  // namespace aierase::policy
