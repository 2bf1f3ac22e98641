#include "fault/support/history.h"

namespace aierase::test {

using domain::AssetState;

History::History(std::uint64_t seed) : random_(seed) {
  if (seed % 2 == 0) world_.unlock = content_of(seed, 32);
}

void History::live(std::size_t acts) {
  ASSERT_TRUE(done(world_.init()));
  ASSERT_TRUE(done(world_.open()));
  for (std::size_t i = 0; i < acts; ++i) {
    const Act act = choose();
    SCOPED_TRACE("act " + std::to_string(i) + ": " + act.text);
    perform(act);
    if (::testing::Test::HasFailure()) return;
  }
  SCOPED_TRACE("at the end");
  restart();
  look(Look::thorough);
}

void History::perform(const Act& act) {
  const bool fault = act.fault == Act::Fault::in_the_act || roll(7) == 0;
  if (fault && act.fault == Act::Fault::by_chance) order_fault(90, 25);
  const Status status = act.run();
  const bool stopped = world_.disk.stopped();
  const bool broken = fault && !stopped && !status.ok() && act.refusals.empty();
  if (status.ok()) {
    EXPECT_TRUE(act.refusals.empty()) << "it was not refused";
    ++answered_;
    act.answered();
  } else if (act.refusals.empty()) {
    EXPECT_TRUE(fault) << status.error().message << " [" << status.error().hint << "]";
    act.unanswered();
  } else if (!fault) {
    EXPECT_EQ(act.refusals.count(status.error().code), 1U) << status.error().message;
  }
  disarm();
  if (stopped || broken || (fault && roll(2) == 0) || !world_.store || world_.store->must_stop()) {
    fall();
  }
  if (roll(40) == 0) look(Look::quick);
}

void History::order_fault(std::uint64_t operations, std::uint64_t syncs) {
  if (roll(4) == 0) {
    world_.disk.fail_sync_at(1 + roll(syncs));
  } else {
    world_.disk.stop_at(1 + roll(operations));
  }
}

void History::disarm() {
  world_.disk.fail_sync_at(0);
  if (!world_.disk.stopped()) world_.disk.stop_at(0);
}

void History::crash() {
  static constexpr Cut kCuts[] = {Cut::lose_all, Cut::keep_all, Cut::scatter, Cut::tear};
  Crash crash;
  crash.kind = roll(4) == 0 ? Crash::Kind::killed : Crash::Kind::power_cut;
  crash.cut = kCuts[roll(4)];
  crash.seed = roll(1U << 30U);
  world_.crash(crash);
}

void History::fall() {
  ++falls_;
  crash();
  while (roll(4) != 0) {
    order_fault(14, 5);
    const bool opened = world_.open().ok();
    const bool stopped = world_.disk.stopped();
    disarm();
    if (opened && !stopped) break;
    ++nested_;
    crash();
  }
  restart();
  look(roll(4) == 0 ? Look::readings : Look::quick);
}

void History::look(Look how) {
  if (::testing::Test::HasFatalFailure()) return;
  settle_imports();
  for (auto& entry : known_) compare(entry.first, entry.second);
  for (const std::string& name : absent_) {
    const auto found = world_.store->resolve_asset(name, catalog::NameScope::any);
    EXPECT_FALSE(found.ok()) << name << " was never answered for, and is there";
  }
  expect_sound(world_, seen_, how);
  remember_statements();
}

void History::settle_imports() {
  for (const auto& entry : unborn_) {
    const auto id = world_.store->resolve_asset(entry.first, catalog::NameScope::any);
    if (!id.ok()) {
      EXPECT_EQ(id.error().code, Errc::not_found) << id.error().message;
      absent_.insert(entry.first);
      continue;
    }
    const auto view = world_.store->show_asset(*id);
    ASSERT_TRUE(done(view));
    world_.remember(*view, entry.second.wish, entry.second.key);
    known_.emplace(entry.first, Known());
  }
  unborn_.clear();
}

void History::compare(const std::string& name, Known& known) {
  const auto view = world_.store->show_asset(world_.asset(name).id);
  ASSERT_TRUE(done(view)) << name;
  const AssetState state = view->asset.state;
  EXPECT_EQ(known.may.count(state), 1U) << name << " is " << domain::to_text(state);
  EXPECT_TRUE(!known.held || !view->holds.empty()) << name << ": a hold was lost";
  if (known.certainty == Known::Certainty::answered) {
    EXPECT_EQ(known.held, !view->holds.empty()) << name;
    if (state != AssetState::erased) {
      EXPECT_EQ(known.plan, view->open_plan) << name;
    }
  }
  known = {{state}, !view->holds.empty(), std::nullopt, Known::Certainty::answered};
  if (state != AssetState::erased) known.plan = view->open_plan;
}

void History::remember_statements() {
  for (const std::string& name : names_in_state(AssetState::erased)) {
    const Uuid id = world_.asset(name).id;
    const auto view = world_.store->show_asset(id);
    ASSERT_TRUE(done(view));
    ASSERT_TRUE(view->certificate.has_value()) << name;
    const auto row = world_.store->show_certificate(*view->certificate);
    ASSERT_TRUE(done(row));
    seen_.statements.emplace(id, row->statement);
  }
  seen_.reached.clear();
}

}  // namespace aierase::test
