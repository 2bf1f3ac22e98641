// The policy in force: grace, floors, approvals, and the clock that all of it counts by.
#include <gtest/gtest.h>

#include <algorithm>

#include "fault/support/crashes.h"
#include "fault/support/inspect.h"
#include "unit/lifecycle/life.h"

namespace aierase::test {
namespace {

using domain::AssetState;
using domain::PlanState;
using domain::Timing;
using lifecycle::PlanView;
using lifecycle::RetireRequest;
using lifecycle::Store;
using lifecycle::WaitsFor;
using std::chrono::hours;
using std::chrono::seconds;

constexpr hours kDay{24};

class ARetention : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(done(world.init(domain::PeopleRule::two_person)));
    ASSERT_TRUE(done(world.open()));
    ASSERT_TRUE(done(world.import(small_asset("m:1", 1))));
  }

  Result<lifecycle::PolicyReport> load(const std::string& text,
                                       lifecycle::Persist persist = lifecycle::Persist::yes) {
    return world.store->load_policy({dave, {{"rules.toml", text}}, "as agreed", persist});
  }
  RetireRequest wish(Timing timing = Timing::after_grace, const std::string& below = "") {
    RetireRequest request;
    request.actor = alice();
    request.assets = {world.asset("m:1").id};
    request.reason = "end";
    request.timing = timing;
    request.below_floor = below;
    return request;
  }
  // Code of the refusal; unexpected where it was accepted.
  Errc refusal(const RetireRequest& request) {
    const auto asked = world.store->retire(request);
    return asked.ok() ? Errc::unexpected : asked.error().code;
  }
  Result<PlanView> approve(const PlanView& plan, const domain::Actor& who = bob()) {
    return world.store->approve(who, plan.plan.id, to_hex(plan.plan.digest));
  }
  PlanView approved(const RetireRequest& request) {
    const auto asked = world.store->retire(request);
    EXPECT_TRUE(done(asked));
    if (!asked.ok()) return {};
    const auto answer = approve(*asked);
    EXPECT_TRUE(done(answer));
    return answer.ok() ? *answer : PlanView();
  }
  AssetState after_execution() {
    EXPECT_TRUE(done(world.execute()));
    return state_of(world, "m:1");
  }
  bool doctor_says(const std::string& code) {
    const auto findings = world.store->doctor();
    EXPECT_TRUE(done(findings));
    return std::any_of(findings->begin(), findings->end(),
                       [&](const lifecycle::Finding& one) { return one.code == code; });
  }

  World world;
  const domain::Actor carol = person(1002, "carol");
  const domain::Actor dave = person(1003, "dave");  // manager
};

// ---- grace --------------------------------------------------------------------------------------

TEST_F(ARetention, HasAGraceOfAWeekBetweenApprovalAndErasure) {
  const auto asked = world.store->retire(wish());
  ASSERT_TRUE(done(asked));
  EXPECT_EQ(asked->due_if_approved_now, world.clock.now() + 7 * kDay);
  const auto answer = approve(*asked);
  ASSERT_TRUE(done(answer));
  EXPECT_EQ(answer->plan.due, world.clock.now() + 7 * kDay);
  EXPECT_EQ(answer->waits_for, WaitsFor::grace);
  EXPECT_EQ(after_execution(), AssetState::retired);
  world.clock.advance(7 * kDay - seconds(1));
  EXPECT_EQ(after_execution(), AssetState::retired) << "one second before its end";
  world.clock.advance(seconds(1));
  EXPECT_EQ(after_execution(), AssetState::erased) << "at its end";
  const Json policy = predicate_of(world, "m:1")["policy"];
  EXPECT_EQ(policy["grace"], "ended at 2026-01-08T00:00:00Z");
  EXPECT_EQ(policy["in_force_since"], "not applicable: built in, no policy was loaded");
}

