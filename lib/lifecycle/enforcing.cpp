#include "lifecycle/enforcing.h"

#include <algorithm>

#include "base/limits.h"
#include "lifecycle/braking.h"
#include "lifecycle/enforce_notices.h"
#include "lifecycle/enforce_plans.h"
#include "lifecycle/publishing.h"
#include "lifecycle/reserve.h"
#include "lifecycle/sweeping.h"

namespace aierase::lifecycle {
namespace {

constexpr auto kPeopleHave = std::chrono::hours(24);  // before it is overdue
constexpr auto kAskAgainAfter = kPlanLifetime;        // of a plan that was rejected or cancelled

bool is_open(const domain::Plan& plan) {
  return plan.state == domain::PlanState::approved || plan.state == domain::PlanState::running;
}

EnforceOutcome outcome_of(const domain::Plan& plan) {
  if (!is_open(plan)) {
    return plan.brake.empty() ? EnforceOutcome::waiting : EnforceOutcome::braked;
  }
  if (is_braked(plan)) return EnforceOutcome::braked;
  return plan.due ? EnforceOutcome::in_grace : EnforceOutcome::held;
}

}  // namespace

struct EnforceRun::Impl {
  Impl(Store& s, EnforceRequest r)
      : store(s), core(*s.impl_), request(std::move(r)), notices(core) {}
  ~Impl() {
    if (began_writing) core.enforcing = false;
  }

  bool writes() const { return request.persist == Persist::yes; }
  Result<bool> step();
  Status begin();
  Result<bool> execute();  // true: nothing is left
  Status judge_page();
  Status judge(const Sweep::Found& found);
  Status judge_due(const domain::Asset& asset, const policy::Decision& ruling, EnforceItem item);
  Result<const domain::Plan*> head_of(const Uuid& plan);
  bool will_have_expired(const domain::Plan& plan) const;
  Status judge_planned(const domain::Plan& plan, EnforceItem item);
  Status judge_refused(const Uuid& plan, EnforceItem item);
  void tell(EnforceItem item);
  void fail(const Uuid& asset, const domain::AssetName& name, std::string why);
  Status suspend(const domain::Asset& asset, const std::string& why);
  Status make_plan();
  Result<domain::Plan> head_of_made(const MadePlan& made, const std::string& brake);
  Status tell_planned(const MadePlan& made);
  Status tell_failures();
  Status end();
  // Where it has waited for people too long; `plan`: the one it waits in.
  Status count_overdue(const EnforceItem& item, UtcTime since, const domain::Plan* plan = nullptr) {
    if (since + kPeopleHave > now) return {};
    ++report.overdue;
    return notices.add_overdue(item, plan);
  }

  enum class Phase {
    begin,
    execute_first,
    sweep,
    judge,
    make,
    execute_then,
    look_ahead,
    publish,
    end,
    over
  };

