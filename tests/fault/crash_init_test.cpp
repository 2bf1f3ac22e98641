// `init` stopped at every operation, and what tidies up after it stopped again: afterwards there is
// a whole store or none at all, and no secret of an abandoned one.
#include <gtest/gtest.h>

#include "fault/support/crashes.h"
#include "fault/support/inspect.h"
#include "rootslot/root_slot.h"

namespace aierase::test {
namespace {

using lifecycle::CheckDepth;
using lifecycle::Store;
using Names = std::vector<std::string>;

enum class SlotDirectory { there, to_be_made };

struct InitCase {
  const char* name;
  std::optional<Bytes> unlock;
  SlotDirectory directory = SlotDirectory::there;
};
void PrintTo(const InitCase& one, std::ostream* out) {
  *out << one.name;
}

std::set<StolenSlot> slots_anywhere(FakeDisk& disk) {
  std::set<StolenSlot> found;
  for (const std::string path : {"/slot-dir/slot", "/slot-dir/.init/slot"}) {
    const auto there = disk.stat(path);
    if (!there.ok() || !*there) continue;
    found.merge(Adversary::slots(disk, path));
  }
  return found;
}

// What is left of an abandoned init: empty directories, and the tag that says so to backups.
void expect_nothing_left(World& world, const std::set<StolenSlot>& before) {
  EXPECT_EQ(names_in(world.disk, kStoreDirectory), Names{"lock"});
  for (const std::string& name : names_in(world.disk, kSlotDirectory)) {
    EXPECT_EQ(name, "CACHEDIR.TAG");
  }
  for (const StolenSlot& slot : before) {
    EXPECT_FALSE(world.disk.holds(slot.secret)) << "the slot secret of an abandoned init";
  }
}

// A start as people do it: look whether there is a store, and make one where there is none.
Status start_or_init(World& world, const std::set<StolenSlot>& before) {
  world.close();
  Store::Presence presence = Store::Presence::absent;
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<File> lock, Store::lock(world.settings()));
    ASSIGN_OR_RETURN(presence, Store::presence(world.settings()));
  }
  if (presence == Store::Presence::absent) {
    expect_nothing_left(world, before);
    RETURN_IF_ERROR(world.init());
  }
  return world.open();
}

void expect_whole_store(World& world) {
  EXPECT_TRUE(check_all(world, CheckDepth::deep).empty())
      << to_string(check_all(world, CheckDepth::deep));
  ASSERT_TRUE(done(world.import(small_asset("first", 7))));
  ASSERT_TRUE(done(world.import_key("corpus-key", content_of(9, 32))));
  ASSERT_TRUE(done(world.open()));
  for (const Imported& asset : world.assets) EXPECT_TRUE(done(world.read_back(asset)));
  EXPECT_EQ(names_in(world.disk, kSlotDirectory),
            (Names{"CACHEDIR.TAG", "log.key", "signer.key", "slot"}));
  for (const std::string& name : names_in(world.disk, kStoreDirectory)) {
    EXPECT_NE(name, ".init");
  }
  EXPECT_EQ(slots_anywhere(world.disk).size(), 1U);
}

class AnInit : public ::testing::TestWithParam<InitCase> {};

TEST_P(AnInit, MayBeStoppedAnywhereAndLeavesAStoreOrNone) {
  World world;
  world.unlock = GetParam().unlock;
  if (GetParam().directory == SlotDirectory::to_be_made) {
    ASSERT_TRUE(done(world.disk.remove_directory(kSlotDirectory)));
    ASSERT_TRUE(done(world.disk.sync_directory("/")));
  }
  const auto start = world.keep();
  std::optional<Uuid> promised;
  std::set<StolenSlot> seen;
  std::size_t made_anew = 0;
  StopPlan plan;
  plan.stride = 13;
  plan.act = [&](World& w) {
    promised.reset();
    if (w.init().ok()) promised = w.store_uuid();
  };
  plan.recover = [&](World& w) {
    const auto there = w.disk.stat(kSlotDirectory);
    seen = there.ok() && *there ? slots_anywhere(w.disk) : std::set<StolenSlot>();
    return start_or_init(w, seen);
  };
  plan.check = [&](World& w) {
    if (promised) {
      EXPECT_EQ(w.store_uuid(), *promised) << "init had said yes";
    } else {
      ++made_anew;
    }
    expect_whole_store(w);
  };
  EXPECT_GT(stop_everywhere(world, *start, plan), 20U);
  EXPECT_TRUE(promised.has_value()) << "the last run was not stopped";
  EXPECT_GT(made_anew, 20U);
}

