// The state of a store as OpenMetrics text, for those who watch many.
//
// Contract: pure. Only what there is is printed: a store that is not open has a state and no
// counts. Names are stable; units are part of the name. Specified in: aierase(1) status;
// OpenMetrics 1.0.
#pragma once

#include <string>

#include "base/json.h"

namespace aierase::ctl {

// Of an answer to Manager.Status with its measures.
std::string openmetrics(const Json& status);

}  // namespace aierase::ctl
