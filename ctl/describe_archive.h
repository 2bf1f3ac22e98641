// What a verification found, as text for people and as JSON; of archives here, and the rows of
// checks that all of them have.
//
// Contract: pure; hostile words are escaped. Specified in: aierase(1) verify.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "certificate/archive_check.h"
#include "ctl/output.h"
#include "ctl/render.h"

namespace aierase::ctl {

void add_checks(const std::vector<certificate::Check>& checks, Table& table);
// `file`: printable.
std::string archive_text(const std::string& file, const certificate::ArchiveReport& report,
                         const Output& out);
Json archive_json(const certificate::ArchiveReport& report);

}  // namespace aierase::ctl
