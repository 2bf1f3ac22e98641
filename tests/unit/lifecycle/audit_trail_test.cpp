#include "lifecycle/audit_trail.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/limits.h"

namespace aierase::lifecycle {
namespace {

using domain::AuditRow;
using Part = AuditTrail::Part;

constexpr UtcTime kNoon = UtcTime{std::chrono::seconds{1'800'000'000}};
constexpr std::chrono::seconds kMinute{60};

AuditRow call(std::uint32_t uid, std::string_view outcome, std::string subject = "m:1",
              UtcTime time = kNoon) {
  AuditRow row;
  row.time = row.last = time;
  row.actor.uid = uid;
  row.actor.login = "user" + std::to_string(uid);
  row.action = "read";
  row.method = "Asset.Show";
  row.subjects = {{"", std::move(subject)}};
  row.outcome = outcome;
  return row;
}

std::uint64_t calls_in(const std::vector<AuditRow>& rows) {
  return std::accumulate(rows.begin(), rows.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const AuditRow& row) { return sum + row.calls; });
}

TEST(AnActThatHasBegun, IsHandedToEveryCommitUntilItsRowIsDurable) {
  AuditTrail trail;
  trail.begin(1, call(1000, ""));
  ASSERT_EQ(trail.rows(Part::begun, kNoon).size(), 1u);  // and that commit fails
  const std::vector<AuditRow> again = trail.rows(Part::due, kNoon);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].outcome, domain::kAuditBegun);
  trail.written({7});
  EXPECT_TRUE(trail.rows(Part::all, kNoon).empty());
}

TEST(AnActThatHasBegun, EndsWithASecondRowThatNamesTheFirst) {
  AuditTrail trail;
  trail.begin(1, call(1000, ""));
  trail.rows(Part::begun, kNoon);
  trail.written({7});
  trail.end(1, call(1000, "ok"));
  const std::vector<AuditRow> rows = trail.rows(Part::due, kNoon);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].begun, 7);
  EXPECT_EQ(rows[0].outcome, "ok");
}

TEST(AnActThatHasBegun, HasOneRowWhereItEndsBeforeItsFirstEffect) {
  AuditTrail trail;
  trail.begin(1, call(1000, ""));
  trail.end(1, call(1000, "wrong_state"));
  const std::vector<AuditRow> rows = trail.rows(Part::all, kNoon);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_FALSE(rows[0].begun);
}

TEST(AnActThatHasBegun, IsForgottenOnlyWhileNothingSaysThatItBegan) {
  AuditTrail trail;
  trail.begin(1, call(0, ""));
  EXPECT_TRUE(trail.forget(1));
  EXPECT_TRUE(trail.rows(Part::all, kNoon).empty());
  trail.begin(2, call(0, ""));
  trail.rows(Part::begun, kNoon);
  trail.written({8});
  EXPECT_FALSE(trail.forget(2));
}

TEST(AnActThatHasBegun, IsNotFoldedWithAnother) {
  AuditTrail trail;
  for (std::uint64_t number = 1; number <= 2; ++number) {
    trail.begin(number, call(1000, ""));
    trail.rows(Part::begun, kNoon);
    trail.written({static_cast<std::int64_t>(number)});
    trail.end(number, call(1000, "ok"));
  }
  EXPECT_EQ(trail.rows(Part::due, kNoon).size(), 2u);
}

TEST(AlikeCalls, OfOneMinuteShareARow) {
  AuditTrail trail;
  for (int second : {0, 20, 59}) {
    trail.end(0, call(1000, "ok", "m:1", kNoon + std::chrono::seconds(second)));
  }
  trail.end(0, call(1000, "ok", "m:2"));
  trail.end(0, call(1001, "ok", "m:1"));
  trail.end(0, call(1000, "ok", "m:1", kNoon + kMinute));
  const std::vector<AuditRow> rows = trail.rows(Part::all, kNoon);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].calls, 3u);
  EXPECT_EQ(rows[0].time, kNoon);
  EXPECT_EQ(rows[0].last, kNoon + std::chrono::seconds(59));
}

TEST(ACallThatOnlyReads, WaitsForItsMinuteUnlessSomebodyReadsTheAudit) {
  AuditTrail trail;
  trail.end(0, call(1000, "ok"));
  trail.end(0, call(1000, "access_denied"));
  EXPECT_EQ(trail.rows(Part::due, kNoon).size(), 1u);
  EXPECT_EQ(trail.rows(Part::shown, kNoon).size(), 2u);
  EXPECT_EQ(trail.rows(Part::due, kNoon + kMinute).size(), 2u);
}

TEST(WhatIsHandedOut, ComesAgainAfterACommitThatFailed) {
  AuditTrail trail;
  trail.end(0, call(1000, "access_denied"));
  EXPECT_EQ(trail.rows(Part::due, kNoon).size(), 1u);
  EXPECT_EQ(trail.rows(Part::due, kNoon).size(), 1u);
  trail.written({1});
  EXPECT_FALSE(trail.waits());
}

