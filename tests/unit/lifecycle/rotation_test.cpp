// New keys: what they take over, when, and what is never lost of those before.
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/lifecycle/published_log.h"

namespace aierase::test {
namespace {

using NewKeys = APublishedLog;

TEST_F(NewKeys, SignWhatComesAndWhatTheOldOnesSignedStaysVerifiable) {
  ASSERT_TRUE(done(world.erase({"model:1"})));
  const std::string early = bundle_of("model:1");
  const auto before = published_head(world);
  ASSERT_TRUE(done(world.store->rotate_keys(bob())));
  ASSERT_TRUE(done(world.erase({"model:2"})));
  const std::string late = bundle_of("model:2");
  const certificate::TrustStore trust = trust_in(world);
  EXPECT_EQ(trust.keys.size(), 2U);
  EXPECT_TRUE(verified(certificate::verify_bundle(early, trust)));
  EXPECT_TRUE(verified(certificate::verify_bundle(late, trust)));
  EXPECT_EQ(bundle_of("model:1"), early);
  certificate::Continuity kept(*before);
  EXPECT_TRUE(verified(verify_published(world, &kept)));
  world.close();
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(world.store->signer(), trust.keys.back().key);
  EXPECT_TRUE(verified(certificate::verify_bundle(late, trust_in(world))));
}

TEST_F(NewKeys, AreInTheLogSignedByTheKeysBeforeAndAfter) {
  const auto first = world.store->keyring();
  ASSERT_TRUE(done(world.store->rotate_keys(bob())));
  ASSERT_TRUE(done(world.store->rotate_keys(bob())));
  const auto keyring = world.store->keyring();
  ASSERT_TRUE(done(keyring));
  ASSERT_EQ(keyring->rotations.size(), 2U);
  const auto rotation = certificate::read_rotation(keyring->rotations[0]);
  ASSERT_TRUE(done(rotation));
  EXPECT_EQ(rotation->previous.signer, first->keys[0].key);
  EXPECT_TRUE(certificate::continues(*keyring, *first));
  EXPECT_FALSE(certificate::continues(*first, *keyring));
  ASSERT_TRUE(done(publish(world)));
  EXPECT_TRUE(verified(verify_published(world)));
}

TEST_F(NewKeys, LeaveNothingOfTheOldOnesBehind) {
  const Bytes old_signer = world.disk.content("/slot-dir/signer.key");
  ASSERT_TRUE(done(world.store->rotate_keys(bob())));
  EXPECT_NE(world.disk.content("/slot-dir/signer.key"), old_signer);
  EXPECT_EQ(world.disk.list(kSlotDirectory).value(),
            (std::vector<std::string>{"CACHEDIR.TAG", "log.key", "signer.key", "slot"}));
}

// The files of a rotation that is in the database, and of which none has taken its name.
class KeysBesideTheirNames : public APublishedLog {
 protected:
  static constexpr const char* kNext = "/slot-dir/signer.key.next";
  static bool moves_keys(const Operation& one) {
    return one.name == "rename" && one.path.find(".key.next") != std::string::npos;
  }
  static bool writes_anchor(const Operation& one) {
    return one.name == "write" && one.path == kSlotPath;
  }
  // Rotates and fails in the first operation of that kind.
  void rotate_up_to(bool (*kind)(const Operation&)) {
    world.close();
    const auto before = world.keep();
    ASSERT_TRUE(done(world.open()));
    world.disk.clear_log();
    ASSERT_TRUE(done(world.store->rotate_keys(bob())));
    const std::ptrdiff_t number = place_of(kind);
    world.go_back(*before);
    ASSERT_TRUE(done(world.open()));
    world.disk.fail_operation_at(static_cast<std::uint64_t>(number) + 1);
    ASSERT_FALSE(world.store->rotate_keys(bob()).ok());
    ASSERT_TRUE(world.disk.stat(kNext).value());
    world.close();
  }
  std::ptrdiff_t place_of(bool (*kind)(const Operation&)) {
    const std::vector<Operation> operations = world.disk.log();
    const auto found = std::find_if(operations.begin(), operations.end(), kind);
    EXPECT_NE(found, operations.end());
    return found - operations.begin();
  }
  crypto::PublicKey named_signer() {
    const auto keyring = world.store->keyring();
    EXPECT_TRUE(done(keyring));
    return keyring.ok() ? keyring->keys.at(2).key : crypto::PublicKey{};
  }
};

TEST_F(KeysBesideTheirNames, TakeThemAtTheNextStart) {
  rotate_up_to(moves_keys);
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(world.store->signer(), named_signer());
  EXPECT_EQ(world.disk.list(kSlotDirectory).value(),
            (std::vector<std::string>{"CACHEDIR.TAG", "log.key", "signer.key", "slot"}));
}

TEST_F(KeysBesideTheirNames, AreNotRemovedBecauseTheyCannotBeRead) {
  rotate_up_to(moves_keys);
  world.disk.fail_reads_of(kNext);
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(finding_about("signer"), "signer-missing");
  EXPECT_FALSE(world.store->rotate_keys(bob()).ok());
  world.close();
  ASSERT_TRUE(world.disk.stat(kNext).value()) << "the only copy of the key in force";
  world.disk.fail_reads_of({});
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(world.store->signer(), named_signer());
  ASSERT_TRUE(done(world.erase({"model:1"})));
}

TEST_F(KeysBesideTheirNames, AreTakenWhereTheFileBeforeCannotBeRead) {
  rotate_up_to(moves_keys);
  world.disk.fail_reads_of("/slot-dir/signer.key");
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(world.store->signer(), named_signer());
}

// Until the next start has committed, the rotation may not be durable, and the keys before it are
// those in force.
TEST_F(KeysBesideTheirNames, TakeThemOnlyBehindACommitOfTheProcessThatMovesThem) {
  rotate_up_to(writes_anchor);
  world.disk.clear_log();
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(world.store->signer(), named_signer());
  EXPECT_LT(place_of(writes_anchor), place_of(moves_keys));
}

TEST_F(NewKeys, AreNotTakenFromAFileOfAnotherStore) {
  World other;
  ASSERT_TRUE(done(other.init()));
  const Bytes foreign = other.disk.content("/slot-dir/log.key");
  world.close();
  overwrite("/slot-dir/log.key", foreign);
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(publish(world).error().code, Errc::wrong_state);
  EXPECT_EQ(finding_about("log-key"), "log-key-missing");
  EXPECT_EQ(world.store->rotate_keys(bob()).error().code, Errc::wrong_state);
}

}  // namespace
}  // namespace aierase::test
