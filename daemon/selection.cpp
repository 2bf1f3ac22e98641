#include "daemon/selection.h"

#include "base/json.h"
#include "daemon/caller.h"
#include "domain/ids.h"

namespace aierase::daemon {
namespace {

constexpr std::string_view kLabel = "label.";

Error unknown_word(const std::string& key, const std::string& value) {
  return make_error(Errc::usage, "the match " + key + "=" + quoted(value) + " names nothing known",
                    "see --match in aierase(1)");
}

Status add_condition(const std::string& key, const std::string& value, Selection& selection) {
  catalog::AssetQuery& query = selection.query;
  if (key == "asset") {
    selection.named.push_back(value);
  } else if (key == "name") {
    query.name_glob = value;
  } else if (key.starts_with(kLabel) && key.size() > kLabel.size()) {
    query.labels.emplace_back(key.substr(kLabel.size()), value);
  } else if (key == "retention") {
    query.retention = value;
  } else if (key == "kind") {
    query.kind = domain::parse_asset_kind(value);
    if (!query.kind) return unknown_word(key, value);
  } else if (key == "state") {
    query.state = domain::parse_asset_state(value);
    if (!query.state) return unknown_word(key, value);
  } else if (key == "custodian") {
    ASSIGN_OR_RETURN(const std::vector<domain::Custodian> custodians, resolve_custodians({value}));
    query.custodian = custodians.front();
  } else {
    return make_error(Errc::usage, "there is no match by " + quoted(key),
                      "asset, name, label.K, retention, kind, custodian and state can be matched");
  }
  return {};
}

}  // namespace

Result<Selection> selection_of(const Conditions& conditions) {
  Selection selection;
  for (const auto& condition : conditions) {
    RETURN_IF_ERROR(add_condition(condition.first, condition.second, selection));
  }
  return selection;
}

Details details_of_asset(StoreSession& session, const std::string& typed) {
  const Result<lifecycle::Store*> store = session.store();
  if (!store.ok()) return {};
  const Result<Uuid> id = (*store)->resolve_asset(typed, catalog::NameScope::any);
  if (!id.ok()) return {};
  const Result<lifecycle::AssetView> view = (*store)->show_asset(*id);
  if (!view.ok()) return {{"subject", domain::id_text(domain::IdType::asset, *id)}};
  return {{"subject", domain::id_text(domain::IdType::asset, *id)},
          {"name", view->asset.name.text()},
          {"kind", std::string(domain::to_text(view->asset.kind))},
          {"retention", view->asset.retention}};
}

Details details_of_plan(StoreSession& session, const std::string& typed) {
  const Result<lifecycle::Store*> store = session.store();
  if (!store.ok()) return {};
  const Result<Uuid> id = (*store)->resolve(domain::IdType::plan, typed);
  if (!id.ok()) return {};
  const Result<lifecycle::PlanView> view = (*store)->show_plan(*id);
  if (!view.ok()) return {{"subject", domain::id_text(domain::IdType::plan, *id)}};
  return {{"subject", domain::id_text(domain::IdType::plan, *id)},
          {"requester", view->plan.requester.login},
          {"items", std::to_string(view->plan.items.size())}};
}

}  // namespace aierase::daemon
