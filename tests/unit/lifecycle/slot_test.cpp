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

using rootslot::SlotPlace;

// Its file is exchanged or removed under the running daemon, which has it open.
class TheSlotFile : public TheSlot {
 protected:
  void remove() { ASSERT_TRUE(done(world.disk.unlink(kSlotPath))); }
  void replace() {  // as a restored backup, rsync, or cp and mv do it
    world.disk.copy_file(kSlotPath, kCopy);
    ASSERT_TRUE(done(world.disk.replace(kCopy, kSlotPath)));
  }
  SlotPlace place() { return world.store->status()->slot_place; }
  std::optional<lifecycle::Finding> found_by_doctor() { return among(*world.store->doctor()); }
  std::optional<lifecycle::Finding> found_by_check() {
    lifecycle::CheckRun run(*world.store, {}, lifecycle::CheckDepth::structure);
    for (;;) {
      const auto more = run.step();
      EXPECT_TRUE(done(more));
      if (!more.ok() || !*more) return among(run.findings());
    }
  }
  static std::optional<lifecycle::Finding> among(const std::vector<lifecycle::Finding>& findings) {
    for (const lifecycle::Finding& finding : findings) {
      if (finding.code == "slot-file") return finding;
    }
    return std::nullopt;
  }
  // Nothing but reading goes on, and nobody is told of an erasure.
  void expect_refused() {
    EXPECT_EQ(world.import(small_asset("new:1", 77)).error().code, Errc::damaged);
    EXPECT_EQ(world.store->rotate_keys(bob()).error().code, Errc::damaged);
    EXPECT_EQ(world.store->move_slot(bob(), lifecycle::SlotKind::tpm2).error().code, Errc::damaged);
    ASSERT_TRUE(done(world.retire({"m:1"})));
    const Status erased = world.execute();
    ASSERT_FALSE(erased.ok());
    EXPECT_EQ(erased.error().code, Errc::damaged);
    EXPECT_NE(erased.error().message.find("do NOT stop aierased"), std::string::npos);
    const auto view = world.store->show_asset(world.asset("m:1").id);
    ASSERT_TRUE(done(view));
    EXPECT_EQ(view->asset.state, AssetState::retired);
    EXPECT_FALSE(view->certificate.has_value());
    EXPECT_TRUE(done(world.read_back(world.asset("m:2"))));
    EXPECT_FALSE(world.store->must_stop()) << "it has the only good one";
    const auto by_doctor = found_by_doctor();
    ASSERT_TRUE(by_doctor.has_value());
    EXPECT_EQ(by_doctor->severity, lifecycle::Finding::Severity::error);
    ASSERT_TRUE(found_by_check().has_value());
  }
  void expect_as_before_after_a_restart() {
    ASSERT_TRUE(done(world.execute()));
    EXPECT_EQ(certificate("m:1").assurance, Level::ea0) << "it lived while copies could be made";
    ASSERT_TRUE(done(world.open()));
    EXPECT_EQ(place(), SlotPlace::present);
    EXPECT_TRUE(done(world.read_back(world.asset("m:2"))));
    ASSERT_TRUE(done(world.erase({"m:2"})));
    EXPECT_EQ(certificate("m:2").assurance, Level::ea0);
    EXPECT_TRUE(done(world.read_back(world.asset("m:3"))));
  }
  static constexpr const char* kCopy = "/slot-dir/copy";
};

TEST_F(TheSlotFile, ThatLiesAtItsPathIsNoFinding) {
  EXPECT_EQ(place(), SlotPlace::present);
  EXPECT_FALSE(found_by_doctor().has_value());
  EXPECT_FALSE(found_by_check().has_value());
  EXPECT_EQ(world.store->move_slot(bob(), lifecycle::SlotKind::file).error().code,
            Errc::wrong_state);
}

TEST_F(TheSlotFile, ThatWasRemovedEndsNothingAndIsWrittenAnew) {
  remove();
  EXPECT_EQ(place(), SlotPlace::missing);
  EXPECT_EQ(level_now(), Level::ea0);
  expect_refused();
  ASSERT_TRUE(done(world.store->move_slot(bob(), lifecycle::SlotKind::file)));
  EXPECT_EQ(place(), SlotPlace::present);
  expect_as_before_after_a_restart();
}

TEST_F(TheSlotFile, ThatWasReplacedEndsNothingAndIsWrittenAnewInAnEmptyPlace) {
  replace();
  EXPECT_EQ(place(), SlotPlace::replaced);
  EXPECT_EQ(level_now(), Level::ea0);
  expect_refused();
  EXPECT_EQ(world.store->move_slot(bob(), lifecycle::SlotKind::file).error().code, Errc::damaged)
      << "what lies there is not ours to remove";
  ASSERT_TRUE(done(world.disk.rename(kSlotPath, "/elsewhere")));
  ASSERT_TRUE(done(world.store->move_slot(bob(), lifecycle::SlotKind::file)));
  EXPECT_EQ(place(), SlotPlace::present);
  expect_as_before_after_a_restart();
}

TEST_F(TheSlotFile, ThatWasMovedAwayServesAsSoonAsItIsBack) {
  ASSERT_TRUE(done(world.disk.rename(kSlotPath, kCopy)));
  expect_refused();
  ASSERT_TRUE(done(world.disk.rename(kCopy, kSlotPath)));
  EXPECT_EQ(place(), SlotPlace::present);
  ASSERT_TRUE(done(world.erase({"m:2"})));
  EXPECT_GT(certificate("m:2").assurance, Level::ea0);
}

TEST_F(TheSlotFile, WithASecondNameDestroysNothing) {
  world.disk.add_hard_link(kSlotPath, kCopy);
  EXPECT_EQ(place(), SlotPlace::linked);
  EXPECT_FALSE(world.erase({"m:1"}).ok());
  ASSERT_TRUE(done(world.disk.unlink(kCopy)));
  ASSERT_TRUE(done(world.erase({"m:2"})));
  certificate("m:2");
}

// Whatever came between TX1 and the zeros: they would go into a file that nobody opens any more.
TEST_F(TheSlotFile, ThatIsExchangedWithinARoundEndsTheRoundWithoutACertificate) {
  world.hook = [&](lifecycle::EraseStep step) {
    if (step == lifecycle::EraseStep::check) replace();
  };
  ASSERT_TRUE(done(world.retire({"m:1"})));
  EXPECT_EQ(world.execute().error().code, Errc::damaged);
  world.hook = nullptr;
  EXPECT_FALSE(world.store->must_stop());
  const auto view = world.store->show_asset(world.asset("m:1").id);
  ASSERT_TRUE(done(view));
  EXPECT_EQ(view->asset.state, AssetState::retired);
  EXPECT_TRUE(done(world.read_back(world.asset("m:2"))));
  ASSERT_TRUE(done(world.disk.rename(kSlotPath, "/elsewhere")));
  ASSERT_TRUE(done(world.store->move_slot(bob(), lifecycle::SlotKind::file)));
  expect_as_before_after_a_restart();
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
