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

bool tells_of_what_is_left(World& world) {
  const auto findings = world.store->doctor();
  EXPECT_TRUE(done(findings));
  return findings.ok() && std::any_of(findings->begin(), findings->end(), [](const auto& one) {
           return one.code == "ciphertext-left" && one.text.find("/blobs/") != std::string::npos;
         });
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
  ASSERT_TRUE(done(world.execute()));
  EXPECT_TRUE(tells_of_what_is_left(world));
  EXPECT_FALSE(world.store->must_stop());
  EXPECT_EQ(blob_files(world.disk), each + 1);
  EXPECT_EQ(state_of(world, "m/one"), domain::AssetState::erased);

  fails = false;
  ASSERT_TRUE(done(world.erase({"m/three"})));  // erased, whatever waits
  EXPECT_EQ(blob_files(world.disk), each + 1) << "it waits a while";
  world.clock.advance(std::chrono::minutes(10));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(blob_files(world.disk), 0U);
  EXPECT_FALSE(tells_of_what_is_left(world));
}

TEST(CiphertextWhoseDiskIsMissing, IsNotTakenForRemoved) {
  World world;
  const std::string blobs = std::string(kStoreDirectory) + "/blobs";
  bool missing = true;
  world.aside = [&](const std::function<void()>& work) {
    if (missing) {
      ASSERT_TRUE(done(world.disk.rename(blobs, "/elsewhere")));
      ASSERT_TRUE(done(world.disk.make_directory(blobs, 0700)));
    }
    work();
  };
  ASSERT_NO_FATAL_FAILURE(live_with(world, {"m/one"}));
  ASSERT_TRUE(done(world.erase({"m/one"})));
  EXPECT_EQ(state_of(world, "m/one"), domain::AssetState::erased) << "its key is gone";
  EXPECT_TRUE(tells_of_what_is_left(world));

  missing = false;
  ASSERT_TRUE(done(world.disk.rename(blobs, "/empty")));
  ASSERT_TRUE(done(world.disk.rename("/elsewhere", blobs)));
  EXPECT_GT(blob_files(world.disk), 0U);
  world.clock.advance(std::chrono::minutes(10));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(blob_files(world.disk), 0U);
  EXPECT_FALSE(tells_of_what_is_left(world));
  EXPECT_EQ(removals(world), 1U) << "nothing was said while it was missing";
}

TEST(CiphertextThatCannotBeUnlinked, DoesNotKeepAStoreFromBeingOpened) {
  World world;
  world.aside = [&](const std::function<void()>& work) {
    world.disk.fail_operation_at(1);
    work();
  };
  ASSERT_NO_FATAL_FAILURE(live_with(world, {"m/one", "m/two"}));
  ASSERT_TRUE(done(world.erase({"m/one"})));
  ASSERT_TRUE(done(world.open()));
  EXPECT_TRUE(done(world.read_back(world.asset("m/two"))));
  EXPECT_TRUE(done(world.execute()));
  EXPECT_TRUE(tells_of_what_is_left(world));
  EXPECT_FALSE(world.store->must_stop());
}

// Each plan leaves rows behind, and only ciphertext that goes makes room for those of the next.
TEST(ManyErasures, OnAFullDiskMakeRoomForEachOther) {
  World world;
  ASSERT_NO_FATAL_FAILURE(live_with(world, {}));
  constexpr int kPlans = 100;
  std::vector<std::string> names;
  for (int i = 0; i < kPlans; ++i) {
    ImportWish wish = small_asset("m/" + std::to_string(i), static_cast<std::uint64_t>(i) + 1);
    wish.files.front().bytes = content_of(static_cast<std::uint64_t>(i), 300'000);
    ASSERT_TRUE(done(world.import(wish)));
    names.push_back(wish.name);
  }
  for (const std::string& name : names) ASSERT_TRUE(done(world.retire({name})));
  const auto free = world.disk.free_space(kStoreDirectory);
  ASSERT_TRUE(done(free));
  constexpr std::uint64_t kUnlimited = 1ULL << 40U;
  world.disk.set_capacity(kUnlimited - *free);
  for (int minutes = 0; minutes < 120; ++minutes) {
    const Status ignored = world.execute();
    static_cast<void>(ignored.ok());
    world.clock.advance(std::chrono::minutes(1));
  }
  for (const std::string& name : names) {
    EXPECT_EQ(state_of(world, name), domain::AssetState::erased) << name;
  }
  EXPECT_EQ(blob_files(world.disk), 0U);
}

// Tiny files make less room than it takes to forget all of them at once.
TEST(ManyErasures, AreForgottenFewAtATimeWhereThereIsNoRoomForMore) {
  World world;
  constexpr std::uint64_t kUnlimited = 1ULL << 40U;
  constexpr std::uint64_t kReserve = 1 << 20;
  constexpr std::uint64_t kRoom = 96 << 10;
  bool full = false;
  world.aside = [&](const std::function<void()>& work) {
    work();
    ASSERT_TRUE(done(cut_journal(world.disk)));
    const auto free = world.disk.free_space(kStoreDirectory);
    ASSERT_TRUE(done(free));
    if (!full) world.disk.set_capacity(kUnlimited - *free - kReserve + kRoom);
    full = true;
  };
  ASSERT_NO_FATAL_FAILURE(live_with(world, {}));
  std::vector<std::string> names;
  for (int i = 0; i < 800; ++i) {
    names.push_back("m/" + std::to_string(i));
    ASSERT_TRUE(done(world.import(small_asset(names.back(), static_cast<std::uint64_t>(i) + 1))));
  }
  ASSERT_TRUE(done(world.retire(names)));
  ASSERT_TRUE(done(world.execute()));
  ASSERT_TRUE(full);
  EXPECT_FALSE(tells_of_what_is_left(world));
  world.disk.set_capacity(kUnlimited);
  EXPECT_GT(removals(world), 3U);
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
  ASSERT_NO_FATAL_FAILURE(live_with(world, {"m/one", "m/two"}));
  ASSERT_TRUE(done(world.erase({"m/one", "m/two"})));
  const std::size_t all = blob_files(world.disk);
  world.close();
  const std::size_t left = blob_files(world.disk);
  beside.join();
  EXPECT_EQ(left, all - 1) << "it ends behind the file that it was at";
  world.aside = {};
  ASSERT_TRUE(done(world.open()));  // the rows of what is gone are forgotten now
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(blob_files(world.disk), 0U);
  EXPECT_EQ(removals(world), 1U);
}

}  // namespace
}  // namespace aierase::test
