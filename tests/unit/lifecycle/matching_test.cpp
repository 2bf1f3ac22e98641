// Matches by time: what was not used for so long, and what the policy makes due before a moment.
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/lifecycle/life.h"

namespace aierase::test {
namespace {

using std::chrono::days;
using std::chrono::seconds;

using Names = std::vector<std::string>;

class AMatchByTime : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(done(world.init(domain::PeopleRule::two_person)));
    ASSERT_TRUE(done(world.open()));
    for (const char* name : {"log:1", "log:2", "m:1"}) {
      ASSERT_TRUE(done(world.import(small_asset(name, ++seed))));
    }
    imported = world.clock.now();
  }

  Names found(const Names& texts, catalog::NameScope scope = catalog::NameScope::living) {
    const auto selectors = domain::parse_selectors(texts);
    EXPECT_TRUE(done(selectors));
    if (!selectors.ok()) return {};
    const auto assets = world.store->select(*selectors, scope, 100);
    EXPECT_TRUE(done(assets));
    Names names;
    if (!assets.ok()) return names;
    for (const Uuid& id : *assets) {
      const auto asset = world.store->glance_at_asset(id);
      if (asset.ok()) names.push_back(asset->name.text());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  Status load(const std::string& policy) {
    const auto loaded = world.store->load_policy(
        {bob(), {{"rules.toml", policy}}, "agreed", lifecycle::Persist::yes});
    return loaded.ok() ? Status() : Status(loaded.error());
  }

  World world;
  std::uint64_t seed = 0;
  UtcTime imported{};
};

TEST_F(AMatchByTime, FindsWhatWasNotUsedForSoLongAndNothingASecondTooEarly) {
  const Names by{"unused-for=30 days", "name=log"};
  world.clock.advance(days(30) - seconds(1));
  EXPECT_EQ(found(by), Names{});
  world.clock.advance(seconds(1));
  EXPECT_EQ(found(by), (Names{"log:1", "log:2"}));
  ASSERT_TRUE(done(world.read_back(world.asset("log:2"))));  // an export is a use
  EXPECT_EQ(found(by), Names{"log:1"});
  world.clock.advance(days(30));
  EXPECT_EQ(found(by), (Names{"log:1", "log:2"}));
}

TEST_F(AMatchByTime, FindsNothingThatIsMountedHoweverLong) {
  lifecycle::MountRequest request;
  request.asset = world.asset("m:1").id;
  request.holder.actor = alice();
  request.holder.mount_point = "/srv/m";
  {
    const auto ticket = world.store->begin_mount(std::move(request));
    ASSERT_TRUE(done(ticket));
    world.clock.advance(days(400));
    EXPECT_EQ(found({"unused-for=1 year"}), (Names{"log:1", "log:2"}));
  }
  ASSERT_TRUE(done(world.store->end_mount(world.asset("m:1").id)));
  EXPECT_EQ(found({"unused-for=1 year"}), (Names{"log:1", "log:2"}));
  world.clock.advance(days(400));
  EXPECT_EQ(found({"unused-for=1 year", "name=m"}), Names{"m:1"});
}

TEST_F(AMatchByTime, TakesNothingForOldBecauseTheClockRanAhead) {
  world.clock.set_wall(imported + days(400));
  EXPECT_EQ(found({"unused-for=1 year"}), Names{});
}

TEST_F(AMatchByTime, FindsWhatThePolicyMakesDueBeforeThat) {
  EXPECT_EQ(found({"due-before=9999-01-01"}), Names{}) << "no policy makes anything due";
  ASSERT_TRUE(
      done(load("[class.logs]\nmatch = [\"name=log\"]\nerase-after = \"30 days\"\n"
                "[class.kept]\nmatch = [\"name=log:2\"]\nretain-for = \"90 days\"\n")));
  const UtcTime due = imported + days(30);
  EXPECT_EQ(found({"due-before=" + to_rfc3339(due)}), Names{});
  EXPECT_EQ(found({"due-before=" + to_rfc3339(due + seconds(1))}), Names{"log:1"});
  EXPECT_EQ(found({"due-before=" + to_rfc3339(imported + days(89))}), Names{"log:1"});
  EXPECT_EQ(found({"due-before=1970-01-01"}), Names{});
}

TEST_F(AMatchByTime, CountsVersionsAsTheNightlyRunDoes) {
  ASSERT_TRUE(
      done(load("[class.logs]\nmatch = [\"name=log\"]\nerase-after = \"30 days\"\n"
                "keep-last = 1\n")));
  EXPECT_EQ(found({"due-before=9999-01-01"}).size(), 1U) << "the newest stays";
}

TEST_F(AMatchByTime, FindsNothingThatIsErased) {
  ASSERT_TRUE(done(world.erase({"log:1"})));
  world.clock.advance(days(400));
  ASSERT_EQ(found({"name=log"}, catalog::NameScope::any), (Names{"log:1", "log:2"}));
  EXPECT_EQ(found({"name=log", "unused-for=1 day"}, catalog::NameScope::any), Names{"log:2"});
}

TEST_F(AMatchByTime, IsNoRuleForAHoldOfTheFutureNorForAClass) {
  for (const char* text : {"unused-for=1 day", "due-before=2031-01-01"}) {
    const Status held = world.hold({text}, domain::HoldReach::future);
    ASSERT_FALSE(held.ok());
    EXPECT_EQ(held.error().code, Errc::usage);
    EXPECT_FALSE(load("[class.old]\nmatch = [\"" + std::string(text) +
                      "\"]\n"
                      "erase-after = \"1 year\"\n")
                     .ok());
  }
  world.clock.advance(days(2));
  EXPECT_TRUE(done(world.hold({"unused-for=1 day", "name=log:1"})));  // of today's, each by its id
}

}  // namespace
}  // namespace aierase::test
