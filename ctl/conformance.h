// What this program contributes to the provisions of ETSI EN 304 223, and to the controls that
// organisations answer for already, with the command that shows it.
//
// Contract: pure. A state is that of this program as this store is set up; whether a provision is
// met as a whole is for people to judge, and nothing here says so. Specified in: aierase(1) status;
// ETSI EN 304 223 V2.1.1; R50.
#pragma once

#include <string>

#include "base/json.h"
#include "ctl/output.h"

namespace aierase::ctl {

// Of an answer to Manager.Status: where one person suffices, or the disk alone gives the keys away,
// less is supported.
Json conformance(const Json& status);
std::string describe_conformance(const Json& conformance, const Output& out);

}  // namespace aierase::ctl
