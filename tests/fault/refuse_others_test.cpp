// Files that are older, of another store or of another host, and secrets that are wrong or missing:
// each is refused with a sentence that names it and says what to do, nothing on the disk is
// touched, and with the right file put back everything can be read again.
#include <gtest/gtest.h>

#include <algorithm>

#include "fault/support/refusals.h"
#include "rootslot/blocks.h"

namespace aierase::test {
namespace {

using lifecycle::Store;

TEST_F(ARefusal, MeetsAnOlderDatabaseOfTheSameEpoch) {
  put(kDatabase, older_database);
  refuse_and_put_back(kDatabase, Errc::damaged,
                      {"older copy of the database", "anchor", kDatabase, "put"});
}

TEST_F(ARefusal, MeetsADatabaseThatIsOneCommitOlder) {
  ASSERT_TRUE(done(world.open()));
  const Uuid held = world.asset("model-0").id;
  world.close();
  const Bytes before = world.disk.content(kDatabase);
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.hold({"asset=" + domain::id_text(domain::IdType::asset, held)})));
  world.close();
  const Bytes newest = world.disk.content(kDatabase);
  put(kDatabase, before);
  expect_refused(Errc::damaged, {"older copy of the database"});
  put(kDatabase, newest);
  expect_all_readable();
  ASSERT_TRUE(done(world.open()));
  const auto view = world.store->show_asset(held);
  ASSERT_TRUE(done(view));
  EXPECT_EQ(view->holds.size(), 1U);
}

TEST_F(ARefusal, MeetsADatabaseOfAnOlderEpochAndTheErasedStaysErased) {
  put(kDatabase, database_of_epoch_0);
  expect_refused(Errc::damaged, {"older database", "epoch 0", "epoch 1", "put"});
  // All that was ever in the database, and the slot as it is: the erased one is not in reach.
  const std::set<Uuid> reach = world.stolen();
  EXPECT_EQ(reach.count(world.asset("model-3").id), 0U);
  EXPECT_EQ(reach.count(world.asset("model-0").id), 1U);
  put_back(kDatabase);
  expect_all_readable();
}

// Only with the slot of that time does the erased come back: what every certificate says.
TEST_F(ARefusal, DoesNotProtectFromACopyOfTheSlotOfThatTime) {
  put(kDatabase, database_of_epoch_0);
  put(kSlotPath, slot_of_epoch_0);
  EXPECT_EQ(world.stolen().count(world.asset("model-3").id), 1U);
}

TEST_F(ARefusal, MeetsAnOlderSlotBesideTheNewDatabase) {
  put(kSlotPath, slot_of_epoch_0);
  refuse_and_put_back(kSlotPath, Errc::damaged, {"slot", "epoch 0", "epoch 1", kSlotPath, "put"});
}

TEST_F(ARefusal, MeetsTheSlotOfAnotherStore) {
  put(kSlotPath, of_another_store(kSlotPath));
  refuse_and_put_back(kSlotPath, Errc::foreign, {"slot", "another store", kSlotPath, "put"});
}

TEST_F(ARefusal, MeetsTheDatabaseOfAnotherStore) {
  put(kDatabase, of_another_store(kDatabase));
  refuse_and_put_back(kDatabase, Errc::foreign, {"database", "another store", kDatabase, "put"});
}

TEST_F(ARefusal, MeetsTheLocatorOfAnotherStore) {
  put(kLocator, of_another_store(kLocator));
  refuse_and_put_back(kLocator, Errc::foreign, {"another store", "root-slot"});
}

TEST_F(ARefusal, MeetsASlotSecretOfAnotherStoreInItsOwnFile) {
  const Bytes other = of_another_store(kSlotPath);
  for (const unsigned parity : {0U, 1U}) {
    for (unsigned copy = 0; copy < rootslot::kCopies; ++copy) {
      const auto at = rootslot::slot_offset(parity, copy);
      const auto source = rootslot::slot_offset(1, copy);  // the living one there
      world.disk.poke(
          kSlotPath, at,
          ByteView(other).subspan(static_cast<std::size_t>(source), rootslot::kBlockBytes));
    }
    // In place of its own, or beside it.
    refuse_and_put_back(kSlotPath, parity == 1 ? Errc::damaged : Errc::foreign,
                        {"slot", "another store", kSlotPath, "put"});
  }
}