TEST_F(ARetention, GivesEverythingBackInTheGrace) {
  const PlanView plan = approved(wish());
  world.clock.advance(6 * kDay);
  ASSERT_TRUE(done(world.execute()));
  ASSERT_TRUE(done(world.store->cancel(alice(), plan.plan.id)));
  EXPECT_EQ(state_of(world, "m:1"), AssetState::suspended);
  world.clock.advance(30 * kDay);
  EXPECT_EQ(after_execution(), AssetState::suspended);
  ASSERT_TRUE(done(world.store->resume_asset(alice(), world.asset("m:1").id, "needed")));
  EXPECT_TRUE(done(world.read_back(world.asset("m:1"))));
}

TEST_F(ARetention, KeepsTheGraceThatTheLogHasWhateverThePlanSays) {
  approved(wish());
  world.close();
  ASSERT_TRUE(done(sql(world.disk, "UPDATE plan SET due = due - 600000;")));
  ASSERT_TRUE(done(world.open()));
  world.clock.advance(seconds(10'000));
  EXPECT_NE(after_execution(), AssetState::erased);
  ASSERT_TRUE(done(world.store->resume_asset(alice(), world.asset("m:1").id, "kept")));
  EXPECT_TRUE(done(world.read_back(world.asset("m:1"))));
}

TEST_F(ARetention, TellsTheTrueEndOfTheGraceAlsoAfterACrash) {
  approved(wish());
  world.clock.advance(7 * kDay + hours(5));
  world.hook = [&](lifecycle::EraseStep step) {
    if (step == lifecycle::EraseStep::write_slot) world.disk.stop_at(1);
  };
  static_cast<void>(world.execute().ok());
  EXPECT_TRUE(world.disk.stopped());
  world.hook = {};
  world.disk.stop_at(0);
  world.crash({});
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(after_execution(), AssetState::erased);
  EXPECT_EQ(predicate_of(world, "m:1")["policy"]["grace"], "ended at 2026-01-08T00:00:00Z");
}

TEST_F(ARetention, CountsAttemptedUsesAndBeginsItsGraceAnewOnce) {
  const PlanView plan = approved(wish());
  const auto attempt = [&] {
    lifecycle::ExportRequest request;
    request.actor = carol;
    request.asset = world.asset("m:1").id;
    EXPECT_EQ(world.store->begin_export(std::move(request)).error().code, Errc::wrong_state);
    return *world.store->show_plan(plan.plan.id);
  };
  world.clock.advance(3 * kDay);
  const PlanView first = attempt();
  EXPECT_EQ(first.plan.due, world.clock.now() + 7 * kDay);
  world.clock.advance(kDay);
  EXPECT_EQ(world.store->check_use(bob(), world.asset("m:1").id).error().code, Errc::wrong_state);
  const PlanView second = attempt();
  EXPECT_EQ(second.plan.due, first.plan.due) << "nobody keeps it for ever by asking";
  ASSERT_EQ(second.attempted_uses.size(), 1U);
  EXPECT_EQ(second.attempted_uses[0].count, 3U);
  EXPECT_EQ(second.attempted_uses[0].by.login, carol.login);
  world.clock.advance(6 * kDay - seconds(1));
  EXPECT_EQ(after_execution(), AssetState::retired);
  world.clock.advance(seconds(1));
  EXPECT_EQ(after_execution(), AssetState::erased);
}

TEST_F(ARetention, BeginsNoGraceAnewBeyondTheMomentByWhichItHasToGo) {
  ASSERT_TRUE(done(load("[class.due]\nmatch = [\"name=m\"]\nerase-after = \"9 days\"\n")));
  const PlanView plan = approved(wish());
  world.clock.advance(6 * kDay);
  EXPECT_EQ(world.store->check_use(bob(), world.asset("m:1").id).error().code, Errc::wrong_state);
  EXPECT_EQ(world.store->show_plan(plan.plan.id)->plan.due, plan.plan.due.value() + 2 * kDay);
}

TEST_F(ARetention, MakesAPlanStaleThatItsRulesNoLongerAllow) {
  const auto asked = world.store->retire(wish(Timing::now));
  ASSERT_TRUE(done(asked));
  ASSERT_TRUE(done(load("[class.calm]\nmatch = [\"name=m\"]\ngrace = \"2 days\"\n")));
  EXPECT_EQ(approve(*asked).error().code, Errc::plan_stale);
  EXPECT_EQ(world.store->show_plan(asked->plan.id)->plan.state, domain::PlanState::stale);
  EXPECT_EQ(approve(*asked).error().code, Errc::plan_stale);
  EXPECT_EQ(state_of(world, "m:1"), AssetState::active);
  EXPECT_TRUE(done(world.store->retire(wish()))) << "nothing of it is in the way";
}

TEST_F(ARetention, SkipsTheGraceWhereItsClassAllows) {
  const PlanView plan = approved(wish(Timing::now));
  EXPECT_EQ(plan.waits_for, WaitsFor::nothing);
  EXPECT_EQ(after_execution(), AssetState::erased);
  EXPECT_EQ(predicate_of(world, "m:1")["policy"]["grace"], "skipped: requested with --now");
}

TEST_F(ARetention, DoesNotSkipTheGraceWhereOneClassForbids) {
  ASSERT_TRUE(done(load("[class.slow]\nmatch = [\"name=m\"]\ngrace = \"2 days\"\n")));
  EXPECT_EQ(refusal(wish(Timing::now)), Errc::retention_floor);
  const PlanView plan = approved(wish());
  EXPECT_EQ(plan.plan.due, world.clock.now() + 7 * kDay) << "the longest grace of its classes";
}

TEST_F(ARetention, ForgetsHasteThatAPolicyForbidsSince) {
  const auto asked = world.store->retire(wish(Timing::now));
  ASSERT_TRUE(done(asked));
  ASSERT_TRUE(done(load("[class.slow]\nmatch = [\"name=m\"]\ngrace = \"2 days\"\n")));
  const auto answer = approve(*asked);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Errc::plan_stale);
  EXPECT_EQ(after_execution(), AssetState::active);
}

TEST_F(ARetention, KeepsItAfterTheRetirementAsLongAsTheClassSays) {
  ASSERT_TRUE(
      done(load("[class.after]\nmatch = [\"name=m\"]\nretain-for = \"6 months\"\n"
                "trigger = \"retired\"\n")));
  const PlanView plan = approved(wish());
  EXPECT_EQ(plan.plan.due, from_rfc3339("2026-07-01T00:00:00Z"));
}

// ---- floors -------------------------------------------------------------------------------------

constexpr const char* kFloor =
    "[class.kept]\nmatch = [\"name=m\"]\nretain-for = \"6 months\"\nallow-now = true\n"
    "grace = \"0 days\"\nbasis = \"Article 19\"\n";

TEST_F(ARetention, KeepsToTheSecond) {
  ASSERT_TRUE(done(load(kFloor)));
  world.clock.set_wall(*from_rfc3339("2026-06-30T23:59:59Z"));
  EXPECT_EQ(refusal(wish()), Errc::retention_floor);
  world.clock.advance(seconds(1));
  approved(wish(Timing::now));
  EXPECT_EQ(after_execution(), AssetState::erased);
  const Json policy = predicate_of(world, "m:1")["policy"];
  EXPECT_EQ(policy["classes"], (Json{"default", "kept"}));
  EXPECT_EQ(policy["basis"], (Json{"Article 19"}));
  EXPECT_EQ(policy["in_force_since"], "2026-01-01T00:00:00Z");
  EXPECT_EQ(policy["version_sha256"], to_hex(world.store->retention().set().version()));
}

TEST_F(ARetention, IsLookedAtOnceMoreBeforeTheErasure) {
  approved(wish());
  ASSERT_TRUE(done(load(kFloor)));
  world.clock.advance(8 * kDay);
  EXPECT_NE(after_execution(), AssetState::erased) << "the floor came after the approval";
  EXPECT_TRUE(done(world.store->resume_asset(alice(), world.asset("m:1").id, "kept")));
  EXPECT_TRUE(done(world.read_back(world.asset("m:1"))));
}

TEST_F(ARetention, GoesBelowAFloorOnALegalBasisAndOneMoreApproval) {
  ASSERT_TRUE(done(load(std::string(kFloor) + "custodians = [\"carol\"]\n")));
  const auto asked = world.store->retire(wish(Timing::now, "GDPR Article 17(1)"));
  ASSERT_TRUE(done(asked));
  EXPECT_EQ(asked->needed.people, 2U);
  const auto first = approve(*asked);
  ASSERT_TRUE(done(first));
  EXPECT_EQ(first->plan.state, PlanState::requested);
  EXPECT_EQ(first->needed.people, 1U);
  EXPECT_FALSE(approve(*asked).ok()) << "twice the same person";
  EXPECT_EQ(after_execution(), AssetState::active);
  const auto second = approve(*asked, carol);
  ASSERT_TRUE(done(second));
  EXPECT_EQ(second->plan.state, PlanState::approved);
  EXPECT_EQ(after_execution(), AssetState::erased);
  const Json below = predicate_of(world, "m:1")["policy"]["below_floor"];
  ASSERT_TRUE(below.is_object()) << below;
  EXPECT_EQ(below["legal_basis"], "GDPR Article 17(1)");
  EXPECT_EQ(below["floors"].size(), 1U);
}

TEST_F(ARetention, GoesBelowWhatCountsFromTheRetirementByOneMoreApprovalToo) {
  ASSERT_TRUE(
      done(load("[class.after]\nmatch = [\"name=m\"]\nretain-for = \"6 months\"\n"
                "trigger = \"retired\"\ncustodians = [\"carol\"]\n")));
  const auto asked = world.store->retire(wish(Timing::after_grace, "GDPR Article 17(1)"));
  ASSERT_TRUE(done(asked));
  EXPECT_EQ(asked->needed.people, 2U);
  ASSERT_TRUE(done(approve(*asked)));
  EXPECT_EQ(after_execution(), AssetState::active);
  const auto second = approve(*asked, carol);
  ASSERT_TRUE(done(second));
  EXPECT_EQ(second->plan.due, world.clock.now() + 7 * kDay);
  world.clock.advance(7 * kDay);
  EXPECT_EQ(after_execution(), AssetState::erased);
  EXPECT_TRUE(predicate_of(world, "m:1")["policy"]["below_floor"].is_object());
}

TEST_F(ARetention, GoesBelowNoFloorWhereNoneIs) {
  EXPECT_EQ(refusal(wish(Timing::after_grace, "GDPR Article 17(1)")), Errc::usage);
  RetireRequest dry = wish(Timing::after_grace, "GDPR Article 17(1)");
  dry.persist = lifecycle::Persist::dry_run;
  EXPECT_EQ(refusal(dry), Errc::usage);
}

TEST_F(ARetention, NeverGoesBelowAHold) {
  ASSERT_TRUE(done(load(kFloor)));
  ASSERT_TRUE(done(world.hold({"name=m"})));
  EXPECT_EQ(refusal(wish(Timing::now, "GDPR Article 17(1)")), Errc::legal_hold);
}

TEST_F(ARetention, KeepsWithoutAnEndWhatWasNotPlacedOnTheMarket) {
  ASSERT_TRUE(
      done(load("[class.file]\nmatch = [\"name=m\"]\nretain-for = \"10 years\"\n"
                "trigger = \"placed-on-market\"\n")));
  world.clock.advance(20 * 366 * kDay);
  EXPECT_EQ(refusal(wish()), Errc::retention_floor);
  Store::Changes changes;
  changes.reason = "the register";
  changes.placed_on_market = from_rfc3339("2032-02-29T00:00:00Z");
  ASSERT_TRUE(done(world.store->set_asset(bob(), world.asset("m:1").id, changes)));
  world.clock.set_wall(*from_rfc3339("2042-02-27T23:59:59Z"));
  EXPECT_EQ(refusal(wish()), Errc::retention_floor);
  world.clock.advance(seconds(1));
  EXPECT_TRUE(done(world.store->retire(wish())));
}

TEST_F(ARetention, SurfacesAConflictAndErasesNothingForIt) {
  ASSERT_TRUE(
      done(load("[class.long]\nmatch = [\"name=m\"]\nretain-for = \"2 years\"\n"
                "[class.short]\nmatch = [\"name=m\"]\nerase-after = \"1 year\"\n")));
  const auto view = world.store->show_asset(world.asset("m:1").id);
  ASSERT_TRUE(done(view));
  EXPECT_EQ(view->retention->verdict, domain::Verdict::conflict);
  EXPECT_NE(refusal(wish()), Errc::unexpected);
}

// ---- people -------------------------------------------------------------------------------------

TEST_F(ARetention, AsksForAsManyPeopleAsTheClassSays) {
  ASSERT_TRUE(
      done(load("[class.two]\nmatch = [\"name=m\"]\napprovals = 2\n"
                "custodians = [\"carol\"]\ngrace = \"0 days\"\nallow-now = true\n")));
  const auto asked = world.store->retire(wish(Timing::now));
  ASSERT_TRUE(done(asked));
  ASSERT_TRUE(done(approve(*asked, carol)));
  EXPECT_EQ(after_execution(), AssetState::active);
  ASSERT_TRUE(done(approve(*asked)));
  EXPECT_EQ(after_execution(), AssetState::erased);
}

TEST_F(ARetention, CountsWhomTheClassNamesOnlyForItsOwnAssets) {
  ASSERT_TRUE(done(load("[class.other]\nmatch = [\"name=other\"]\ncustodians = [\"carol\"]\n")));
  const auto asked = world.store->retire(wish());
  ASSERT_TRUE(done(asked));
  const auto answer = approve(*asked, carol);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Errc::access_denied);
}

