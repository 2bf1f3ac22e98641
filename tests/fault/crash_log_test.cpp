// Publication and key rotation, stopped at every operation of the disk.
#include <gtest/gtest.h>

#include "fault/support/crashes.h"
#include "fault/support/published.h"

namespace aierase::test {
namespace {

void ignore(const Status&) {}

std::shared_ptr<const World::Moment> one_published(World& world) {
  EXPECT_TRUE(done(world.init()));
  EXPECT_TRUE(done(world.open()));
  EXPECT_TRUE(done(world.import(small_asset("model-1", 1))));
  EXPECT_TRUE(done(world.import(small_asset("model-2", 2))));
  EXPECT_TRUE(done(world.erase({"model-1"})));
  EXPECT_TRUE(done(world.import(small_asset("model-3", 3))));
  EXPECT_TRUE(done(world.hold({"name=model-3"})));  // what the last head does not cover
  world.close();
  world.disk.power_cut(Cut::keep_all, 1);
  return world.keep();
}

// Whatever head somebody may have fetched in the life that was stopped, the log goes on from it.
void expect_continued(World& world, const std::optional<translog::Checkpoint>& seen) {
  ASSERT_TRUE(done(publish(world)));
  if (!seen) return;
  certificate::Continuity kept(*seen);
  EXPECT_TRUE(verified(verify_published(world, &kept)));
}

TEST(APublication, MayBeStoppedAnywhere) {
  World world;
  const auto start = one_published(world);
  std::optional<translog::Checkpoint> seen;
  StopPlan plan;
  plan.stride = 1;
  plan.act = [&](World& w) {
    if (w.open().ok()) ignore(publish(w));
  };
  plan.check = [&](World& w) {
    seen = published_head(w);
    ASSERT_TRUE(seen) << "the checkpoint is gone";
    expect_continued(w, seen);
  };
  EXPECT_GT(stop_everywhere(world, *start, plan), 20U);
}

TEST(ARotationOfKeys, MayBeStoppedAnywhere) {
  World world;
  const auto start = one_published(world);
  StopPlan plan;
  plan.stride = 1;
  plan.act = [&](World& w) {
    if (w.open().ok()) ignore(w.store->rotate_keys(bob()));
  };
  plan.check = [&](World& w) {
    const auto keyring = w.store->keyring();
    ASSERT_TRUE(done(keyring));
    EXPECT_EQ(w.store->signer(), keyring->keys[keyring->keys.size() - 2].key);
    EXPECT_EQ(w.disk.list(kSlotDirectory).value(),
              (std::vector<std::string>{"CACHEDIR.TAG", "log.key", "signer.key", "slot"}));
    expect_continued(w, published_head(w));
    ASSERT_TRUE(done(w.erase({"model-2"})));
    EXPECT_TRUE(verified(verify_published(w)));
  };
  EXPECT_GT(stop_everywhere(world, *start, plan), 20U);
}

}  // namespace
}  // namespace aierase::test
