#include "fault/support/erasures.h"

#include <gtest/gtest.h>

namespace aierase::test {

std::shared_ptr<const World::Moment> four_assets(World& world) {
  EXPECT_TRUE(done(world.init()));
  EXPECT_TRUE(done(world.open()));
  for (int i = 0; i < 4; ++i) {
    const auto seed = static_cast<std::uint64_t>(10 * i + 1);
    EXPECT_TRUE(done(world.import(small_asset("model-" + std::to_string(i), seed))));
  }
  world.close();
  world.disk.restart();
  world.disk.power_cut(Cut::keep_all, 1);
  return world.keep();
}

void settle(World& world, Watch& watch, const std::vector<std::string>& names, Look look) {
  expect_sound(world, watch.seen, test_all() ? look : Look::quick);
  const auto plans = world.store->list_plans("", 10);
  ASSERT_TRUE(plans.ok());
  const bool approved =
      !plans->rows.empty() && plans->rows.front().state != domain::PlanState::requested;
  const Status executed = world.execute();
  ASSERT_TRUE(executed.ok()) << executed.error().message;
  expect_sound(world, watch.seen, look);
  for (const std::string& name : names) {
    const Imported& asset = world.asset(name);
    const auto view = world.store->show_asset(asset.id);
    ASSERT_TRUE(view.ok());
    if (watch.seen.held.count(asset.id) != 0 || !approved) continue;
    const auto holds = view->holds;
    if (!holds.empty()) continue;  // durable although nobody heard of it
    EXPECT_EQ(view->asset.state, domain::AssetState::erased) << name << " was approved to go";
  }
}

std::size_t stop_erasure(World& world, const World::Moment& start, Watch& watch,
                         const std::vector<std::string>& names, std::size_t stride) {
  Seen life;
  std::size_t looked = 0;
  StopPlan plan;
  plan.stride = stride;
  plan.act = [&](World& w) {
    watch.seen = Seen();
    if (w.open().ok()) static_cast<void>(w.execute().ok());
    life = watch.seen;
  };
  plan.check = [&](World& w) {
    watch.seen = life;
    settle(w, watch, names, ++looked % 8 == 0 ? Look::thorough : Look::readings);
  };
  return stop_everywhere(world, start, plan);
}

std::shared_ptr<const World::Moment> approved(World& world, const std::vector<std::string>& names) {
  four_assets(world);
  EXPECT_TRUE(done(world.open()));
  EXPECT_TRUE(done(world.retire(names)));
  world.close();
  world.disk.power_cut(Cut::keep_all, 1);
  return world.keep();
}

}  // namespace aierase::test
