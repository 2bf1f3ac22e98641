// Who goes in a round: the keys at the leaves, the holds, the approvals, and the gate.

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "lifecycle/approving.h"
#include "lifecycle/braking.h"
#include "lifecycle/erase_round.h"
#include "lifecycle/noticing.h"
#include "lifecycle/standing.h"

namespace aierase::lifecycle {
namespace {

struct LeafKeys {
  std::map<std::uint32_t, Digest> kcv;  // recomputed from the key that is found there
  std::set<std::uint32_t> unreadable;   // a damaged node on the way
};

Status visit_key(Core& core, const std::map<std::uint32_t, Uuid>& owner, std::uint32_t leaf,
                 ByteView dek, LeafKeys& found) {
  if (dek.empty()) return {};
  ASSIGN_OR_RETURN(found.kcv[leaf], crypto::key_check_value(dek, core.store(), owner.at(leaf)));
  return {};
}

Result<LeafKeys> keys_at_leaves(Core& core, const catalog::ReadView& view,
                                const std::vector<Candidate>& candidates) {
  std::map<std::uint32_t, Uuid> owner;
  for (const Candidate& candidate : candidates) {
    if (candidate.asset.leaf) owner[*candidate.asset.leaf] = candidate.asset.id;
  }
  LeafKeys found;
  CatalogNodes nodes(view);
  const keytree::LeafVisitor visitor = [&](std::uint32_t leaf, ByteView dek) {
    return visit_key(core, owner, leaf, dek, found);
  };
  const std::vector<std::uint32_t> leaves = leaves_of(candidates);
  const Status all = keytree::visit_leaves(nodes, core.store(), core.root, leaves, visitor);
  if (all.ok()) return found;
  if (!concerns_one(all.error())) return all.error();
  // Something on the way is damaged: one by one, to see whose way it is.
  found.kcv.clear();
  for (const std::uint32_t leaf : leaves) {
    const Status one = keytree::visit_leaves(nodes, core.store(), core.root, {&leaf, 1}, visitor);
    if (one.ok()) continue;
    if (!concerns_one(one.error())) return one.error();
    found.unreadable.insert(leaf);
  }
  return found;
}

KeyCheck judge_key(const domain::Asset& asset, const LeafKeys& found) {
  if (!asset.leaf) return KeyCheck::absent;
  if (found.unreadable.count(*asset.leaf) != 0) return KeyCheck::unreadable;
  const auto kcv = found.kcv.find(*asset.leaf);
  if (kcv == found.kcv.end()) return KeyCheck::absent;
  return kcv->second == asset.kcv ? KeyCheck::matches : KeyCheck::differs;
}

// Whether the facts of a candidate are those that `view` would tell now.
enum class Facts { known, to_be_read };

// What is the same for all items of a round.
struct Circumstances {
  catalog::StoreState state;
  LeafKeys keys;
  std::optional<std::string> altered;
  ClockFacts clock;
  UtcTime moment{};  // by which the policy is asked
  BrakeFacts brake;
  std::vector<StandingFacts> standing;
  Readers readers = Readers::to_be_drained;
  Facts facts = Facts::to_be_read;
  const PlanCover* cover = nullptr;
};

// What the catalog says of it, read through `view`.
Status read_facts(Core& core, const catalog::ReadView& view, const Round& round,
                  const Circumstances& around, Candidate& candidate) {
  if (around.readers == Readers::drained) {  // before TX1 load() has only just read it
    ASSIGN_OR_RETURN(std::optional<domain::Asset> asset, view.asset(candidate.item.asset));
    if (!asset) return make_error(Errc::damaged, "it is not in the catalog");
    candidate.asset = std::move(*asset);
  }
  ASSIGN_OR_RETURN(candidate.facts, asset_facts(core, view, candidate.asset, *around.cover));
  const bool same = round.items == Binding::unchanged &&
                    candidate.asset.name == candidate.item.name &&
                    candidate.asset.kcv == candidate.item.kcv;
  candidate.facts.binding = same ? Binding::unchanged : Binding::changed;
  candidate.facts.key = judge_key(candidate.asset, around.keys);
  return {};
}

// What the policy says of it, once its facts are known.
Result<policy::Decision> ruling_of(Core& core, const catalog::ReadView& view, const Round& round,
                                   const Circumstances& around, Candidate& candidate) {
  if (around.facts == Facts::to_be_read) {
    RETURN_IF_ERROR(read_facts(core, view, round, around, candidate));
  }
  return core.retention.objections(view, candidate.asset, around.moment);
}

// What the gate is told alike of all items of a round.
GateInput input_of(const Round& round, const Circumstances& around) {
  GateInput input;
  input.purpose = Purpose::execution;
  input.people_rule = around.state.people_rule;
  input.attendance = attendance_of(round.plan);
  input.plan = {round.plan.state,       round.plan.requester,
                round.plan.approvals,   round.plan.due,
                agreed_due(round.plan), around.altered,
                round.plan.timing,      round.plan.below_floor,
                round.plan.origin,      terms_of(round.plan).braked_at,
                around.standing};
  input.brake = around.brake;
  input.clock = around.clock;
  return input;
}

GateDecision decide_one(Core& core, Readers readers, const Candidate& candidate,
                        const policy::Decision& ruling, GateInput& input) {
  input.asset = candidate.facts;
  input.asset.asset = &candidate.asset;
  if (readers == Readers::drained) {
    input.asset.open_leases = core.keys.open_leases(candidate.asset.id);
  }
  input.policy = policy_facts(core.retention, ruling);
  return Gate::decide(input);
}

// How long anything has to stay, nobody knows where the policy was tampered with.
Status check_policy(const Core& core) {
  if (!core.retention.altered()) return {};
  return make_error(Errc::damaged, *core.retention.altered(),
                    "nothing is erased until the catalog is restored, or a policy is loaded");
}

// Which assets a hold bound that was tampered with, nobody knows: nothing is erased meanwhile.
Status check_holds(const catalog::ReadView& view) {
  ASSIGN_OR_RETURN(const std::optional<std::string> altered, altered_hold(view));
  if (!altered) return {};
  return make_error(Errc::damaged,
                    "a legal hold (" + *altered + ") is not what the log committed to",
                    "nothing is erased until the catalog is restored; run `aierase check`");
}

// People approved a digest: an item that somebody wrote into the plan later is not covered by it,
// and then nobody knows which of them are.
Result<Binding> compare_with_digest(Core& core, const Uuid& id) {
  if (core.compared_plan == id) return Binding::unchanged;
  ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, core.view().plan(id));
  if (!plan || plan_digest(core.store(), *plan) != plan->digest) return Binding::changed;
  core.compared_plan = id;
  return Binding::unchanged;
}

// A standing approval whose day ended meanwhile: the plan waits for people, and nothing falls out.
bool waits_for_people(const GateDecision& decision) {
  return !decision.reasons.empty() && std::all_of(decision.reasons.begin(), decision.reasons.end(),
                                                  [](const domain::Reason& reason) {
                                                    return reason.code == Errc::approval_expired;
                                                  });
}

Result<std::vector<StandingFacts>> standing_of_round(Core& core, const catalog::ReadView& view,
                                                     const Round& round) {
  std::vector<Uuid> assets;
  for (const Candidate& candidate : round.going) assets.push_back(candidate.item.asset);
  ASSIGN_OR_RETURN(const std::vector<domain::Custodian> custodians, custodians_of(view, assets));
  return standing_facts(core, view, round.plan, custodians);
}

// A hold alone defers: the asset stays retired, and its item waits until the hold is lifted.
bool is_deferred(const GateDecision& decision) {
  return !decision.reasons.empty() &&
         std::all_of(decision.reasons.begin(), decision.reasons.end(),
                     [](const domain::Reason& reason) { return reason.code == Errc::legal_hold; });
}

}  // namespace

