// The brake and the clock guard: how much goes when nobody attends.
#include <algorithm>

#include "lifecycle/braking.h"
#include "unit/lifecycle/nightly.h"

namespace aierase::test {
namespace {

using domain::AssetState;
using lifecycle::BrakeLoad;
using lifecycle::EnforceEnd;
using lifecycle::EnforceOutcome;
using lifecycle::EnforceReport;
using lifecycle::WaitsFor;
using std::chrono::hours;

class TheBrake : public ANightlyRun {
 protected:
  void approve_and_wait(const domain::Actor& who) {
    ASSERT_TRUE(done(approve(who)));
    world.clock.advance(7 * kDay);
    ASSERT_TRUE(done(world.execute()));
  }
};

TEST(TheNumbersOfTheBrake, TripBeyondEachOfThemAndNotAtIt) {
  const policy::Brake brake{25, 10, 1'000};
  const auto trips = [&](std::uint64_t items, std::uint64_t bytes, std::uint64_t living) {
    return lifecycle::brake_trips(brake, BrakeLoad{{}, {items, bytes}, living}).size();
  };
  EXPECT_EQ(trips(25, 1'000, 1'000), 0U);
  EXPECT_EQ(trips(26, 1'000, 1'000), 1U) << "items";
  EXPECT_EQ(trips(25, 1'001, 1'000), 1U) << "bytes";
  EXPECT_EQ(trips(10, 0, 100), 0U);
  EXPECT_EQ(trips(11, 0, 100), 1U) << "percent";
  EXPECT_EQ(trips(3, 0, 3), 0U) << "percent never means fewer than three";
  EXPECT_EQ(trips(4, 0, 4), 1U);
}

TEST(TheNumbersOfTheBrake, CountWhatWentInTheDayBefore) {
  const policy::Brake brake{25, 100, 1'000};
  EXPECT_TRUE(lifecycle::brake_trips(brake, BrakeLoad{{20, 0}, {5, 0}, 100}).empty());
  EXPECT_FALSE(lifecycle::brake_trips(brake, BrakeLoad{{20, 0}, {6, 0}, 100}).empty());
  EXPECT_FALSE(lifecycle::brake_trips(brake, BrakeLoad{{1, 900}, {1, 101}, 100}).empty());
}

TEST_F(TheBrake, ExecutesNothingUntilOnePersonMoreNamesThePlan) {
  due_logs(4);
  const EnforceReport report = run();
  EXPECT_EQ(report.end(), EnforceEnd::braked);
  EXPECT_EQ(report.count(EnforceOutcome::braked), 4U);
  EXPECT_EQ(latest_plan(world).needed.people, 2U);
  approve_and_wait(bob());
  EXPECT_EQ(state_of(world, "log-1"), AssetState::active) << "one person is not enough";
  EXPECT_FALSE(approve(bob()).ok()) << "nor the same one twice";
  approve_and_wait(carol());
  EXPECT_EQ(state_of(world, "log-1"), AssetState::erased);
  const Json brake = predicate_of(world, "log-4")["policy"]["brake"];
  EXPECT_EQ(brake["released_by"], "carol");
  EXPECT_NE(brake["tripped"].get<std::string>().find("4 assets"), std::string::npos);
}

// Peers: a brake bypassed by a cache, a brake forgotten by a restart.
TEST_F(TheBrake, AddsUpSmallRunsAlsoAcrossARestart) {
  due_logs(3);
  run();
  ASSERT_TRUE(done(approve(bob())));
  world.clock.advance(kDay / 2);
  ASSERT_TRUE(done(load(std::string(kLogsGo) +
                        "[class.tmp]\nmatch = [\"name=tmp-*\"]\nerase-after = \"1 hour\"\n")));
  for (const char* name : {"tmp-1", "tmp-2"}) import(name);
  world.clock.advance(hours(2));
  import("tmp-young");
  EXPECT_EQ(run().count(EnforceOutcome::braked), 0U) << "each alone is little";
  ASSERT_TRUE(done(approve(bob())));
  world.clock.advance(6 * kDay + hours(12));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state_of(world, "log-1"), AssetState::erased);
  EXPECT_EQ(latest_plan(world).waits_for, WaitsFor::grace);
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.execute()));
  world.clock.advance(hours(13));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state_of(world, "tmp-1"), AssetState::retired);
  const lifecycle::PlanView tripped = latest_plan(world);
  EXPECT_EQ(tripped.waits_for, WaitsFor::brake);
  EXPECT_EQ(run().end(), EnforceEnd::braked);
  world.clock.advance(30 * kDay);
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state_of(world, "tmp-1"), AssetState::retired) << "time does not release it";
  ASSERT_TRUE(done(approve(carol(), tripped)));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state_of(world, "tmp-1"), AssetState::erased) << "its grace was over";
  EXPECT_EQ(predicate_of(world, "tmp-2")["policy"]["brake"]["released_by"], "carol");
}

