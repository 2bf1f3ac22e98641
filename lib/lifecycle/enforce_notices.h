// What a nightly run tells people of: ceilings that come nearer, what is overdue, and what brake or
// clock guard stopped.
//
// Contract: a list that is told at the end of the run, in one transaction; each once, whatever run
// finds it again. Bounded: of what is overdue and of ceilings a thousand each that were not told,
// the others by the nights that follow. Specified in: aierased(8) NOTICES.
#pragma once

#include <string>
#include <vector>

#include "domain/notice.h"
#include "lifecycle/core.h"
#include "lifecycle/enforcing.h"

namespace aierase::lifecycle {

class RunNotices {
 public:
  explicit RunNotices(Core& core) : core_(core) {}

  // Of an asset that is due since `item.due`, or of its plan, where it is in one.
  Status add_overdue(const EnforceItem& item, const domain::Plan* plan);
  Status add_braked(const Uuid& plan, UtcTime made, const std::string& why);
  Status add_clock(UtcTime now, const std::vector<std::string>& why);
  // One page of the assets whose ceiling comes; false: there is no other.
  Result<bool> look_ahead(UtcTime moment);
  Status tell();

 private:
  Status add(domain::Notice notice);

  Core& core_;
  std::vector<domain::Notice> notices_;
  catalog::LookCursor after_;
  std::size_t looked_at_ = 0;
  std::size_t ceilings_ = 0;
};

}  // namespace aierase::lifecycle
