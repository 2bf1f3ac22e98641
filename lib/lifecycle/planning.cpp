// Plans: what would go, what blocks it, and the digest that approvals name.

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "base/limits.h"
#include "lifecycle/core.h"
#include "lifecycle/noticing.h"
#include "lifecycle/reserve.h"
#include "lifecycle/standing.h"

namespace aierase::lifecycle {
namespace {

using domain::Relation;

// "supersedes" is history, not dependence: the newer version does not need the older one.
bool is_dependence(Relation relation) {
  return relation != Relation::supersedes;
}

// The set that a request names, with lineage: grows under --cascade.
class Selection {
 public:
  Selection(Core& core, const RetireRequest& request) : core_(core), request_(request) {}

  Status build(const std::vector<domain::KeptDependant>& kept) {
    for (const domain::KeptDependant& keep : kept) kept_.insert(keep.asset);
    for (const Uuid& asset : request_.assets) add(asset);
    while (!waiting_.empty()) {
      const Uuid asset = waiting_.front();
      waiting_.pop_front();
      RETURN_IF_ERROR(visit(asset));
      if (order_.size() > limits::kItemsPerPlan) {
        return make_error(
            Errc::resource_limit,
            "the plan would have more than " + std::to_string(limits::kItemsPerPlan) + " items",
            "retire them in several plans");
      }
    }
    return {};
  }

  const std::vector<Uuid>& assets() const { return order_; }
  const std::vector<domain::LineageEdge>& edges() const { return edges_; }

 private:
  void add(const Uuid& asset) {
    if (!seen_.insert(asset).second) return;
    order_.push_back(asset);
    waiting_.push_back(asset);
  }

  Status visit(const Uuid& asset) {
    ASSIGN_OR_RETURN(const std::vector<domain::LineageEdge> edges, dependence_on(core_, asset));
    for (const domain::LineageEdge& edge : edges) {
      edges_.push_back(edge);
      if (request_.cascade == Cascade::yes && kept_.count(edge.child) == 0) add(edge.child);
    }
    return {};
  }

