#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "fault/fake_disk.h"
#include "rootslot/blocks.h"
#include "rootslot/root_slot.h"
#include "unit/support/fake_clock.h"

namespace aierase::rootslot {
namespace {

using test::Cut;
using test::DirectSupport;
using test::FakeClock;
using test::FakeDisk;

constexpr const char* kPath = "/root/slot";

class ASlot : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.make_directory("/root", 0700).ok());
    ASSERT_TRUE(disk_.sync_directory("/").ok());
    ASSERT_TRUE(create_file_slot(disk_, {kPath}, store_).ok());
  }

  std::unique_ptr<RootSlot> opened() {
    auto slot = open_file_slot(disk_, {kPath});
    EXPECT_TRUE(slot.ok()) << slot.error().message;
    return slot.ok() ? std::move(slot).value() : nullptr;
  }
  Errc open_code() { return open_file_slot(disk_, {kPath}).error().code; }
  void write(std::uint64_t epoch, const crypto::SlotSecret& secret) {
    ASSERT_TRUE(opened()->write(store_, epoch, secret).ok());
  }
  SlotReading reading(unsigned parity) { return opened()->read(parity).value(); }
  bool holds_secret(const SlotReading& reading) const {
    return reading.secret.has_value() && reading.secret->bytes().equals(secret_.bytes());
  }
  bool disk_holds_secret() const {
    return secret_.bytes().reveal([&](ByteView bytes) { return disk_.holds(bytes); });
  }
  void spoil(std::uint64_t offset) {
    // One more than it was: a fixed byte may be the one that is there, and what is spoilt twice
    // must not be whole again.
    const std::byte was = disk_.content(kPath)[static_cast<std::size_t>(offset)];
    const auto spoilt = static_cast<std::byte>((std::to_integer<unsigned>(was) + 1U) & 0xFFU);
    disk_.poke(kPath, offset, ByteView(&spoilt, 1));
  }

  FakeDisk disk_;
  Uuid store_ = Uuid::random();
  crypto::SlotSecret secret_ = crypto::SlotSecret::random().value();
  FakeClock clock_;
};

TEST_F(ASlot, IsZeroWhenItIsNew) {
  for (unsigned parity = 0; parity < 2; ++parity) {
    EXPECT_EQ(reading(parity).content, SlotContent::zero);
    EXPECT_FALSE(reading(parity).secret.has_value());
  }
  EXPECT_EQ(opened()->store(), store_);
  EXPECT_EQ(opened()->read(2).error().code, Errc::invalid_input);
}

TEST_F(ASlot, KeepsWhatWasWrittenOverAPowerCut) {
  write(7, secret_);
  disk_.power_cut(Cut::lose_all, 1);
  const SlotReading found = reading(1);
  EXPECT_EQ(found.content, SlotContent::whole);
  EXPECT_EQ(found.store, store_);
  EXPECT_EQ(found.epoch, 7U);
  EXPECT_TRUE(holds_secret(found));
  EXPECT_EQ(reading(0).content, SlotContent::zero);
}

TEST_F(ASlot, HoldsItsCopiesAtLeastAMebibyteApart) {
  write(0, secret_);
  const Bytes content = disk_.content(kPath);
  std::vector<std::uint64_t> places;
  secret_.bytes().reveal([&](ByteView needle) {
    auto at = content.begin();
    while ((at = std::search(at, content.end(), needle.begin(), needle.end())) != content.end()) {
      places.push_back(static_cast<std::uint64_t>(at - content.begin()));
      ++at;
    }
  });
  ASSERT_EQ(places.size(), 2U);
  EXPECT_GE(places[1] - places[0], 1U << 20);
  EXPECT_LT(places[0] % 4096, 512U);
}

