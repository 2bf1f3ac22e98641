// Slot, anchor, database and locator that are missing, damaged or of a later format: refused, named
// and left as they are.
#include <gtest/gtest.h>

#include <algorithm>

#include "fault/support/refusals.h"
#include "rootslot/blocks.h"

namespace aierase::test {
namespace {

using lifecycle::CheckDepth;
using lifecycle::Finding;

constexpr std::size_t kDatabasePage = 8192;

TEST_F(ARefusal, MeetsNoSlot) {
  ASSERT_TRUE(done(world.disk.rename(kSlotPath, "/slot-dir/elsewhere")));
  expect_refused(Errc::damaged, {"root slot", "not there", kSlotPath, "restore"});
  ASSERT_TRUE(done(world.disk.rename("/slot-dir/elsewhere", kSlotPath)));
  expect_all_readable();
}

TEST_F(ARefusal, MeetsASlotThatOthersMayReadOrReachByAnotherName) {
  world.disk.set_permissions(kSlotPath, 0640);
  expect_refused(Errc::damaged, {"root slot", "others", "chmod"});
  world.disk.set_permissions(kSlotPath, 0600);
  world.disk.set_owner(kSlotPath, 12345);
  expect_refused(Errc::damaged, {"root slot", "uid 12345", "chown"});
  world.disk.set_owner(kSlotPath, 0);
  ASSERT_TRUE(done(world.disk.rename(kSlotPath, "/slot-dir/elsewhere")));
  world.disk.add_symbolic_link(kSlotPath);
  expect_refused(Errc::damaged, {"root slot", "link"});
  ASSERT_TRUE(done(world.disk.unlink(kSlotPath)));
  ASSERT_TRUE(done(world.disk.rename("/slot-dir/elsewhere", kSlotPath)));
  expect_all_readable();
  world.disk.add_hard_link(kSlotPath, "/slot-dir/second-name");
  expect_refused(Errc::damaged, {"root slot", "2 names", "hard link"});
}

TEST_F(ARefusal, DoesNotMeetASlotWithOneDamagedCopyWhichIsMended) {
  for (unsigned copy = 0; copy < rootslot::kCopies; ++copy) {
    const auto at = rootslot::slot_offset(1, copy);
    world.disk.poke(kSlotPath, at, Bytes(rootslot::kBlockBytes));  // gone
    expect_all_readable();
    spoil(world.disk, kSlotPath, at + 100, 1);
    expect_all_readable();
    const Bytes mended = world.disk.content(kSlotPath);
    const auto same = [&](std::uint64_t offset) {
      const auto from = static_cast<std::ptrdiff_t>(offset);
      const auto& before = good.at(kSlotPath);
      return std::equal(mended.begin() + from,
                        mended.begin() + from + static_cast<std::ptrdiff_t>(rootslot::kBlockBytes),
                        before.begin() + from);
    };
    EXPECT_TRUE(same(rootslot::slot_offset(1, 0)) && same(rootslot::slot_offset(1, 1)));
  }
}

TEST_F(ARefusal, MeetsASlotWithBothCopiesDamaged) {
  for (const bool zeros : {false, true}) {
    for (unsigned copy = 0; copy < rootslot::kCopies; ++copy) {
      const auto at = rootslot::slot_offset(1, copy);
      if (zeros) world.disk.poke(kSlotPath, at, Bytes(rootslot::kBlockBytes));
      if (!zeros) spoil(world.disk, kSlotPath, at + 60, 4);
    }
    refuse_and_put_back(
        kSlotPath, Errc::damaged,
        {"no root slot", "opens the database", zeros ? "zeros" : "no good copy", "put"});
  }
}

TEST_F(ARefusal, MeetsASlotFileThatIsNone) {
  put(kSlotPath, content_of(1, static_cast<std::size_t>(rootslot::kFileBytes)));
  refuse_and_put_back(kSlotPath, Errc::damaged, {"no root slot", kSlotPath});
  put(kSlotPath, ByteView(good.at(kSlotPath)).first(5 * rootslot::kBlockBytes));
  refuse_and_put_back(kSlotPath, Errc::damaged, {"root slot", "bytes instead of", "put"});
  put(kSlotPath, {});
  refuse_and_put_back(kSlotPath, Errc::damaged, {"root slot", "0 bytes"});
}

TEST_F(ARefusal, MeetsASlotWithoutAnAnchor) {
  for (const unsigned parity : {0U, 1U}) {
    spoil(world.disk, kSlotPath, rootslot::anchor_offset(parity), 64);
  }
  refuse_and_put_back(kSlotPath, Errc::damaged, {"anchor", "slot file", kSlotPath, "put"});
  // Of two blocks one may be torn: its predecessor is there.
  for (const unsigned parity : {0U, 1U}) {
    spoil(world.disk, kSlotPath, rootslot::anchor_offset(parity), 64);
    expect_all_readable();
  }
}

TEST_F(ARefusal, MeetsAnAnchorOfAnotherTime) {
  const Bytes before = world.disk.content(kSlotPath);
  ASSERT_TRUE(done(world.open()));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(done(world.store->suspend_asset(alice(), world.asset("model-0").id, "a")));
    ASSERT_TRUE(done(world.store->resume_asset(alice(), world.asset("model-0").id, "b")));
  }
  world.close();
  const Bytes newest = world.disk.content(kSlotPath);
  for (const unsigned parity : {0U, 1U}) {
    const auto at = rootslot::anchor_offset(parity);
    world.disk.poke(kSlotPath, at,
                    ByteView(before).subspan(static_cast<std::size_t>(at), rootslot::kBlockBytes));
  }
  expect_refused(Errc::damaged, {"anchor", "commit", "older copy of the slot file", kSlotPath});
  put(kSlotPath, newest);
  expect_all_readable();
}

TEST_F(ARefusal, MeetsNoDatabase) {
  ASSERT_TRUE(done(world.disk.rename(kDatabase, "/store/elsewhere")));
  expect_refused(Errc::damaged, {"catalog", "missing", kDatabase, "put"});
  ASSERT_TRUE(done(world.disk.rename("/store/elsewhere", kDatabase)));
  expect_all_readable();
}

TEST_F(ARefusal, MeetsADatabaseThatIsNone) {
  for (const Bytes& content : {Bytes(), Bytes(50), content_of(3, 40000)}) {
    put(kDatabase, content);
    refuse_and_put_back(kDatabase, Errc::damaged, {"catalog.db", "restore"});
  }
  const Bytes whole = good.at(kDatabase);
  put(kDatabase, ByteView(whole).first(whole.size() / 2));
  refuse_and_put_back(kDatabase, Errc::damaged, {"catalog"});
}

// Whatever page is damaged: refused, or found by check, or of no consequence; never other bytes.
TEST_F(ARefusal, MeetsDamageOnAnyPageOfTheDatabase) {
  const std::size_t pages = good.at(kDatabase).size() / kDatabasePage;
  std::size_t refused = 0;
  std::size_t found = 0;
  for (std::size_t page = 0; page < pages; page += test_all() ? 1 : 3) {
    SCOPED_TRACE("page " + std::to_string(page + 1) + " of " + std::to_string(pages));
    spoil(world.disk, kDatabase, page * kDatabasePage, kDatabasePage);
    const Contents before = everything(world.disk);
    const Status opened = world.open();
    if (!opened.ok()) {
      ++refused;
      expect_clear(opened, Errc::damaged, {"catalog"});
      EXPECT_EQ(differences(before, everything(world.disk)), "");
    } else {
      const std::vector<Finding> findings = check_all(world, CheckDepth::structure);
      if (!findings.empty()) ++found;
      for (const Imported& asset : world.assets) {
        const auto view = world.store->show_asset(asset.id);
        if (!view.ok()) expect_clear(status_of(view), view.error().code, {});
      }
    }
    world.close();
    put_back_database_and_slot();
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GE(refused, 3U);
  EXPECT_GE(found, 3U);
  expect_all_readable();
}

TEST_F(ARefusal, MeetsADatabaseWithATriggerOfSomebody) {
  ASSERT_TRUE(done(sql(world.disk,
                       "CREATE TRIGGER helpful AFTER INSERT ON export BEGIN "
                       "UPDATE store SET people_rule = 'single-operator'; END;")));
  refuse_and_put_back(kDatabase, Errc::damaged, {"triggers", "catalog", "restore"});
}

TEST_F(ARefusal, MeetsALaterFormat) {
  Bytes later;
  append_be32(later, 2);
  world.disk.poke(kDatabase, 60, later);
  refuse_and_put_back(kDatabase, Errc::newer_format, {"catalog", "format 2", "install"});

  std::string locator(as_text(good.at(kLocator)));
  locator.replace(locator.find("/v1"), 3, "/v2");
  put(kLocator, as_bytes(locator));
  refuse_and_put_back(kLocator, Errc::newer_format, {"root-slot", "v2", "version"});

  for (unsigned copy = 0; copy < rootslot::kCopies; ++copy) {
    world.disk.poke(kSlotPath, rootslot::header_offset(copy) + 4, later);
  }
  refuse_and_put_back(kSlotPath, Errc::newer_format, {"root slot", "format 2", "version"});
}

TEST_F(ARefusal, MeetsNoLocatorOrABrokenOne) {
  ASSERT_TRUE(done(world.disk.rename(kLocator, "/elsewhere")));
  expect_refused(Errc::damaged, {"root-slot", "missing", "restore"});
  const Contents before = everything(world.disk);
  expect_clear(world.init(), Errc::damaged, {"root-slot", "missing"});
  EXPECT_EQ(differences(before, everything(world.disk)), "");
  ASSERT_TRUE(done(world.disk.rename("/elsewhere", kLocator)));
  put(kLocator, as_bytes("{\"schema\": \"aierase/ro"));
  refuse_and_put_back(kLocator, Errc::damaged, {"root-slot", "put its newest copy back"});
}

}  // namespace
}  // namespace aierase::test