  Core& core_;
  const RetireRequest& request_;
  std::set<Uuid> seen_, kept_;
  std::vector<Uuid> order_;
  std::deque<Uuid> waiting_;
  std::vector<domain::LineageEdge> edges_;
};

Result<std::vector<domain::KeptDependant>> resolve_kept(Store& store,
                                                        const RetireRequest& request) {
  std::vector<domain::KeptDependant> kept;
  for (const auto& [text, reason] : request.keep) {
    RETURN_IF_ERROR(check_text("the reason to keep a dependant", reason, limits::kReasonBytes));
    if (reason.empty()) {
      return make_error(Errc::usage, "a dependant is kept with a reason: " + text + "=REASON");
    }
    ASSIGN_OR_RETURN(const Uuid asset, store.resolve_asset(text, catalog::NameScope::living));
    kept.push_back({asset, reason});
  }
  return kept;
}

Status decide_items(Core& core, domain::Plan& plan, const std::vector<Uuid>& assets) {
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  for (const Uuid& id : assets) {  // first the names, so that dependants inside the plan are seen
    domain::PlanItem item;
    item.asset = id;
    plan.items.push_back(item);
  }
  const PlanCover cover(plan);
  const ClockFacts clock{core.now(), state.trusted, {}};
  for (domain::PlanItem& item : plan.items) {
    ASSIGN_OR_RETURN(const domain::Asset asset, core.known_asset(item.asset));
    ASSIGN_OR_RETURN(item, item_for(core, plan, asset, cover, clock));
  }
  return {};
}

std::string way_around(const domain::PlanItem& blocked, const RetireRequest& request,
                       std::size_t items) {
  const auto by = [&](Errc code) {
    return std::any_of(blocked.reasons.begin(), blocked.reasons.end(),
                       [code](const domain::Reason& reason) { return reason.code == code; });
  };
  if (blocked.verdict == domain::Verdict::conflict) {
    return "`aierase show " + blocked.name.text() +
           "` names the rules that contradict each other, or "
           "the class that is missing: `aierase set " +
           blocked.name.text() + " --retention CLASS` gives it another";
  }
  if (by(Errc::policy_conflict)) {
    return "retire it with --cascade, or keep it with --keep NAME=REASON";
  }
  if (by(Errc::retention_floor)) {
    return request.timing == domain::Timing::now
               ? "retire it without --now; below a floor it goes with --below-floor BASIS alone"
               : "a legal basis goes below a floor: --below-floor BASIS, with one more approval";
  }
  return items == 1 ? "--dry-run shows it with all its reasons"
                    : "--dry-run shows every item; --skip-blocked plans the others";
}

bool is_blocked(const domain::PlanItem& item) {
  return item.verdict == domain::Verdict::blocked || item.verdict == domain::Verdict::conflict;
}

void leave_out_blocked(PlanView& view) {
  std::vector<domain::PlanItem>& items = view.plan.items;
  std::copy_if(items.begin(), items.end(), std::back_inserter(view.left_out), is_blocked);
  std::erase_if(items, is_blocked);
}

// Blocked items either leave the plan (--skip-blocked) or refuse it as a whole.
Status settle_blocked(PlanView& view, const RetireRequest& request) {
  const std::vector<domain::PlanItem>& items = view.plan.items;
  const auto first = std::find_if(items.begin(), items.end(), is_blocked);
  if (first == items.end()) return {};
  Errc worst = first->reasons.front().code;
  std::size_t count = 0;
  for (const domain::PlanItem& item : items) {
    if (!is_blocked(item)) continue;
    ++count;
    for (const domain::Reason& reason : item.reasons) worst = worse_blocker(worst, reason.code);
  }
  const bool dry_run = request.persist == Persist::dry_run;
  if (request.skip_blocked == SkipBlocked::yes) {
    if (count < items.size() || dry_run) {
      leave_out_blocked(view);
      return {};
    }
    return make_error(worst, "every asset named is blocked, the first, " + first->name.text() +
                                 ", because " + first->reasons.front().text);
  }
  if (dry_run) return {};
  std::string text = first->name.text() + " is blocked: " + first->reasons.front().text;
  if (count > 1) text += " (and " + std::to_string(count - 1) + " more items)";
  return make_error(worst, std::move(text), way_around(*first, request, items.size()),
                    asset_text(first->asset));
}

Json edge_json(const domain::LineageEdge& edge) {
  return Json{{"child", edge.child.hex()},
              {"parent", edge.parent.hex()},
              {"relation", domain::to_text(edge.relation)}};
}

}  // namespace

Result<std::vector<domain::LineageEdge>> dependence_on(Core& core, const Uuid& asset) {
  ASSIGN_OR_RETURN(const std::vector<domain::LineageEdge> edges, core.view().lineage(asset));
  std::vector<domain::LineageEdge> found;
  for (const domain::LineageEdge& edge : edges) {
    if (edge.parent != asset || !is_dependence(edge.relation)) continue;
    ASSIGN_OR_RETURN(const catalog::AssetHead child, core.known_head(edge.child));
    if (child.state != domain::AssetState::erased) found.push_back(edge);
  }
  return found;
}

Result<domain::PlanItem> item_for(Core& core, const domain::Plan& plan, const domain::Asset& asset,
                                  const PlanCover& cover, const ClockFacts& clock) {
  GateInput input;
  input.purpose = Purpose::request;
  ASSIGN_OR_RETURN(input.asset, asset_facts(core, core.view(), asset, cover));
  ASSIGN_OR_RETURN(const policy::Decision ruling,
                   core.retention.decide(core.view(), asset, clock.wall));
  input.policy = policy_facts(core.retention, ruling);
  input.policy.no_haste = objection_to_now(ruling, plan);
  input.plan.requester = plan.requester;
  input.plan.below_floor = plan.below_floor;
  input.plan.origin = plan.origin;
  input.clock = clock;
  const GateDecision decision = Gate::decide(input);
  domain::PlanItem item;
  item.asset = asset.id;
  item.name = asset.name;
  item.kcv = asset.kcv;
  item.verdict = decision.verdict;
  item.reasons = decision.reasons;
  return item;
}

PlanCover PlanCover::growing(const Uuid& plan) {
  domain::Plan empty;
  empty.id = plan;
  PlanCover cover(empty);
  cover.items_ = Items::here;
  return cover;
}

void PlanCover::add(const Uuid& asset) {
  assets_.insert(std::lower_bound(assets_.begin(), assets_.end(), asset), asset);
}

PlanCover::PlanCover(const domain::Plan& plan)
    : plan_(plan.id), items_(plan.items.empty() ? Items::in_catalog : Items::here) {
  for (const domain::PlanItem& item : plan.items) assets_.push_back(item.asset);
  for (const domain::KeptDependant& keep : plan.kept) assets_.push_back(keep.asset);
  std::sort(assets_.begin(), assets_.end());
}

Result<bool> PlanCover::covers(const catalog::ReadView& view, const Uuid& asset) const {
  if (std::binary_search(assets_.begin(), assets_.end(), asset)) return true;
  if (items_ == Items::here) return false;
  return view.plan_names(plan_, asset);
}

bool PlanCover::leaves_free(const Uuid& plan) const {
  return plan == plan_ ||
         std::find(passed_over_.begin(), passed_over_.end(), plan) != passed_over_.end();
}

Result<AssetFacts> asset_facts(Core& core, const catalog::ReadView& view,
                               const domain::Asset& asset, const PlanCover& plan) {
  AssetFacts facts;
  facts.asset = &asset;
  ASSIGN_OR_RETURN(facts.holds, view.holds_on(asset.id));
  ASSIGN_OR_RETURN(const std::optional<Uuid> open, view.open_plan_of(asset.id));
  if (open && !plan.leaves_free(*open)) facts.other_plan = open;
  ASSIGN_OR_RETURN(const std::vector<domain::LineageEdge> edges, view.lineage(asset.id));
  for (const domain::LineageEdge& edge : edges) {
    if (edge.parent != asset.id || !is_dependence(edge.relation)) continue;
    ASSIGN_OR_RETURN(domain::LineageName child, core.lineage_name(edge.child, edge.relation));
    if (child.state == domain::AssetState::erased) continue;
    ASSIGN_OR_RETURN(const bool covered, plan.covers(view, child.asset));
    if (!covered) facts.open_dependants.push_back(std::move(child));
  }
  return facts;
}

Status add_plan(Core& core, domain::Plan& plan) {
  plan.digest = plan_digest(core.store(), plan);
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  ASSIGN_OR_RETURN(const WordInAdvance word, word_in_advance(core, plan, clock));
  RETURN_IF_ERROR(transact(
      core, ReserveShare::half,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        plan.brake_log_index = plan.brake.empty() ? 0 : state.log.size;
        RETURN_IF_ERROR(transaction.insert_plan(plan));
        const char* act = plan.origin == domain::PlanOrigin::person ? "retire" : "enforce";
        RETURN_IF_ERROR(transaction.add_event(
            {plan.created, plan.requester, act, plan_text(plan.id), "", "requested", plan.reason}));
        Json fields{{"plan", plan.id.hex()},
                    {"digest", to_hex(plan.digest)},
                    {"by", actor_json(plan.requester)},
                    {"reason", plan.reason},
                    {"ticket", plan.ticket}};
        if (!plan.brake.empty()) fields["brake"] = plan.brake;
        ASSIGN_OR_RETURN(std::string record, dump_canonical(fields));
        const translog::LogRecord leaf{"plan-requested", plan.created, std::move(record),
                                       translog::Visibility::committed};
        RETURN_IF_ERROR(core.append_log(transaction, state, {&leaf, 1}));
        RETURN_IF_ERROR(record_word(core, transaction, state, plan, word));
        if (word.due) return {};
        return tell(core, transaction, plan_waits(plan, plan.expires));
      }));
  core.changed(domain::IdType::plan, plan.id);
  if (!word.due) return {};
  for (const domain::PlanItem& item : plan.items) core.keys.revoke(item.asset);
  return {};
}