TEST(AStepThatCanOnlyGoForward, TakesNoRowAlong) {
  AuditTrail trail;
  trail.begin(1, call(1000, ""));
  trail.end(0, call(1000, "access_denied"));
  EXPECT_TRUE(trail.rows(Part::none, kNoon + kMinute).empty());
  trail.written({});
  EXPECT_EQ(trail.rows(Part::all, kNoon).size(), 2u);
}

TEST(Refusals, BeyondTheLimitOfAPersonAreCountedAndNoneIsMissing) {
  AuditTrail trail;
  for (int i = 0; i < 1000; ++i) {
    trail.end(0, call(1000, "not_found", "guess" + std::to_string(i)));
    // Whatever is committed meanwhile gives no new room in the same minute.
    if (i == 500) {
      const std::vector<AuditRow> rows = trail.rows(Part::due, kNoon);
      EXPECT_EQ(rows.size(), limits::kAuditRefusalsPerUid);
      trail.written(std::vector<std::int64_t>(rows.size(), 1));
    }
  }
  trail.end(0, call(1001, "not_found"));
  const std::vector<AuditRow> rows = trail.rows(Part::all, kNoon);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].calls, 1000 - limits::kAuditRefusalsPerUid);
  EXPECT_EQ(rows[0].actor.uid, 1000u);
  EXPECT_EQ(rows[0].outcome, "not_found");
  EXPECT_TRUE(rows[0].subjects.empty());
  EXPECT_EQ(rows[1].method, "Asset.Show");  // others are not affected
}

TEST(Refusals, AreWrittenInFullAgainAMinuteLater) {
  AuditTrail trail;
  for (int i = 0; i < 100; ++i) trail.end(0, call(1000, "not_found", std::to_string(i)));
  trail.end(0, call(1000, "not_found", "later", kNoon + kMinute));
  EXPECT_EQ(trail.rows(Part::all, kNoon).back().subjects.front().name, "later");
}

TEST(Refusals, OfVeryManyPeopleTakeABoundedNumberOfRowsAndNoneIsMissing) {
  AuditTrail trail;
  constexpr std::uint32_t kPeople = 5000;
  for (std::uint32_t uid = 1; uid <= kPeople; ++uid) trail.end(0, call(uid, "access_denied"));
  const std::vector<AuditRow> rows = trail.rows(Part::all, kNoon);
  EXPECT_LE(rows.size(), 2 * limits::kAuditRefusals + 1);
  EXPECT_EQ(calls_in(rows), kPeople);
  EXPECT_EQ(rows.back().actor.uid, domain::kManyPeople);
}

TEST(CallsThatWait, AreBoundedWhileNothingCanBeWrittenAndNoneIsMissing) {
  AuditTrail trail;
  constexpr std::size_t kCalls = 10'000;
  for (std::size_t i = 0; i < kCalls; ++i) {
    trail.end(0, call(1000, "ok", std::to_string(i)));
  }
  const std::vector<AuditRow> rows = trail.rows(Part::all, kNoon);
  EXPECT_LE(rows.size(), limits::kAuditWaitingRows + 1);
  EXPECT_EQ(calls_in(rows), kCalls);
}

TEST(TextsOfCallers, AreMadePrintableAndShort) {
  AuditTrail trail;
  std::string umlauts = "x";
  for (int i = 0; i < 200; ++i) umlauts += "\xC3\xA4";
  AuditRow row = call(1000, "not_found", "a\x1b[31m\xFF");
  row.detail = umlauts;
  row.subjects.resize(100);
  trail.end(0, row);
  const AuditRow kept = trail.rows(Part::all, kNoon).at(0);
  EXPECT_EQ(kept.subjects.size(), limits::kAuditSubjects);
  EXPECT_EQ(kept.subjects[0].name.find('\x1b'), std::string::npos);
  EXPECT_EQ(kept.subjects[0].name.find('\xFF'), std::string::npos);
  EXPECT_EQ(kept.detail, umlauts.substr(0, limits::kAuditTextBytes));  // an odd number of bytes
  row.detail = "y" + umlauts;
  row.outcome = "usage";
  trail.end(0, row);
  const AuditRow other = trail.rows(Part::all, kNoon).at(1);
  EXPECT_EQ(other.detail.size(), limits::kAuditTextBytes - 1);  // and no half of a character
}

TEST(WhatIsTaken, LeavesTheTrailEmpty) {
  AuditTrail trail;
  trail.end(0, call(1000, "ok"));
  EXPECT_EQ(trail.take().size(), 1u);
  EXPECT_FALSE(trail.waits());
}

}  // namespace
}  // namespace aierase::lifecycle