TEST_F(ARetention, AsksForMoreApprovalsAlsoOfAPlanThatIsApproved) {
  approved(wish());
  ASSERT_TRUE(done(load("[class.two]\nmatch = [\"name=m\"]\napprovals = 2\n")));
  world.clock.advance(8 * kDay);
  EXPECT_NE(after_execution(), AssetState::erased);
}

TEST_F(ARetention, LetsAnotherPersonValidateWhereTheClassSaysSo) {
  ASSERT_TRUE(
      done(load("[class.v]\nmatch = [\"name=m\"]\nvalidation = \"other-person\"\n"
                "custodians = [\"carol\"]\ngrace = \"0 days\"\nallow-now = true\n")));
  approved(wish(Timing::now));
  ASSERT_EQ(after_execution(), AssetState::erased);
  lifecycle::ValidateRequest request;
  request.actor = bob();
  request.certificate = *world.store->show_asset(world.asset("m:1").id)->certificate;
  request.verdict = domain::Validation::accepted;
  const auto same = world.store->validate(request);
  ASSERT_FALSE(same.ok());
  EXPECT_EQ(same.error().code, Errc::access_denied);
  request.actor = carol;
  EXPECT_TRUE(done(world.store->validate(request)));
}

TEST_F(ARetention, IsWeakenedByACustodianAlone) {
  ASSERT_TRUE(
      done(load("[class.logs]\nmatch = [\"label.purpose=log\"]\nretain-for = \"1 year\"\n")));
  const Uuid id = world.asset("m:1").id;
  Store::Changes changes;
  changes.reason = "sorted anew";
  changes.labels = {{"purpose", "log"}};
  ASSERT_TRUE(done(world.store->set_asset(alice(), id, changes))) << "more protection is anybody's";
  changes.labels = {{"purpose", "x"}};
  const auto refused = world.store->set_asset(alice(), id, changes);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::access_denied);
  EXPECT_EQ(world.store->show_asset(id)->asset.labels.at("purpose"), "log");
  EXPECT_TRUE(done(world.store->set_asset(bob(), id, changes)));
}

