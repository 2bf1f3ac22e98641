// Stores in which something is about to be erased, and what must be true of them afterwards.
//
// Contract: for tests of crashes; failures are reported to GoogleTest.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fault/support/crashes.h"

namespace aierase::test {

// Four living assets, model-0 to model-3, of which some are about to go.
std::shared_ptr<const World::Moment> four_assets(World& world);
// The same, and these are approved to go at once.
std::shared_ptr<const World::Moment> approved(World& world, const std::vector<std::string>& names);

// What must be true after recovery, and still when everything due was done.
void settle(World& world, Watch& watch, const std::vector<std::string>& names,
            Look look = Look::thorough);

// Stops the erasure of these everywhere, as StopPlan does; returns the futures looked at.
std::size_t stop_erasure(World& world, const World::Moment& start, Watch& watch,
                         const std::vector<std::string>& names, std::size_t stride);

}  // namespace aierase::test
