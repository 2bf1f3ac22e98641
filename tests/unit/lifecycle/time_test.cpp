// Trusted time: never ahead of either clock, and never back.
#include <gtest/gtest.h>

#include "lifecycle/core.h"
#include "unit/support/fake_clock.h"

namespace aierase::lifecycle {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using test::FakeClock;

class TrustedTime : public ::testing::Test {
 protected:
  TrustedTime() {
    const ClockReading reading = clock.read();
    state.trusted = state.last_wall = reading.wall;
    state.last_boottime = reading.since_boot.count();
    state.last_boot_id = reading.boot_id;
  }
  // How far it went by this look at the clocks.
  seconds look() {
    const UtcTime before = state.trusted;
    advance_trusted_time(state, clock.read());
    return state.trusted - before;
  }
  FakeClock clock;
  catalog::StoreState state;
};

TEST_F(TrustedTime, GoesOnWithBothClocks) {
  clock.advance(hours(5));
  EXPECT_EQ(look(), hours(5));
  EXPECT_EQ(look(), seconds(0));
}

TEST_F(TrustedTime, DoesNotFollowAJumpForward) {
  clock.advance(hours(1));
  clock.set_wall(clock.read().wall + hours(24 * 3650));
  EXPECT_EQ(look(), hours(1));
  clock.advance(hours(2));
  EXPECT_EQ(look(), hours(2)) << "and goes on from there";
}

TEST_F(TrustedTime, StandsStillWhileTheClockGoesBackAndAfterwards) {
  clock.advance(hours(1));
  clock.set_wall(clock.read().wall - hours(10));
  EXPECT_EQ(look(), seconds(0));
  clock.advance(hours(1));
  EXPECT_EQ(look(), hours(1));
}

TEST_F(TrustedTime, StandsStillWithoutSynchronisation) {
  clock.set_sync(FakeClock::Sync::unsynchronised);
  clock.advance(hours(30));
  EXPECT_EQ(look(), seconds(0));
  clock.set_sync(FakeClock::Sync::synchronised);
  clock.advance(hours(1));
  EXPECT_EQ(look(), hours(1)) << "what passed unsynchronised is not made up for";
}

TEST_F(TrustedTime, LosesNoSecondHoweverOftenItIsLookedAt) {
  const UtcTime start = state.trusted;
  for (int second = 0; second < 3'600; ++second) {
    clock.set_wall(clock.read().wall + seconds(1));  // a commit between the ticks of the two
    look();
    clock.set_since_boot(clock.read().since_boot + seconds(1));
    look();
  }
  EXPECT_EQ(state.trusted - start, seconds(3'600));
}

TEST_F(TrustedTime, DoesNotGainByManySmallJumps) {
  const UtcTime start = state.trusted;
  for (int jump = 0; jump < 3'600; ++jump) {
    clock.set_wall(clock.read().wall + seconds(1));
    look();
  }
  EXPECT_EQ(state.trusted - start, seconds(0));
  clock.advance(hours(1));
  look();
  EXPECT_LE(state.trusted - start, hours(1));
}

TEST_F(TrustedTime, BelievesAShortGapAcrossABootAndNoLongOne) {
  clock.reboot("00000000-0000-4000-8000-000000000002", hours(3));
  EXPECT_EQ(look(), hours(3));
  clock.reboot("00000000-0000-4000-8000-000000000003", hours(24 * 7) + seconds(1));
  EXPECT_EQ(look(), seconds(0));
  clock.reboot("00000000-0000-4000-8000-000000000004", -hours(1));
  EXPECT_EQ(look(), seconds(0));
}

// Approvals as (hour of the approval, hour by which it made the plan due).
struct Attended {
  const char* name;
  std::vector<std::pair<int, std::optional<int>>> approvals;
  Attendance attendance;
};

TEST(AttendanceOfAPlan, IsThatOfTheApprovalThatMadeItDue) {
  const Attended cases[] = {
      {"without grace", {{5, 5}}, Attendance::attended},
      {"with grace", {{5, 173}}, Attendance::unattended},
      {"with grace, of two", {{3, std::nullopt}, {5, 173}}, Attendance::unattended},
      {"the first under a fast clock", {{480, std::nullopt}, {5, 480}}, Attendance::unattended},
      {"without grace, the first under a fast clock",
       {{480, std::nullopt}, {5, 480}},
       Attendance::unattended},
      {"the last under a fast clock", {{5, std::nullopt}, {480, 648}}, Attendance::unattended},
      {"released after its grace", {{5, 173}, {200, 200}}, Attendance::attended},
      {"released, the grace under a fast clock", {{480, 648}, {200, 648}}, Attendance::unattended},
      {"nobody made it due", {{5, std::nullopt}}, Attendance::unattended},
  };
  for (const Attended& one : cases) {
    domain::Plan plan;
    for (const auto& [time, due] : one.approvals) {
      domain::Approval approval;
      approval.time = from_unix(0) + hours(time);
      if (due) approval.due = from_unix(0) + hours(*due);
      plan.approvals.push_back(approval);
    }
    EXPECT_EQ(attendance_of(plan), one.attendance) << one.name;
  }
}

}  // namespace
}  // namespace aierase::lifecycle
