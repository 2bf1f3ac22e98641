#include "domain/transitions.h"

#include <array>

namespace aierase::domain {
namespace {

// An asset begins active. Retired is left only by an erase round, or back to suspended, which a
// person resumes; nothing leaves erased.
constexpr std::array kAssets{
    Transition<AssetState>{AssetState::active, AssetState::suspended},
    Transition<AssetState>{AssetState::suspended, AssetState::active},
    Transition<AssetState>{AssetState::active, AssetState::retired},     // approved
    Transition<AssetState>{AssetState::suspended, AssetState::retired},  // approved
    Transition<AssetState>{AssetState::retired, AssetState::suspended},  // cancelled, fell out
    Transition<AssetState>{AssetState::retired, AssetState::erasing},    // TX2
    Transition<AssetState>{AssetState::erasing, AssetState::retired},    // undone before step 4
    Transition<AssetState>{AssetState::erasing, AssetState::erased},     // TX3
};

// A plan begins requested. Approved and running follow themselves when the moment of erasure moves;
// running goes back to approved where a round was begun and nothing destroyed. Both are requested
// again where nothing is erased yet, and what was approved in advance has lapsed.
constexpr std::array kPlans{
    Transition<PlanState>{PlanState::requested, PlanState::approved},
    Transition<PlanState>{PlanState::requested, PlanState::rejected},
    Transition<PlanState>{PlanState::requested, PlanState::cancelled},
    Transition<PlanState>{PlanState::requested, PlanState::expired},
    Transition<PlanState>{PlanState::requested, PlanState::stale},
    Transition<PlanState>{PlanState::approved, PlanState::requested},
    Transition<PlanState>{PlanState::approved, PlanState::approved},
    Transition<PlanState>{PlanState::approved, PlanState::running},
    Transition<PlanState>{PlanState::approved, PlanState::cancelled},
    Transition<PlanState>{PlanState::approved, PlanState::partial},
    Transition<PlanState>{PlanState::approved, PlanState::failed},
    Transition<PlanState>{PlanState::running, PlanState::requested},
    Transition<PlanState>{PlanState::running, PlanState::approved},
    Transition<PlanState>{PlanState::running, PlanState::running},
    Transition<PlanState>{PlanState::running, PlanState::done},
    Transition<PlanState>{PlanState::running, PlanState::partial},
    Transition<PlanState>{PlanState::running, PlanState::failed},
    Transition<PlanState>{PlanState::running, PlanState::cancelled},
};

// An item begins pending, and follows itself where why it waits is written anew. What was erased or
// fell out stays so.
constexpr std::array kItems{
    Transition<ItemState>{ItemState::pending, ItemState::pending},
    Transition<ItemState>{ItemState::pending, ItemState::erased},
    Transition<ItemState>{ItemState::pending, ItemState::dropped},
    Transition<ItemState>{ItemState::pending, ItemState::held},
    Transition<ItemState>{ItemState::held, ItemState::pending},  // the hold was lifted
    Transition<ItemState>{ItemState::held, ItemState::dropped},
};

// An accepted outcome may still turn out to be wrong; nothing becomes awaited again, and nobody
// says the same twice.
constexpr std::array kValidationMoves{
    Transition<Validation>{Validation::awaiting, Validation::accepted},
    Transition<Validation>{Validation::awaiting, Validation::rejected},
    Transition<Validation>{Validation::awaiting, Validation::escalated},
    Transition<Validation>{Validation::accepted, Validation::rejected},
    Transition<Validation>{Validation::accepted, Validation::escalated},
    Transition<Validation>{Validation::rejected, Validation::accepted},
    Transition<Validation>{Validation::rejected, Validation::escalated},
    Transition<Validation>{Validation::escalated, Validation::accepted},
    Transition<Validation>{Validation::escalated, Validation::rejected},
};

}  // namespace

std::span<const Transition<AssetState>> transitions_of(AssetState) noexcept {
  return kAssets;
}
std::span<const Transition<PlanState>> transitions_of(PlanState) noexcept {
  return kPlans;
}
std::span<const Transition<ItemState>> transitions_of(ItemState) noexcept {
  return kItems;
}
std::span<const Transition<Validation>> transitions_of(Validation) noexcept {
  return kValidationMoves;
}

}  // namespace aierase::domain