  Store& store;
  Core& core;
  const EnforceRequest request;
  EnforceReport report;
  Phase phase = Phase::begin;
  bool began_writing = false;
  catalog::Enforcement last;
  UtcTime now{};  // for how long somebody has waited
  std::optional<Sweep> sweep;
  std::vector<Sweep::Found> found;
  std::size_t judged = 0, made = 0;
  std::optional<PlanMaker> maker;
  std::map<Uuid, domain::Plan> plans;  // heads
  RunNotices notices;
};

Status EnforceRun::Impl::begin() {
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  now = request.at.value_or(clock.wall);
  report.moment = request.at.value_or(std::min(clock.wall, clock.trusted));
  if (!request.at) {
    for (const domain::Reason& reason : clock.anomalies) report.clock.push_back(reason.text);
  }
  if (core.retention.altered()) {
    return make_error(Errc::damaged, *core.retention.altered(),
                      "nothing is made due until a policy is loaded: aierase policy load");
  }
  ASSIGN_OR_RETURN(last, core.view().enforcement());
  sweep.emplace(core, request.persist, report.moment);
  maker.emplace(core, request, report.moment);
  if (!writes()) return sweep->begin(last);
  RETURN_IF_ERROR(core.writable());
  RETURN_IF_ERROR(core.check_login(request.actor));
  if (core.enforcing) {
    return make_error(Errc::busy, "a run of enforce is going on",
                      "wait for its end; `aierase status` tells how the last one ended");
  }
  core.enforcing = began_writing = true;
  last.started = core.now();
  RETURN_IF_ERROR(transact(core, ReserveShare::none,
                           [&](catalog::Transaction& transaction, catalog::StoreState&) {
                             return transaction.put_enforcement(last);
                           }));
  core.next_expiry_check = {};
  core.next_mount_note = {};
  RETURN_IF_ERROR(sweep->begin(last));
  if (sweep->looks_at_all()) {  // and forgets what was known, whether it comes to its end or not
    last.swept.reset();
    last.swept_policy.reset();
  }
  return {};
}

// What is due goes as it would without a run. A plan that cannot go on waits; the others do not.
// What stops all of them (a full disk behind a destruction) stops the run.
Result<bool> EnforceRun::Impl::execute() {
  if (!writes()) return true;
  const std::size_t before = core.waiting_plans();
  const Result<bool> more = store.execute_due();
  if (more.ok()) return !*more;
  if (core.stop || core.waiting_plans() == before) return more.error();
  return false;
}

void EnforceRun::Impl::tell(EnforceItem item) {
  ++report.counts[static_cast<std::size_t>(item.outcome)];
  if (report.items.size() < limits::kEnforceItemsShown) report.items.push_back(std::move(item));
}

void EnforceRun::Impl::fail(const Uuid& asset, const domain::AssetName& name, std::string why) {
  EnforceItem item;
  item.asset = asset;
  item.name = name;
  item.outcome = EnforceOutcome::failed;
  item.reason = std::move(why);
  tell(std::move(item));
}

// In force as long as it is the same contradiction: who resumes it has seen it.
Status EnforceRun::Impl::suspend(const domain::Asset& asset, const std::string& why) {
  const std::string act = "suspend-on-conflict";
  ASSIGN_OR_RETURN(const bool known, core.view().has_event(asset.id, act, why));
  if (known) return {};
  RETURN_IF_ERROR(transact(
      core, ReserveShare::none,
      [&](catalog::Transaction& transaction, catalog::StoreState&) -> Status {
        RETURN_IF_ERROR(transaction.set_asset_state(asset.id, domain::AssetState::suspended, why));
        return transaction.add_event(
            {core.now(), request.actor, act, asset_text(asset.id), "active", "suspended", why});
      }));
  core.keys.revoke(asset.id);
  core.changed(domain::IdType::asset, asset.id);
  return {};
}

Result<const domain::Plan*> EnforceRun::Impl::head_of(const Uuid& id) {
  auto known = plans.find(id);
  if (known == plans.end()) {
    ASSIGN_OR_RETURN(std::optional<domain::Plan> head, core.view().plan_head(id));
    if (!head) return make_error(Errc::damaged, "an index names a plan that is not there");
    known = plans.emplace(id, std::move(*head)).first;
  }
  return &known->second;
}

// A run that writes has ended such a plan before it looks.
bool EnforceRun::Impl::will_have_expired(const domain::Plan& plan) const {
  return !writes() && plan.state == domain::PlanState::requested && plan.expires <= now;
}

Status EnforceRun::Impl::judge_planned(const domain::Plan& plan, EnforceItem item) {
  item.plan = plan.id;
  item.erasure = plan.due;
  item.outcome = outcome_of(plan);
  item.reason = item.outcome == EnforceOutcome::braked ? plan.brake : std::string();
  const bool waits =
      item.outcome == EnforceOutcome::waiting || item.outcome == EnforceOutcome::braked;
  if (waits) RETURN_IF_ERROR(count_overdue(item, plan.created, &plan));
  if (item.outcome == EnforceOutcome::braked) {
    RETURN_IF_ERROR(notices.add_braked(plan.id, plan.created, plan.brake));
  }
  if (plan.state == domain::PlanState::requested) {
    report.approval_expires =
        std::min(report.approval_expires.value_or(plan.expires), plan.expires);
  }
  tell(std::move(item));
  return {};
}

Status EnforceRun::Impl::judge_refused(const Uuid& id, EnforceItem item) {
  ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, core.view().plan_head(id));
  if (!plan) return make_error(Errc::damaged, "an index names a plan that is not there");
  item.plan = id;
  item.outcome = EnforceOutcome::refused;
  for (const domain::Approval& act : plan->approvals) {
    if (act.decision != domain::Decision::reject) continue;
    item.reason = act.actor.login + " rejected " + plan_text(id) + ": " + act.reason;
  }
  if (item.reason.empty()) item.reason = plan_text(id) + " was cancelled";
  if (plan->finished) {
    item.reason += "; asked again from " + to_rfc3339(*plan->finished + kAskAgainAfter);
  }
  if (item.due) RETURN_IF_ERROR(count_overdue(item, *item.due));
  tell(std::move(item));
  return {};
}