TEST_F(ARetention, RefusesAnImportThatItsClassWantsBetterProtected) {
  ASSERT_TRUE(
      done(load("[class.strict]\nmatch = [\"name=secret\"]\n"
                "require-assurance = \"EA4\"\n")));
  const Status imported = world.import(small_asset("secret:1", 9));
  ASSERT_FALSE(imported.ok());
  EXPECT_EQ(imported.error().code, Errc::assurance_required);
  EXPECT_TRUE(done(world.import(small_asset("plain:1", 10))));
}

TEST_F(ARetention, SaysWhenAnAssetComesIntoAClassThatWantsItBetterProtected) {
  ASSERT_TRUE(done(
      load("[class.strict]\nrequire-assurance = \"EA4\"\n[class.plain]\ngrace = \"1 day\"\n")));
  Store::Changes changes;
  changes.reason = "sorted anew";
  changes.retention = "plain";
  const auto plain = world.store->set_asset(bob(), world.asset("m:1").id, changes);
  ASSERT_TRUE(done(plain));
  EXPECT_TRUE(plain->remarks.empty());
  changes.retention = "strict";
  const auto strict = world.store->set_asset(bob(), world.asset("m:1").id, changes);
  ASSERT_TRUE(done(strict));
  ASSERT_EQ(strict->remarks.size(), 1U);
  EXPECT_NE(strict->remarks[0].find("asks for EA4"), std::string::npos) << strict->remarks[0];
}

