#include "lifecycle/enforce_plans.h"

#include <algorithm>

#include "base/limits.h"
#include "lifecycle/braking.h"
#include "lifecycle/erase_round.h"
#include "lifecycle/standing.h"

namespace aierase::lifecycle {

PlanMaker::Draft PlanMaker::new_draft(const std::string& retention_class) const {
  Draft draft;
  draft.retention_class = retention_class;
  domain::Plan& plan = draft.plan;
  plan.id = Uuid::random();
  plan.requester = request_.actor;
  plan.origin = domain::PlanOrigin::enforce;
  plan.reason = "class " + retention_class + " makes it due";
  const policy::RetentionClass* value = core_.retention.set().find(retention_class);
  if (value != nullptr && value->erase_after) {
    plan.reason = "class " + retention_class + " erases it " + to_words(*value->erase_after) +
                  " after " + std::string(policy::event_words(value->trigger));
  }
  return draft;
}

PlanCover PlanMaker::new_cover(const Uuid& plan) const {
  PlanCover cover = PlanCover::growing(plan);
  for (const Uuid& one : passed_over_) cover.pass_over(one);
  return cover;
}

void PlanMaker::pass_over(const Uuid& plan) {
  if (passed_over_.insert(plan).second && cover_) cover_->pass_over(plan);
}

Result<std::vector<domain::Reason>> PlanMaker::consider(const domain::Asset& asset,
                                                        const std::string& retention_class) {
  const bool fits = !drafts_.empty() && drafts_.back().retention_class == retention_class &&
                    drafts_.back().assets.size() < limits::kItemsPerPlan;
  if (!fits) {
    drafts_.push_back(new_draft(retention_class));
    cover_ = new_cover(drafts_.back().plan.id);
  }
  Draft& draft = drafts_.back();
  ASSIGN_OR_RETURN(domain::PlanItem item,
                   item_for(core_, draft.plan, asset, *cover_, {moment_, moment_, {}}));
  if (!item.reasons.empty()) return std::move(item.reasons);
  cover_->add(asset.id);
  draft.assets.push_back(asset.id);
  wanted_.items += 1;
  wanted_.bytes += asset.bytes;
  return std::vector<domain::Reason>();
}

Status PlanMaker::weigh() {
  ASSIGN_OR_RETURN(const BrakeLoad load, brake_load(core_.view(), moment_, wanted_));
  trips_ = brake_trips(core_.retention.set().brake(), load);
  return {};
}

Status PlanMaker::add_item(const Uuid& id, domain::Plan& plan, PlanCover& cover, MadePlan& made) {
  ASSIGN_OR_RETURN(const domain::Asset asset, core_.known_asset(id));
  ASSIGN_OR_RETURN(domain::PlanItem item,
                   item_for(core_, plan, asset, cover, {moment_, moment_, {}}));
  if (!item.reasons.empty()) return {};  // since it was considered, somebody acted
  ASSIGN_OR_RETURN(const policy::Decision ruling,
                   core_.retention.decide(core_.view(), asset, moment_, policy::Detail::verdicts));
  ASSIGN_OR_RETURN(const std::vector<domain::LineageEdge> edges, dependence_on(core_, id));
  plan.edges.insert(plan.edges.end(), edges.begin(), edges.end());
  cover.add(id);
  made.items.push_back({id, asset.name, ruling.due});
  made.due_if_approved_now =
      std::max(made.due_if_approved_now, end_of_grace(ruling, plan, moment_));
  plan.items.push_back(std::move(item));
  return {};
}

Result<MadePlan> PlanMaker::make(std::size_t number) {
  Draft& draft = drafts_[number];
  domain::Plan plan = std::move(draft.plan);
  const bool writes = request_.persist == Persist::yes;
  plan.created = writes ? core_.now() : moment_;
  plan.expires = plan.created + kPlanLifetime;
  plan.policy = core_.retention.set().version();
  MadePlan made;
  made.id = plan.id;
  made.retention_class = draft.retention_class;
  made.expires = plan.expires;
  PlanCover cover = new_cover(plan.id);
  for (const Uuid& asset : draft.assets) {
    const Status added = add_item(asset, plan, cover, made);
    if (added.ok()) continue;
    if (core_.stop || !concerns_one(added.error())) return added.error();
    made.failed.emplace_back(asset, added.error());
  }
  if (plan.items.empty()) return made;
  made.trips = trips_;
  ASSIGN_OR_RETURN(const bool none, leaves_none(core_, draft.retention_class, cover));
  if (none) made.trips.push_back(leaves_none_reason(draft.retention_class));
  plan.brake = brake_text(made.trips);
  if (writes) {
    RETURN_IF_ERROR(add_plan(core_, plan));
    return made;
  }
  ClockFacts clock{moment_, moment_, {}};
  if (!request_.at) {
    ASSIGN_OR_RETURN(clock, core_.clock_facts());
  }
  ASSIGN_OR_RETURN(const WordInAdvance word, word_in_advance(core_, plan, clock));
  made.due = word.due;
  return made;
}

}  // namespace aierase::lifecycle
