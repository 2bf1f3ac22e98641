// Which assets a person means: names, ids, `-` for one of them per line of standard input, or
// --match.
//
// Contract: names and --match together are Errc::usage, as is an input that names nothing; whether
// nothing may mean everything is the verb's matter. Specified in: aierase(1) NAMES AND IDS.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ctl/session.h"

namespace aierase::ctl {

Result<std::vector<std::string>> named_assets(const Arguments& given, std::string_view verb);
// Ids of what is alive, matches, and is in `state` where one is given, for calls that take no match
// themselves; never empty.
Result<std::vector<std::string>> matching_assets(Session& session, std::string_view state = {});

}  // namespace aierase::ctl
