// Legal holds: placed by matter and match, lifted by those who may, and in force on every path.

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/limits.h"
#include "lifecycle/core.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

constexpr std::size_t kEverything = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kAllLeaves = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view kPlaced = "hold-placed";
constexpr std::string_view kLifted = "hold-lifted";

std::string hold_text(const Uuid& id) {
  return domain::id_text(domain::IdType::hold, id);
}

std::string join(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
  return joined;
}

Result<std::string> placed_record(const domain::Hold& hold) {
  return dump_canonical(Json{{"hold", hold.id.hex()},
                             {"matter", hold.matter},
                             {"reason", hold.reason},
                             {"match", hold.selectors},
                             {"reach", domain::to_text(hold.reach)},
                             {"by", actor_json(hold.placed_by)}});
}

Result<std::string> lifted_record(const Uuid& hold, const domain::Lift& lift) {
  return dump_canonical(
      Json{{"hold", hold.hex()}, {"reason", lift.reason}, {"by", actor_json(lift.actor)}});
}

Status check_request(const HoldRequest& request) {
  RETURN_IF_ERROR(check_text("the matter", request.matter, limits::kReasonBytes));
  RETURN_IF_ERROR(check_text("the reason", request.reason, limits::kReasonBytes));
  if (request.matter.empty() || request.reason.empty()) {
    return make_error(Errc::usage, "a hold has a matter and a reason",
                      "add --matter TEXT and --reason TEXT");
  }
  if (request.selectors.empty()) {
    return make_error(Errc::usage, "a hold needs to be told upon what",
                      "add --match K=V; --match 'name=*' means everything");
  }
  if (request.selectors.size() > limits::kSelectorsPerHold) {
    return make_error(
        Errc::resource_limit,
        "more than " + std::to_string(limits::kSelectorsPerHold) + " matches in one hold");
  }
  if (request.reach == domain::HoldReach::present) return {};
  for (const domain::Selector& selector : request.selectors) {
    if (selector.key != domain::SelectorKey::state && selector.key != domain::SelectorKey::asset &&
        !domain::asks_for_time(selector.key)) {
      continue;
    }
    return make_error(Errc::usage,
                      "what comes later cannot be matched by " + quoted(selector.text()),
                      "with --future, match by name, label, kind, retention, custodian or lineage");
  }
  return {};
}

// Everything alive that matches; refused where the destruction of one of them has begun.
Result<std::vector<Uuid>> assets_to_bind(Store& store, Core& core, const HoldRequest& request) {
  ASSIGN_OR_RETURN(std::vector<Uuid> assets,
                   store.select(request.selectors, catalog::NameScope::living, kEverything));
  if (assets.empty() && request.reach == domain::HoldReach::present) {
    return make_error(Errc::usage, "nothing alive matches: this hold would hold nothing",
                      "`aierase list assets` with the same --match shows what it finds; --future "
                      "holds what is imported later");
  }
  if (core.point_of_no_return != Core::Return::past) return assets;
  for (const Uuid& id : assets) {
    ASSIGN_OR_RETURN(const catalog::AssetHead head, core.known_head(id));
    if (head.state != domain::AssetState::erasing) continue;
    return make_error(Errc::erased,
                      head.name.text() +
                          " is past the point of no return: the destruction of "
                          "its key has begun",
                      "the hold came too late for this asset; leave it out", asset_text(id));
  }
  return assets;
}

struct Requeued {
  std::map<Uuid, std::vector<Uuid>> plans;  // assets of each
};

// Items whose asset no hold binds any more are pending again, and their plan is due.
Result<Requeued> requeue(catalog::Transaction& transaction) {
  ASSIGN_OR_RETURN(const std::vector<catalog::HeldItem> items, transaction.items_to_requeue());
  Requeued requeued;
  for (const catalog::HeldItem& item : items) requeued.plans[item.plan].push_back(item.asset);
  for (const auto& [id, assets] : requeued.plans) {
    ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, transaction.plan(id));
    if (!plan) return make_error(Errc::damaged, "a plan with held items is not in the catalog");
    for (domain::PlanItem item : plan->items) {
      if (std::find(assets.begin(), assets.end(), item.asset) == assets.end()) continue;
      item.state = domain::ItemState::pending;
      item.reasons.clear();
      item.verdict = domain::Verdict::eligible;
      RETURN_IF_ERROR(transaction.put_item(id, item));
    }
    const bool open =
        plan->state == domain::PlanState::approved || plan->state == domain::PlanState::running;
    if (open && !is_braked(*plan)) {
      // What lost its moment had reached it when it was put off: it is due since its approval.
      RETURN_IF_ERROR(transaction.set_plan_state(
          id, plan->state, plan->due.value_or(agreed_due(*plan)), std::nullopt));
    }
  }
  return requeued;
}