TEST_F(ASlot, IsDestroyedWithEvidenceAndWithoutATrace) {
  write(7, secret_);
  ASSERT_TRUE(disk_holds_secret());
  const auto proof = opened()->destroy(1, 7, clock_);
  ASSERT_TRUE(proof.ok());
  EXPECT_EQ(proof->evidence().epoch, 7U);
  EXPECT_EQ(proof->evidence().verified_zero_at, clock_.now());
  ASSERT_EQ(proof->evidence().checks.size(), 2U);
  EXPECT_EQ(proof->evidence().checks[0],
            "copy 1 of 2 at offset 8192 read back as zeros with O_DIRECT");
  disk_.power_cut(Cut::lose_all, 1);
  EXPECT_EQ(reading(1).content, SlotContent::zero);
  EXPECT_FALSE(disk_holds_secret());
}

TEST_F(ASlot, IsTornWhenEitherCopyIsSpoiltAndStillGivesTheOther) {
  write(0, secret_);
  const auto whole = disk_.snapshot();
  for (unsigned copy = 0; copy < kCopies; ++copy) {
    for (const std::uint64_t at : {0U, 4U, 10U, 31U, 32U, 63U, 64U, 95U, 96U, 511U, 512U, 4095U}) {
      disk_.restore(*whole);
      spoil(slot_offset(0, copy) + at);
      const SlotReading found = reading(0);
      EXPECT_EQ(found.content, SlotContent::torn) << "copy " << copy << " byte " << at;
      EXPECT_TRUE(holds_secret(found));
    }
  }
  spoil(slot_offset(0, 0) + 40);
  EXPECT_EQ(reading(0).content, SlotContent::torn);
  EXPECT_FALSE(reading(0).secret.has_value()) << "both copies are spoilt";
}

TEST_F(ASlot, GetsItsTwinBackFromTheGoodCopy) {
  for (unsigned copy = 0; copy < kCopies; ++copy) {
    write(2, secret_);
    spoil(slot_offset(0, copy) + 50);
    auto slot = opened();
    SlotReading found = slot->read(0).value();
    ASSERT_EQ(found.content, SlotContent::torn);
    // The good copy must survive whatever happens to the repair.
    disk_.stop_at(1);
    EXPECT_FALSE(slot->write(store_, found.epoch, *found.secret).ok());
    slot.reset();
    disk_.power_cut(Cut::tear, copy);
    EXPECT_TRUE(holds_secret(reading(0)));
    spoil(slot_offset(0, copy) + 50);
    disk_.clear_log();
    ASSERT_TRUE(opened()->write(store_, found.epoch, *found.secret).ok());
    EXPECT_EQ(reading(0).content, SlotContent::whole);
    ASSERT_EQ(disk_.log().size(), 1U) << "the good copy is not written";
    EXPECT_EQ(disk_.log()[0].offset, slot_offset(0, copy));
  }
}

TEST_F(ASlot, IsNeverOverwrittenWhileItHoldsAnotherSecret) {
  write(2, secret_);
  const crypto::SlotSecret next = crypto::SlotSecret::random().value();
  EXPECT_EQ(opened()->write(store_, 4, next).error().code, Errc::wrong_state);
  EXPECT_EQ(opened()->write(store_, 2, next).error().code, Errc::wrong_state);
  EXPECT_EQ(opened()->write(Uuid::random(), 4, next).error().code, Errc::foreign);
  EXPECT_TRUE(opened()->write(store_, 2, secret_).ok()) << "the same once more is no change";
  EXPECT_TRUE(holds_secret(reading(0)));
}

TEST_F(ASlot, IsNotDestroyedForAnotherEpoch) {
  write(2, secret_);
  EXPECT_EQ(opened()->destroy(0, 4, clock_).error().code, Errc::wrong_state);
  EXPECT_TRUE(holds_secret(reading(0)));
}