Digest plan_digest(const Uuid& store, const domain::Plan& plan) {
  std::vector<const domain::PlanItem*> items;
  for (const domain::PlanItem& item : plan.items) items.push_back(&item);
  std::sort(items.begin(), items.end(), [](const domain::PlanItem* a, const domain::PlanItem* b) {
    return a->asset < b->asset;
  });
  std::vector<domain::LineageEdge> edges = plan.edges;
  std::sort(edges.begin(), edges.end());
  Json json{{"schema", "aierase/plan/v1"},
            {"store", store.hex()},
            {"plan", plan.id.hex()},
            {"items", Json::array()},
            {"edges", Json::array()},
            {"rules", Json{{"policy", to_hex(plan.policy)},
                           {"origin", domain::to_text(plan.origin)},
                           {"timing", domain::to_text(plan.timing)},
                           {"below_floor", plan.below_floor}}}};
  for (const domain::PlanItem* item : items) {
    json["items"].push_back(Json{
        {"asset", item->asset.hex()}, {"name", item->name.text()}, {"kcv", to_hex(item->kcv)}});
  }
  for (const domain::LineageEdge& edge : edges) json["edges"].push_back(edge_json(edge));
  const Result<std::string> text = dump_canonical(json);  // names are checked UTF-8
  return text.ok() ? crypto::sha256(as_bytes(*text)) : Digest{};
}

