// Turning what people typed into assets: one name, or a match.
//
// Contract: store thread. Specified in: aierase(1) NAMES and --match.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "daemon/service.h"

namespace aierase::daemon {

using Conditions = std::vector<std::pair<std::string, std::string>>;

// "asset" goes to `named`; name, label.K, retention, kind, custodian and state into the query.
struct Selection {
  catalog::AssetQuery query;
  std::vector<std::string> named;
};
Result<Selection> selection_of(const Conditions& conditions);

// Details of a question about one asset or plan; empty where it is not known.
Details details_of_asset(StoreSession& session, const std::string& typed);
Details details_of_plan(StoreSession& session, const std::string& typed);

}  // namespace aierase::daemon
