// The policy in force, applied to the assets of the catalog.
//
// Contract: a value, read when the store opens and when a policy is loaded; nobody else writes
// meanwhile. Where what the catalog holds is not what the log committed to, altered() says so:
// then nobody knows how long anything has to stay, and nothing is erased.
// Specified in: aierase-policy(5).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "catalog/catalog.h"
#include "domain/loaded_policy.h"
#include "lifecycle/gate.h"
#include "policy/evaluate.h"

namespace aierase::lifecycle {

// The places of versions among each other, kept while nobody writes: a sweep meets each version of
// a name, and all of them have to be read for each.
using RankMemory = std::map<std::string, std::map<Uuid, std::map<std::string, std::size_t>>>;

class Retention {
 public:
  Retention() : Retention(policy::PolicySet::built_in()) {}
  explicit Retention(policy::PolicySet set);  // to see what it would decide
  static Result<Retention> in_force(const catalog::ReadView& view);

  const policy::PolicySet& set() const { return set_; }
  // None: the built-in policy.
  const std::optional<domain::LoadedPolicy>& loaded() const { return loaded_; }
  // Who brought it into force; null: the built-in policy.
  const domain::Actor* loader() const { return loaded_ ? &loaded_->actor : nullptr; }
  const std::optional<std::string>& altered() const { return altered_; }

  Result<policy::Decision> decide(const catalog::ReadView& view, const domain::Asset& asset,
                                  UtcTime now, policy::Detail detail = policy::Detail::sentences,
                                  RankMemory* memory = nullptr) const;
  // For what is to go: sentences only where a rule keeps it, or contradicts another.
  Result<policy::Decision> objections(const catalog::ReadView& view, const domain::Asset& asset,
                                      UtcTime now) const;
  bool has_ceilings() const;  // some class makes something due

 private:
  Result<std::map<Uuid, std::map<std::string, std::size_t>>> ranks_among_versions(
      const catalog::ReadView& view, const domain::Asset& asset) const;
  Result<policy::Facts> facts_of(const catalog::ReadView& view, const domain::Asset& asset) const;

  policy::PolicySet set_;
  std::optional<domain::LoadedPolicy> loaded_;
  std::optional<std::string> altered_;
  bool asks_for_dates_ = false;     // some class counts from another event than the import
  bool asks_for_ancestry_ = false;  // some class selects by lineage
  bool asks_for_ranks_ = false;     // some class has keep-last
};

// What the gate needs of a decision by the policy in force, which has to outlive it.
PolicyFacts policy_facts(const Retention& retention, const policy::Decision& decision);
// When a plan that is approved at `now` is executed, as far as this asset is concerned.
UtcTime end_of_grace(const policy::Decision& decision, const domain::Plan& plan, UtcTime now);
// Why it cannot go without grace, if so.
std::optional<domain::Reason> objection_to_now(const policy::Decision& decision,
                                               const domain::Plan& plan);

// What the log holds of a policy that came into force.
Result<std::string> policy_record(const domain::LoadedPolicy& policy);

}  // namespace aierase::lifecycle