Status EnforceRun::Impl::judge_due(const domain::Asset& asset, const policy::Decision& ruling,
                                   EnforceItem item) {
  ASSIGN_OR_RETURN(const std::vector<domain::Hold> holds, core.view().holds_on(asset.id));
  if (!holds.empty()) {
    item.outcome = EnforceOutcome::held;
    item.reason = "legal hold of matter \"" + holds.front().matter + "\"";
    tell(std::move(item));
    return {};
  }
  ASSIGN_OR_RETURN(const std::optional<Uuid> plan, core.view().open_plan_of(asset.id));
  if (plan) {
    ASSIGN_OR_RETURN(const domain::Plan* head, head_of(*plan));
    if (!will_have_expired(*head)) return judge_planned(*head, std::move(item));
    maker->pass_over(*plan);
  }
  ASSIGN_OR_RETURN(const std::optional<Uuid> refused,
                   core.view().refused_plan_of(asset.id, now - kAskAgainAfter));
  if (refused) return judge_refused(*refused, std::move(item));
  if (!report.clock.empty()) {
    item.reason = "no plan is made before the clock is confirmed";
    if (item.due) RETURN_IF_ERROR(count_overdue(item, *item.due));
    tell(std::move(item));
    return {};
  }
  ASSIGN_OR_RETURN(const std::vector<domain::Reason> reasons,
                   maker->consider(asset, ruling.ceilings.front().retention_class));
  if (reasons.empty()) return {};  // told with its plan
  item.outcome = EnforceOutcome::blocked;
  item.reason = reasons.front().text;
  if (item.due) RETURN_IF_ERROR(count_overdue(item, *item.due));
  tell(std::move(item));
  return {};
}

// Decided anew: since the sweep was there, people may have acted.
Status EnforceRun::Impl::judge(const Sweep::Found& one) {
  ASSIGN_OR_RETURN(const std::optional<domain::Asset> asset, core.view().asset(one.asset));
  if (!asset || asset->state == domain::AssetState::erased) return {};
  ASSIGN_OR_RETURN(const policy::Decision ruling,
                   core.retention.decide(core.view(), *asset, report.moment));
  EnforceItem item;
  item.asset = asset->id;
  item.name = asset->name;
  item.due = ruling.due;
  item.retention_class =
      ruling.ceilings.empty() ? asset->retention : ruling.ceilings.front().retention_class;
  if (item.retention_class != sweep->classes()[one.retention_class]) return {};
  if (ruling.verdict == domain::Verdict::due) return judge_due(*asset, ruling, std::move(item));
  const bool passed = ruling.due && *ruling.due <= report.moment;
  if (ruling.verdict == domain::Verdict::conflict) {
    item.outcome = passed && !ruling.floors_in_force.empty() ? EnforceOutcome::floored
                                                             : EnforceOutcome::conflict;
    item.reason = ruling.explanation.empty() ? std::string() : ruling.explanation.front();
    const bool suspends = writes() && report.clock.empty() &&
                          ruling.terms.on_conflict == policy::OnConflict::suspend &&
                          asset->state == domain::AssetState::active;
    if (suspends) RETURN_IF_ERROR(suspend(*asset, item.reason));
    tell(std::move(item));
  } else if (ruling.verdict == domain::Verdict::blocked && passed) {
    item.outcome = EnforceOutcome::floored;
    if (!ruling.floors_in_force.empty()) item.reason = ruling.floors_in_force.front().text;
    tell(std::move(item));
  }
  return {};
}

