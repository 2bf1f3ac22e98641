#include "daemon/audit_post.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/support/fake_clock.h"

namespace aierase::daemon {
namespace {

using Part = lifecycle::AuditTrail::Part;

constexpr std::size_t kCalls = 20'000;

class TheWayIntoTheAudit : public testing::Test {
 protected:
  domain::AuditRow call(const std::string& subject) {
    domain::AuditRow row;
    row.time = clock.now();
    row.actor.uid = 1000;
    row.actor.login = "alice";
    row.method = "Asset.Show";
    row.subjects = {{"", subject}};
    return row;
  }
  void refuse(std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) {
      post.ended(AuditPost::kNeverBegan, call("guess" + std::to_string(i)),
                 make_error(Errc::not_found, "there is none"));
    }
  }
  // What the store thread and the loop do by turns, until nothing is on its way.
  std::vector<domain::AuditRow> collected() {
    for (int turn = 0; turn < 10; ++turn) {
      post.collect();
      static_cast<void>(post.wants_flush());
    }
    return post.trail().rows(Part::all, clock.now());
  }

  test::FakeClock clock;
  AuditPost post{clock};
};

TEST_F(TheWayIntoTheAudit, IsBoundedWhileTheStoreIsSlowAndLosesNoCall) {
  refuse(kCalls);
  EXPECT_TRUE(post.wants_flush());
  std::uint64_t counted = 0;
  const std::vector<domain::AuditRow> rows = collected();
  for (const domain::AuditRow& row : rows) counted += row.calls;
  EXPECT_EQ(counted, kCalls);
  EXPECT_LE(rows.size(), limits::kAuditRefusalsPerUid + 1);
}

TEST_F(TheWayIntoTheAudit, KeepsTheEndOfWhatBeganApartFromTheCrowd) {
  post.trail().begin(7, call("m:1"));
  ASSERT_EQ(post.trail().rows(Part::begun, clock.now()).size(), 1U);
  post.trail().written({5});
  refuse(kCalls);
  post.ended(7, call("m:1"), {});
  refuse(10);
  const std::vector<domain::AuditRow> rows = collected();
  const auto end = std::find_if(rows.begin(), rows.end(),
                                [](const domain::AuditRow& row) { return row.begun == 5; });
  ASSERT_NE(end, rows.end());
  EXPECT_EQ(end->outcome, domain::kAuditOk);
  EXPECT_EQ(end->subjects.front().name, "m:1");
}

TEST_F(TheWayIntoTheAudit, CutsWhatSomebodySentBeforeItWaits) {
  post.ended(AuditPost::kNeverBegan, call(std::string(2 << 20, 'x')), {});
  EXPECT_EQ(collected().at(0).subjects.at(0).name.size(), limits::kAuditTextBytes);
}

TEST_F(TheWayIntoTheAudit, HasNoRowForASliceThatDidNothing) {
  post.begin_slice();
  post.end_slice({}, {});
  EXPECT_TRUE(collected().empty());
}

TEST_F(TheWayIntoTheAudit, HasTheSliceThatFailedAndTheOneThatErased) {
  post.begin_slice();
  post.end_slice(make_error(Errc::no_space, "the disk is full"), {});
  post.begin_slice();
  ASSERT_EQ(post.trail().rows(Part::begun, clock.now()).size(), 1U);
  post.trail().written({3});
  post.end_slice({}, {"a-one", "c-one", "p-one"});
  const std::vector<domain::AuditRow> rows = collected();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].outcome, "no_space");
  EXPECT_EQ(rows[1].begun, 3);
  const std::vector<domain::AuditSubject> subjects{{"p-one", ""}, {"a-one", ""}};
  EXPECT_EQ(rows[1].subjects, subjects);
}

}  // namespace
}  // namespace aierase::daemon
