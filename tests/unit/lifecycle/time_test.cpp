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

}  // namespace
}  // namespace aierase::lifecycle