std::vector<std::uint32_t> leaves_of(const std::vector<Candidate>& candidates) {
  std::vector<std::uint32_t> leaves;
  for (const Candidate& candidate : candidates) {
    if (candidate.asset.leaf) leaves.push_back(*candidate.asset.leaf);
  }
  return leaves;
}

GateDecision refused_by(const Error& error) {
  GateDecision decision;
  decision.reasons = {{error.code, error.message}};
  return decision;
}

bool concerns_one(const Error& error) {
  return error.code == Errc::damaged || error.code == Errc::invalid_input ||
         error.code == Errc::not_found || error.code == Errc::resource_limit;
}

Result<Round> load_round(Core& core, const Uuid& plan_id) {
  Round round;
  round.loaded_at = core.view().rows_changed();
  ASSIGN_OR_RETURN(round.items, compare_with_digest(core, plan_id));
  ASSIGN_OR_RETURN(std::optional<domain::Plan> plan, core.view().plan_head(plan_id));
  if (!plan) return make_error(Errc::damaged, "a plan to execute is not in the catalog");
  round.plan = std::move(*plan);
  ASSIGN_OR_RETURN(std::vector<domain::PlanItem> items,
                   core.view().pending_items(plan_id, core.round_limit));
  for (domain::PlanItem& item : items) {
    Candidate candidate;
    ASSIGN_OR_RETURN(candidate.asset, core.known_asset(item.asset));
    candidate.item = std::move(item);
    round.going.push_back(std::move(candidate));
  }
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  round.from_epoch = state.epoch;
  return round;
}

