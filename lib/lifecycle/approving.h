// What the acts of people upon plans have in common: what the policy asks of a plan, who speaks for
// its assets, and how a decision is recorded.
//
// Contract: used by the use cases alone; what takes a transaction writes nothing but rows in it.
// Specified in: aierase(1) PEOPLE, aierase-policy(5).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lifecycle/core.h"

namespace aierase::lifecycle {

// What the policy in force asks of a plan, item by item.
struct Rulings {
  std::vector<PolicyFacts> items;  // in the order of the plan's
  std::optional<domain::Reason> no_haste;
  UtcTime due{};  // if it were approved now
};
// What a plan of the nightly run is about is judged by the earlier of the two clocks.
Result<Rulings> rulings_on(Core& core, const domain::Plan& plan, UtcTime now);
// The same by another clock: of a dry run about a moment to come.
Result<Rulings> rulings_by(Core& core, const domain::Plan& plan, UtcTime now,
                           const ClockFacts& clock);

std::vector<Uuid> assets_of(const domain::Plan& plan);
// All of several assets, each once.
Result<std::vector<domain::Custodian>> custodians_of(const catalog::ReadView& view,
                                                     std::span<const Uuid> assets);
// Whom classes name beside the assets' own custodians, as they are on this host.
Result<std::vector<domain::Custodian>> named_by_policy(Core& core, const Rulings& rulings);
// As which of those the actor may speak.
std::vector<std::string> capacities_among(const std::vector<domain::Custodian>& custodians,
                                          const domain::Actor& actor, domain::PeopleRule rule);

// Whether each item has all approvals that it needs by those in force.
Result<bool> all_approved(Core& core, const domain::Plan& plan, const Rulings& rulings,
                          const std::vector<domain::Approval>& approvals, domain::PeopleRule rule);

// Leaf and row of a decision, which learns its place in the log.
Status log_decision(Core& core, catalog::Transaction& transaction, catalog::StoreState& state,
                    const domain::Plan& plan, domain::Approval& approval,
                    const SignedDecision* signed_decision);
// Of an approval or a cancellation: every asset that waits changes state, and remembers by whom.
Status set_items(Core& core, catalog::Transaction& transaction, const domain::Plan& plan,
                 const catalog::Event& act);

}  // namespace aierase::lifecycle
