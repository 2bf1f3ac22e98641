// Random histories: hundreds of acts of people, with falls of the machine in the midst of them and
// in the midst of recovery, against a model of what has to be.
#include <gtest/gtest.h>

#include "fault/support/history.h"

namespace aierase::test {
namespace {

class ARandomHistory : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(ARandomHistory, LosesNothingThatLivesAndLeavesNothingThatWasErased) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  History history(GetParam());
  history.live(400);
  if (HasFailure()) return;
  RecordProperty("falls", static_cast<int>(history.falls()));
  RecordProperty("falls_in_recovery", static_cast<int>(history.nested()));
  RecordProperty("erased", static_cast<int>(history.erased()));
  // It was a history at all.
  EXPECT_GT(history.falls(), 15U);
  EXPECT_GT(history.nested(), 0U);
  EXPECT_GT(history.answered(), 100U);
  EXPECT_GT(history.erased(), 5U);
  EXPECT_GT(history.held(), 0U);
}

INSTANTIATE_TEST_SUITE_P(OfManySeeds, ARandomHistory,
                         ::testing::Range<std::uint64_t>(1, test_all() ? 201 : 9));

}  // namespace
}  // namespace aierase::test
