#include <algorithm>
#include <memory>

#include "fault/support/history.h"

namespace aierase::test {

using domain::AssetState;
using domain::PlanState;
using lifecycle::EraseStep;

namespace {

template <typename Outcome>
Status outcome_of(const Outcome& outcome) {
  return outcome.ok() ? Status() : Status(outcome.error());
}

}  // namespace

std::vector<std::string> History::names_that(const std::function<bool(const Known&)>& fits) const {
  std::vector<std::string> names;
  for (const auto& entry : known_) {
    if (fits(entry.second)) names.push_back(entry.first);
  }
  return names;
}

std::vector<std::string> History::names_in_state(AssetState state) const {
  return names_that([&](const Known& known) { return known.is(state); });
}

std::string History::any() {
  auto at = known_.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(roll(known_.size())));
  return at->first;
}

Act History::choose() {
  const std::uint64_t dice = roll(100);
  if (known_.size() < 3 || dice < 14) return import_model();
  if (dice < 18) return leave_an_import();
  if (dice < 23) return import_key();
  if (dice < 30) return suspend(any());
  if (dice < 39) return resume(any());
  if (dice < 53) return request();
  if (dice < 65) return decide();
  if (dice < 79) return execute();
  if (dice < 82) return hold(any());
  if (dice < 94) return read(any());
  return pass_time();
}

Act History::import_model() {
  const ImportWish wish = small_asset(new_name("model-"), random_());
  return {"import " + wish.name,
          [this, wish] { return world_.import(wish); },
          {},
          [this, wish] { known_.emplace(wish.name, Known()); },
          [this, wish] {
            unborn_.emplace(wish.name, Unborn{wish, {}});
          }};
}

Act History::leave_an_import() {
  const ImportWish wish = small_asset(new_name("left-"), random_());
  const auto gone = [this, wish] { absent_.insert(wish.name); };
  return {"leave the import of " + wish.name,
          [this, wish] { return world_.import(wish, World::Ending::abort); },
          {},
          gone,
          gone};
}

Act History::import_key() {
  ImportWish wish;
  wish.name = new_name("key-");
  const Bytes key = content_of(random_(), 32);
  return {"import " + wish.name,
          [this, wish, key] { return world_.import_key(wish.name, key); },
          {},
          [this, wish] { known_.emplace(wish.name, Known()); },
          [this, wish, key] {
            unborn_.emplace(wish.name, Unborn{wish, key});
          }};
}

std::set<Errc> History::refusals(const std::string& name, AssetState needed) const {
  const Known& known = known_.at(name);
  if (known.is(needed)) return {};
  return {known.is(AssetState::erased) ? Errc::erased : Errc::wrong_state};
}

Act History::change(const std::string& name, AssetState from, AssetState to) {
  Act act;
  act.refusals = refusals(name, from);
  act.answered = [this, name, to] { known_.at(name).may = {to}; };
  act.unanswered = [this, name, to] { known_.at(name).may.insert(to); };
  return act;
}

Act History::suspend(const std::string& name) {
  Act act = change(name, AssetState::active, AssetState::suspended);
  act.text = "suspend " + name;
  act.run = [this, name] {
    return outcome_of(world_.store->suspend_asset(alice(), world_.asset(name).id, "a finding"));
  };
  return act;
}

Act History::resume(const std::string& name) {
  Act act = change(name, AssetState::suspended, AssetState::active);
  act.text = "resume " + name;
  act.run = [this, name] {
    return outcome_of(world_.store->resume_asset(alice(), world_.asset(name).id, "cleared"));
  };
  return act;
}

Act History::read(const std::string& name) {
  return {"read " + name, [this, name] { return world_.read_back(world_.asset(name)); },
          refusals(name, AssetState::active)};
}

Act History::hold(const std::string& name) {
  Act act;
  act.text = "hold " + name;
  act.run = [this, name] {
    return world_.hold({"asset=" + domain::id_text(domain::IdType::asset, world_.asset(name).id)});
  };
  if (known_.at(name).is(AssetState::erased)) act.refusals = {Errc::erased};
  act.answered = [this, name] {
    known_.at(name).held = true;
    seen_.held.insert(world_.asset(name).id);
  };
  act.unanswered = [this, name] { known_.at(name).certainty = Known::Certainty::unanswered; };
  return act;
}

Act History::request() {
  std::vector<std::string> chosen;
  std::set<Errc> refused;
  for (std::uint64_t i = 1 + roll(3); i > 0; --i) {
    const std::string name = any();
    const Known& known = known_.at(name);
    const bool usable = known.is(AssetState::active) || known.is(AssetState::suspended);
    const bool fits = usable && !known.held && !known.plan;
    // Mostly what can be retired; now and then what cannot.
    if (std::count(chosen.begin(), chosen.end(), name) != 0 || (!fits && roll(4) != 0)) continue;
    if (!fits) refused = {Errc::erased, Errc::legal_hold, Errc::wrong_state};
    chosen.push_back(name);
  }
  if (chosen.empty()) return read(any());
  Act act;
  act.text = "request";
  for (const std::string& name : chosen) act.text += " " + name;
  const auto plan = std::make_shared<std::optional<Uuid>>();
  act.run = [this, chosen, plan]() -> Status {
    ASSIGN_OR_RETURN(const lifecycle::PlanView view, world_.request(chosen));
    *plan = view.plan.id;
    return {};
  };
  act.refusals = refused;
  act.answered = [this, chosen, plan] {
    for (const std::string& name : chosen) known_.at(name).plan = *plan;
  };
  act.unanswered = [this, chosen] { doubt(chosen); };
  return act;
}

