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

Named::Named(domain::IdType type, std::string typed)
    : shared_(
          std::make_shared<Shared>(Shared{type, std::move(typed), std::nullopt,
                                          make_error(Errc::unexpected, "it was not looked up")})) {}

Details Named::look_up(StoreSession& session) const {
  const Result<lifecycle::Store*> opened = session.store();
  if (!opened.ok()) {
    shared_->refusal = opened.error();
    return {};
  }
  lifecycle::Store& store = **opened;
  const Result<Uuid> id = shared_->type == domain::IdType::asset
                              ? store.resolve_asset(shared_->typed, catalog::NameScope::any)
                              : store.resolve(shared_->type, shared_->typed);
  if (!id.ok()) {
    shared_->refusal = id.error();
    return {};
  }
  shared_->id = *id;
  Details details{{"subject", domain::id_text(shared_->type, *id)}};
  if (shared_->type == domain::IdType::asset) {
    const Result<domain::Asset> asset = store.glance_at_asset(*id);
    if (!asset.ok()) return details;
    details.emplace_back("name", asset->name.text());
    details.emplace_back("kind", std::string(domain::to_text(asset->kind)));
    details.emplace_back("retention", asset->retention);
  } else if (shared_->type == domain::IdType::plan) {
    const Result<lifecycle::Store::PlanGlance> plan = store.glance_at_plan(*id);
    if (!plan.ok()) return details;
    details.emplace_back("requester", plan->requester.login);
    details.emplace_back("items", std::to_string(plan->items));
  }
  return details;
}

Result<Uuid> Named::found() const {
  if (shared_->id) return *shared_->id;
  return shared_->refusal;
}

}  // namespace aierase::daemon