HoldView view_of(domain::Hold hold, std::uint64_t bound) {
  HoldView view;
  view.hold = std::move(hold);
  view.bound = bound;
  return view;
}

}  // namespace

Result<std::optional<std::string>> altered_hold(const catalog::ReadView& view) {
  ASSIGN_OR_RETURN(const std::vector<domain::LogLeaf> leaves, view.hold_leaves(0, kAllLeaves));
  std::map<std::uint64_t, const domain::LogLeaf*> placed;  // by index
  std::map<std::string, std::uint64_t> index_of;           // by the hold's id in hex
  for (const domain::LogLeaf& leaf : leaves) {
    const Result<Json> record = parse_json(leaf.record);
    if (!record.ok() || !record->is_object() || !record->value("hold", Json()).is_string() ||
        !translog::leaf_body(leaf).ok()) {
      return std::optional<std::string>("leaf " + std::to_string(leaf.index) + " of the log");
    }
    const std::string id = (*record)["hold"].get<std::string>();
    if (leaf.type == kPlaced) {
      placed[leaf.index] = &leaf;
      index_of[id] = leaf.index;
    } else if (index_of.count(id) != 0) {
      placed.erase(index_of[id]);
    }
  }
  ASSIGN_OR_RETURN(const std::vector<domain::Hold> holds, view.holds_in_force());
  for (const domain::Hold& hold : holds) {
    const auto leaf = placed.find(hold.log_index);
    ASSIGN_OR_RETURN(const std::string record, placed_record(hold));
    if (leaf == placed.end() || leaf->second->record != record ||
        leaf->second->time != hold.placed) {
      return std::optional<std::string>(hold_text(hold.id));
    }
    placed.erase(leaf);
  }
  if (placed.empty()) return std::optional<std::string>();
  return std::optional<std::string>("the hold of leaf " + std::to_string(placed.begin()->first) +
                                    " of the log");
}

Status bind_future_holds(Core& core, catalog::Transaction& transaction, const Uuid& id) {
  ASSIGN_OR_RETURN(const std::vector<domain::Hold> holds, transaction.holds_in_force());
  std::optional<domain::Asset> asset;
  for (const domain::Hold& hold : holds) {
    if (hold.reach != domain::HoldReach::future) continue;
    if (!asset) {
      ASSIGN_OR_RETURN(asset, transaction.asset(id));
      if (!asset) return make_error(Errc::damaged, "an asset to hold is not in the catalog");
    }
    ASSIGN_OR_RETURN(const std::vector<domain::Selector> selectors,
                     domain::parse_selectors(hold.selectors));
    ASSIGN_OR_RETURN(const bool match, is_selected(core, transaction, selectors, *asset));
    if (!match) continue;
    RETURN_IF_ERROR(transaction.bind_hold(hold.id, {&id, 1}));
    core.changed(domain::IdType::hold, hold.id);
  }
  return {};
}

Result<HoldView> Store::place_hold(const HoldRequest& request) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.alive());  // also while an erasure is under way: it still counts
  RETURN_IF_ERROR(check_request(request));
  domain::Hold hold;
  hold.id = Uuid::random();
  hold.matter = request.matter;
  hold.reason = request.reason;
  for (const domain::Selector& selector : request.selectors) {
    hold.selectors.push_back(selector.text());
  }
  hold.reach = request.reach;
  hold.placed_by = request.actor;
  hold.placed = core.now();
  ASSIGN_OR_RETURN(hold.assets, assets_to_bind(*this, core, request));
  const std::uint64_t bound = hold.assets.size();
  RETURN_IF_ERROR(
      transact(core, ReserveShare::half,
               [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                 hold.log_index = state.log.size;
                 if (counts_holds(core, state.epoch)) state.hold_count += 1;
                 RETURN_IF_ERROR(transaction.insert_hold(hold));
                 RETURN_IF_ERROR(transaction.add_event(
                     {hold.placed, hold.placed_by, "hold-place", hold_text(hold.id), "", "in force",
                      hold.matter + ": " + hold.reason + " (" + join(hold.selectors) + ")"}));
                 ASSIGN_OR_RETURN(std::string record, placed_record(hold));
                 const translog::LogRecord leaf{std::string(kPlaced), hold.placed,
                                                std::move(record), translog::Visibility::committed};
                 return core.append_log(transaction, state, {&leaf, 1});
               }));
  count_holds(core);
  core.changed(domain::IdType::hold, hold.id);
  return view_of(std::move(hold), bound);
}