TEST_F(ASlot, IsForeignWhenACopyOfAnotherStoreIsInIt) {
  ASSERT_TRUE(disk_.make_directory("/other", 0700).ok());
  const Uuid other = Uuid::random();
  {
    const auto slot = create_file_slot(disk_, {"/other/slot"}, other).value();
    ASSERT_TRUE(slot->write(other, 0, secret_).ok());
  }
  const Bytes stranger = disk_.content("/other/slot");
  for (unsigned copy = 0; copy < kCopies; ++copy) {
    const std::uint64_t at = slot_offset(0, copy);
    disk_.poke(kPath, at, ByteView(stranger).subspan(static_cast<std::size_t>(at), kBlockBytes));
    const SlotReading found = reading(0);
    EXPECT_EQ(found.content, SlotContent::foreign);
    EXPECT_EQ(found.store, other);
    EXPECT_EQ(opened()->destroy(0, 0, clock_).error().code, Errc::foreign);
    EXPECT_EQ(opened()->write(store_, 0, secret_).error().code, Errc::foreign);
  }
  EXPECT_TRUE(disk_holds_secret());
}

// Whatever happens to a write: afterwards the slot is zero, torn or whole, and never says whole of
// something that was not written.
TEST_F(ASlot, IsZeroTornOrWholeAfterACutAnywhereInAWrite) {
  const auto base = disk_.snapshot();
  std::array<std::size_t, 4> seen{};
  bool finished = false;
  for (std::uint64_t n = 1; !finished; ++n) {
    for (std::uint64_t seed = 0; seed < 64; ++seed) {
      disk_.restore(*base);
      auto slot = opened();
      disk_.stop_at(n);
      const bool wrote = slot->write(store_, 3, secret_).ok();
      finished = !disk_.stopped();
      slot.reset();
      disk_.power_cut(seed % 2 == 0 ? Cut::tear : Cut::scatter, seed);
      const SlotReading found = reading(1);
      ++seen[static_cast<std::size_t>(found.content)];
      if (wrote) {
        EXPECT_EQ(found.content, SlotContent::whole);
      }
      if (found.secret.has_value()) {
        EXPECT_TRUE(holds_secret(found) && found.epoch == 3);
      }
      // From each of these states the slot can be zeroed again.
      ASSERT_TRUE(opened()->destroy(1, 3, clock_).ok());
    }
  }
  for (const SlotContent content : {SlotContent::zero, SlotContent::torn, SlotContent::whole}) {
    EXPECT_GT(seen[static_cast<std::size_t>(content)], 0U);
  }
}

TEST_F(ASlot, CanBeDestroyedOnceMoreAfterACutAnywhereInADestroy) {
  write(3, secret_);
  const auto base = disk_.snapshot();
  bool finished = false;
  for (std::uint64_t n = 1; !finished; ++n) {
    for (const Cut cut : {Cut::lose_all, Cut::keep_all, Cut::scatter, Cut::tear}) {
      disk_.restore(*base);
      auto slot = opened();
      disk_.stop_at(n);
      const bool destroyed = slot->destroy(1, 3, clock_).ok();
      finished = !disk_.stopped();
      slot.reset();
      disk_.power_cut(cut, n);
      if (destroyed) {
        EXPECT_EQ(reading(1).content, SlotContent::zero);
      }
      EXPECT_NE(reading(1).content, SlotContent::foreign);
      ASSERT_TRUE(opened()->destroy(1, 3, clock_).ok());
      EXPECT_EQ(reading(1).content, SlotContent::zero);
      EXPECT_FALSE(disk_holds_secret());
    }
  }
}

TEST_F(ASlot, GivesNoProofWhenTheDeviceFails) {
  write(3, secret_);
  auto slot = opened();
  disk_.fail_operation_at(2);
  EXPECT_EQ(slot->destroy(1, 3, clock_).error().code, Errc::io);
}

// Anchors.

class AnAnchor : public ASlot {
 protected:
  static Anchor anchor(std::uint64_t generation) {
    Anchor made;
    made.generation = generation;
    made.log_size = generation * 10;
    made.log_root.fill(static_cast<std::byte>(generation));
    return made;
  }
  std::optional<Anchor> found() { return opened()->read_anchor(key_).value(); }

  crypto::SealKey key_ = crypto::SealKey::random().value();
};

TEST_F(AnAnchor, IsAbsentInANewSlot) {
  EXPECT_FALSE(found().has_value());
}