TEST_F(TheBrake, IsReleasedNeitherByALiftedHoldNorByAConfirmedClock) {
  due_logs(3);
  run();
  ASSERT_TRUE(done(approve(bob())));
  ASSERT_TRUE(done(load(std::string(kLogsGo) + "[brake]\nitems = 1\n")));
  ASSERT_TRUE(done(world.hold({"name=log-1"})));
  world.clock.advance(7 * kDay);
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(latest_plan(world).waits_for, WaitsFor::brake);
  const auto holds = world.store->list_holds("", 1);
  ASSERT_TRUE(done(holds));
  ASSERT_TRUE(done(world.store->lift_hold(bob(), holds->rows[0].hold.id, "over")));
  ASSERT_TRUE(done(world.store->confirm_clock(bob())));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state_of(world, "log-2"), AssetState::retired);
  ASSERT_TRUE(done(world.store->cancel(alice(), latest_plan(world).plan.id)));
  EXPECT_EQ(state_of(world, "log-2"), AssetState::suspended) << "it can be taken back";
}

TEST_F(TheBrake, NeverLetsTheLastOfAClassGoUnattended) {
  ASSERT_TRUE(done(load(kLogsGo)));
  for (const char* name : {"log-1", "log-2", "other"}) import(name);
  world.clock.advance(181 * kDay);
  const EnforceReport report = run();
  EXPECT_EQ(report.count(EnforceOutcome::braked), 2U);
  EXPECT_NE(report.brake.at(0).find("nothing that is in use would be left of class logs"),
            std::string::npos);
}

// A whole class must not go although nobody has looked at the plan.
TEST_F(TheBrake, IsNotReleasedByWhatWasApprovedInAdvance) {
  ASSERT_TRUE(done(load(kLogsGo)));
  for (int i = 1; i <= 4; ++i) import("log-" + std::to_string(i));
  const UtcTime until = world.clock.now() + 300 * kDay;
  for (const domain::Actor& who : {bob(), carol()}) {
    ASSERT_TRUE(done(world.store->approve_standing({who, "logs", until})));
  }
  world.clock.advance(181 * kDay);
  import("log-young");
  EXPECT_EQ(run().end(), EnforceEnd::braked);
  const lifecycle::PlanView made = latest_plan(world);
  EXPECT_EQ(made.plan.state, domain::PlanState::requested);
  EXPECT_EQ(made.plan.approvals.size(), 2U);
  EXPECT_EQ(made.needed.people, 1U);
  EXPECT_FALSE(made.plan.due);
  world.clock.advance(8 * kDay);
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state_of(world, "log-1"), AssetState::active);
  approve_and_wait(carol());
  EXPECT_EQ(state_of(world, "log-1"), AssetState::erased) << "she has named it";
  EXPECT_EQ(predicate_of(world, "log-4")["policy"]["brake"]["released_by"], "carol");
}

