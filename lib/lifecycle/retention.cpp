#include "lifecycle/retention.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/limits.h"
#include "crypto/primitives.h"
#include "lifecycle/core.h"
#include "policy/ranks.h"

namespace aierase::lifecycle {
namespace {

using policy::RetentionClass;

bool selects_by_lineage(const RetentionClass& value) {
  return std::any_of(value.match.begin(), value.match.end(), [](const domain::Selector& selector) {
    return selector.key == domain::SelectorKey::derived_from ||
           selector.key == domain::SelectorKey::trained_on;
  });
}

std::vector<policy::PolicyText> texts_of(const domain::LoadedPolicy& loaded) {
  std::vector<policy::PolicyText> texts;
  for (const domain::PolicyFile& file : loaded.files) texts.push_back({file.name, file.text});
  return texts;
}

// Why the row and what the log says of it are not one thing; nothing where they are.
Result<std::optional<std::string>> differs_from_log(
    const std::optional<domain::LoadedPolicy>& loaded, const std::optional<domain::LogLeaf>& leaf) {
  using Answer = std::optional<std::string>;
  if (!leaf && !loaded) return Answer();
  if (!leaf) return Answer("the log knows of no policy that came into force");
  if (!loaded) return Answer("the policy that the log names is not in the catalog");
  ASSIGN_OR_RETURN(const std::string record, policy_record(*loaded));
  const bool same = leaf->index == loaded->log_index && leaf->time == loaded->loaded &&
                    leaf->record == record && translog::leaf_body(*leaf).ok();
  return same ? Answer() : Answer("the policy in the catalog is not the one that the log names");
}

bool is_leaving(const domain::Asset& asset) {
  return asset.state == domain::AssetState::retired || asset.state == domain::AssetState::erasing;
}

Status add_dates(const catalog::ReadView& view, const domain::Asset& asset, policy::Facts& facts) {
  ASSIGN_OR_RETURN(const catalog::RetentionDates dates, view.retention_dates(asset.id));
  if (is_leaving(asset)) facts.events.retired = dates.retired;
  facts.events.placed_on_market = dates.placed_on_market;
  facts.events.superseded = dates.superseded;
  facts.events.last_used = std::max(dates.last_export, dates.last_mount);  // none: the earliest
  // Nobody tells the store that a copy is no longer in use.
  facts.exports_outstanding = dates.exports;
  return {};
}

}  // namespace

Result<policy::Facts> Retention::facts_of(const catalog::ReadView& view,
                                          const domain::Asset& asset) const {
  policy::Facts facts;
  facts.asset = &asset;
  if (asks_for_ancestry_) {
    ASSIGN_OR_RETURN(facts.ancestry, ancestry_of(view, asset.id));
  }
  // A sweep over a whole store reads no dates that no class of the asset asks for.
  const auto asks = [&](const RetentionClass& value) {
    return value.trigger != policy::Trigger::created && policy::applies(value, facts);
  };
  if (asks_for_dates_ && std::any_of(set_.classes().begin(), set_.classes().end(), asks)) {
    RETURN_IF_ERROR(add_dates(view, asset, facts));
  }
  return facts;
}

Retention::Retention(policy::PolicySet set) : set_(std::move(set)) {
  for (const RetentionClass& value : set_.classes()) {
    asks_for_dates_ = asks_for_dates_ || value.trigger != policy::Trigger::created;
    asks_for_ancestry_ = asks_for_ancestry_ || selects_by_lineage(value);
    asks_for_ranks_ = asks_for_ranks_ || value.keep_last.has_value();
  }
}

Result<Retention> Retention::in_force(const catalog::ReadView& view) {
  ASSIGN_OR_RETURN(std::optional<domain::LoadedPolicy> loaded, view.policy_in_force());
  ASSIGN_OR_RETURN(const std::optional<domain::LogLeaf> leaf, view.policy_leaf());
  ASSIGN_OR_RETURN(std::optional<std::string> altered, differs_from_log(loaded, leaf));
  Retention retention;
  if (loaded) {
    Result<policy::PolicySet> set = policy::load_policy(texts_of(*loaded));
    if (!set.ok()) {
      altered = "the policy in the catalog cannot be read: " + set.error().message;
    } else if (set->version() != loaded->version) {
      altered = "the policy in the catalog is not of the version that it says";
    } else {
      retention = Retention(std::move(*set));
    }
  }
  retention.loaded_ = std::move(loaded);
  retention.altered_ = std::move(altered);
  return retention;
}

bool Retention::has_ceilings() const {
  const auto& classes = set_.classes();
  return std::any_of(classes.begin(), classes.end(),
                     [](const RetentionClass& value) { return value.erase_after.has_value(); });
}

// Where too many would have to be looked at no rank is known, and nothing is due by it. One that is
// on its way out has the place that it would have if it stayed.
Result<std::map<Uuid, std::map<std::string, std::size_t>>> Retention::ranks_among_versions(
    const catalog::ReadView& view, const domain::Asset& asset) const {
  std::map<Uuid, std::map<std::string, std::size_t>> ranks;
  ASSIGN_OR_RETURN(const std::vector<Uuid> versions,
                   view.versions_of(asset.name, limits::kVersionsRanked + 1));
  if (versions.size() > limits::kVersionsRanked) return ranks;
  std::vector<domain::Asset> assets;
  for (const Uuid& id : versions) {
    ASSIGN_OR_RETURN(std::optional<domain::Asset> version, view.asset(id));
    if (!version) return make_error(Errc::damaged, "an index names an asset that is not there");
    if (id == asset.id && is_leaving(*version)) version->state = domain::AssetState::suspended;
    assets.push_back(std::move(*version));
  }
  std::vector<policy::Facts> group;
  for (const domain::Asset& version : assets) {
    ASSIGN_OR_RETURN(policy::Facts one, facts_of(view, version));
    group.push_back(std::move(one));
  }
  policy::rank_versions(set_, group);
  for (policy::Facts& one : group) ranks.emplace(one.asset->id, std::move(one.ranks));
  return ranks;
}

Result<policy::Decision> Retention::decide(const catalog::ReadView& view,
                                           const domain::Asset& asset, UtcTime now,
                                           policy::Detail detail, RankMemory* memory) const {
  ASSIGN_OR_RETURN(policy::Facts facts, facts_of(view, asset));
  if (!asks_for_ranks_) return policy::evaluate(set_, facts, now, detail);
  RankMemory fresh;
  RankMemory& known = memory != nullptr && !is_leaving(asset) ? *memory : fresh;
  const std::string stem(asset.name.base());
  auto found = known.find(stem);
  if (found == known.end()) {
    ASSIGN_OR_RETURN(auto ranks, ranks_among_versions(view, asset));
    found = known.emplace(stem, std::move(ranks)).first;
  }
  const auto mine = found->second.find(asset.id);
  if (mine != found->second.end()) facts.ranks = mine->second;
  return policy::evaluate(set_, facts, now, detail);
}

Result<policy::Decision> Retention::objections(const catalog::ReadView& view,
                                               const domain::Asset& asset, UtcTime now) const {
  Result<policy::Decision> decision = decide(view, asset, now, policy::Detail::verdicts);
  const bool speechless =
      !decision.ok() || (decision->floors_in_force.empty() && decision->conflicts.empty());
  return speechless ? std::move(decision) : decide(view, asset, now);
}

PolicyFacts policy_facts(const Retention& retention, const policy::Decision& decision) {
  PolicyFacts facts;
  facts.verdict = decision.verdict;
  facts.floors = decision.floors_in_force;
  facts.conflicts = decision.conflicts;
  facts.keeps_after_retirement = decision.retain_after_retirement.has_value();
  facts.approvals = decision.terms.approvals;
  facts.custodians = decision.terms.custodians;
  facts.loader = retention.loader();
  if (decision.verdict == domain::Verdict::due) {
    facts.due_by = decision.ceilings.front().retention_class;
  }
  return facts;
}

UtcTime end_of_grace(const policy::Decision& decision, const domain::Plan& plan, UtcTime now) {
  if (plan.timing == domain::Timing::now) return now;
  UtcTime end = add(now, decision.terms.grace);
  if (plan.below_floor.empty() && decision.retain_after_retirement) {
    end = std::max(end, add(now, *decision.retain_after_retirement));
  }
  return end;
}

std::optional<domain::Reason> objection_to_now(const policy::Decision& decision,
                                               const domain::Plan& plan) {
  if (plan.timing != domain::Timing::now) return std::nullopt;
  std::string classes;
  for (const std::string& name : decision.classes) {
    classes += (classes.empty() ? "" : ", ") + name;
  }
  if (decision.terms.allow_now == policy::AllowNow::no) {
    return domain::Reason{Errc::retention_floor,
                          "its grace of " + to_words(decision.terms.grace) +
                              " cannot be skipped: not all of its classes (" + classes +
                              ") have allow-now"};
  }
  if (plan.below_floor.empty() && decision.retain_after_retirement) {
    return domain::Reason{
        Errc::retention_floor,
        "it is kept " + to_words(*decision.retain_after_retirement) + " after its retirement"};
  }
  return std::nullopt;
}

Result<std::string> policy_record(const domain::LoadedPolicy& policy) {
  Json files = Json::array();
  for (const domain::PolicyFile& file : policy.files) {
    files.push_back(
        Json{{"name", file.name}, {"sha256", to_hex(crypto::sha256(as_bytes(file.text)))}});
  }
  return dump_canonical(Json{{"version", to_hex(policy.version)},
                             {"files", std::move(files)},
                             {"by", actor_json(policy.actor)},
                             {"reason", policy.reason}});
}

}  // namespace aierase::lifecycle