void History::doubt(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    known_.at(name).certainty = Known::Certainty::unanswered;
  }
}

std::vector<std::string> History::names_of(const Uuid& plan) const {
  return names_that([&](const Known& known) { return known.plan == plan; });
}

Act History::decide() {
  const std::vector<std::string> planned =
      names_that([](const Known& known) { return known.plan.has_value(); });
  if (planned.empty()) return read(any());
  const Uuid plan = *known_.at(planned[roll(planned.size())]).plan;
  const auto view = world_.store->show_plan(plan);
  EXPECT_TRUE(done(view));
  if (!view.ok()) return read(any());
  const bool open = view->plan.state == PlanState::requested;
  const std::uint64_t dice = roll(10);
  if (open && dice < 7) return approve(plan, to_hex(view->plan.digest));
  if (open && dice < 8) return reject(plan);
  if (!open && dice < 7) return execute();
  return cancel(plan);
}

Act History::about_plan(std::string text, const Uuid& plan) {
  Act act;
  act.text = std::move(text);
  for (const std::string& name : names_of(plan)) act.text += " " + name;
  act.unanswered = [this, names = names_of(plan)] { doubt(names); };
  return act;
}

Act History::approve(const Uuid& plan, const std::string& digest) {
  Act act = about_plan("approve", plan);
  act.run = [this, plan, digest] { return outcome_of(world_.store->approve(bob(), plan, digest)); };
  const std::vector<std::string> names = names_of(plan);
  act.answered = [this, names] {
    for (const std::string& name : names) known_.at(name).may = {AssetState::retired};
  };
  act.unanswered = [this, names] {
    for (const std::string& name : names) known_.at(name).may.insert(AssetState::retired);
    doubt(names);
  };
  return act;
}

Act History::reject(const Uuid& plan) {
  Act act = about_plan("reject", plan);
  act.run = [this, plan] { return outcome_of(world_.store->reject(bob(), plan, "still used")); };
  act.answered = [this, names = names_of(plan)] {
    for (const std::string& name : names) known_.at(name).plan.reset();
  };
  return act;
}

Act History::cancel(const Uuid& plan) {
  Act act = about_plan("cancel", plan);
  act.run = [this, plan] { return outcome_of(world_.store->cancel(alice(), plan)); };
  const std::vector<std::string> names = names_of(plan);
  act.answered = [this, names] {
    for (const std::string& name : names) {
      Known& known = known_.at(name);
      if (known.is(AssetState::retired)) known.may = {AssetState::suspended};
      known.plan.reset();
    }
  };
  act.unanswered = [this, names] {
    for (const std::string& name : names) {
      Known& known = known_.at(name);
      if (known.is(AssetState::retired)) known.may.insert(AssetState::suspended);
    }
    doubt(names);
  };
  return act;
}

Act History::execute() {
  Act act;
  act.text = "execute";
  const std::vector<std::string> retired = names_in_state(AssetState::retired);
  const auto step = static_cast<EraseStep>(roll(8));
  std::optional<std::string> wish;
  if (!retired.empty() && roll(3) == 0) {
    wish = retired[roll(retired.size())];
    act.text += ", hold " + *wish;
  }
  // Erasures fall more often than the rest, at every step: what recovery has to do comes from them.
  if (wish ? roll(4) != 0 : roll(2) == 0) act.fault = Act::Fault::in_the_act;
  if (wish || act.fault == Act::Fault::in_the_act) {
    act.text += ", at step " + std::to_string(static_cast<int>(step));
  }
  act.run = [this, wish, step, fault = act.fault] {
    Watch watch(world_);
    watch.seen = std::move(seen_);
    if (wish) watch.hold(*wish, step);
    if (fault == Act::Fault::in_the_act) {
      world_.hook = [this, step, look = world_.hook](EraseStep now) {
        look(now);
        if (now == step) order_fault(30, 8);
      };
    }
    const Status executed = world_.execute();
    seen_ = std::move(watch.seen);
    for (auto& entry : known_) {
      if (seen_.held.count(world_.asset(entry.first).id) != 0) entry.second.held = true;
    }
    return executed;
  };
  act.answered = [this, retired] {
    for (const std::string& name : retired) {
      Known& known = known_.at(name);
      if (known.held) continue;  // its item waits, and the plan with it
      known.may = {AssetState::erased};
      known.plan.reset();
    }
  };
  act.unanswered = [this, retired] {
    for (const std::string& name : retired) {
      Known& known = known_.at(name);
      if (!known.held) known.may.insert(AssetState::erased);
    }
    doubt(names_that([](const Known& known) { return known.plan.has_value(); }));
    doubt(retired);
  };
  return act;
}

Act History::pass_time() {
  return {"pass time", [this]() -> Status {
            world_.clock.advance(std::chrono::minutes(10 + roll(120)));
            if (roll(2) == 0) return world_.open();
            lifecycle::CheckRun check(*world_.store, {}, lifecycle::CheckDepth::structure);
            while (true) {
              ASSIGN_OR_RETURN(const bool more, check.step());
              if (!more) return {};
            }
          }};
}

}  // namespace aierase::test
