// Whether an asset may be used; attempts on what a plan has retired.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "lifecycle/core.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

// A grace begins anew at the first attempt and never again, so that nobody keeps a model for ever
// by asking for it; and it does not reach beyond the moment by which the asset has to go.
Result<std::optional<UtcTime>> grace_anew(Core& core, const domain::Plan& plan,
                                          const domain::Asset& asset, UtcTime now) {
  const bool in_grace = plan.state == domain::PlanState::approved && plan.due && *plan.due > now;
  if (!in_grace) return std::optional<UtcTime>();
  ASSIGN_OR_RETURN(const std::vector<domain::AttemptedUse> earlier,
                   core.view().attempted_uses(plan.id));
  if (!earlier.empty()) return std::optional<UtcTime>();
  ASSIGN_OR_RETURN(const policy::Decision ruling,
                   core.retention.decide(core.view(), asset, now, policy::Detail::verdicts));
  UtcTime end = end_of_grace(ruling, plan, now);
  if (ruling.due) end = std::min(end, *ruling.due);
  return end > *plan.due ? std::optional<UtcTime>(end) : std::nullopt;
}

Status begin_grace_anew(Core& core, catalog::Transaction& transaction, catalog::StoreState& state,
                        const domain::Plan& plan, const domain::AttemptedUse& use, UtcTime end) {
  RETURN_IF_ERROR(transaction.set_plan_state(plan.id, plan.state, end, plan.finished));
  RETURN_IF_ERROR(transaction.add_event(
      {use.last, use.by, "attempted-use", plan_text(plan.id), to_rfc3339(*plan.due),
       to_rfc3339(end), asset_text(use.asset) + " may still be needed: its grace begins anew"}));
  ASSIGN_OR_RETURN(std::string record, dump_canonical(Json{{"plan", plan.id.hex()},
                                                           {"asset", use.asset.hex()},
                                                           {"by", actor_json(use.by)},
                                                           {"due", to_rfc3339(end)}}));
  const translog::LogRecord leaf{"grace-extended", use.last, std::move(record),
                                 translog::Visibility::committed};
  return core.append_log(transaction, state, {&leaf, 1});
}

Status count_attempt(Core& core, const domain::Actor& actor, const domain::Asset& asset,
                     const domain::Plan& plan) {
  const domain::AttemptedUse use{asset.id, 1, core.now(), actor};
  ASSIGN_OR_RETURN(const std::optional<UtcTime> end, grace_anew(core, plan, asset, use.last));
  core.changed(domain::IdType::plan, plan.id);
  return transact(core, ReserveShare::none,
                  [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                    RETURN_IF_ERROR(transaction.count_attempted_use(plan.id, use));
                    if (!end) return {};
                    return begin_grace_anew(core, transaction, state, plan, use, *end);
                  });
}

// What becomes of a retired asset, and how to keep it. A full disk counts nothing, and hands out
// nothing either.
Result<std::string> prospect(Core& core, const domain::Actor& actor, const domain::Asset& asset) {
  ASSIGN_OR_RETURN(const std::optional<Uuid> id, core.view().open_plan_of(asset.id));
  if (!id) return "`aierase show " + asset_text(asset.id) + "` tells why";
  ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, core.view().plan_head(*id));
  if (!plan) return make_error(Errc::damaged, "an open plan is not in the catalog");
  const Status counted = count_attempt(core, actor, asset, *plan);
  if (!counted.ok() && counted.error().code != Errc::no_space) return counted.error();
  return "this attempt is counted on " + plan_text(*id) +
         "; whoever still needs the asset asks for `aierase cancel " + plan_text(*id) + "`";
}

}  // namespace

Status check_usable(Core& core, const domain::Actor& actor, const domain::Asset& asset) {
  if (asset.state == domain::AssetState::active) return {};
  std::string hint = "`aierase show " + asset_text(asset.id) + "` tells why";
  if (asset.state == domain::AssetState::suspended) {
    hint = "`aierase resume " + asset.name.text() + " --reason TEXT`";
  } else if (asset.state == domain::AssetState::retired) {
    ASSIGN_OR_RETURN(hint, prospect(core, actor, asset));
  }
  return make_error(Errc::wrong_state,
                    asset.name.text() + " is " + std::string(domain::to_text(asset.state)) +
                        " and cannot be used",
                    std::move(hint), asset_text(asset.id));
}

Status Store::check_use(const domain::Actor& actor, const Uuid& asset) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.alive());
  ASSIGN_OR_RETURN(const domain::Asset found, core.living_asset(asset));
  return check_usable(core, actor, found);
}

}  // namespace aierase::lifecycle
