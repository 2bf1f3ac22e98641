// Ciphertext without its key leaves the disk aside of the store's thread, which goes on meanwhile.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <thread>

#include "fault/support/inspect.h"
#include "unit/lifecycle/life.h"

namespace aierase::test {
namespace {

// What the store hands over lies here until the test lets it run.
class Handed {
 public:
  void hold_back(World& world) {
    world.aside = [this](std::function<void()> work) { works_.push_back(std::move(work)); };
  }
  std::size_t size() const { return works_.size(); }
  void run() {
    for (; !works_.empty(); works_.pop_front()) works_.front()();
  }

 private:
  std::deque<std::function<void()>> works_;
};

void live_with(World& world, const std::vector<std::string>& names) {
  ASSERT_TRUE(done(world.init()));
  ASSERT_TRUE(done(world.open()));
  for (std::size_t i = 0; i < names.size(); ++i) {
    ASSERT_TRUE(done(world.import(small_asset(names[i], i + 1))));
  }
}

// In the log of a store that is closed for it.
std::size_t removals(World& world) {
  world.close();
  const std::vector<std::string> types = log_types(world.disk);
  return static_cast<std::size_t>(std::count(types.begin(), types.end(), "ciphertext-removed"));
}

TEST(AnErasure, EndsItsPlanAndLetsOthersGoOnBeforeItsCiphertextIsGone) {
  World world;
  Handed aside;
  aside.hold_back(world);
  ASSERT_NO_FATAL_FAILURE(live_with(world, {"m/old", "m/new"}));
  const std::size_t before = blob_files(world.disk);
  ASSERT_TRUE(done(world.erase({"m/old"})));

  EXPECT_EQ(aside.size(), 1U);
  EXPECT_EQ(blob_files(world.disk), before);
  EXPECT_EQ(latest_plan(world).plan.state, domain::PlanState::done);
  EXPECT_FALSE(certificate_of(world, "m/old").statement.empty());
  EXPECT_TRUE(done(world.import(small_asset("m/newer", 7))));
  EXPECT_TRUE(done(world.read_back(world.asset("m/new"))));
  const std::vector<lifecycle::Finding> found = check_all(world, lifecycle::CheckDepth::deep);
  EXPECT_TRUE(found.empty()) << to_string(found);
  ASSERT_TRUE(done(world.erase({"m/new"})));  // another plan, while the first files are under way
  EXPECT_EQ(aside.size(), 1U) << "one piece of work at a time";

  const std::size_t full = blob_files(world.disk);
  aside.run();
  EXPECT_LT(blob_files(world.disk), full);
  ASSERT_TRUE(done(world.execute()));
  aside.run();
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(aside.size(), 0U);
  EXPECT_EQ(blob_files(world.disk), full - before);  // of m/newer alone
  EXPECT_EQ(removals(world), 2U);
}

TEST(CiphertextThatCannotBeUnlinked, KeepsNoOtherAndIsTriedAgainLater) {
  World world;
  bool fails = true;
  world.aside = [&](const std::function<void()>& work) {
    if (fails) world.disk.fail_operation_at(1);
    work();
  };
  ASSERT_NO_FATAL_FAILURE(live_with(world, {"m/one", "m/two", "m/three"}));
  const std::size_t each = blob_files(world.disk) / 3;
  ASSERT_TRUE(done(world.retire({"m/one", "m/two"})));
  const Status stopped = world.execute();
  ASSERT_FALSE(stopped.ok());
  EXPECT_NE(stopped.error().message.find("/blobs/"), std::string::npos) << stopped.error().message;
  EXPECT_FALSE(world.store->must_stop());
  EXPECT_EQ(blob_files(world.disk), each + 1);
  EXPECT_EQ(state_of(world, "m/one"), domain::AssetState::erased);

  fails = false;
  ASSERT_TRUE(done(world.erase({"m/three"})));  // erased, whatever waits
  EXPECT_EQ(blob_files(world.disk), each + 1) << "it waits a while";
  world.clock.advance(std::chrono::minutes(10));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(blob_files(world.disk), 0U);
}

TEST(CiphertextThatCannotBeUnlinked, DoesNotKeepAStoreFromBeingOpened) {
  World world;
  world.aside = [&](const std::function<void()>& work) {
    world.disk.fail_operation_at(1);
    work();
  };
  ASSERT_NO_FATAL_FAILURE(live_with(world, {"m/one", "m/two"}));
  ASSERT_TRUE(done(world.retire({"m/one"})));
  ASSERT_FALSE(world.execute().ok());
  ASSERT_TRUE(done(world.open()));
  EXPECT_TRUE(done(world.read_back(world.asset("m/two"))));
  EXPECT_FALSE(world.execute().ok());
  EXPECT_FALSE(world.store->must_stop());
}

TEST(CiphertextWhoseUnlinkingIsNotDurable, StopsTheStore) {
  World world;
  world.aside = [&](const std::function<void()>& work) {
    world.disk.fail_sync_at(1);
    work();
  };
  ASSERT_NO_FATAL_FAILURE(live_with(world, {"m/one"}));
  ASSERT_TRUE(done(world.retire({"m/one"})));
  const Status stopped = world.execute();
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, Errc::io);
  EXPECT_TRUE(world.store->must_stop());
  world.aside = {};
  world.crash({Crash::Kind::power_cut, Cut::lose_all, 1});
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(blob_files(world.disk), 0U);
  EXPECT_EQ(removals(world), 1U);
}

TEST(AStoreThatCloses, WaitsForWhatIsBeingUnlinked) {
  World world;
  std::thread beside;
  world.aside = [&](const std::function<void()>& work) {
    beside = std::thread([work] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      work();
    });
  };
  ASSERT_NO_FATAL_FAILURE(live_with(world, {"m/one"}));
  ASSERT_TRUE(done(world.erase({"m/one"})));
  EXPECT_GT(blob_files(world.disk), 0U);
  world.close();
  EXPECT_EQ(blob_files(world.disk), 0U);
  beside.join();
  world.aside = {};
  ASSERT_TRUE(done(world.open()));  // the rows of what is gone are forgotten now
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(removals(world), 1U);
}

}  // namespace
}  // namespace aierase::test
