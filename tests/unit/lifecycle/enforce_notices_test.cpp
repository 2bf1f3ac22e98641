// What a nightly run tells people of, each once, whatever run finds it again.
#include "unit/lifecycle/nightly.h"

namespace aierase::test {
namespace {

using Words = std::vector<std::string>;
using std::chrono::hours;

class ATellingRun : public ANightlyRun {
 protected:
  // Kind and days of what a run at this moment tells, in order.
  Words told() {
    run();
    const auto rows = world.store->take_notices();
    EXPECT_TRUE(done(rows));
    Words words;
    for (const domain::AuditRow& row : *rows) {
      words.push_back(row.action + " " + std::to_string(row.notice ? row.notice->days : 99));
    }
    return words;
  }
  Words told_after(std::chrono::seconds time) {
    world.clock.advance(time);
    return told();
  }
};

TEST_F(ATellingRun, TellsOfACeilingFourteenSevenOneAndNoDaysBefore) {
  ASSERT_TRUE(done(load(kLogsGo)));
  import("log-1");
  EXPECT_EQ(told_after(166 * kDay), Words{}) << "fifteen days are left";
  EXPECT_EQ(told_after(kDay), Words{"erasure-comes 14"});
  EXPECT_EQ(told_after(kDay), Words{});
  EXPECT_EQ(told_after(6 * kDay), Words{"erasure-comes 7"});
  EXPECT_EQ(told_after(6 * kDay), Words{"erasure-comes 1"});
  EXPECT_EQ(told_after(hours(12)), Words{"erasure-comes 0"});
  EXPECT_EQ(told(), Words{});
}

TEST_F(ATellingRun, DoesNotTellOfACeilingThatAFloorOutlasts) {
  ASSERT_TRUE(done(load(std::string(kLogsGo) +
                        "[class.kept]\nmatch = [\"name=log-*\"]\nretain-for = \"1 year\"\n")));
  import("log-1");
  EXPECT_EQ(told_after(175 * kDay), Words{});
}

TEST_F(ATellingRun, TellsOnceOfAPlanThatHasWaitedForPeopleLongerThanADay) {
  due_logs(1);
  EXPECT_EQ(told(), Words{"plan-waits 0"});
  EXPECT_EQ(told_after(hours(23)), Words{});
  EXPECT_EQ(told_after(hours(1)), Words{"overdue 0"});
  EXPECT_EQ(told_after(hours(1)), Words{});
}

TEST_F(ATellingRun, TellsOnceThatTheBrakeHasTripped) {
  due_logs(5);
  EXPECT_EQ(told(), (Words{"plan-waits 0", "stopped 0"}));
  EXPECT_EQ(told_after(hours(1)), Words{});
}

TEST_F(ATellingRun, TellsOfTheClockAlsoWhereThousandsAreOverdue) {
  ASSERT_TRUE(done(load(kLogsGo)));
  for (int i = 0; i < 1'001; ++i) import("log-" + std::to_string(i));
  world.clock.advance(190 * kDay);
  import("other");
  world.close();
  world.clock.reboot("00000000-0000-4000-8000-000000000002", 30 * kDay);
  ASSERT_TRUE(done(world.open()));
  const Words first = told();
  EXPECT_EQ(std::count(first.begin(), first.end(), "overdue 0"), 1'000);
  EXPECT_EQ(std::count(first.begin(), first.end(), "stopped 0"), 1);
  const Words second = told_after(kDay);
  EXPECT_EQ(second, (Words{"overdue 0", "stopped 0"})) << "the last one, and the clock once a day";
}

TEST_F(ATellingRun, TellsNothingInADryRun) {
  due_logs(5);
  run(lifecycle::Persist::dry_run);
  const auto rows = world.store->take_notices();
  ASSERT_TRUE(done(rows));
  EXPECT_TRUE(rows->empty());
}

}  // namespace
}  // namespace aierase::test
