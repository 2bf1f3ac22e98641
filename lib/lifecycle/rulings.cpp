// Who has to say what before a plan is executed: policy and custodians, item by item.

#include <algorithm>
#include <set>

#include "lifecycle/approving.h"

namespace aierase::lifecycle {

Result<Rulings> rulings_on(Core& core, const domain::Plan& plan, UtcTime now) {
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  return rulings_by(core, plan, now, clock);
}

Result<Rulings> rulings_by(Core& core, const domain::Plan& plan, UtcTime now,
                           const ClockFacts& clock) {
  Rulings rulings;
  rulings.due = now;
  const bool nightly = plan.origin == domain::PlanOrigin::enforce;
  const UtcTime moment = nightly ? std::min(now, clock.trusted) : now;
  for (const domain::PlanItem& item : plan.items) {
    ASSIGN_OR_RETURN(const domain::Asset asset, core.known_asset(item.asset));
    ASSIGN_OR_RETURN(const policy::Decision ruling,
                     core.retention.decide(core.view(), asset, moment));
    rulings.items.push_back(policy_facts(core.retention, ruling));
    rulings.due = std::max(rulings.due, end_of_grace(ruling, plan, now));
    if (!rulings.no_haste) rulings.no_haste = objection_to_now(ruling, plan);
  }
  return rulings;
}

std::vector<Uuid> assets_of(const domain::Plan& plan) {
  std::vector<Uuid> assets;
  for (const domain::PlanItem& item : plan.items) assets.push_back(item.asset);
  return assets;
}

Result<std::vector<domain::Custodian>> custodians_of(const catalog::ReadView& view,
                                                     std::span<const Uuid> assets) {
  std::vector<domain::Custodian> all;
  for (const Uuid& asset : assets) {
    ASSIGN_OR_RETURN(const std::vector<domain::Custodian> custodians, view.custodians(asset));
    for (const domain::Custodian& custodian : custodians) {
      if (std::find(all.begin(), all.end(), custodian) == all.end()) all.push_back(custodian);
    }
  }
  return all;
}

Result<std::vector<domain::Custodian>> named_by_policy(Core& core, const Rulings& rulings) {
  std::set<std::string> names;
  for (const PolicyFacts& policy : rulings.items) {
    names.insert(policy.custodians.begin(), policy.custodians.end());
  }
  if (names.empty()) return std::vector<domain::Custodian>();
  return core.settings.find_custodians(std::vector<std::string>(names.begin(), names.end()));
}

std::vector<std::string> capacities_among(const std::vector<domain::Custodian>& custodians,
                                          const domain::Actor& actor, domain::PeopleRule rule) {
  if (rule == domain::PeopleRule::single_operator) return {"single operator"};
  std::set<std::string> capacities;
  for (const domain::Custodian& custodian : custodians) {
    if (domain::is_custodian(actor, {custodian})) capacities.insert(custodian.text());
  }
  return {capacities.begin(), capacities.end()};
}

Result<bool> all_approved(Core& core, const domain::Plan& plan, const Rulings& rulings,
                          const std::vector<domain::Approval>& approvals, domain::PeopleRule rule) {
  for (std::size_t i = 0; i < plan.items.size(); ++i) {
    const PolicyFacts& policy = rulings.items[i];
    ASSIGN_OR_RETURN(const std::vector<domain::Custodian> custodians,
                     core.view().custodians(plan.items[i].asset));
    if (!count_approvals(custodians, policy, terms_of(plan), approvals, rule).suffices()) {
      return false;
    }
  }
  return !plan.items.empty();
}

}  // namespace aierase::lifecycle
