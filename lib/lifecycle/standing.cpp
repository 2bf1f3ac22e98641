// Standing approvals as records, and as they stand today.
#include "lifecycle/standing.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "lifecycle/approving.h"

namespace aierase::lifecycle {
namespace {

// Of a leaf that was altered nobody knows which approval it ended.
bool may_end(const domain::LogLeaf& end, const Uuid& approval) {
  const Result<Json> record = parse_json(end.record);
  if (!record.ok() || !record->is_object() || !translog::leaf_body(end).ok()) return true;
  return record->value("standing", Json()) == Json(approval.hex());
}

// Whether row and signature are what the log committed to, and no end of it is missing.
Result<Binding> compare_with_log(const catalog::ReadView& view,
                                 const domain::StandingApproval& approval,
                                 const std::vector<domain::LogLeaf>& ends) {
  const domain::StandingUse& terms = approval.terms;
  ASSIGN_OR_RETURN(const std::string record, standing_record(approval));
  ASSIGN_OR_RETURN(const std::optional<domain::LogLeaf> leaf, view.log_leaf(terms.log_index));
  bool same = leaf && leaf->type == "standing-approval" && leaf->time == terms.given &&
              leaf->record == record && translog::leaf_body(*leaf).ok();
  if (same && approval.signed_by) {
    ASSIGN_OR_RETURN(same, is_kept(view, *approval.signed_by));
  }
  if (same && !approval.end) {
    same = std::none_of(ends.begin(), ends.end(),
                        [&](const domain::LogLeaf& end) { return may_end(end, terms.id); });
  }
  return same ? Binding::unchanged : Binding::changed;
}

// Who the person is now: with groups, and still enrolled; nobody where he is gone.
Result<std::optional<domain::Actor>> today(Core& core, const domain::StandingApproval& approval) {
  std::optional<std::string> key;
  if (approval.signed_by) {
    ASSIGN_OR_RETURN(const std::optional<domain::SignedText> kept,
                     core.view().signed_text(approval.signed_by->signature));
    if (!kept) return std::optional<domain::Actor>();
    key = kept->key;
  }
  if (!core.settings.person_today) return std::optional<domain::Actor>();
  return core.settings.person_today(approval.actor, key);
}

// Of the class's rules whoever they name, too, as they are on this host; who is not there speaks
// for nothing.
Result<std::vector<domain::Custodian>> named_by(Core& core, const std::string& class_name) {
  std::vector<domain::Custodian> named;
  const policy::RetentionClass* rules = core.retention.set().find(class_name);
  if (rules == nullptr || rules->custodians.empty()) return named;
  return core.settings.find_custodians(rules->custodians);
}

}  // namespace

std::string_view to_text(StandingState state) noexcept {
  constexpr std::array<std::string_view, 5> kWords{"in-force", "waiting", "expired", "revoked",
                                                   "void"};
  const auto index = static_cast<std::size_t>(state);
  return index < kWords.size() ? kWords[index] : std::string_view("unknown");
}

Result<std::string> standing_record(const domain::StandingApproval& approval) {
  const domain::StandingUse& terms = approval.terms;
  Json record{{"standing", terms.id.hex()},       {"class", terms.retention_class},
              {"rules", to_hex(terms.rules)},     {"from", to_rfc3339(terms.from)},
              {"until", to_rfc3339(terms.until)}, {"by", actor_json(approval.actor)}};
  add_signed_by(record, approval.actor, approval.signed_by);
  return dump_canonical(record);
}

Result<std::string> standing_end_record(const Uuid& id, const domain::StandingEnd& end) {
  Json record{{"standing", id.hex()},
              {"cause", domain::to_text(end.cause)},
              {"reason", end.reason},
              {"by", actor_json(end.actor)}};
  add_signed_by(record, end.actor, end.signed_by);
  return dump_canonical(record);
}

Result<std::vector<StandingFacts>> standing_facts(
    Core& core, const catalog::ReadView& view,
    const std::vector<domain::StandingApproval>& approvals,
    const std::vector<domain::Custodian>& custodians) {
  std::vector<StandingFacts> all;
  if (approvals.empty()) return all;
  ASSIGN_OR_RETURN(const catalog::StoreState state, view.state());
  ASSIGN_OR_RETURN(const std::vector<domain::LogLeaf> ends, view.standing_end_leaves());
  for (const domain::StandingApproval& approval : approvals) {
    StandingFacts facts;
    facts.approval = approval;
    ASSIGN_OR_RETURN(facts.record, compare_with_log(view, approval, ends));
    const policy::RetentionClass* rules = core.retention.set().find(approval.terms.retention_class);
    if (rules != nullptr) facts.rules = policy::rules_of(*rules);
    ASSIGN_OR_RETURN(const std::optional<domain::Actor> person, today(core, approval));
    if (!person) facts.person = StandingFacts::Person::gone;
    if (person) {
      std::vector<domain::Custodian> whom = custodians;
      if (!is_loader(core.retention.loader(), *person, state.people_rule)) {
        ASSIGN_OR_RETURN(const std::vector<domain::Custodian> named,
                         named_by(core, approval.terms.retention_class));
        whom.insert(whom.end(), named.begin(), named.end());
      }
      facts.capacities = capacities_among(whom, *person, state.people_rule);
    }
    all.push_back(std::move(facts));
  }
  return all;
}

Result<std::vector<StandingFacts>> standing_facts(
    Core& core, const catalog::ReadView& view, const domain::Plan& plan,
    const std::vector<domain::Custodian>& custodians) {
  std::vector<domain::StandingApproval> approvals;
  for (const domain::Approval& approval : plan.approvals) {
    if (!approval.standing) continue;
    ASSIGN_OR_RETURN(std::optional<domain::StandingApproval> standing,
                     view.standing_approval(approval.standing->id));
    if (standing) approvals.push_back(std::move(*standing));
  }
  return standing_facts(core, view, approvals, custodians);
}

bool is_by_standing(const domain::Plan& plan) {
  return std::any_of(plan.approvals.begin(), plan.approvals.end(),
                     [](const domain::Approval& one) { return one.standing.has_value(); });
}

Result<InForce> approvals_today(Core& core, const domain::Plan& plan) {
  if (!is_by_standing(plan)) return InForce{plan.approvals, {}};
  ASSIGN_OR_RETURN(const std::vector<domain::Custodian> custodians,
                   custodians_of(core.view(), assets_of(plan)));
  ASSIGN_OR_RETURN(const std::vector<StandingFacts> facts,
                   standing_facts(core, core.view(), plan, custodians));
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  return approvals_in_force(plan.approvals, facts, plan.origin, clock);
}

namespace {

StandingState state_of(const StandingFacts& facts, const ClockFacts& clock) {
  if (!lapse_of(facts, clock)) return StandingState::in_force;
  const domain::StandingApproval& approval = facts.approval;
  if (approval.end && approval.end->cause == domain::StandingCause::revoked) {
    return StandingState::revoked;
  }
  if (approval.end || facts.rules != approval.terms.rules) return StandingState::voided;
  if (std::max(clock.wall, clock.trusted) >= approval.terms.until) return StandingState::expired;
  const bool begun = std::min(clock.wall, clock.trusted) >= approval.terms.from;
  return begun ? StandingState::voided : StandingState::waiting;
}

Result<std::vector<StandingView>> views_of(Core& core,
                                           const std::vector<domain::StandingApproval>& approvals) {
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  ASSIGN_OR_RETURN(std::vector<StandingFacts> all,
                   standing_facts(core, core.view(), approvals, {}));
  std::vector<StandingView> views;
  for (StandingFacts& facts : all) {
    StandingView view;
    view.state = state_of(facts, clock);
    if (const std::optional<domain::Reason> lapse = lapse_of(facts, clock)) view.why = lapse->text;
    view.approval = std::move(facts.approval);
    views.push_back(std::move(view));
  }
  return views;
}

}  // namespace

Result<StandingView> standing_view(Core& core, const Uuid& id) {
  ASSIGN_OR_RETURN(std::optional<domain::StandingApproval> approval,
                   core.view().standing_approval(id));
  if (!approval) return make_error(Errc::not_found, "there is no standing approval " + id.text());
  ASSIGN_OR_RETURN(std::vector<StandingView> views, views_of(core, {std::move(*approval)}));
  return std::move(views.front());
}

Result<catalog::Page<StandingView>> Store::list_standing(const std::string& cursor,
                                                         std::size_t limit) {
  Core& core = *impl_;
  ASSIGN_OR_RETURN(catalog::Page<domain::StandingApproval> found,
                   core.view().standing_approvals(cursor, limit));
  catalog::Page<StandingView> page;
  page.next = found.next;
  ASSIGN_OR_RETURN(page.rows, views_of(core, found.rows));
  return page;
}

}  // namespace aierase::lifecycle
