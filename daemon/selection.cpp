#include "daemon/selection.h"

#include <algorithm>

#include "base/limits.h"
#include "domain/ids.h"

namespace aierase::daemon {
Result<std::vector<domain::Selector>> read_match(CallOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<std::string> texts, options.texts("match"));
  return domain::parse_selectors(texts);
}

Result<PageWish> read_page(CallOptions& options) {
  PageWish wish;
  ASSIGN_OR_RETURN(wish.cursor, options.text_or("cursor", ""));
  ASSIGN_OR_RETURN(const std::optional<std::uint64_t> limit, options.number("limit"));
  wish.rows = static_cast<std::size_t>(
      std::clamp<std::uint64_t>(limit.value_or(limits::kListPageRows), 1, limits::kListPageRows));
  return wish;
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
  } else if (shared_->type == domain::IdType::hold) {
    const Result<lifecycle::HoldView> hold = store.show_hold(*id);
    if (!hold.ok()) return details;
    details.emplace_back("matter", hold->hold.matter);
    details.emplace_back("items", std::to_string(hold->bound));
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