Status decide(Core& core, const catalog::ReadView& view, Round& round, Readers readers) {
  const PlanCover cover(round.plan);
  Circumstances around;
  around.cover = &cover;
  around.readers = readers;
  if (round.known_at == view.rows_changed()) around.facts = Facts::known;
  round.known_at.reset();
  ASSIGN_OR_RETURN(around.clock, core.clock_facts());
  if (readers == Readers::drained) {  // a clock that is set back meanwhile decides nothing anew
    around.clock.wall = std::max(around.clock.wall, round.clock.wall);
    around.clock.trusted = std::max(around.clock.trusted, round.clock.trusted);
  } else if (!is_due(round.plan, around.clock)) {
    return make_error(Errc::clock, "the clock was set back: the plan is not due any more");
  }
  round.clock = around.clock;
  // Where nobody attends, neither clock is believed by itself, whatever the rule.
  around.moment = attendance_of(round.plan) == Attendance::attended
                      ? around.clock.wall
                      : std::min(around.clock.wall, around.clock.trusted);
  ASSIGN_OR_RETURN(around.state, view.state());
  ASSIGN_OR_RETURN(around.altered, altered_approval(view, round.plan));
  if (is_by_standing(round.plan)) {
    ASSIGN_OR_RETURN(around.standing, standing_of_round(core, view, round));
  }
  RETURN_IF_ERROR(check_holds(view));
  RETURN_IF_ERROR(check_policy(core));
  if (around.facts == Facts::to_be_read) {
    ASSIGN_OR_RETURN(around.keys, keys_at_leaves(core, view, round.going));
  }
  std::vector<Result<policy::Decision>> rulings;
  rulings.reserve(round.going.size());
  for (Candidate& candidate : round.going) {
    rulings.push_back(ruling_of(core, view, round, around, candidate));
    if (!rulings.back().ok() && !concerns_one(rulings.back().error()))
      return rulings.back().error();
  }
  // What counts is asked inside TX2; before, only while nothing of the plan has gone.
  if (readers == Readers::drained || round.plan.state == domain::PlanState::approved) {
    ASSIGN_OR_RETURN(around.brake.trips,
                     trips_of_round(core, view, round.plan, rulings, around.moment));
  }
  GateInput input = input_of(round, around);
  std::vector<Candidate> still_going;
  for (std::size_t i = 0; i < rulings.size(); ++i) {
    Candidate& candidate = round.going[i];
    candidate.decision = rulings[i].ok() ? decide_one(core, readers, candidate, *rulings[i], input)
                                         : refused_by(rulings[i].error());
    candidate.item.verdict = candidate.decision.verdict;
    (candidate.decision.permit ? still_going : round.dropped).push_back(std::move(candidate));
  }
  round.going = std::move(still_going);
  if (!around.brake.trips.empty()) {  // nobody goes, and nobody falls out: it waits for a person
    round.trips = std::move(around.brake.trips);
    round.going.clear();
    round.dropped.clear();
  }
  return {};
}

Status write_braked(Core& core, catalog::Transaction& transaction, catalog::StoreState& state,
                    const Round& round) {
  if (round.trips.empty()) return {};
  const Uuid& plan = round.plan.id;
  const std::string why = brake_text(round.trips);
  RETURN_IF_ERROR(transaction.put_brake(plan, why, state.log.size));
  RETURN_IF_ERROR(transaction.add_event({core.now(), own_actor(), "brake", plan_text(plan),
                                         std::string(domain::to_text(round.plan.state)),
                                         std::string(domain::to_text(round.plan.state)), why}));
  ASSIGN_OR_RETURN(std::string record, dump_canonical(Json{{"plan", plan.hex()}, {"why", why}}));
  const translog::LogRecord leaf{"brake-tripped", core.now(), std::move(record),
                                 translog::Visibility::committed};
  core.changed(domain::IdType::plan, plan);
  RETURN_IF_ERROR(tell(core, transaction, stopped(plan_text(plan), round.plan.created, why)));
  return core.append_log(transaction, state, {&leaf, 1});
}

Status write_dropped(Core& core, catalog::Transaction& transaction, const Round& round) {
  for (const Candidate& candidate : round.dropped) {
    if (waits_for_people(candidate.decision)) continue;
    domain::PlanItem item = candidate.item;
    const bool deferred = is_deferred(candidate.decision);
    item.state = deferred ? domain::ItemState::held : domain::ItemState::dropped;
    item.reasons = candidate.decision.reasons;
    RETURN_IF_ERROR(transaction.put_item(round.plan.id, item));
    if (!deferred && candidate.asset.state == domain::AssetState::retired) {
      const std::string why =
          "fell out of " + plan_text(round.plan.id) + ": " + item.reasons.front().text;
      RETURN_IF_ERROR(
          transaction.set_asset_state(candidate.asset.id, domain::AssetState::suspended, why));
      RETURN_IF_ERROR(
          transaction.add_event({core.now(), own_actor(), "drop", asset_text(candidate.asset.id),
                                 "retired", "suspended", why}));
    }
    core.changed(domain::IdType::asset, candidate.asset.id);
  }
  return {};
}

}  // namespace aierase::lifecycle