TEST_F(ARefusal, MeetsTheDeadSlotSecretPutBackBesideTheLivingOne) {
  for (unsigned copy = 0; copy < rootslot::kCopies; ++copy) {
    const auto at = rootslot::slot_offset(0, copy);
    world.disk.poke(
        kSlotPath, at,
        ByteView(slot_of_epoch_0).subspan(static_cast<std::size_t>(at), rootslot::kBlockBytes));
  }
  refuse_and_put_back(kSlotPath, Errc::damaged, {"slot", "epoch 0", "epoch 1", kSlotPath, "put"});
}

TEST_F(ARefusal, MeetsAnotherMachineUnlessItIsAdopted) {
  const std::string own = world.host.machine_id_digest;
  world.host.machine_id_digest = std::string(64, 'b');
  expect_refused(Errc::foreign, {"another host", "machine-id", "--adopt"});
  world.host.machine_id_digest = own;
  expect_all_readable();
  world.host.machine_id_digest = std::string(64, 'b');
  ASSERT_TRUE(done(world.open(Store::Adopt::yes)));
  expect_all_readable();
  world.host.machine_id_digest = own;  // and now the other way round
  expect_refused(Errc::foreign, {"another host"});
}

TEST_F(ARefusalWithAnUnlockSecret, MeetsNoSecret) {
  const std::optional<Bytes> right = world.unlock;
  world.unlock = std::nullopt;
  expect_refused(Errc::locked, {"unlock secret", "aierased"});
  world.unlock = right;
  expect_all_readable();
}

TEST_F(ARefusalWithAnUnlockSecret, MeetsAWrongSecret) {
  const std::optional<Bytes> right = world.unlock;
  world.unlock = content_of(71, 32);
  expect_refused(Errc::locked, {"unlock secret is wrong", "aierased"});
  world.unlock = right;
  expect_all_readable();
}

TEST_F(ARefusalWithAnUnlockSecret, TellsAnOlderDatabaseFromAWrongSecret) {
  put(kDatabase, database_of_epoch_0);
  refuse_and_put_back(kDatabase, Errc::damaged, {"older database", "epoch 0", "epoch 1"});
}

TEST_F(ARefusal, MeetsASecondInit) {
  const Contents before = everything(world.disk);
  expect_clear(world.init(), Errc::already_exists, {"store", "already"});
  EXPECT_EQ(differences(before, everything(world.disk)), "");
  expect_all_readable();
}

TEST_F(ARefusal, MeetsAnInitWhoseSlotIsThereAlready) {
  // The store is not mounted: its slot waits for it.
  ASSERT_TRUE(done(world.disk.rename("/store", "/unmounted")));
  ASSERT_TRUE(done(world.disk.make_directory("/store", 0700)));
  ASSERT_TRUE(done(put_file(world.disk, "/store/lock", {})));
  const Contents before = everything(world.disk);
  expect_clear(world.init(), Errc::foreign, {kSlotPath, "never overwritten", "mount"});
  EXPECT_EQ(differences(before, everything(world.disk)), "");
  ASSERT_TRUE(done(world.disk.unlink("/store/lock")));
  ASSERT_TRUE(done(world.disk.remove_directory("/store")));
  ASSERT_TRUE(done(world.disk.rename("/unmounted", "/store")));
  expect_all_readable();
}

// Without its signer a store serves its models, and destroys nothing.
TEST_F(ARefusal, OfTheSignerStopsErasuresAndNothingElse) {
  for (const bool missing : {true, false}) {
    if (missing) {
      ASSERT_TRUE(done(world.disk.rename(kSignerKey, "/elsewhere")));
    }
    if (!missing) put(kSignerKey, content_of(8, 40));
    ASSERT_TRUE(done(world.open()));
    const auto status = world.store->status();
    ASSERT_TRUE(done(status));
    EXPECT_FALSE(status->findings.empty());
    EXPECT_TRUE(done(world.read_back(world.asset("model-2"))));
    const std::string name = missing ? "model-1" : "model-0";
    ASSERT_TRUE(done(world.retire({name})));
    EXPECT_TRUE(done(world.execute()));
    EXPECT_EQ(world.stolen().count(world.asset(name).id), 1U);
    world.close();
    if (missing) {
      ASSERT_TRUE(done(world.disk.rename("/elsewhere", kSignerKey)));
    } else {
      put_back(kSignerKey);
    }
    ASSERT_TRUE(done(world.open()));
    EXPECT_TRUE(done(world.execute()));
    EXPECT_EQ(world.stolen().count(world.asset(name).id), 0U);
    expect_sound(world, Seen());
    world.close();
  }
}

}  // namespace
}  // namespace aierase::test
