// Whether an asset, a plan or a hold is of what somebody asked for, some assets at a time.
//
// Contract: store thread. A plan has thousands of items and a hold binds a million assets: a call
// looks at one page of them, and answers nothing where it has to be called again with the same one.
#pragma once

#include <optional>
#include <vector>

#include "lifecycle/core.h"

namespace aierase::lifecycle {

class PagedMatch {
 public:
  // Without selectors everything matches.
  PagedMatch(Core& core, const std::vector<domain::Selector>& selectors)
      : core_(core), selectors_(selectors) {}

  void begin_step() { looked_at_ = 0; }
  bool has_done_enough() const;  // for one step

  Result<bool> asset(const Uuid& id);
  Result<std::optional<bool>> any_of_plan(const Uuid& plan);
  Result<std::optional<bool>> any_of_hold(const Uuid& hold);

 private:
  Result<std::optional<bool>> any_of(const std::vector<Uuid>& page);

  Core& core_;
  const std::vector<domain::Selector>& selectors_;
  std::optional<Uuid> cursor_;  // within the plan or hold that is looked at
  std::size_t looked_at_ = 0;
};

}  // namespace aierase::lifecycle