// ---- the clock ----------------------------------------------------------------------------------

TEST_F(ARetention, DoesNotBelieveAClockThatJumpsAhead) {
  approved(wish());
  world.clock.set_wall(world.clock.now() + 400 * kDay);
  EXPECT_EQ(after_execution(), AssetState::retired);
  EXPECT_EQ(latest_plan(world).waits_for, WaitsFor::clock);
  EXPECT_TRUE(doctor_says("clock-unconfirmed"));
  ASSERT_TRUE(done(world.store->confirm_clock(bob())));
  EXPECT_EQ(after_execution(), AssetState::erased);
}

TEST_F(ARetention, WaitsTheWholeGraceAfterAJumpThatWasCorrected) {
  approved(wish());
  world.clock.set_wall(world.clock.now() + 400 * kDay);
  ASSERT_TRUE(done(world.execute()));
  world.clock.set_wall(world.clock.now() - 400 * kDay);
  world.clock.advance(7 * kDay - seconds(1));
  EXPECT_EQ(after_execution(), AssetState::retired);
  world.clock.advance(2 * kDay);
  EXPECT_EQ(after_execution(), AssetState::erased);
}

TEST_F(ARetention, IsNotCutShortByAnApprovalUnderAClockThatWasFast) {
  ASSERT_TRUE(
      done(load("[class.two]\nmatch = [\"name=m\"]\napprovals = 2\ncustodians = [\"carol\"]\n")));
  const auto asked = world.store->retire(wish());
  ASSERT_TRUE(done(asked));
  const UtcTime begin = world.clock.now();
  world.clock.set_wall(begin + 20 * kDay);
  ASSERT_TRUE(done(approve(*asked)));
  world.clock.set_wall(begin);
  ASSERT_TRUE(done(approve(*asked, carol)));
  world.clock.set_wall(begin + 20 * kDay + hours(1));
  EXPECT_EQ(after_execution(), AssetState::retired) << "nothing has passed but the wall clock";
  EXPECT_EQ(latest_plan(world).waits_for, WaitsFor::clock);
  world.clock.set_wall(begin);
  world.clock.advance(20 * kDay + hours(1));
  EXPECT_EQ(after_execution(), AssetState::erased);
}

