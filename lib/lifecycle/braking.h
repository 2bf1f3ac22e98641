// The brake: how much a run that nobody attends may erase.
//
// Contract: brake_trips() is pure. Looked at when the nightly run makes a plan and again inside
// TX2; what was erased stands in the catalog by trusted time, so that neither a restart nor a clock
// forgets it. A plan that a person made is not braked: that person named what it names, and another
// approved it. Specified in: aierase-policy(5) BRAKE.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lifecycle/core.h"
#include "lifecycle/erase_round.h"
#include "policy/retention_class.h"

namespace aierase::lifecycle {

struct BrakeLoad {
  catalog::Amount erased;    // unattended, in the day before
  catalog::Amount wanted;    // would go besides
  std::uint64_t living = 0;  // assets, with what is wanted
};
std::vector<domain::Reason> brake_trips(const policy::Brake& brake, const BrakeLoad& load);

// What the catalog knows of the load at that moment of trusted time.
Result<BrakeLoad> brake_load(const catalog::ReadView& view, UtcTime moment,
                             const catalog::Amount& wanted);
// Whether nothing of the class would be left that is in use, once what `going` covers is gone.
// Where too many would have to be looked at the answer is yes.
Result<bool> leaves_none(Core& core, const std::string& retention_class, const PlanCover& going);
domain::Reason leaves_none_reason(const std::string& retention_class);

// With what the policy says of the items that would go now. Empty for a plan of a person, and for
// one whose brake has tripped before.
Result<std::vector<domain::Reason>> trips_of_round(
    Core& core, const catalog::ReadView& view, const domain::Plan& plan,
    std::span<const Result<policy::Decision>> rulings, UtcTime moment);
std::string brake_text(const std::vector<domain::Reason>& trips);

}  // namespace aierase::lifecycle
