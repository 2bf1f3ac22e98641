// Notices: what people should know of before they look, told once, and never again after a restart.
#include <gtest/gtest.h>

#include <algorithm>

#include "domain/notice.h"
#include "fault/support/inspect.h"
#include "lifecycle/noticing.h"
#include "lifecycle/standing.h"
#include "unit/lifecycle/life.h"

namespace aierase::test::noticing {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr hours kDay{24};

class ANotice : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(done(world.init(domain::PeopleRule::two_person)));
    ASSERT_TRUE(done(world.open()));
    ASSERT_TRUE(done(world.import(small_asset("m:1", 1))));
  }
  lifecycle::PlanView asked() {
    lifecycle::RetireRequest request;
    request.actor = alice();
    request.assets = {world.asset("m:1").id};
    request.reason = "end";
    const auto view = world.store->retire(request);
    EXPECT_TRUE(done(view));
    return view.ok() ? *view : lifecycle::PlanView();
  }
  lifecycle::PlanView approved() {
    const lifecycle::PlanView view = asked();
    EXPECT_TRUE(done(world.store->approve(bob(), view.plan.id, to_hex(view.plan.digest))));
    return view;
  }
  // Kind and days of what was told since the last look, in order.
  std::vector<std::string> told() {
    EXPECT_TRUE(done(world.execute()));
    const auto rows = world.store->take_notices();
    EXPECT_TRUE(done(rows));
    std::vector<std::string> words;
    for (const domain::AuditRow& row : *rows) {
      EXPECT_EQ(row.outcome, "notice");
      EXPECT_TRUE(row.notice);
      EXPECT_FALSE(row.detail.empty());
      words.push_back(row.action + " " + std::to_string(row.notice ? row.notice->days : 99));
    }
    return words;
  }
  void after(std::chrono::seconds time) { world.clock.advance(time); }
  using Words = std::vector<std::string>;

  World world;
};

