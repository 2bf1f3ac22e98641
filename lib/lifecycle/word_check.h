// What people decided and what was signed, for `check`: rows of holds, policy, plans, standing
// approvals, verdicts, certificates, amendments and refusals, compared with what the log took in.
//
// Contract: the gate refuses by the same comparisons, one plan at a time and when it would erase;
// this looks at all of them and changes nothing. step() looks at one page. A row that cannot be
// read ends the step with Errc::damaged. Specified in: aierase(1) check, aierase-store(5) LOG.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lifecycle/core.h"

namespace aierase::lifecycle {

class WordCheck {
 public:
  explicit WordCheck(Core& core) : core_(core) {}
  Result<bool> step(std::vector<Finding>& findings);  // false: this was the last

 private:
  Status look_at_store(std::vector<Finding>& findings);
  Status look_at_standing(std::vector<Finding>& findings);
  Status look_at_open_plans(std::vector<Finding>& findings);
  Status look_at_ended_plans(std::vector<Finding>& findings);
  Status look_at_signed(std::vector<Finding>& findings);
  Result<bool> is_as_logged(const domain::LogLeaf& leaf, std::size_t& bytes) const;

  enum class Stage { store, standing, open_plans, ended_plans, signed_leaves, over };
  Core& core_;
  Stage stage_ = Stage::store;
  std::string cursor_;       // of standing approvals
  std::vector<Uuid> plans_;  // open ones, yet to be looked at
  std::uint64_t leaf_ = 0;   // the next
};

}  // namespace aierase::lifecycle
