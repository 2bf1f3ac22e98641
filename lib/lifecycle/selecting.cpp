// Which assets a match means: narrowed by the catalog's indexes, decided by domain::matches_all.

#include <algorithm>
#include <deque>
#include <map>

#include "base/limits.h"
#include "lifecycle/braking.h"
#include "lifecycle/core.h"

namespace aierase::lifecycle {
namespace {

using domain::SelectorKey;

// A list whose match finds little looks at so many pages before it answers with what it has.
constexpr std::size_t kPagesPerList = 16;

bool is_pattern(const std::string& text) {
  return text.find_first_of("*?[") != std::string::npos;
}

bool is_by_lineage(const domain::Selector& selector) {
  return selector.key == SelectorKey::derived_from || selector.key == SelectorKey::trained_on;
}
bool is_by_time(const domain::Selector& selector) {
  return domain::asks_for_time(selector.key);
}

bool asks_for_ancestry(const std::vector<domain::Selector>& selectors) {
  return std::any_of(selectors.begin(), selectors.end(), is_by_lineage);
}

// What the catalog can find by an index. Never less than what matches.
catalog::AssetQuery narrowed(const std::vector<domain::Selector>& selectors) {
  catalog::AssetQuery query;
  for (const domain::Selector& selector : selectors) {
    const std::string& value = selector.value;
    switch (selector.key) {
      case SelectorKey::name:
        query.name_glob = value;
        break;
      case SelectorKey::label:
        if (!is_pattern(value)) query.labels.emplace_back(selector.label, value);
        break;
      case SelectorKey::retention:
        query.retention = value;
        break;
      case SelectorKey::kind:
        query.kind = domain::parse_asset_kind(value);
        break;
      case SelectorKey::custodian:
        query.custodian = value.starts_with('@')
                              ? domain::Custodian{domain::CustodianKind::group, value.substr(1), 0}
                              : domain::Custodian{domain::CustodianKind::user, value, 0};
        break;
      case SelectorKey::state:
        query.state = domain::parse_asset_state(value);
        break;
      case SelectorKey::asset:
      case SelectorKey::derived_from:
      case SelectorKey::trained_on:
      case SelectorKey::unused_for:
      case SelectorKey::due_before:
        break;
    }
  }
  return query;
}

const domain::Selector* asset_selector(const std::vector<domain::Selector>& selectors) {
  for (const domain::Selector& selector : selectors) {
    if (selector.key == SelectorKey::asset) return &selector;
  }
  return nullptr;
}

Result<catalog::Page<domain::Asset>> matching_page(Core& core,
                                                   const std::vector<domain::Selector>& selectors,
                                                   const catalog::AssetQuery& query,
                                                   const std::string& cursor, std::size_t limit) {
  ASSIGN_OR_RETURN(catalog::Page<domain::Asset> page, core.view().assets(query, cursor, limit));
  RankMemory memory;  // of this page: a store of a million names would fill it
  std::vector<domain::Asset> matching;
  for (domain::Asset& asset : page.rows) {
    ASSIGN_OR_RETURN(const bool match, is_selected(core, core.view(), selectors, asset, &memory));
    if (match) matching.push_back(std::move(asset));
  }
  page.rows = std::move(matching);
  return page;
}

// From each of `from`, upwards over `relation`; what is reached, without where it began.
Result<std::map<Uuid, domain::AssetName>> reached(const catalog::ReadView& view,
                                                  std::vector<Uuid> from,
                                                  domain::Relation relation) {
  std::map<Uuid, domain::AssetName> found;
  std::deque<Uuid> waiting(from.begin(), from.end());
  while (!waiting.empty()) {
    const Uuid child = waiting.front();
    waiting.pop_front();
    ASSIGN_OR_RETURN(const std::vector<domain::LineageEdge> edges, view.lineage(child));
    for (const domain::LineageEdge& edge : edges) {
      if (edge.child != child || edge.relation != relation || found.count(edge.parent) != 0) {
        continue;
      }
      ASSIGN_OR_RETURN(const std::optional<catalog::AssetHead> parent,
                       view.asset_head(edge.parent));
      if (!parent) return make_error(Errc::damaged, "a lineage names an asset that is not there");
      found.emplace(edge.parent, parent->name);
      // Training happens once; what it was trained on is then followed by what that came from.
      if (relation == domain::Relation::derived_from) waiting.push_back(edge.parent);
    }
  }
  return found;
}

std::vector<Uuid> keys_of(const std::map<Uuid, domain::AssetName>& names) {
  std::vector<Uuid> keys;
  for (const auto& [id, name] : names) keys.push_back(id);
  return keys;
}

// The first so many that a search for what is left of a class looks at.
constexpr std::size_t kLooksForOneLeft = 20'000;
// One is mostly found at once: the first pages are short.
constexpr std::size_t kLooksOnFirstPage = 2;
constexpr std::size_t kLooksPerPage = 128;

bool is_in_use(const domain::Asset& asset) {
  return asset.state == domain::AssetState::active || asset.state == domain::AssetState::suspended;
}

using Selectors = std::vector<domain::Selector>;

// In use, selected by one of the lists and not covered.
Result<bool> is_left(Core& core, const std::vector<Selectors>& members, const domain::Asset& asset,
                     const PlanCover& going) {
  if (!is_in_use(asset)) return false;
  ASSIGN_OR_RETURN(const bool goes, going.covers(core.view(), asset.id));
  if (goes) return false;
  for (const Selectors& selectors : members) {
    ASSIGN_OR_RETURN(const bool selected, is_selected(core, core.view(), selectors, asset));
    if (selected) return true;
  }
  return false;
}

// The first that is left among those in that state. `looks` says how many may be read yet.
Result<std::optional<Uuid>> first_left(Core& core, const Selectors& selectors,
                                       domain::AssetState state, const PlanCover& going,
                                       std::size_t& looks) {
  catalog::AssetQuery query = narrowed(selectors);
  query.state = state;
  const std::vector<Selectors> members{selectors};
  std::string cursor;
  std::size_t rows = kLooksOnFirstPage;
  do {
    ASSIGN_OR_RETURN(const catalog::Page<domain::Asset> page,
                     core.view().assets(query, cursor, std::min(looks, rows)));
    rows = std::min(8 * rows, kLooksPerPage);
    for (const domain::Asset& asset : page.rows) {
      --looks;
      ASSIGN_OR_RETURN(const bool left, is_left(core, members, asset, going));
      if (left) return std::optional<Uuid>(asset.id);
    }
    cursor = page.next;
  } while (!cursor.empty() && looks > 0);
  return std::optional<Uuid>();
}

// What was found last is mostly there still, and saves a search among all of its class.
Result<bool> is_still_left(Core& core, const std::string& retention_class,
                           const std::vector<Selectors>& members, const PlanCover& going) {
  const auto known = core.left_of_class.find(retention_class);
  if (known == core.left_of_class.end()) return false;
  ASSIGN_OR_RETURN(const std::optional<domain::Asset> asset, core.view().asset(known->second));
  return asset ? is_left(core, members, *asset, going) : Result<bool>(false);
}

// When it was last imported, exported or mounted, as far as the store knows; nothing while somebody
// reads it.
Result<std::optional<UtcTime>> idle_since(Core& core, const catalog::ReadView& view,
                                          const domain::Asset& asset) {
  if (core.keys.open_leases(asset.id) > 0) return std::optional<UtcTime>();
  ASSIGN_OR_RETURN(const catalog::RetentionDates dates, view.retention_dates(asset.id));
  return std::optional<UtcTime>(std::max({asset.created, dates.last_export.value_or(UtcTime{}),
                                          dates.last_mount.value_or(UtcTime{})}));
}

// What is gone was neither used nor is it due. A clock that stands ahead of trusted time makes
// nothing old.
Status add_time_facts(Core& core, const catalog::ReadView& view, const domain::Selector& selector,
                      const domain::Asset& asset, RankMemory* memory, domain::MatchFacts& facts) {
  if (asset.state == domain::AssetState::erased) return {};
  if (selector.key == SelectorKey::unused_for) {
    ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
    facts.now = std::min(clock.wall, clock.trusted);
    ASSIGN_OR_RETURN(facts.idle_since, idle_since(core, view, asset));
  } else if (selector.key == SelectorKey::due_before && selector.moment > UtcTime{}) {
    ASSIGN_OR_RETURN(const policy::Decision then,
                     core.retention.decide(view, asset, selector.moment - std::chrono::seconds(1),
                                           policy::Detail::verdicts, memory));
    if (then.verdict == domain::Verdict::due) facts.due = domain::MatchFacts::Due::yes;
  }
  return {};
}

}  // namespace

Result<bool> leaves_none(Core& core, const std::string& retention_class, const PlanCover& going) {
  const policy::RetentionClass* value = core.retention.set().find(retention_class);
  if (value == nullptr) return true;
  std::vector<Selectors> members{{{SelectorKey::retention, std::string(), retention_class}}};
  if (!value->match.empty() && asset_selector(value->match) == nullptr) {
    members.push_back(value->match);
  }
  const Result<bool> still = is_still_left(core, retention_class, members, going);
  if (still.ok() && *still) return false;
  if (!still.ok() && !concerns_one(still.error())) return still.error();
  std::size_t looks = kLooksForOneLeft;
  for (const Selectors& selectors : members) {
    for (const domain::AssetState state :
         {domain::AssetState::active, domain::AssetState::suspended}) {
      const Result<std::optional<Uuid>> left = first_left(core, selectors, state, going, looks);
      if (!left.ok() && !concerns_one(left.error())) return left.error();
      if (!left.ok()) return true;  // rows that cannot be read are nothing that is left
      if (!*left) continue;
      core.left_of_class.insert_or_assign(retention_class, **left);
      return false;
    }
  }
  return true;
}

Result<domain::Ancestry> ancestry_of(const catalog::ReadView& view, const Uuid& asset) {
  domain::Ancestry ancestry;
  ASSIGN_OR_RETURN(const auto origins, reached(view, {asset}, domain::Relation::derived_from));
  for (const auto& [id, name] : origins) ancestry.derived_from.push_back(name);
  std::vector<Uuid> trained = keys_of(origins);
  trained.push_back(asset);
  ASSIGN_OR_RETURN(auto data, reached(view, std::move(trained), domain::Relation::trained_on));
  ASSIGN_OR_RETURN(const auto before, reached(view, keys_of(data), domain::Relation::derived_from));
  data.insert(before.begin(), before.end());
  for (const auto& [id, name] : data) ancestry.trained_on.push_back(name);
  return ancestry;
}

// What costs least is asked first: most assets do not get to the policy.
Result<bool> is_selected(Core& core, const catalog::ReadView& view,
                         const std::vector<domain::Selector>& selectors, const domain::Asset& asset,
                         RankMemory* memory) {
  domain::Ancestry ancestry;
  domain::MatchFacts facts{ancestry};
  const auto all_match = [&](const auto& are_meant) {
    return std::all_of(selectors.begin(), selectors.end(), [&](const domain::Selector& selector) {
      return !are_meant(selector) || domain::matches(selector, asset, facts);
    });
  };
  const auto of_row = [](const auto& one) { return !is_by_lineage(one) && !is_by_time(one); };
  if (!all_match(of_row)) return false;
  if (asks_for_ancestry(selectors)) {
    ASSIGN_OR_RETURN(ancestry, ancestry_of(view, asset.id));
    if (!all_match(is_by_lineage)) return false;
  }
  for (const domain::Selector& selector : selectors) {
    RETURN_IF_ERROR(add_time_facts(core, view, selector, asset, memory, facts));
  }
  return all_match(is_by_time);
}

Result<std::vector<Uuid>> Store::select(const std::vector<domain::Selector>& selectors,
                                        catalog::NameScope scope, std::size_t limit) {
  Core& core = *impl_;
  std::vector<Uuid> found;
  if (const domain::Selector* one = asset_selector(selectors)) {
    ASSIGN_OR_RETURN(const Uuid id, resolve_asset(one->value, catalog::NameScope::any));
    ASSIGN_OR_RETURN(const domain::Asset asset, scope == catalog::NameScope::living
                                                    ? core.living_asset(id)
                                                    : core.known_asset(id));
    ASSIGN_OR_RETURN(const bool match, is_selected(core, core.view(), selectors, asset));
    if (match) found.push_back(id);
    return found;
  }
  catalog::AssetQuery query = narrowed(selectors);
  query.include_erased = scope == catalog::NameScope::any;
  std::string cursor;
  do {
    ASSIGN_OR_RETURN(const catalog::Page<domain::Asset> page,
                     matching_page(core, selectors, query, cursor, limits::kPageRows));
    for (const domain::Asset& asset : page.rows) found.push_back(asset.id);
    if (found.size() > limit) {
      return make_error(Errc::resource_limit,
                        "more than " + std::to_string(limit) + " assets match",
                        "narrow the selection");
    }
    cursor = page.next;
  } while (!cursor.empty());
  return found;
}

Result<catalog::Page<domain::Asset>> Store::list_assets(
    const std::vector<domain::Selector>& selectors, const std::string& cursor, std::size_t limit) {
  Core& core = *impl_;
  catalog::Page<domain::Asset> page;
  if (asset_selector(selectors) != nullptr) {
    ASSIGN_OR_RETURN(const std::vector<Uuid> found,
                     select(selectors, catalog::NameScope::any, limit));
    for (const Uuid& id : found) {
      ASSIGN_OR_RETURN(domain::Asset asset, core.known_asset(id));
      page.rows.push_back(std::move(asset));
    }
    return page;
  }
  const catalog::AssetQuery query = narrowed(selectors);
  page.next = cursor;
  for (std::size_t looked = 0; looked < kPagesPerList && page.rows.empty(); ++looked) {
    ASSIGN_OR_RETURN(page, matching_page(core, selectors, query, page.next, limit));
    if (page.next.empty()) break;
  }
  return page;
}

}  // namespace aierase::lifecycle