Result<HoldView> Store::lift_hold(const domain::Actor& actor, const Uuid& id,
                                  const std::string& reason) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.writable());
  RETURN_IF_ERROR(core.check_login(actor));
  RETURN_IF_ERROR(check_text("the reason", reason, limits::kReasonBytes));
  if (reason.empty()) {
    return make_error(Errc::usage, "lifting a hold needs a reason", "add --reason TEXT");
  }
  ASSIGN_OR_RETURN(std::optional<domain::Hold> hold, core.view().hold(id));
  if (!hold) return make_error(Errc::not_found, "there is no hold " + hold_text(id));
  if (hold->lifted) {
    return make_error(Errc::wrong_state,
                      hold_text(id) + " was lifted already, by " + hold->lifted->actor.login +
                          " at " + to_rfc3339(hold->lifted->time),
                      {}, hold_text(id));
  }
  const domain::Lift lift{actor, core.now(), reason};
  Requeued requeued;
  RETURN_IF_ERROR(
      transact(core, ReserveShare::half,
               [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                 RETURN_IF_ERROR(transaction.lift_hold(id, lift));
                 ASSIGN_OR_RETURN(requeued, requeue(transaction));
                 RETURN_IF_ERROR(transaction.add_event(
                     {lift.time, actor, "hold-lift", hold_text(id), "in force", "lifted", reason}));
                 ASSIGN_OR_RETURN(std::string record, lifted_record(id, lift));
                 const translog::LogRecord leaf{std::string(kLifted), lift.time, std::move(record),
                                                translog::Visibility::committed};
                 return core.append_log(transaction, state, {&leaf, 1});
               }));
  core.changed(domain::IdType::hold, id);
  for (const auto& [plan, assets] : requeued.plans) core.changed(domain::IdType::plan, plan);
  ASSIGN_OR_RETURN(HoldView view, show_hold(id));
  for (const auto& [plan, assets] : requeued.plans) view.requeued.push_back(plan);
  return view;
}

Result<HoldView> Store::show_hold(const Uuid& id) {
  Core& core = *impl_;
  ASSIGN_OR_RETURN(std::optional<domain::Hold> hold, core.view().hold(id));
  if (!hold) {
    return make_error(Errc::not_found, "there is no hold " + hold_text(id),
                      "`aierase list holds` shows what there is", hold_text(id));
  }
  ASSIGN_OR_RETURN(const std::uint64_t bound, core.view().bound_count(id));
  HoldView view = view_of(std::move(*hold), bound);
  ASSIGN_OR_RETURN(const std::vector<Uuid> assets,
                   core.view().bound_assets(id, std::nullopt, limits::kListPageRows));
  for (const Uuid& asset : assets) {
    ASSIGN_OR_RETURN(const catalog::AssetHead head, core.known_head(asset));
    view.assets.push_back({asset, head.name, head.state});
  }
  ASSIGN_OR_RETURN(view.events, core.view().events(hold_text(id), limits::kListPageRows));
  return view;
}

Result<catalog::Page<HoldView>> Store::list_holds(const std::string& cursor, std::size_t limit) {
  Core& core = *impl_;
  ASSIGN_OR_RETURN(catalog::Page<domain::Hold> found, core.view().holds(cursor, limit));
  catalog::Page<HoldView> page;
  page.next = found.next;
  for (domain::Hold& hold : found.rows) {
    ASSIGN_OR_RETURN(const std::uint64_t bound, core.view().bound_count(hold.id));
    page.rows.push_back(view_of(std::move(hold), bound));
  }
  return page;
}

}  // namespace aierase::lifecycle