TEST_F(ARetention, CountsNoTimeWhileTheClockIsNotSynchronised) {
  approved(wish());
  world.clock.set_sync(FakeClock::Sync::unsynchronised);
  world.clock.advance(20 * kDay);
  EXPECT_EQ(after_execution(), AssetState::retired);
}

TEST_F(ARetention, AsksAPersonAfterALongTimeWithoutPower) {
  approved(wish());
  world.close();
  world.clock.reboot("00000000-0000-4000-8000-000000000002", 30 * kDay);
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(after_execution(), AssetState::retired);
  EXPECT_EQ(latest_plan(world).waits_for, WaitsFor::clock);
}

// ---- coming into force --------------------------------------------------------------------------

TEST_F(ARetention, ComesIntoForceByALoadAndStays) {
  const auto report = load(kFloor);
  ASSERT_TRUE(done(report));
  EXPECT_EQ(report->assets, 1U);
  EXPECT_EQ(report->weakened, 0U);
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(world.store->retention().set().version(), report->version);
  EXPECT_EQ(refusal(wish()), Errc::retention_floor);
  const auto weaker = load("[class.none]\nmatch = [\"name=zzz\"]\n");
  ASSERT_TRUE(done(weaker));
  EXPECT_EQ(weaker->previous, report->version);
  EXPECT_EQ(weaker->weakened, 1U);
  ASSERT_EQ(weaker->rows.size(), 1U);
  EXPECT_EQ(weaker->rows[0].name.text(), "m:1");
}