Status EnforceRun::Impl::judge_page() {
  const std::size_t end = std::min(judged + limits::kPageRows, found.size());
  for (; judged < end; ++judged) {
    const Status done = judge(found[judged]);
    if (done.ok()) continue;
    if (core.stop || !concerns_one(done.error())) return done;
    const Result<catalog::AssetHead> head = core.known_head(found[judged].asset);
    fail(found[judged].asset, head.ok() ? head->name : domain::AssetName(), done.error().message);
  }
  return {};
}

// As the catalog has it; in a dry run as it would.
Result<domain::Plan> EnforceRun::Impl::head_of_made(const MadePlan& plan,
                                                    const std::string& brake) {
  if (!writes()) {
    domain::Plan wanted;
    wanted.state = plan.due ? domain::PlanState::approved : domain::PlanState::requested;
    wanted.due = plan.due;
    wanted.brake = brake;
    return wanted;
  }
  ASSIGN_OR_RETURN(std::optional<domain::Plan> head, core.view().plan_head(plan.id));
  if (!head) return make_error(Errc::damaged, "a plan that was made is not there");
  report.plans.push_back(plan.id);
  return std::move(*head);
}

Status EnforceRun::Impl::tell_planned(const MadePlan& plan) {
  for (const auto& [asset, why] : plan.failed) fail(asset, {}, why.message);
  if (plan.items.empty()) return {};
  const std::string why = brake_text(plan.trips);
  ASSIGN_OR_RETURN(const domain::Plan head, head_of_made(plan, why));
  const EnforceOutcome outcome = outcome_of(head);
  std::optional<UtcTime> erasure = head.due;
  if (!writes() && !erasure) erasure = plan.due_if_approved_now;
  if (head.state == domain::PlanState::requested) {
    report.approval_expires =
        std::min(report.approval_expires.value_or(plan.expires), plan.expires);
  }
  if (outcome == EnforceOutcome::braked) {
    RETURN_IF_ERROR(notices.add_braked(plan.id, plan.expires - kPlanLifetime, why));
  }
  const bool told = std::find(report.brake.begin(), report.brake.end(), why) != report.brake.end();
  if (!why.empty() && !told) report.brake.push_back(why);
  for (const MadePlan::Item& one : plan.items) {
    EnforceItem item;
    item.asset = one.asset;
    item.name = one.name;
    item.outcome = outcome;
    item.retention_class = plan.retention_class;
    item.due = one.due;
    if (writes()) item.plan = plan.id;
    item.erasure = erasure;
    item.reason = why;
    tell(std::move(item));
  }
  return {};
}

Status EnforceRun::Impl::make_plan() {
  ASSIGN_OR_RETURN(const MadePlan plan, maker->make(made++));
  return tell_planned(plan);
}

