// What a request to retire may say of what it names.

#include <algorithm>

#include "lifecycle/core.h"

namespace aierase::lifecycle {

// A reason to stay is for what would otherwise block the plan.
Status check_kept(const RetireRequest& request, const std::vector<domain::KeptDependant>& kept,
                  const std::vector<domain::LineageEdge>& edges) {
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const bool depends = std::any_of(edges.begin(), edges.end(),
                                     [&](const auto& edge) { return edge.child == kept[i].asset; });
    if (depends) continue;
    const std::string& typed = request.keep[i].first;
    return make_error(Errc::usage,
                      typed +
                          " depends on nothing that would be retired: there is nothing that it "
                          "has to be kept from",
                      "leave its --keep out; `aierase show " + typed + "` tells what it comes from",
                      asset_text(kept[i].asset));
  }
  return {};
}

// A legal basis to go below floors stands on the plan only where there is one, now or from the
// retirement on.
Status check_below_floor(Core& core, const domain::Plan& plan) {
  if (plan.below_floor.empty() || plan.items.empty()) return {};
  for (const domain::PlanItem& item : plan.items) {
    ASSIGN_OR_RETURN(const domain::Asset asset, core.known_asset(item.asset));
    ASSIGN_OR_RETURN(const policy::Decision ruling,
                     core.retention.decide(core.view(), asset, plan.created));
    const PolicyFacts facts = policy_facts(core.retention, ruling);
    if (!facts.floors.empty() || facts.keeps_after_retirement) return {};
  }
  return make_error(Errc::usage, "no floor of the policy keeps any of these assets",
                    "leave --below-floor out: it asks for one more approval and is recorded");
}

}  // namespace aierase::lifecycle
