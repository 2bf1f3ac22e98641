#include "lifecycle/paged_match.h"

namespace aierase::lifecycle {
namespace {

constexpr std::size_t kPerStep = 256;

}  // namespace

bool PagedMatch::has_done_enough() const {
  return looked_at_ >= kPerStep;
}

Result<bool> PagedMatch::asset(const Uuid& id) {
  if (selectors_.empty()) return true;
  ++looked_at_;
  ASSIGN_OR_RETURN(const domain::Asset asset, core_.known_asset(id));
  return is_selected(core_, core_.view(), selectors_, asset);
}

Result<std::optional<bool>> PagedMatch::any_of_plan(const Uuid& plan) {
  if (selectors_.empty()) return std::optional<bool>(true);
  ASSIGN_OR_RETURN(const std::vector<Uuid> items,
                   core_.view().plan_assets(plan, cursor_, kPerStep));
  return any_of(items);
}

Result<std::optional<bool>> PagedMatch::any_of_hold(const Uuid& hold) {
  if (selectors_.empty()) return std::optional<bool>(true);
  ASSIGN_OR_RETURN(const std::vector<Uuid> bound,
                   core_.view().bound_assets(hold, cursor_, kPerStep));
  return any_of(bound);
}

Result<std::optional<bool>> PagedMatch::any_of(const std::vector<Uuid>& page) {
  cursor_.reset();
  for (const Uuid& id : page) {
    ASSIGN_OR_RETURN(const bool match, asset(id));
    if (match) return std::optional<bool>(true);
  }
  if (page.size() < kPerStep) return std::optional<bool>(false);
  cursor_ = page.back();
  return std::optional<bool>();
}

}  // namespace aierase::lifecycle