TEST(ANumberOfDays, IsReachedWithThatManyWholeDaysLeftOrFewer) {
  const UtcTime moment = from_unix(1'800'000'000);
  const auto at = [&](std::chrono::seconds before) {
    return domain::days_reached(moment, moment - before);
  };
  EXPECT_EQ(at(15 * kDay), std::nullopt);
  EXPECT_EQ(at(15 * kDay - seconds(1)), 14U);
  EXPECT_EQ(at(8 * kDay), 14U);
  EXPECT_EQ(at(8 * kDay - seconds(1)), 7U);
  EXPECT_EQ(at(2 * kDay - seconds(1)), 1U);
  EXPECT_EQ(at(kDay - seconds(1)), 0U);
  EXPECT_EQ(at(seconds(-1)), 0U) << "over, and only told of now";
}

TEST_F(ANotice, TellsOfAPlanThatWaitsAndOfItsEnd) {
  asked();
  EXPECT_EQ(told(), Words{"plan-waits 0"});
  EXPECT_EQ(told(), Words{}) << "once";
  after(21 * kDay);
  EXPECT_EQ(told(), Words{});
  after(kDay + seconds(1));
  EXPECT_EQ(told(), Words{"plan-expires 7"});
  after(6 * kDay);
  EXPECT_EQ(told(), Words{"plan-expires 1"});
  after(3 * kDay);
  EXPECT_EQ(told(), Words{}) << "it has expired";
}

TEST_F(ANotice, TellsOfAnErasureSevenDaysOneDayAndNoneBefore) {
  approved();
  EXPECT_EQ(told(), (Words{"plan-waits 0", "erasure-comes 7"}));
  after(5 * kDay + seconds(1));
  EXPECT_EQ(told(), Words{"erasure-comes 1"});
  after(kDay);
  EXPECT_EQ(told(), Words{"erasure-comes 0"});
  after(kDay);
  EXPECT_EQ(told(), Words{"validation-waits 0"});
  EXPECT_EQ(state_of(world, "m:1"), domain::AssetState::erased);
}

TEST_F(ANotice, OfSeveralNumbersThatPassedAtOnceTellsTheMostUrgent) {
  approved();
  EXPECT_EQ(told().back(), "erasure-comes 7");
  world.close();
  after(7 * kDay - seconds(10));
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(told(), Words{"erasure-comes 0"}) << "and not that of one day";
}

TEST_F(ANotice, IsNotRepeatedAfterARestart) {
  approved();
  EXPECT_EQ(told().size(), 2U);
  for (int life = 0; life < 3; ++life) {
    world.close();
    ASSERT_TRUE(done(world.open()));
    after(hours(1));
    EXPECT_EQ(told(), Words{});
  }
}

TEST_F(ANotice, OfAnErasureIsTakenBackWithThePlanAndToldAnewForAnother) {
  const lifecycle::PlanView first = approved();
  told();
  ASSERT_TRUE(done(world.store->cancel(alice(), first.plan.id)));
  after(6 * kDay);
  EXPECT_EQ(told(), Words{});
  ASSERT_TRUE(done(world.store->resume_asset(alice(), world.asset("m:1").id, "after all not")));
  approved();
  after(seconds(61));
  EXPECT_EQ(told(), (Words{"plan-waits 0", "erasure-comes 7"}));
}

TEST_F(ANotice, TellsThatAClockIsNotBelieved) {
  approved();
  told();
  world.clock.set_wall(world.clock.now() + 8 * kDay);
  after(seconds(61));
  EXPECT_EQ(told(), Words{}) << "it may be corrected soon, and no day has passed";
  after(hours(1));
  EXPECT_EQ(told(), Words{"stopped 0"});
  after(hours(1));
  EXPECT_EQ(told(), Words{});
  EXPECT_NE(state_of(world, "m:1"), domain::AssetState::erased);
}

TEST_F(ANotice, TellsOfTheEndOfAStandingApprovalAndOfAPlanThatWaitsAnew) {
  const lifecycle::PolicyRequest policy{
      person(1002, "carol"),
      {{"rules.toml", "[class.drafts]\nmatch = [\"name=m\"]\nerase-after = \"30 days\"\n"}},
      "as agreed"};
  ASSERT_TRUE(done(world.store->load_policy(policy)));
  ASSERT_TRUE(
      done(world.store->approve_standing({bob(), "drafts", world.clock.now() + 40 * kDay})));
  after(25 * kDay + seconds(1));
  EXPECT_EQ(told(), Words{"approval-ends 14"});
  after(5 * kDay);
  lifecycle::RetireRequest request;
  request.actor = person(900, "aierase-enforce");
  request.assets = {world.asset("m:1").id};
  request.reason = "due";
  request.origin = domain::PlanOrigin::enforce;
  ASSERT_TRUE(done(world.store->retire(request)));
  EXPECT_EQ(told(), Words{"erasure-comes 7"}) << "nobody has to approve it";
  ASSERT_TRUE(done(world.store->revoke_standing({bob(), "drafts", ""})));
  EXPECT_EQ(told(), Words{"plan-waits 0"});
  after(5 * kDay);
  EXPECT_EQ(told(), Words{}) << "what was revoked does not end any more";
}

TEST_F(ANotice, StandsInTheAuditAmongTheCalls) {
  asked();
  lifecycle::Store::AuditRequest request;
  request.query.outcome = "notice";
  const auto page = world.store->audit(request, "", 10);
  ASSERT_TRUE(done(page));
  ASSERT_EQ(page->rows.size(), 1U);
  EXPECT_EQ(page->rows[0].action, "plan-waits");
  EXPECT_EQ(page->rows[0].method, "Daemon.Notice");
  EXPECT_EQ(page->rows[0].actor.login, "aierased");
  lifecycle::Store::AuditRequest of_asset;
  of_asset.asset = lifecycle::Store::AuditRequest::Asset{world.asset("m:1").id, "m:1"};
  const auto about = world.store->audit(of_asset, "", 10);
  ASSERT_TRUE(done(about));
  EXPECT_EQ(about->rows.size(), 1U) << "it is about a plan that names the asset";
}

TEST_F(ANotice, OfTheNightlyRunIsMadeOfWhatItFound) {
  domain::Asset asset;
  asset.id = Uuid::random();
  asset.name = domain::AssetName::parse("m:2").value();
  const UtcTime now = world.clock.now();
  EXPECT_FALSE(lifecycle::ceiling_comes(asset, now + 15 * kDay, now));
  const auto near = lifecycle::ceiling_comes(asset, now + 14 * kDay, now);
  ASSERT_TRUE(near);
  EXPECT_EQ(near->days, 14U);
  EXPECT_EQ(near->subject, domain::id_text(domain::IdType::asset, asset.id));
  const auto late = lifecycle::overdue("p-x", "", now, "nobody approved it");
  EXPECT_NE(late.text.find("overdue since"), std::string::npos);
}

// ---- enrolments ---------------------------------------------------------------------------------

TEST_F(ANotice, TellsOfWhoIsEnrolledChangedAndStruckOutAndTheLogHasEach) {
  std::vector<domain::Enrolled> file{{"dora", 1004, {"SHA256:one"}},
                                     {"emil", domain::kNoUid, {"SHA256:e"}}};
  world.enrolled = [&file] { return Result<std::vector<domain::Enrolled>>(file); };
  ASSERT_TRUE(done(world.open()));
  const auto texts = [&] {
    EXPECT_TRUE(done(world.execute()));
    const auto rows = world.store->take_notices();
    EXPECT_TRUE(done(rows));
    std::vector<std::string> all;
    for (const domain::AuditRow& row : *rows) all.push_back(row.detail);
    return all;
  };
  const auto log_size = [&] { return world.store->status().value().state.log.size; };
  const std::uint64_t before = log_size();
  EXPECT_EQ(texts(), std::vector<std::string>{"people.toml: dora was enrolled with uid 1004, key "
                                              "SHA256:one; emil was enrolled with key "
                                              "SHA256:e"});
  world.clock.advance(seconds(61));
  EXPECT_TRUE(texts().empty()) << "told once";
  file = {{"dora", 1004, {"SHA256:one", "SHA256:two"}}};
  EXPECT_TRUE(texts().empty()) << "it is not a minute later";
  world.clock.advance(seconds(61));
  EXPECT_EQ(texts(), std::vector<std::string>{"people.toml: dora speaks now with uid 1004, key "
                                              "SHA256:one, key SHA256:two; emil was struck out"});
  ASSERT_TRUE(done(world.open()));
  EXPECT_TRUE(texts().empty()) << "also after a restart";
  EXPECT_EQ(log_size(), before + 4);
}

TEST_F(ANotice, OfAFileThatCannotBeReadStrikesNobodyOut) {
  bool readable = true;
  world.enrolled = [&readable] {
    using People = std::vector<domain::Enrolled>;
    if (readable) return Result<People>(People{{"dora", 1004, {"SHA256:one"}}});
    return Result<People>(make_error(Errc::invalid_input, "line 3 is wrong"));
  };
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(world.store->take_notices().value().size(), 1U);
  readable = false;
  world.clock.advance(seconds(61));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_TRUE(world.store->take_notices().value().empty());
}

}  // namespace
}  // namespace aierase::test::noticing