TEST_F(AnAnchor, IsTheNewerOfTwo) {
  for (std::uint64_t generation = 1; generation < 6; ++generation) {
    ASSERT_TRUE(opened()->write_anchor(key_, anchor(generation)).ok());
    EXPECT_EQ(found(), anchor(generation));
  }
  disk_.power_cut(Cut::lose_all, 1);
  EXPECT_EQ(found(), anchor(5));
}

TEST_F(AnAnchor, LeavesItsPredecessorWhenItIsTorn) {
  ASSERT_TRUE(opened()->write_anchor(key_, anchor(4)).ok());
  ASSERT_TRUE(opened()->write_anchor(key_, anchor(5)).ok());
  const auto base = disk_.snapshot();
  std::size_t predecessors = 0, successors = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    disk_.restore(*base);
    auto slot = opened();
    disk_.stop_at(1);
    EXPECT_FALSE(slot->write_anchor(key_, anchor(6)).ok());
    slot.reset();
    disk_.power_cut(Cut::tear, seed);
    const std::optional<Anchor> left = found();
    ASSERT_TRUE(left.has_value());
    ++(*left == anchor(6) ? successors : predecessors);
    EXPECT_TRUE(*left == anchor(5) || *left == anchor(6));
  }
  EXPECT_GT(predecessors, 0U);
}

TEST_F(AnAnchor, IsIgnoredUnderAnotherKeyWhenAlteredAndInTheWrongBlock) {
  ASSERT_TRUE(opened()->write_anchor(key_, anchor(4)).ok());
  const crypto::SealKey other = crypto::SealKey::random().value();
  EXPECT_FALSE(opened()->read_anchor(other).value().has_value());
  const auto base = disk_.snapshot();
  for (std::uint64_t at = 0; at < 104; ++at) {
    disk_.restore(*base);
    spoil(anchor_offset(0) + at);
    EXPECT_FALSE(found().has_value()) << at;
  }
  disk_.restore(*base);
  const Bytes content = disk_.content(kPath);
  const auto from = static_cast<std::size_t>(anchor_offset(0));
  disk_.poke(kPath, anchor_offset(0), Bytes(kBlockBytes));
  disk_.poke(kPath, anchor_offset(1), ByteView(content).subspan(from, kBlockBytes));
  EXPECT_FALSE(found().has_value());
}

// Opening and judging.

TEST_F(ASlot, IsRefusedWhileLockedBehindLinksOfAnotherOwnerAndWithAWiderMode) {
  {
    const auto held = opened();
    EXPECT_EQ(open_code(), Errc::busy);
  }
  disk_.set_permissions(kPath, 0640);
  EXPECT_EQ(open_code(), Errc::damaged);
  disk_.set_permissions(kPath, 0600);
  disk_.set_owner(kPath, ::geteuid() + 1);
  EXPECT_EQ(open_code(), Errc::damaged);
  disk_.set_owner(kPath, ::geteuid());
  EXPECT_NE(opened(), nullptr);
  disk_.add_hard_link(kPath, "/root/second");
  EXPECT_EQ(open_code(), Errc::damaged);
  disk_.add_symbolic_link("/root/link");
  EXPECT_EQ(open_file_slot(disk_, {"/root/link"}).error().code, Errc::damaged);
  EXPECT_EQ(open_file_slot(disk_, {"/root/none"}).error().code, Errc::not_found);
}

TEST_F(ASlot, OpensByEitherCopyOfItsHeaderAndByNoOther) {
  spoil(header_offset(0) + 30);
  EXPECT_NE(opened(), nullptr);
  spoil(header_offset(1) + 2000);
  EXPECT_EQ(open_code(), Errc::damaged);
}

TEST_F(ASlot, OfALaterFormatIsNamedAsSuch) {
  const Bytes later{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{9}};
  disk_.poke(kPath, header_offset(0) + 4, later);
  disk_.poke(kPath, header_offset(1) + 4, later);
  EXPECT_EQ(open_code(), Errc::newer_format);
}

TEST_F(ASlot, ReachesEa1WhereItWasCreated) {
  const domain::SlotAssurance assurance = opened()->assess().value();
  EXPECT_EQ(assurance.level, domain::Level::ea1) << assurance.reason;
  EXPECT_EQ(assurance.device, "vda1 (partition) on vda (disk)");
}

