#include "daemon/pace.h"

#include <gtest/gtest.h>

namespace aierase::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Pace::Moment at(milliseconds since) {
  return Pace::Moment(seconds(1000) + since);
}

TEST(APace, KeepsToItsRateOverStepsThatTakeNoTime) {
  Pace pace(1000);
  EXPECT_EQ(pace.after(at(seconds(0)), 500), at(milliseconds(500)));
  EXPECT_EQ(pace.after(at(milliseconds(500)), 2000), at(milliseconds(2500)));
  EXPECT_EQ(pace.after(at(milliseconds(2500)), 0), at(milliseconds(2500)));
}

TEST(APace, MakesUpForNothingThatWasMissed) {
  Pace pace(1000);
  EXPECT_EQ(pace.after(at(seconds(0)), 500), at(milliseconds(500)));
  // The store was busy with others for an hour.
  EXPECT_EQ(pace.after(at(seconds(3600)), 500), at(milliseconds(3'600'500)));
  EXPECT_EQ(pace.after(at(milliseconds(3'600'500)), 500), at(milliseconds(3'601'000)));
}

TEST(APace, CountsATimeInWhichTheStepItselfWasSlow) {
  Pace pace(1000);
  pace.after(at(seconds(0)), 500);
  EXPECT_EQ(pace.after(at(milliseconds(700)), 100), at(milliseconds(800)));
}

TEST(APace, OfAlmostNothingWaitsNoLongerThanClocksCanTell) {
  Pace pace(1);
  EXPECT_EQ(pace.after(at(seconds(0)), UINT64_MAX), at(std::chrono::hours(24 * 365)));
}

}  // namespace
}  // namespace aierase::daemon