Status EnforceRun::Impl::tell_failures() {
  for (const Sweep::Failure& failure : sweep->failures()) {
    fail(failure.asset, failure.name, failure.why.message);
  }
  if (!writes()) return {};
  ASSIGN_OR_RETURN(const std::vector<domain::PlanItem> fallen,
                   core.view().fallen_items(last.ended.value_or(UtcTime{}), core.now(),
                                            limits::kEnforceItemsShown));
  for (const domain::PlanItem& item : fallen) {
    if (!item.reasons.empty() && item.reasons.front().code == Errc::cancelled) continue;
    fail(item.asset, item.name,
         item.reasons.empty() ? std::string("it fell out of its plan") : item.reasons.front().text);
  }
  for (const auto& [plan, stuck] : core.stuck) {
    ASSIGN_OR_RETURN(const std::vector<domain::PlanItem> first, core.view().pending_items(plan, 1));
    if (first.empty()) continue;
    fail(first.front().asset, first.front().name,
         "the last attempt to execute " + plan_text(plan) + " failed: " + stuck.why.message);
  }
  return {};
}

Status EnforceRun::Impl::end() {
  report.looked_at = sweep->looked_at();
  RETURN_IF_ERROR(tell_failures());
  if (!writes()) return {};
  RETURN_IF_ERROR(notices.add_clock(now, report.clock));
  RETURN_IF_ERROR(notices.tell());
  ASSIGN_OR_RETURN(report.erased, core.view().certificates_after(last.certificates));
  ASSIGN_OR_RETURN(last.certificates, core.view().last_certificate_number());
  last.ended = core.now();
  last.outcome = std::string(to_text(report.end()));
  last.overdue = report.overdue;
  const bool came_through =
      report.end() != EnforceEnd::clock && report.end() != EnforceEnd::partial;
  if (came_through) last.succeeded = last.ended;
  if (sweep->swept_policy()) {
    last.swept = report.moment;
    last.swept_policy = sweep->swept_policy();
  }
  return transact(core, ReserveShare::none,
                  [&](catalog::Transaction& transaction, catalog::StoreState&) {
                    return transaction.put_enforcement(last);
                  });
}

Result<bool> EnforceRun::Impl::step() {
  RETURN_IF_ERROR(core.alive());
  switch (phase) {
    case Phase::begin:
      RETURN_IF_ERROR(begin());
      phase = Phase::execute_first;
      return true;
    case Phase::execute_first: {
      ASSIGN_OR_RETURN(const bool done, execute());
      if (done) phase = Phase::sweep;
      return true;
    }
    case Phase::sweep: {
      ASSIGN_OR_RETURN(const bool more, sweep->step());
      if (more) return true;
      found = sweep->take_found();
      phase = Phase::judge;
      return true;
    }
    case Phase::judge:
      RETURN_IF_ERROR(judge_page());
      if (judged == found.size()) {
        RETURN_IF_ERROR(maker->weigh());
        phase = Phase::make;
      }
      return true;
    case Phase::make:
      if (made < maker->drafts()) {
        RETURN_IF_ERROR(make_plan());
      } else {
        phase = Phase::execute_then;
      }
      return true;
    case Phase::execute_then: {
      ASSIGN_OR_RETURN(const bool done, execute());
      if (done) phase = writes() ? Phase::look_ahead : Phase::end;
      return true;
    }
    case Phase::look_ahead: {
      ASSIGN_OR_RETURN(const bool more, notices.look_ahead(report.moment));
      if (more) return true;
      core.publisher->insist();
      phase = Phase::publish;
      return true;
    }
    // A failure is kept for doctor: what was enforced counts without it.
    case Phase::publish:
      if (core.publisher->keep_up() == Progress::done) phase = Phase::end;
      return true;
    case Phase::end:
      RETURN_IF_ERROR(end());
      phase = Phase::over;
      return false;
    case Phase::over:
      return false;
  }
  return false;
}

EnforceRun::EnforceRun(Store& store, EnforceRequest request)
    : impl_(std::make_unique<Impl>(store, std::move(request))) {}
EnforceRun::~EnforceRun() = default;

Result<bool> EnforceRun::step() {
  return impl_->step();
}

const EnforceReport& EnforceRun::report() const {
  return impl_->report;
}

}  // namespace aierase::lifecycle
