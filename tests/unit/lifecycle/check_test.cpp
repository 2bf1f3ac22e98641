// A deep check goes on in steps, and between two of them the store lives on.
#include <gtest/gtest.h>

#include "crypto/floe.h"
#include "fault/support/inspect.h"
#include "fault/support/world.h"

namespace aierase::test {
namespace {

constexpr std::size_t kSegment = crypto::kFloeSegmentPlaintext;

class ADeepCheck : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(done(world.init()));
    ASSERT_TRUE(done(world.open()));
  }
  World world;
};

TEST_F(ADeepCheck, SaysNothingOfTheNextAssetWhenOneIsErasedInItsMiddle) {
  ImportWish large;
  large.name = "large:1";
  large.files = {{"weights.bin", content_of(1, 40 * kSegment)}};
  ASSERT_TRUE(done(world.import(large)));
  ASSERT_TRUE(done(world.import(small_asset("next:1", 2))));
  lifecycle::CheckRun run(*world.store, {world.asset("large:1").id, world.asset("next:1").id},
                          lifecycle::CheckDepth::deep);
  ASSERT_TRUE(*run.step());
  ASSERT_EQ(run.assets(), 0U) << "it stands in the middle of the first";
  ASSERT_TRUE(done(world.erase({"large:1"})));
  Result<bool> more(true);
  while (more.ok() && *more) more = run.step();
  ASSERT_TRUE(done(more));
  EXPECT_EQ(to_string(run.findings()), "");
  EXPECT_EQ(run.assets(), 2U);
}

}  // namespace
}  // namespace aierase::test
