// The slot's level on certificates: as it is now, never better than it was.
#include <gtest/gtest.h>

#include <limits>

#include "fault/support/crashes.h"
#include "fault/support/inspect.h"

namespace aierase::test {
namespace {

using domain::AssetState;
using domain::Level;

class TheSlot : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(done(world.init()));
    ASSERT_TRUE(done(world.open()));
    for (const char* name : {"m:1", "m:2", "m:3"}) {
      ASSERT_TRUE(done(world.import(small_asset(name, ++seed))));
    }
  }
  catalog::CertificateRow certificate(const std::string& name) {
    const auto view = world.store->show_asset(world.asset(name).id);
    EXPECT_TRUE(done(view));
    EXPECT_EQ(view->asset.state, AssetState::erased);
    return *world.store->show_certificate(*view->certificate);
  }
  Level level_now() { return world.store->status()->slot.level; }
  World world;
  std::uint64_t seed = 0;
};

TEST_F(TheSlot, StandsOnACertificateByItsOwnPath) {
  ASSERT_TRUE(done(world.erase({"m:1"})));
  const catalog::CertificateRow row = certificate("m:1");
  EXPECT_EQ(row.assurance, level_now());
  EXPECT_NE(row.statement.find(kSlotPath), std::string::npos);
  EXPECT_EQ(row.statement.find(".init"), std::string::npos);
}

TEST_F(TheSlot, ThatWasReplacedByAnEditorLowersEveryLaterCertificate) {
  const Level before = level_now();
  ASSERT_GT(before, Level::ea0);
  world.close();
  // Written anew under its name: another inode, and the old blocks lie somewhere.
  const Bytes content = world.disk.content(kSlotPath);
  ASSERT_TRUE(done(world.disk.rename(kSlotPath, "/elsewhere")));
  ASSERT_TRUE(done(put_file(world.disk, kSlotPath, content)));
  world.disk.set_permissions(kSlotPath, 0600);
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(level_now(), Level::ea0);
  ASSERT_TRUE(done(world.erase({"m:1"})));
  EXPECT_EQ(certificate("m:1").assurance, Level::ea0);
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.erase({"m:2"})));
  EXPECT_EQ(certificate("m:2").assurance, Level::ea0) << "it lived while the copy was made";
}

TEST_F(TheSlot, OnAFileSystemThatBeginsToJournalDataIsSeenWithoutARestart) {
  StorageInfo storage = world.disk.storage(kSlotPath).value();
  storage.data_journalled = true;
  world.disk.set_storage(storage);
  ASSERT_TRUE(done(world.erase({"m:1"})));
  EXPECT_EQ(certificate("m:1").assurance, Level::ea0);
  storage.data_journalled = false;
  world.disk.set_storage(storage);
  ASSERT_TRUE(done(world.erase({"m:2"})));
  EXPECT_EQ(certificate("m:2").assurance, Level::ea0) << "a level only falls";
}

TEST_F(TheSlot, IsReachedOnAFullDiskToo) {
  ASSERT_TRUE(done(world.retire({"m:1", "m:2"})));
  constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
  world.disk.set_capacity(kNoLimit);
  const std::uint64_t free = world.disk.free_space(kStoreDirectory).value();
  world.disk.set_capacity(kNoLimit - free);  // not one block more
  ASSERT_TRUE(done(world.execute()));
  certificate("m:1");
  certificate("m:2");
  EXPECT_TRUE(done(world.read_back(world.asset("m:3"))));
}

class AFullDisk : public TheSlot {
 protected:
  static constexpr std::uint64_t kNoLimit = 1ULL << 40U;
  static inline const std::string kReserve = std::string(kStoreDirectory) + "/reserve";

  void fill() {
    world.disk.set_capacity(kNoLimit - world.disk.free_space(kStoreDirectory).value());
  }
  void make_room() { world.disk.set_capacity(kNoLimit); }
  std::uint64_t reserve() { return world.disk.stat(kReserve).value()->size; }
};

TEST_F(AFullDisk, HasItsReserveAgainOnceThereIsRoom) {
  const std::uint64_t whole = reserve();
  make_room();
  fill();
  for (int i = 0; i < 200 && reserve() == whole; ++i) ASSERT_TRUE(done(world.hold({"name=m:3"})));
  EXPECT_LT(reserve(), whole) << "a hold takes of it";
  make_room();
  world.clock.advance(std::chrono::minutes(2));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(reserve(), whole);
}

TEST_F(TheSlot, AndTheSignerAreNeededTogether) {
  world.close();
  ASSERT_TRUE(done(world.disk.rename("/slot-dir/signer.key", "/elsewhere")));
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.retire({"m:1"})));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(world.store->show_asset(world.asset("m:1").id)->asset.state, AssetState::retired)
      << "nothing is destroyed that could not be certified";
  EXPECT_TRUE(done(world.read_back(world.asset("m:2"))));
  world.close();
  ASSERT_TRUE(done(world.disk.rename("/elsewhere", "/slot-dir/signer.key")));
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.execute()));
  certificate("m:1");
}

}  // namespace
}  // namespace aierase::test