INSTANTIATE_TEST_SUITE_P(Always, AnInit,
                         ::testing::Values(InitCase{"without unlock secret", std::nullopt},
                                           InitCase{"with unlock secret", content_of(77, 32)},
                                           InitCase{"where the slot's directory is made",
                                                    std::nullopt, SlotDirectory::to_be_made}));

// The slot of a store that is not mounted lies where the new one would: an init that was stopped
// tidies up its own files, never those.
TEST(AnInterruptedInit, NeverTouchesTheSlotOfAnotherStore) {
  World world;
  ASSERT_TRUE(done(world.init()));
  world.disk.power_cut(Cut::keep_all, 1);
  const Bytes slot = world.disk.content(kSlotPath);
  const Bytes signer = world.disk.content("/slot-dir/signer.key");
  ASSERT_TRUE(done(world.disk.make_directory("/store2", 0700)));
  ASSERT_TRUE(done(world.disk.sync_directory("/")));
  lifecycle::StoreSettings settings = world.settings();
  settings.directory = "/store2";
  const auto init = [&](const std::string& slot_path) -> Status {
    lifecycle::InitRequest request;
    request.actor = alice();
    request.slot_path = slot_path;
    ASSIGN_OR_RETURN(const std::unique_ptr<File> lock, Store::lock(settings));
    const auto made = Store::initialise(settings, std::move(request));
    return made.ok() ? Status() : Status(made.error());
  };
  const Status refused = init(kSlotPath);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::foreign);
  const auto start = world.keep();
  const std::uint64_t stride = test_all() ? 1 : 4;
  std::size_t stopped = 0;
  for (std::uint64_t n = 1;; n += stride) {
    world.go_back(*start);
    world.disk.stop_at(n);
    const Status made = init("/slot-dir/second");
    if (made.ok()) break;
    // Beside another store's keys there is no place for a second slot.
    if (!world.disk.stopped()) {
      EXPECT_EQ(made.error().code, Errc::foreign) << made.error().message;
      break;
    }
    ++stopped;
    world.disk.power_cut(Cut::keep_all, n);
    const Status again = init(kSlotPath);
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().code, Errc::foreign) << again.error().message;
    EXPECT_EQ(world.disk.content(kSlotPath), slot) << "stopped at " << n;
    EXPECT_EQ(world.disk.content("/slot-dir/signer.key"), signer) << "stopped at " << n;
  }
  EXPECT_TRUE(done(world.open()));
}

// An init that is refused for its slot's path, or was stopped before it got there.
class AnInitElsewhere : public ::testing::Test {
 protected:
  Status init(const std::string& slot_path) {
    lifecycle::InitRequest request;
    request.actor = alice();
    request.slot_path = slot_path;
    ASSIGN_OR_RETURN(const std::unique_ptr<File> lock, Store::lock(world.settings()));
    const auto made = Store::initialise(world.settings(), std::move(request));
    return made.ok() ? Status() : Status(made.error());
  }
  // Stopped as soon as its locator is durable; what was made beside the slot is removed again.
  void stop_before_the_slot(const std::string& slot_path) {
    const auto start = world.keep();
    for (std::uint64_t n = 1;; ++n) {
      world.go_back(*start);
      world.disk.stop_at(n);
      ASSERT_FALSE(init(slot_path).ok());
      world.disk.power_cut(Cut::keep_all, n);
      const auto staging = world.disk.stat(parent_of(slot_path) + "/.init");
      if (staging.ok() && *staging) break;
    }
    ASSERT_TRUE(done(world.disk.stat("/store/.init/root-slot")));
    ASSERT_TRUE(world.disk.stat("/store/.init/root-slot").value().has_value());
  }
  World world;
};

