#include "certificate/tally.h"

#include <gtest/gtest.h>

namespace aierase::certificate {
namespace {

TEST(ATally, OfNothingSaysThatThereIsNone) {
  const Check check = Tally().check("rotations", "changes of keys", " are in the keyring.");
  EXPECT_EQ(check.result, CheckResult::passed);
  EXPECT_EQ(check.detail, "There are no changes of keys.");
}

TEST(ATally, OfNothingWithAFaultFails) {
  Tally tally;
  tally.fault("one is missing");
  const Check check = tally.check("rotations", "changes of keys", " are in the keyring.");
  EXPECT_EQ(check.result, CheckResult::failed);
  EXPECT_EQ(check.detail, "1 of 0 changes of keys failed: one is missing.");
}

TEST(ATally, OfSomeSaysHowManyHold) {
  Tally tally;
  tally.looked_at = 2;
  const Check check = tally.check("rotations", "changes of keys", " are in the keyring.");
  EXPECT_EQ(check.detail, "2 changes of keys are in the keyring.");
}

}  // namespace
}  // namespace aierase::certificate
