// The nightly run: what it makes due, what it leaves alone, and what it tells.
#include <algorithm>

#include "fault/support/crashes.h"
#include "fault/support/published.h"
#include "unit/lifecycle/nightly.h"

namespace aierase::test {
namespace {

using domain::AssetState;
using domain::PlanState;
using lifecycle::EnforceEnd;
using lifecycle::EnforceOutcome;
using lifecycle::EnforceReport;
using lifecycle::Persist;
using lifecycle::Store;
using std::chrono::seconds;

TEST_F(ANightlyRun, MakesAPlanAtTheSecondThatTheCeilingPassesAndNotOneBefore) {
  due_logs(1);
  world.clock.set_wall(world.clock.now() - seconds(1));
  EXPECT_EQ(run().plans.size(), 0U);
  world.clock.advance(seconds(1));
  const EnforceReport report = run();
  ASSERT_EQ(report.plans.size(), 1U);
  EXPECT_EQ(report.end(), EnforceEnd::waiting);
  const domain::Plan plan = latest_plan(world).plan;
  EXPECT_EQ(plan.origin, domain::PlanOrigin::enforce);
  EXPECT_EQ(plan.requester.login, "aierase-enforce");
  EXPECT_EQ(plan.reason, "class logs erases it 6 months after its import");
  ASSERT_EQ(plan.items.size(), 1U);
  EXPECT_EQ(plan.items[0].name.text(), "log-1");
  EXPECT_EQ(state_of(world, "log-1"), AssetState::active) << "until a custodian approves";
}

// Without it the completeness of a night could not be shown.
TEST_F(ANightlyRun, PublishesTheLogWithAllThatItDid) {
  due_logs(1);
  EXPECT_FALSE(published_head(world));
  run(Persist::dry_run);
  EXPECT_FALSE(published_head(world));
  run();
  ASSERT_TRUE(published_head(world));
  EXPECT_EQ(published_head(world)->size, world.store->status()->state.log.size);
  EXPECT_TRUE(verified(verify_published(world)));
}

TEST_F(ANightlyRun, TellsThatTheLogWasNotPublishedAndIsNotStoppedByIt) {
  due_logs(1);
  ASSERT_TRUE(done(world.disk.make_directory("/store/log", 0755)));
  ASSERT_TRUE(done(world.disk.make_directory("/store/log/checkpoint", 0755)));
  EXPECT_EQ(run().plans.size(), 1U);
  EXPECT_TRUE(doctor_says("log-unpublished"));
  ASSERT_TRUE(done(world.disk.remove_directory("/store/log/checkpoint")));
  run();
  EXPECT_FALSE(doctor_says("log-unpublished")) << "the next night tries again, without a pause";
  EXPECT_TRUE(verified(verify_published(world)));
}

TEST_F(ANightlyRun, ChangesNothingWhenItIsRunAgainAtOnce) {
  due_logs(3);
  EXPECT_EQ(run().plans.size(), 1U);
  const std::string before = fingerprint(world);
  const EnforceReport again = run();
  EXPECT_EQ(again.plans.size(), 0U);
  EXPECT_EQ(again.count(EnforceOutcome::waiting), 3U);
  EXPECT_EQ(fingerprint(world), before);
  EXPECT_EQ(plan_count(), 1U);
}

TEST_F(ANightlyRun, LetsTheGracePassAndTellsOnceWhatWasErased) {
  due_logs(2);
  run();
  ASSERT_TRUE(done(approve(bob())));
  EXPECT_EQ(run().count(EnforceOutcome::in_grace), 2U);
  world.clock.advance(7 * kDay);
  const EnforceReport report = run();
  EXPECT_EQ(report.erased, 2U);
  EXPECT_EQ(report.end(), EnforceEnd::clear);
  EXPECT_EQ(state_of(world, "log-2"), AssetState::erased);
  EXPECT_EQ(run().erased, 0U) << "told once";
  const Json policy = predicate_of(world, "log-1")["policy"];
  EXPECT_EQ(policy["asked_for_by"], "the nightly run, by the class");
  EXPECT_EQ(policy["brake"], "had not tripped");
}

TEST_F(ANightlyRun, LeavesAloneWhatALegalHoldBindsAndGoesOnWithTheRest) {
  due_logs(2);
  ASSERT_TRUE(done(world.hold({"name=log-1"})));
  const EnforceReport report = run();
  EXPECT_EQ(report.count(EnforceOutcome::held), 1U);
  EXPECT_EQ(report.count(EnforceOutcome::waiting), 1U);
  EXPECT_EQ(latest_plan(world).plan.items.size(), 1U);
}

// Peers: a child deleted because its parent expired.
TEST_F(ANightlyRun, TakesNoParentWhoseChildIsAliveAndNotDueAndNoChildForItsParent) {
  ASSERT_TRUE(done(load(kLogsGo)));
  import("log-parent");
  ImportWish child = log_named("model-child", 77);
  child.lineage = {{domain::Relation::derived_from, "log-parent"}};
  ASSERT_TRUE(done(world.import(child)));
  import("log-other");
  world.clock.advance(181 * kDay);
  import("log-young");
  const EnforceReport report = run();
  EXPECT_EQ(report.count(EnforceOutcome::blocked), 1U);
  EXPECT_EQ(report.count(EnforceOutcome::waiting), 1U);
  EXPECT_EQ(report.end(), EnforceEnd::blocked);
  EXPECT_EQ(latest_plan(world).plan.items[0].name.text(), "log-other");
  EXPECT_EQ(state_of(world, "model-child"), AssetState::active);
}

TEST_F(ANightlyRun, TakesParentAndChildTogetherWhereBothAreDue) {
  ASSERT_TRUE(done(load(kLogsGo)));
  import("log-parent");
  ImportWish child = log_named("log-child", 77);
  child.lineage = {{domain::Relation::derived_from, "log-parent"}};
  ASSERT_TRUE(done(world.import(child)));
  world.clock.advance(181 * kDay);
  import("log-young");
  EXPECT_EQ(run().count(EnforceOutcome::waiting), 2U);
  EXPECT_EQ(latest_plan(world).plan.items.size(), 2U);
  EXPECT_EQ(latest_plan(world).plan.edges.size(), 1U);
}

TEST_F(ANightlyRun, TellsOfWhatAFloorKeepsAndErasesNothingOfIt) {
  ASSERT_TRUE(done(load(std::string(kLogsGo) +
                        "[class.law]\nmatch = [\"name=log-*\"]\nretain-for = \"10 years\"\n")));
  import("log-1");
  EXPECT_EQ(run().count(EnforceOutcome::conflict), 1U) << "it is seen before it is due";
  world.clock.advance(181 * kDay);
  const EnforceReport report = run();
  EXPECT_EQ(report.count(EnforceOutcome::floored), 1U);
  EXPECT_EQ(report.end(), EnforceEnd::blocked);
  EXPECT_EQ(plan_count(), 0U);
  EXPECT_EQ(state_of(world, "log-1"), AssetState::active) << "on-conflict is keep";
}

TEST_F(ANightlyRun, SuspendsWhatIsInConflictOnceWhereItsClassSaysSo) {
  const std::string law =
      "[class.law]\nmatch = [\"name=log-*\"]\nretain-for = \"10 years\"\n"
      "on-conflict = \"suspend\"\n";
  ASSERT_TRUE(done(load(kLogsGo + law)));
  import("log-1");
  run(Persist::dry_run);
  EXPECT_EQ(state_of(world, "log-1"), AssetState::active);
  run();
  EXPECT_EQ(state_of(world, "log-1"), AssetState::suspended);
  ASSERT_TRUE(done(world.store->resume_asset(alice(), world.asset("log-1").id, "needed")));
  run();
  EXPECT_EQ(state_of(world, "log-1"), AssetState::active) << "the same contradiction is known";
  ASSERT_TRUE(done(load(kLogsGo + law +
                        "[class.law2]\nmatch = [\"name=log-*\"]\n"
                        "retain-for = \"20 years\"\n")));
  run();
  EXPECT_EQ(state_of(world, "log-1"), AssetState::suspended) << "another one is not";
}

TEST_F(ANightlyRun, DoesNotEraseWhatAnotherPolicyKeepsSinceItsPlanWasApproved) {
  due_logs(1);
  run();
  ASSERT_TRUE(done(approve(bob())));
  ASSERT_TRUE(done(load("[class.logs]\nmatch = [\"name=log-*\"]\nerase-after = \"5 years\"\n")));
  world.clock.advance(8 * kDay);
  const EnforceReport report = run();
  EXPECT_EQ(report.count(EnforceOutcome::failed), 1U);
  EXPECT_EQ(report.end(), EnforceEnd::partial);
  EXPECT_EQ(state_of(world, "log-1"), AssetState::suspended);
  EXPECT_EQ(run().count(EnforceOutcome::failed), 0U) << "told once";
}

TEST_F(ANightlyRun, AsksAgainAMonthAfterARejectionAndNotEveryNight) {
  due_logs(1);
  run();
  ASSERT_TRUE(done(world.store->reject(bob(), latest_plan(world).plan.id, "still read")));
  world.clock.advance(2 * kDay);
  const EnforceReport report = run();
  EXPECT_EQ(report.count(EnforceOutcome::refused), 1U);
  EXPECT_EQ(report.overdue, 1U);
  EXPECT_NE(report.items[0].reason.find("bob rejected"), std::string::npos);
  EXPECT_EQ(plan_count(), 1U);
  world.clock.advance(29 * kDay);
  EXPECT_EQ(run().plans.size(), 1U);
}

TEST_F(ANightlyRun, DoesNotTakeUpNextNightWhatAPersonCancelled) {
  due_logs(1);
  ASSERT_TRUE(done(world.store->approve_standing({bob(), "logs", world.clock.now() + 300 * kDay})));
  run();
  ASSERT_EQ(state_of(world, "log-1"), AssetState::retired) << "approved in advance";
  ASSERT_TRUE(done(world.store->cancel(alice(), latest_plan(world).plan.id)));
  ASSERT_TRUE(done(world.store->resume_asset(alice(), world.asset("log-1").id, "needed")));
  world.clock.advance(kDay);
  const EnforceReport report = run();
  EXPECT_EQ(report.count(EnforceOutcome::refused), 1U);
  EXPECT_NE(report.items[0].reason.find("was cancelled; asked again from"), std::string::npos);
  EXPECT_EQ(state_of(world, "log-1"), AssetState::active);
  world.clock.advance(29 * kDay);
  EXPECT_EQ(run().plans.size(), 1U);
}

TEST_F(ANightlyRun, TakesACancelledRestForNoFailureOfItsOwn) {
  due_logs(2);
  run();
  ASSERT_TRUE(done(approve(bob())));
  ASSERT_TRUE(done(world.hold({"name=log-2"})));
  world.clock.advance(7 * kDay);
  ASSERT_TRUE(done(world.execute()));
  ASSERT_EQ(state_of(world, "log-1"), AssetState::erased);
  ASSERT_TRUE(done(world.store->cancel(alice(), latest_plan(world).plan.id)));
  ASSERT_EQ(latest_plan(world).plan.state, PlanState::partial);
  const auto holds = world.store->list_holds("", 1);
  ASSERT_TRUE(done(world.store->lift_hold(bob(), holds->rows[0].hold.id, "over")));
  const EnforceReport report = run();
  EXPECT_EQ(report.count(EnforceOutcome::failed), 0U);
  EXPECT_EQ(report.count(EnforceOutcome::refused), 1U);
  EXPECT_EQ(report.plans.size(), 0U);
}

TEST_F(ANightlyRun, ReplacesARequestThatExpired) {
  due_logs(1);
  run();
  world.clock.advance(30 * kDay);
  EXPECT_EQ(run().plans.size(), 1U);
  EXPECT_EQ(plan_count(), 2U);
}

TEST_F(ANightlyRun, KeepsTheNewestVersionsAsTheyComeAndGo) {
  ASSERT_TRUE(
      done(load("[class.versions]\nmatch = [\"name=m\"]\nerase-after = \"1 day\"\n"
                "keep-last = 2\n")));
  for (const char* name : {"m:1", "m:2"}) import(name);
  world.clock.advance(10 * kDay);
  EXPECT_EQ(run().plans.size(), 0U) << "both are among the newest";
  import("m:3");
  const EnforceReport report = run();
  ASSERT_EQ(report.count(EnforceOutcome::waiting), 1U);
  EXPECT_EQ(report.items[0].name.text(), "m:1");
  ASSERT_TRUE(done(approve(bob())));
  world.clock.advance(7 * kDay);
  EXPECT_EQ(run().erased, 1U) << "on its way out it still has its place behind the newer ones";
  EXPECT_EQ(state_of(world, "m:2"), AssetState::active);
}

TEST_F(ANightlyRun, LooksAgainAtWhatWasChanged) {
  ASSERT_TRUE(
      done(load("[class.tmp]\nmatch = [\"label.purpose=tmp\"]\nerase-after = \"1 day\"\n"
                "[class.old]\nmatch = [\"name=m\"]\nerase-after = \"1 day\"\n"
                "trigger = \"superseded\"\n")));
  for (const char* name : {"a", "b", "m:1"}) import(name);
  world.clock.advance(3 * kDay);
  EXPECT_EQ(run().looked_at, 3U);
  EXPECT_EQ(run().looked_at, 0U) << "nothing is to be looked at";
  Store::Changes changes;
  changes.labels = {{"purpose", "tmp"}};
  changes.reason = "sorted";
  ASSERT_TRUE(done(world.store->set_asset(bob(), world.asset("a").id, changes)));
  EXPECT_EQ(run().count(EnforceOutcome::braked), 1U) << "the only one of its class";
  ImportWish newer = log_named("m:2", 50);
  newer.lineage = {{domain::Relation::supersedes, "m:1"}};
  ASSERT_TRUE(done(world.import(newer)));
  EXPECT_EQ(run().plans.size(), 0U);
  world.clock.advance(kDay);
  EXPECT_EQ(run().plans.size(), 1U) << "a day after it was superseded";
}

TEST_F(ANightlyRun, FindsWhatAnotherPolicyMakesDue) {
  for (const char* name : {"log-1", "log-2"}) import(name);
  world.clock.advance(181 * kDay);
  import("log-young");
  EXPECT_EQ(run().plans.size(), 0U);
  ASSERT_TRUE(done(load(kLogsGo)));
  EXPECT_EQ(run().count(EnforceOutcome::waiting), 2U);
}

TEST_F(ANightlyRun, HealsWithinAWeekAMomentThatIsWrong) {
  ASSERT_TRUE(done(load(kLogsGo)));
  import("log-1");
  world.clock.advance(180 * kDay);
  import("log-young");
  run();
  world.close();
  ASSERT_TRUE(done(sql(world.disk, "UPDATE look SET moment = moment + 100000000;")));
  ASSERT_TRUE(done(world.open()));
  world.clock.advance(2 * kDay);
  EXPECT_EQ(run().plans.size(), 0U) << "it delays";
  world.clock.advance(5 * kDay);
  EXPECT_EQ(run().plans.size(), 1U);
}

// Peers: a dry run that deletes.
TEST_F(ANightlyRun, WritesNotOneByteInADryRun) {
  due_logs(3);
  for (const bool swept : {false, true}) {
    if (swept) run();
    const Contents before = everything(world.disk);
    const EnforceReport report = run(Persist::dry_run);
    EXPECT_EQ(report.count(EnforceOutcome::waiting), 3U);
    run(Persist::dry_run, world.clock.now() + 4'000 * kDay);
    EXPECT_EQ(differences(before, everything(world.disk)), "");
  }
}

TEST_F(ANightlyRun, SaysInADryRunWhatIsApprovedInAdvance) {
  due_logs(2);
  ASSERT_TRUE(done(world.store->approve_standing({bob(), "logs", world.clock.now() + 100 * kDay})));
  world.clock.advance(kDay);
  const EnforceReport told = run(Persist::dry_run);
  EXPECT_EQ(told.count(EnforceOutcome::in_grace), 2U);
  EXPECT_EQ(told.count(EnforceOutcome::waiting), 0U);
  EXPECT_EQ(told.end(), EnforceEnd::clear);
  EXPECT_FALSE(told.approval_expires);
  EXPECT_EQ(plan_count(), 0U);
  const EnforceReport later = run(Persist::dry_run, world.clock.now() + 200 * kDay);
  EXPECT_EQ(later.count(EnforceOutcome::in_grace), 0U) << "it is valid no longer";
  const EnforceReport is = run();
  EXPECT_EQ(is.count(EnforceOutcome::in_grace), 2U);
  ASSERT_EQ(is.items.size(), 2U);
  EXPECT_EQ(told.items.at(0).erasure, is.items[0].erasure);
}

TEST_F(ANightlyRun, KnowsInADryRunThatARequestHasExpiredByThen) {
  due_logs(1);
  run();
  const UtcTime then = world.clock.now() + 29 * kDay;
  const EnforceReport before = run(Persist::dry_run, then);
  EXPECT_EQ(before.overdue, 1U);
  EXPECT_EQ(before.approval_expires, world.clock.now() + 30 * kDay);
  const EnforceReport after = run(Persist::dry_run, then + kDay);
  EXPECT_EQ(after.count(EnforceOutcome::waiting), 1U) << "it is asked for anew";
  EXPECT_EQ(after.count(EnforceOutcome::blocked), 0U);
  EXPECT_EQ(after.overdue, 0U);
  EXPECT_EQ(after.approval_expires, then + 31 * kDay);
  ASSERT_EQ(after.items.size(), 1U);
  EXPECT_FALSE(after.items[0].plan);
}

TEST_F(ANightlyRun, SaysInADryRunWhatAnotherMomentBrings) {
  world.clock.set_wall(*from_rfc3339("2028-02-29T00:00:00Z"));
  ASSERT_TRUE(done(world.store->confirm_clock(bob())));
  ASSERT_TRUE(
      done(load("[class.ten]\nmatch = [\"name=ten\"]\nerase-after = \"10 years\"\n"
                "[class.six]\nmatch = [\"name=six\"]\nerase-after = \"6 months\"\n")));
  import("ten");
  world.clock.set_wall(*from_rfc3339("2028-08-31T12:00:00Z"));
  ASSERT_TRUE(done(world.store->confirm_clock(bob())));
  import("six");
  const auto due_at = [&](const char* moment) {
    const EnforceReport report = run(Persist::dry_run, from_rfc3339(moment));
    std::vector<std::string> names;
    for (const auto& item : report.items) names.push_back(item.name.text());
    std::sort(names.begin(), names.end());
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(due_at("2029-02-28T11:59:59Z"), Names{});
  EXPECT_EQ(due_at("2029-02-28T12:00:00Z"), Names{"six"}) << "31 August and six months";
  EXPECT_EQ(due_at("2038-02-27T23:59:59Z"), Names{"six"});
  EXPECT_EQ(due_at("2038-02-28T00:00:00Z"), (Names{"six", "ten"})) << "29 February and ten years";
  EXPECT_FALSE(enforce(world, Persist::dry_run, from_rfc3339("2020-01-01T00:00:00Z")).ok());
  EXPECT_FALSE(enforce(world, Persist::yes, from_rfc3339("2040-01-01T00:00:00Z")).ok());
}

// Peers: a retention job that dies quietly, a timer that was never enabled.
TEST_F(ANightlyRun, RaisesAnAlarmWhereNoneCameThroughForTwoDays) {
  due_logs(1);
  EXPECT_TRUE(doctor_says("enforce")) << "never ran since the policy was loaded";
  run();
  EXPECT_FALSE(doctor_says("enforce"));
  world.clock.advance(2 * kDay - seconds(1));
  EXPECT_FALSE(doctor_says("enforce"));
  world.clock.advance(seconds(1));
  EXPECT_TRUE(doctor_says("enforce"));
  EXPECT_EQ(run().overdue, 1U);
  EXPECT_TRUE(doctor_says("enforce")) << "what is due waits for people";
  ASSERT_TRUE(done(approve(bob())));
  EXPECT_EQ(run().overdue, 0U);
  EXPECT_FALSE(doctor_says("enforce"));
}

// Peers: one failing item stops the rest.
TEST_F(ANightlyRun, GoesOnWhereAssetsCannotBeRead) {
  ASSERT_TRUE(done(load(std::string(kLogsGo) +
                        "[class.used]\nmatch = [\"name=log-*\"]\ntrigger = \"last-used\"\n"
                        "erase-after = \"9 years\"\n")));
  for (const char* name : {"log-1", "log-2", "log-3"}) import(name);
  world.clock.advance(181 * kDay);
  import("log-young");
  world.close();
  ASSERT_TRUE(done(sql(world.disk,
                       "INSERT INTO asset_event SELECT uuid, 'no such event', 0 FROM asset "
                       "WHERE name = 'log-2'; UPDATE asset SET kind = 'none' "
                       "WHERE name = 'log-3';")));
  ASSERT_TRUE(done(world.open()));
  const EnforceReport report = run();
  EXPECT_EQ(report.plans.size(), 1U);
  EXPECT_EQ(latest_plan(world).plan.items.at(0).name.text(), "log-1");
  EXPECT_EQ(report.count(EnforceOutcome::failed), 2U);
  EXPECT_EQ(report.end(), EnforceEnd::partial);
  world.clock.advance(kDay);
  EXPECT_EQ(run().count(EnforceOutcome::failed), 2U) << "told each night, until it is mended";
}

TEST_F(ANightlyRun, GoesOnWhereAPlanCannotBeRead) {
  ASSERT_TRUE(done(load(std::string(kLogsGo) +
                        "[class.tmp]\nmatch = [\"name=tmp-*\"]\nerase-after = \"6 months\"\n")));
  for (const char* name : {"log-1", "tmp-1"}) import(name);
  world.clock.advance(181 * kDay);
  for (const char* name : {"log-young", "tmp-young"}) import(name);
  ASSERT_EQ(run().plans.size(), 2U);
  const auto plans = world.store->list_plans("", 10);
  ASSERT_TRUE(done(plans));
  for (const auto& plan : plans->rows) {
    const auto view = world.store->show_plan(plan.id);
    ASSERT_TRUE(done(view));
    ASSERT_TRUE(done(approve(bob(), *view)));
  }
  world.close();
  ASSERT_TRUE(done(sql(world.disk,
                       "UPDATE approval SET decision = 'none' "
                       "WHERE plan = (SELECT min(id) FROM plan);")));
  ASSERT_TRUE(done(world.open()));
  world.clock.advance(7 * kDay);
  const EnforceReport report = run();
  EXPECT_EQ(report.erased, 1U);
  EXPECT_EQ(report.end(), EnforceEnd::partial);
  EXPECT_TRUE(doctor_says("plan-stuck"));
}

// Which moments of looks are those of which policy is known only of a pass that came to its end.
TEST_F(ANightlyRun, LooksAtAllAgainWhereThePolicyChangedAndCameBackMeanwhile) {
  due_logs(2);
  run();
  ASSERT_EQ(run().looked_at, 2U) << "those in a plan";
  ASSERT_TRUE(done(load("[class.logs]\nmatch = [\"name=log-*\"]\nerase-after = \"9 years\"\n")));
  {
    lifecycle::EnforceRun under_another(*world.store, {nightly(), Persist::yes, std::nullopt});
    ASSERT_TRUE(done(under_another.step()));
    ASSERT_TRUE(done(load(kLogsGo)));
    while (true) {
      const auto more = under_another.step();
      ASSERT_TRUE(done(more));
      if (!*more) break;
    }
  }
  EXPECT_EQ(run().looked_at, 3U);
}

TEST_F(ANightlyRun, DecidesAQuarterOfNightsAsOneByOne) {
  ASSERT_TRUE(done(load("[class.logs]\nmatch = [\"name=log-*\"]\nerase-after = \"10 days\"\n")));
  std::uint64_t erased = 0;
  for (int night = 0; night < 90; ++night) {
    import("log-" + std::to_string(night));
    world.clock.advance(kDay);
    const EnforceReport report = run();
    erased += report.erased;
    EXPECT_LE(report.plans.size(), 1U);
    EXPECT_EQ(report.count(EnforceOutcome::failed), 0U);
    if (report.plans.empty()) continue;
    ASSERT_TRUE(done(approve(night % 2 == 0 ? bob() : carol())));
  }
  // 10 days of retention and 7 of grace: what was imported in the last 16 nights is still there.
  EXPECT_EQ(erased, 90U - 16U);
  EXPECT_EQ(plan_count(), 90U - 9U);
}

TEST_F(ANightlyRun, MayBeStoppedAnywhereAndTheNextOneCompletesIt) {
  due_logs(3);
  world.close();
  world.disk.power_cut(Cut::keep_all, 1);
  const auto start = world.keep();
  StopPlan plan;
  plan.stride = 5;
  plan.act = [](World& w) {
    if (w.open().ok()) static_cast<void>(enforce(w).ok());
  };
  plan.check = [](World& w) {
    const auto report = enforce(w);
    ASSERT_TRUE(done(report));
    EXPECT_EQ(report->count(EnforceOutcome::waiting), 3U);
    const auto plans = w.store->list_plans("", 10);
    ASSERT_TRUE(done(plans));
    EXPECT_EQ(plans->rows.size(), 1U);
  };
  EXPECT_GT(stop_everywhere(world, *start, plan), 3U);
}

}  // namespace
}  // namespace aierase::test
