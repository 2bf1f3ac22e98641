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

struct Selection {
  Json options;       // name, state, kind, retention, custodian, labels
  std::string asset;  // id, prefix or name; empty for any
  bool takes(const Json& row) const;
};

Result<Selection> read_matches(const std::vector<std::string>& matches);

}  // namespace aierase::ctl
