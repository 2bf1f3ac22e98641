// What `policy check` and `policy test` share: reading the files, telling the findings.
// Contract: reading is done with the caller's rights; "-" is standard input where it is allowed.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "ctl/output.h"
#include "policy/policy_set.h"

namespace aierase::ctl {

Result<std::string> read_policy_file(const std::string& path);
Result<std::vector<policy::PolicyText>> read_policy_files(const std::vector<std::string>& paths);

// "FILE:LINE:COLUMN: error: what" and its hint, as compilers print them.
std::string findings_text(const std::vector<policy::Finding>& findings, const Output& out);
Json findings_json(const std::vector<policy::Finding>& findings);
std::size_t count_errors(const std::vector<policy::Finding>& findings);

}  // namespace aierase::ctl