TEST_F(ASlot, ReachesEa1UnderAnotherNameOfItsDirectory) {
  ASSERT_TRUE(disk_.rename("/root", "/moved").ok());
  const auto slot = open_file_slot(disk_, {"/moved/slot"}).value();
  EXPECT_EQ(slot->assess().value().level, domain::Level::ea1);
}

TEST_F(ASlot, FallsToEa0WhenItWasCopiedMovedOrShared) {
  const auto level = [&](const char* path) {
    return open_file_slot(disk_, {path}).value()->assess().value().level;
  };
  disk_.copy_file(kPath, "/root/copy");
  EXPECT_EQ(level("/root/copy"), domain::Level::ea0);
  const std::vector<Extent> extents{{0, 1ULL << 40, kFileBytes, false}};
  const auto base = disk_.snapshot();
  disk_.set_extents(kPath, extents);
  EXPECT_EQ(level(kPath), domain::Level::ea0) << "defragmented: the old blocks keep the secret";
  disk_.restore(*base);
  StorageInfo other = disk_.storage(kPath).value();
  other.filesystem_uuid = "another";
  disk_.set_storage(other);
  EXPECT_EQ(level(kPath), domain::Level::ea0);
  other.filesystem_uuid.clear();
  disk_.set_storage(other);
  EXPECT_EQ(level(kPath), domain::Level::ea1) << "a kernel that does not tell says nothing against";
}

TEST_F(ASlot, SplitIntoMoreExtentRecordsAtTheSamePlaceIsUnmoved) {
  std::vector<Extent> extents;
  {
    OpenHow how;
    extents = disk_.open(kPath, how).value()->extents().value();
  }
  ASSERT_EQ(extents.size(), 1U);
  const Extent whole = extents[0];
  disk_.set_extents(kPath, {{0, whole.physical, 8192, false},
                            {8192, whole.physical + 8192, whole.length - 8192, false}});
  EXPECT_EQ(opened()->assess().value().level, domain::Level::ea1);
}

TEST_F(ASlot, WorksWithoutDirectIoAtEa0AndSaysSo) {
  disk_.set_direct(DirectSupport::refused);
  write(1, secret_);
  EXPECT_EQ(reading(1).content, SlotContent::whole);
  EXPECT_EQ(opened()->assess().value().level, domain::Level::ea0);
  const auto proof = opened()->destroy(1, 1, clock_).value();
  EXPECT_NE(proof.evidence().checks[0].find("through the page cache"), std::string::npos);
}

// Creation.

TEST(CreatingASlot, LeavesNothingOrAWholeSlotBehindWhereverItIsCut) {
  FakeDisk disk;
  ASSERT_TRUE(disk.make_directory("/root", 0700).ok());
  ASSERT_TRUE(disk.sync_directory("/").ok());
  const auto base = disk.snapshot();
  const Uuid store = Uuid::random();
  bool finished = false;
  for (std::uint64_t n = 1; !finished; ++n) {
    disk.restore(*base);
    disk.stop_at(n);
    const bool made = create_file_slot(disk, {kPath}, store).ok();
    finished = !disk.stopped();
    disk.power_cut(Cut::scatter, n);
    const auto slot = open_file_slot(disk, {kPath});
    if (made) {
      ASSERT_TRUE(slot.ok());
    }
    if (slot.ok()) {
      EXPECT_EQ((*slot)->store(), store);
      EXPECT_EQ((*slot)->read(0).value().content, SlotContent::zero);
    } else {
      EXPECT_TRUE(slot.error().code == Errc::not_found || slot.error().code == Errc::damaged);
    }
  }
}

