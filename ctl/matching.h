// --match K=V: the one selector, as option `match` of the bus.
//
// Contract: pure; what is not a selector is Errc::usage before anybody is asked.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace aierase::ctl {

// An array of "K=V"; empty where none is given.
Result<Json> read_matches(const std::vector<std::string>& matches);

}  // namespace aierase::ctl
