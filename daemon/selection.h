// Turning what people typed into assets: one name, or a match.
//
// Contract: store thread. Specified in: aierase(1) NAMES and --match.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "daemon/call_options.h"
#include "daemon/service.h"
#include "domain/ids.h"
#include "domain/selector.h"

namespace aierase::daemon {

// The option `match`: selectors, all of which have to match.
Result<std::vector<domain::Selector>> read_match(CallOptions& options);

// One asset, plan, certificate or hold as typed, looked up once: before polkit is asked. The act is
// upon what the question was about, and never upon something else that has the name by then. Copies
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
