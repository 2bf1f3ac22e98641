// Turning what people typed into assets: one name, or a match.
//
// Contract: store thread. Specified in: aierase(1) NAMES and --match.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "daemon/service.h"
#include "domain/ids.h"

namespace aierase::daemon {

using Conditions = std::vector<std::pair<std::string, std::string>>;

// "asset" goes to `named`; name, label.K, retention, kind, custodian and state into the query.
struct Selection {
  catalog::AssetQuery query;
  std::vector<std::string> named;
};
Result<Selection> selection_of(const Conditions& conditions);

// One asset, plan or certificate as typed, looked up once: before polkit is asked. The act is upon
// what the question was about, and never upon something else that has the name by then. Copies
// share what was found.
class Named {
 public:
  Named(domain::IdType type, std::string typed);

  // Details of the question; empty where nothing of that name is known. Rows alone are read.
  Details look_up(StoreSession& session) const;
  // What look_up() found, or its refusal.
  Result<Uuid> found() const;
  const std::string& typed() const { return shared_->typed; }

 private:
  struct Shared {
    domain::IdType type;
    std::string typed;
    std::optional<Uuid> id;
    Error refusal;
  };
  std::shared_ptr<Shared> shared_;
};

}  // namespace aierase::daemon