TEST_F(ARetention, ComparesByLabelsAndCustodiansOfEachAsset) {
  ASSERT_TRUE(done(world.import(small_asset("n:1", 2))));
  Store::Changes changes;
  changes.reason = "sorted";
  changes.labels = {{"purpose", "log"}, {"site", "north"}};
  ASSERT_TRUE(done(world.store->set_asset(bob(), world.asset("n:1").id, changes)));
  ImportWish carols = small_asset("o:1", 3);
  carols.custodians = {{domain::CustodianKind::user, "carol", 1002}};
  ASSERT_TRUE(done(world.import(carols)));
  const auto report = load(
      "[class.a]\nmatch = [\"label.site=north\"]\nerase-after = \"1 year\"\n"
      "[class.b]\nmatch = [\"custodian=carol\"]\nerase-after = \"2 years\"\n",
      lifecycle::Persist::dry_run);
  ASSERT_TRUE(done(report));
  EXPECT_EQ(report->assets, 3U);
  ASSERT_EQ(report->rows.size(), 2U);
  EXPECT_EQ(report->rows[0].name.text(), "n:1");
  EXPECT_EQ(report->rows[0].change.erasure_after, from_rfc3339("2027-01-01T00:00:00Z"));
  EXPECT_EQ(report->rows[1].name.text(), "o:1");
  EXPECT_EQ(report->rows[1].change.erasure_after, from_rfc3339("2028-01-01T00:00:00Z"));
}

TEST_F(ARetention, OnlyReportsInADryRun) {
  const auto report = load(kFloor, lifecycle::Persist::dry_run);
  ASSERT_TRUE(done(report));
  EXPECT_NE(world.store->retention().set().version(), report->version);
  EXPECT_TRUE(done(world.store->retire(wish())));
}

TEST_F(ARetention, IsNotReplacedByWhatCannotBeRead) {
  ASSERT_TRUE(done(load(kFloor)));
  const auto broken = load("[class.kept]\nretain-fro = \"6 months\"\n");
  ASSERT_FALSE(broken.ok());
  EXPECT_NE(broken.error().message.find("rules.toml:2:1"), std::string::npos)
      << broken.error().message;
  const auto unknown = load("[class.kept]\ncustodians = [\"mallory\"]\n");
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().message.find("mallory"), std::string::npos);
  EXPECT_EQ(refusal(wish()), Errc::retention_floor);
}

TEST_F(ARetention, ErasesNothingWhereItWasTamperedWith) {
  ASSERT_TRUE(done(load(kFloor)));
  world.clock.advance(366 * kDay);
  approved(wish(Timing::now));
  const auto kept = world.keep();
  for (const char* change : {"UPDATE policy_file SET text = replace(text, '6 months', '1 day');",
                             "DELETE FROM policy_file; DELETE FROM policy_set;",
                             "UPDATE policy_set SET loaded = loaded - 1;"}) {
    SCOPED_TRACE(change);
    world.close();
    world.go_back(*kept);
    ASSERT_TRUE(done(sql(world.disk, change)));
    ASSERT_TRUE(done(world.open()));
    static_cast<void>(world.execute().ok());
    EXPECT_EQ(state_of(world, "m:1"), AssetState::retired);
    EXPECT_TRUE(doctor_says("policy-altered"));
  }
  ASSERT_TRUE(done(load(kFloor))) << "a load mends it";
  world.clock.advance(hours(2));
  EXPECT_EQ(after_execution(), AssetState::erased);
}

}  // namespace
}  // namespace aierase::test
