// --match K=V: the one selector, as options of Asset.List.
//
// Contract: pure; an unknown key, a key given twice (but for labels) or a missing value is
// Errc::usage. `asset` is not a filter of the bus: takes() applies it to each row.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace aierase::ctl {

// An object with name, state, kind, retention, custodian, labels, asset, as far as given.
Result<Json> read_matches(const std::vector<std::string>& matches);
// Whether the row is the selection's asset, by id, prefix or name, or any where none is named.
bool takes(const Json& selection, const Json& row);
// The selection as the bus has it.
Json list_options(Json selection);

}  // namespace aierase::ctl