TEST_F(TheBrake, StaysOnAPlanWhoseMomentSomebodyWritesBackIntoTheCatalog) {
  due_logs(3);
  const UtcTime until = world.clock.now() + 300 * kDay;
  ASSERT_TRUE(done(world.store->approve_standing({carol(), "logs", until})));
  ASSERT_TRUE(done(load(std::string(kLogsGo) + "[brake]\nitems = 3\n")));
  run();
  world.clock.advance(kDay);
  ASSERT_TRUE(done(load(std::string(kLogsGo) + "[brake]\nitems = 1\n")));
  world.clock.advance(7 * kDay);
  ASSERT_TRUE(done(world.execute()));
  ASSERT_EQ(latest_plan(world).waits_for, WaitsFor::brake);
  world.close();
  ASSERT_TRUE(done(sql(world.disk, "UPDATE plan SET due = created + 1000000;")));
  ASSERT_TRUE(done(world.open()));
  world.clock.advance(30 * kDay);
  static_cast<void>(world.execute().ok());
  EXPECT_NE(state_of(world, "log-1"), AssetState::erased);
}

TEST_F(TheBrake, DoesNotStopWhatAPersonAskedForAndAnotherApproved) {
  std::vector<std::string> names;
  for (int i = 0; i < 12; ++i) {
    names.push_back("model-" + std::to_string(i));
    import(names.back());
  }
  ASSERT_TRUE(done(world.erase(names)));
  EXPECT_EQ(state_of(world, "model-11"), AssetState::erased);
  EXPECT_EQ(predicate_of(world, "model-0")["policy"]["brake"],
            "not applicable: a person asked for it");
}

// ---- the clock guard ----------------------------------------------------------------------------

// Peers: a forward jump expires everything in one statement.
TEST_F(TheBrake, AndTheClockGuardMakeNothingOfAJumpForward) {
  ASSERT_TRUE(done(load(kLogsGo)));
  for (const char* name : {"log-1", "log-2"}) import(name);
  world.clock.set_wall(world.clock.now() + 400 * kDay);
  const EnforceReport report = run();
  EXPECT_EQ(report.end(), EnforceEnd::clock);
  EXPECT_EQ(report.count(EnforceOutcome::waiting), 0U);
  EXPECT_EQ(plan_count(), 0U);
  EXPECT_TRUE(doctor_says("clock-guard"));
  world.clock.set_wall(world.clock.now() - 400 * kDay);
  EXPECT_EQ(run().end(), EnforceEnd::clear) << "a corrected jump leaves nothing behind";
}

TEST_F(TheBrake, AndTheClockGuardGoOnWhenAPersonHasLookedAtTheClock) {
  due_logs(2);
  world.close();
  world.clock.reboot("00000000-0000-4000-8000-000000000002", 30 * kDay);
  ASSERT_TRUE(done(world.open()));
  const EnforceReport report = run();
  EXPECT_EQ(report.end(), EnforceEnd::clock) << "a long time without power";
  EXPECT_EQ(report.count(EnforceOutcome::waiting), 2U) << "due by what is known to have passed";
  EXPECT_EQ(plan_count(), 0U) << "but nothing is made of it";
  ASSERT_TRUE(done(world.store->confirm_clock(bob())));
  EXPECT_EQ(run().plans.size(), 1U);
}

// Peers: a clock that is set back.
TEST_F(TheBrake, AndTheClockGuardStopWhatIsApprovedWhileTheClockIsBehind) {
  due_logs(2);
  run();
  ASSERT_TRUE(done(approve(bob())));
  world.clock.set_wall(world.clock.now() - 10 * kDay);
  world.clock.advance(8 * kDay);
  EXPECT_EQ(run().end(), EnforceEnd::clock);
  EXPECT_EQ(state_of(world, "log-1"), AssetState::retired);
}

}  // namespace
}  // namespace aierase::test