class ASlotWithoutAName : public ASlot {
 protected:
  static constexpr const char* kAway = "/root/away";
  void SetUp() override {
    ASlot::SetUp();
    write(7, secret_);
    ASSERT_TRUE(opened()->write_anchor(key_, kAnchor).ok());
  }
  std::unique_ptr<RootSlot> opened_and_moved_away() {
    auto slot = opened();
    EXPECT_TRUE(disk_.rename(kPath, kAway).ok());
    EXPECT_TRUE(disk_.sync_directory("/root").ok());
    return slot;
  }
  bool is_whole(RootSlot& slot) {
    const SlotReading found = slot.read(1).value();
    return found.content == SlotContent::whole && holds_secret(found) &&
           slot.read_anchor(key_).value() == kAnchor;
  }
  static inline const Anchor kAnchor{12, 3, {}, 0};
  crypto::SealKey key_ = crypto::SealKey::random().value();
};

TEST_F(ASlotWithoutAName, IsWrittenAnewAndZeroedWhereItWas) {
  {
    const auto slot = opened_and_moved_away();
    EXPECT_EQ(slot->place().value(), SlotPlace::missing);
    EXPECT_TRUE(is_whole(*slot));
    ASSERT_TRUE(slot->put_back().ok());
    EXPECT_EQ(slot->place().value(), SlotPlace::present);
    EXPECT_TRUE(is_whole(*slot));
    EXPECT_EQ(slot->put_back().error().code, Errc::already_exists);
    EXPECT_TRUE(is_whole(*slot));
  }
  EXPECT_TRUE(is_whole(*opened()));
  const Bytes old = disk_.content(kAway);
  secret_.bytes().reveal([&](ByteView needle) {
    EXPECT_EQ(std::search(old.begin(), old.end(), needle.begin(), needle.end()), old.end());
  });
}

TEST_F(ASlotWithoutAName, TakesNoOtherFilesPlace) {
  const auto slot = opened_and_moved_away();
  disk_.copy_file(kAway, kPath);
  EXPECT_EQ(slot->place().value(), SlotPlace::replaced);
  const Bytes there = disk_.content(kPath);
  EXPECT_EQ(slot->put_back().error().code, Errc::already_exists);
  EXPECT_EQ(disk_.content(kPath), there);
}

TEST_F(ASlotWithoutAName, IsUsedAsBeforeWhereItCannotBeWrittenAnew) {
  const auto slot = opened_and_moved_away();
  std::size_t failures = 0;
  for (std::uint64_t n = 1;; ++n) {
    disk_.fail_operation_at(n);
    const Status done = slot->put_back();
    disk_.fail_operation_at(0);
    ASSERT_TRUE(is_whole(*slot)) << n;
    if (done.ok()) break;
    ++failures;
    EXPECT_EQ(slot->place().value(), SlotPlace::missing) << n;
  }
  EXPECT_GT(failures, 10U);
  EXPECT_EQ(slot->place().value(), SlotPlace::present);
}

TEST_F(ASlotWithoutAName, IsAtNoMomentLostFromBothPlaces) {
  const auto start = disk_.snapshot();
  bool finished = false;
  for (std::uint64_t n = 1; !finished; ++n) {
    disk_.restore(*start);
    {
      const auto slot = opened_and_moved_away();
      disk_.stop_at(n);
      static_cast<void>(slot->put_back());
      finished = !disk_.stopped();
    }
    disk_.power_cut(Cut::scatter, n);
    const auto at_path = open_file_slot(disk_, {kPath});
    const auto away = open_file_slot(disk_, {kAway});
    const auto gives = [&](const Result<std::unique_ptr<RootSlot>>& slot) {
      if (!slot.ok()) return false;
      const SlotReading found = (*slot)->read(1).value();
      return holds_secret(found) && (*slot)->read_anchor(key_).value() == kAnchor;
    };
    EXPECT_TRUE(gives(at_path) || gives(away)) << "stopped at " << n;
  }
}

TEST(CreatingASlot, LeavesNoHalfFileOnAFullDisk) {
  FakeDisk disk;
  ASSERT_TRUE(disk.make_directory("/root", 0700).ok());
  disk.set_capacity(1 << 20);
  EXPECT_EQ(create_file_slot(disk, {kPath}, Uuid::random()).error().code, Errc::no_space);
  EXPECT_FALSE(disk.stat(kPath).value().has_value());
}

}  // namespace
}  // namespace aierase::rootslot