namespace {

// Whether so many people more may still approve, of those that are left. Nobody can tell how many
// a group has.
bool may_suffice(const std::vector<std::string>& left, std::size_t wanted) {
  const bool group = std::any_of(left.begin(), left.end(),
                                 [](const std::string& text) { return text.starts_with('@'); });
  return group || left.size() >= wanted;
}

}  // namespace

// Whose word is missing, and when the plan would be executed if all of it came now.
Status add_needs(Core& core, domain::PeopleRule rule, PlanView& view) {
  const domain::Plan& plan = view.plan;
  const UtcTime now = core.now();
  ASSIGN_OR_RETURN(const InForce word, approvals_today(core, plan));
  std::set<std::string> missing, signing;
  for (const domain::PlanItem& item : plan.items) {
    ASSIGN_OR_RETURN(const domain::Asset asset, core.known_asset(item.asset));
    if (asset.state == domain::AssetState::erased) continue;
    ASSIGN_OR_RETURN(const policy::Decision ruling,
                     core.retention.decide(core.view(), asset, now, policy::Detail::verdicts));
    const bool in_grace = plan.state == domain::PlanState::requested;
    const UtcTime end = in_grace ? end_of_grace(ruling, plan, now) : now;
    view.due_if_approved_now = std::max(view.due_if_approved_now.value_or(end), end);
    const PolicyFacts facts = policy_facts(core.retention, ruling);
    const ApprovalCount count =
        count_approvals(asset.custodians, facts, terms_of(plan), word.approvals, rule);
    if (count.suffices()) continue;
    ++view.needed.items_waiting;
    view.needed.people = std::max(view.needed.people, count.needed - count.counted);
    const std::vector<std::string> left = approvers_left(asset.custodians, facts, plan, rule);
    const bool possible = may_suffice(left, count.needed - count.counted);
    if (!possible && rule == domain::PeopleRule::two_person) ++view.needed.items_of_nobody;
    missing.insert(left.begin(), left.end());
    for (const domain::Custodian& one : asset.custodians) {
      const bool absent = one.kind == domain::CustodianKind::person && one.id == domain::kNoUid;
      if (absent && missing.count(one.text()) != 0) signing.insert(one.text());
    }
  }
  view.needed.custodians.assign(missing.begin(), missing.end());
  view.needed.by_signature.assign(signing.begin(), signing.end());
  return {};
}

Status add_waiting(Core& core, PlanView& view) {
  const domain::Plan& plan = view.plan;
  const bool approved = plan.state == domain::PlanState::approved;
  if ((approved || plan.state == domain::PlanState::running) && is_braked(plan)) {
    view.waits_for = WaitsFor::brake;
    return {};
  }
  if (!approved || !plan.due) return {};
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  if (!is_due(plan, clock)) {
    view.waits_for = clock.wall < *plan.due ? WaitsFor::grace : WaitsFor::clock;
    return {};
  }
  view.waits_until = waits_for_company(core, plan, clock.wall);
  if (view.waits_until) view.waits_for = WaitsFor::company;
  return {};
}

void add_holders(Core& core, PlanView& view) {
  for (const domain::PlanItem& item : view.plan.items) {
    std::vector<Holder> holders = core.keys.holders(item.asset);
    if (!holders.empty()) view.holders.emplace(item.asset, std::move(holders));
  }
}

Status add_kept_names(Core& core, PlanView& view) {
  for (const domain::KeptDependant& kept : view.plan.kept) {
    ASSIGN_OR_RETURN(const catalog::AssetHead head, core.known_head(kept.asset));
    view.kept_names.emplace(kept.asset, head.name);
  }
  return {};
}