TEST_F(AnInitElsewhere, IsRefusedForADirectoryThatIsNoneAndMakesNothing) {
  world.disk.add_symbolic_link("/link");
  ASSERT_TRUE(done(put_file(world.disk, "/file", {})));
  for (const std::string path : {"/link/slot", "/file/slot"}) {
    const Status refused = init(path);
    ASSERT_FALSE(refused.ok()) << path;
    EXPECT_EQ(refused.error().code, Errc::invalid_input) << refused.error().message;
    EXPECT_FALSE(refused.error().hint.empty());
    EXPECT_EQ(names_in(world.disk, kStoreDirectory), Names{"lock"}) << path;
  }
  EXPECT_TRUE(done(init(kSlotPath)));
}

TEST_F(AnInitElsewhere, IsUndoneThoughItsSlotsDirectoryIsNoneAnyMore) {
  ASSERT_TRUE(done(world.disk.make_directory("/other", 0700)));
  stop_before_the_slot("/other/slot");
  ASSERT_TRUE(done(world.disk.remove_directory("/other/.init")));
  ASSERT_TRUE(done(world.disk.remove_directory("/other")));
  world.disk.add_symbolic_link("/other");
  EXPECT_TRUE(done(init(kSlotPath)));
}

TEST_F(AnInitElsewhere, TakesNoPlaceWhereAnotherWasInterrupted) {
  ASSERT_TRUE(done(world.disk.make_directory("/slot-dir/.init", 0700)));
  ASSERT_TRUE(done(put_file(world.disk, "/slot-dir/.init/signer.key", content_of(1, 32))));
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Status refused = init(kSlotPath);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::foreign) << refused.error().message;
    EXPECT_EQ(names_in(world.disk, "/slot-dir/.init"), Names{"signer.key"});
    EXPECT_EQ(names_in(world.disk, kStoreDirectory), Names{"lock"});
  }
}

// Whatever somebody put there since: another store's slot, its keys, notes.
TEST_F(AnInitElsewhere, IsNotUndoneAtTheCostOfWhatIsNotItsOwn) {
  stop_before_the_slot(kSlotPath);
  const auto start = world.keep();
  const std::string staging = "/slot-dir/.init/";
  const auto other_slot = [&] {
    auto slot = rootslot::create_file_slot(world.disk, {staging + "slot"}, Uuid::random());
    ASSERT_TRUE(done(slot));
  };
  for (const std::string name : {"slot", "slotA", "signer.key", "notes.txt"}) {
    SCOPED_TRACE(name);
    world.go_back(*start);
    for (const std::string& half : names_in(world.disk, staging)) {
      ASSERT_TRUE(done(world.disk.unlink(staging + half)));
    }
    if (name == "slot") {
      other_slot();
    } else {
      ASSERT_TRUE(done(put_file(world.disk, staging + name, content_of(1, 32))));
    }
    const Names before = names_in(world.disk, staging);
    for (int attempt = 0; attempt < 2; ++attempt) {
      const Status refused = init(kSlotPath);
      ASSERT_FALSE(refused.ok());
      EXPECT_EQ(refused.error().code, Errc::foreign) << refused.error().message;
      EXPECT_EQ(names_in(world.disk, staging), before);
    }
    ASSERT_TRUE(done(world.disk.rename("/slot-dir/.init", "/moved-away")));
    EXPECT_TRUE(done(init(kSlotPath)));
  }
}

// A sync that fails during init: the process stops, the next one finds a store or none.
TEST(AFailedSyncDuringInit, LeavesAStoreOrNone) {
  World world;
  const auto start = world.keep();
  for (std::uint64_t n = 1;; n += test_all() ? 1 : 3) {
    SCOPED_TRACE("failed sync " + std::to_string(n));
    world.go_back(*start);
    world.disk.fail_sync_at(n);
    const bool made = world.init().ok();
    world.crash({Crash::Kind::power_cut, Cut::lose_all, n});
    ASSERT_TRUE(done(start_or_init(world, slots_anywhere(world.disk))));
    expect_whole_store(world);
    ASSERT_FALSE(HasFailure());
    if (made) break;
  }
}

}  // namespace
}  // namespace aierase::test