// Nothing is made of it: it has no id, and no digest that anybody could approve.
Result<PlanView> dry_run_view(Core& core, PlanView view) {
  view.persist = Persist::dry_run;
  add_holders(core, view);
  RETURN_IF_ERROR(add_kept_names(core, view));
  const std::vector<domain::PlanItem>& items = view.plan.items;
  if (std::any_of(items.begin(), items.end(), is_blocked)) return view;  // nobody would be asked
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  RETURN_IF_ERROR(add_needs(core, state.people_rule, view));
  return view;
}

Result<PlanView> plan_view(Core& core, const Uuid& id) {
  ASSIGN_OR_RETURN(std::optional<domain::Plan> plan, core.view().plan(id));
  if (!plan) {
    return make_error(Errc::not_found, "there is no plan " + plan_text(id),
                      "`aierase list plans` shows what there is", plan_text(id));
  }
  PlanView view;
  view.plan = std::move(*plan);
  RETURN_IF_ERROR(add_waiting(core, view));
  ASSIGN_OR_RETURN(view.attempted_uses, core.view().attempted_uses(id));
  ASSIGN_OR_RETURN(view.refusal, core.view().refusal_head(id));
  add_holders(core, view);
  RETURN_IF_ERROR(add_kept_names(core, view));
  const bool waits_for_people =
      view.plan.state == domain::PlanState::requested || view.waits_for == WaitsFor::brake;
  if (!waits_for_people) return view;
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  RETURN_IF_ERROR(add_needs(core, state.people_rule, view));
  return view;
}

Result<PlanView> Store::show_plan(const Uuid& plan) {
  return plan_view(*impl_, plan);
}

Result<catalog::Page<domain::Plan>> Store::list_plans(const std::string& cursor,
                                                      std::size_t limit) {
  return impl_->view().plans(std::nullopt, cursor, limit);
}

Result<PlanView> Store::retire(const RetireRequest& request) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.writable());
  if (request.persist == Persist::yes) RETURN_IF_ERROR(core.check_login(request.actor));
  RETURN_IF_ERROR(check_text("the reason", request.reason, limits::kReasonBytes));
  RETURN_IF_ERROR(check_text("the ticket", request.ticket, limits::kReasonBytes));
  RETURN_IF_ERROR(check_text("the legal basis", request.below_floor, limits::kReasonBytes));
  if (request.reason.empty()) {
    return make_error(Errc::usage, "a retirement needs a reason", "add --reason TEXT");
  }
  if (request.assets.empty()) {
    return make_error(Errc::usage, "no asset was named and none matches; nothing means nothing",
                      "name assets, or use --match K=V");
  }
  for (const Uuid& id : request.assets) {
    if (request.skip_blocked == SkipBlocked::yes) break;
    ASSIGN_OR_RETURN(const catalog::AssetHead head, core.known_head(id));
    if (head.state != domain::AssetState::erased) continue;
    const Result<domain::Asset> erased = core.living_asset(id);
    if (!erased.ok()) return erased.error();
  }
  PlanView view;
  domain::Plan& plan = view.plan;
  plan.id = Uuid::random();
  plan.origin = request.origin;
  plan.requester = request.actor;
  plan.reason = request.reason;
  plan.ticket = request.ticket;
  plan.created = core.now();
  plan.expires = plan.created + kPlanLifetime;
  plan.policy = core.retention.set().version();
  plan.timing = request.timing;
  plan.below_floor = request.below_floor;
  ASSIGN_OR_RETURN(plan.kept, resolve_kept(*this, request));
  Selection selection(core, request);
  RETURN_IF_ERROR(selection.build(plan.kept));
  plan.edges = selection.edges();
  RETURN_IF_ERROR(check_kept(request, plan.kept, plan.edges));
  RETURN_IF_ERROR(decide_items(core, plan, selection.assets()));
  RETURN_IF_ERROR(settle_blocked(view, request));
  RETURN_IF_ERROR(check_below_floor(core, plan));
  if (request.persist == Persist::dry_run) return dry_run_view(core, std::move(view));
  RETURN_IF_ERROR(add_plan(core, plan));
  ASSIGN_OR_RETURN(PlanView made, plan_view(core, plan.id));
  made.left_out = std::move(view.left_out);
  return made;
}

}  // namespace aierase::lifecycle
