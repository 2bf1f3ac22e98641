#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "fault/support/erasures.h"
#include "fault/support/inspect.h"

namespace aierase::test {
namespace {

using lifecycle::EraseStep;

void ignore(const Status&) {}

TEST(AnErasure, LeavesTheErasedUnreadableAndTheRestAsItWas) {
  World world;
  const auto start = four_assets(world);
  const std::set<StolenSlot> earlier = Adversary::slots(world.disk, kSlotPath);
  Watch watch(world);
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.erase({"model-1", "model-3"})));
  expect_sound(world, watch.seen);
  EXPECT_EQ(world.stolen(), (std::set<Uuid>{world.asset("model-0").id, world.asset("model-2").id}));
  // The honest control: with the slot of before, everything comes back.
  EXPECT_EQ(world.adversary.readable(earlier, world.targets()).size(), 4U);
  EXPECT_GT(world.adversary.rows(), 10U);
}

TEST(AnErasureOfOneAsset, MayBeStoppedAnywhere) {
  World world;
  const auto start = approved(world, {"model-1"});
  Watch watch(world);
  const std::size_t futures = stop_erasure(world, *start, watch, {"model-1"}, 4);
  EXPECT_GT(futures, 100U);
}

TEST(AnErasureOfThreeAssets, MayBeStoppedAnywhere) {
  World world;
  const auto start = approved(world, {"model-0", "model-1", "model-3"});
  Watch watch(world);
  EXPECT_GT(stop_erasure(world, *start, watch, {"model-0", "model-1", "model-3"}, 11), 20U);
}

class AHoldDuringAnErasure : public ::testing::TestWithParam<EraseStep> {};

TEST_P(AHoldDuringAnErasure, WinsUntilTheSlotIsTouchedWhereverItIsStopped) {
  World world;
  const auto start = approved(world, {"model-1", "model-2"});
  Watch watch(world);
  watch.hold("model-1", GetParam());
  world.go_back(*start);
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.execute()));
  const bool too_late = GetParam() >= EraseStep::zero_slot;
  EXPECT_EQ(watch.seen.held.size(), too_late ? 0U : 1U);
  EXPECT_EQ(watch.seen.refused_holds, too_late ? 1U : 0U);
  const auto view = world.store->show_asset(world.asset("model-1").id);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(view->asset.state, too_late ? domain::AssetState::erased : domain::AssetState::retired);
  settle(world, watch, {"model-1", "model-2"});
  stop_erasure(world, *start, watch, {"model-1", "model-2"}, 23);
}

INSTANTIATE_TEST_SUITE_P(AtEachStep, AHoldDuringAnErasure,
                         ::testing::Values(EraseStep::tx1, EraseStep::write_slot, EraseStep::drain,
                                           EraseStep::tx2, EraseStep::check, EraseStep::zero_slot,
                                           EraseStep::tx3, EraseStep::unlink));

class AHoldBeforeTheChokePoint : public ::testing::TestWithParam<EraseStep> {};

// What was read for the first decision serves again only where nothing was written in between: the
// look at the holds behind TX2 is not what has to find it.
TEST_P(AHoldBeforeTheChokePoint, IsSeenByTx2Itself) {
  World world;
  const auto start = approved(world, {"model-1"});
  Watch watch(world);
  watch.hold("model-1", GetParam());
  const lifecycle::StepHook look = world.hook;
  std::set<EraseStep> steps;
  world.hook = [&](EraseStep step) {
    steps.insert(step);
    look(step);
  };
  world.go_back(*start);
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(watch.seen.held.size(), 1U);
  EXPECT_EQ(steps.count(EraseStep::tx2), 1U);
  EXPECT_EQ(steps.count(EraseStep::check), 0U);
}

INSTANTIATE_TEST_SUITE_P(AtEachStep, AHoldBeforeTheChokePoint,
                         ::testing::Values(EraseStep::tx1, EraseStep::write_slot, EraseStep::drain,
                                           EraseStep::tx2));

// Behind the point of no return it could not be drafted anew.
TEST(AStatement, ThatDoesNotReadBackAsDraftedDestroysNothing) {
  const std::string database = "/store/catalog.db";
  World world;
  const auto start = approved(world, {"model-1"});
  world.go_back(*start);
  std::set<EraseStep> steps;
  world.hook = [&](EraseStep step) {
    steps.insert(step);
    if (step != EraseStep::check) return;
    const Bytes content = world.disk.content(database);
    const ByteView draft = as_bytes("\"predicateType\"");
    const auto at = std::search(content.begin(), content.end(), draft.begin(), draft.end());
    ASSERT_NE(at, content.end());
    spoil(world.disk, database, static_cast<std::uint64_t>(at - content.begin()), 1);
  };
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(steps.count(EraseStep::check), 1U);
  EXPECT_EQ(steps.count(EraseStep::zero_slot), 0U);
  const auto view = world.store->show_asset(world.asset("model-1").id);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(view->asset.state, domain::AssetState::suspended);
  EXPECT_EQ(world.stolen().size(), 4U) << "every key is alive";
  EXPECT_EQ(to_string(check_all(world, lifecycle::CheckDepth::deep)), "");
}

// A sync that fails says that the data may be gone: the process stops, and the next one trusts
// only what it commits itself.
TEST(AFailedSync, StopsTheProcessAndLosesNothing) {
  World world;
  const auto start = approved(world, {"model-1"});
  Watch watch(world);
  for (std::uint64_t n = 1;; ++n) {
    world.go_back(*start);
    watch.seen = Seen();
    world.disk.fail_sync_at(n);
    Status opened = world.open();
    Status executed;
    if (opened.ok()) {
      executed = world.execute();
      if (!executed.ok()) {
        EXPECT_TRUE(world.store->must_stop()) << executed.error().message;
      }
    }
    const bool failed = !opened.ok() || !executed.ok();
    SCOPED_TRACE("failed sync " + std::to_string(n));
    world.crash({});
    const auto fallen = world.keep();
    const Seen life = watch.seen;
    ASSERT_TRUE((opened = world.open()).ok()) << opened.error().message;
    settle(world, watch, {"model-1"});
    // And with the power gone right after the recovery.
    world.go_back(*fallen);
    watch.seen = life;
    ASSERT_TRUE((opened = world.open()).ok()) << opened.error().message;
    world.crash({Crash::Kind::power_cut, Cut::lose_all, n});
    ASSERT_TRUE((opened = world.open()).ok()) << opened.error().message;
    settle(world, watch, {"model-1"});
    ASSERT_FALSE(HasFailure());
    if (!failed && n > 60) break;
  }
}

// What a killed process wrote can be seen and still be lost: zeros that recovery only looked at
// would be certified, and the secret would come back with the next power cut.
TEST(ARecoveredErasure, IsDurableBeforeItIsCertified) {
  World world;
  const auto start = approved(world, {"model-1"});
  Watch watch(world);
  const lifecycle::StepHook look = world.hook;
  std::size_t recovered = 0;
  for (std::uint64_t n = 1; n <= 6; ++n) {
    SCOPED_TRACE("stopped at operation " + std::to_string(n) + " of step 4");
    world.go_back(*start);
    watch.seen = Seen();
    world.hook = [&](EraseStep step) {
      look(step);
      if (step == EraseStep::zero_slot) world.disk.stop_at(n);
    };
    ASSERT_TRUE(done(world.open()));
    ignore(world.execute());
    world.disk.stop_at(0);
    world.crash({});
    ASSERT_TRUE(done(world.open()));
    const auto view = world.store->show_asset(world.asset("model-1").id);
    ASSERT_TRUE(done(view));
    ASSERT_EQ(view->asset.state, domain::AssetState::erased);
    ++recovered;
    EXPECT_EQ(world.stolen().count(view->asset.id), 0U);
    world.crash({Crash::Kind::power_cut, Cut::lose_all, n});
    ASSERT_TRUE(done(world.open()));
    expect_sound(world, watch.seen);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_EQ(recovered, 6U);
}

// A journal that SQLite would play back.
bool waits(ByteView journal) {
  return !journal.empty() && journal.front() != std::byte{0};
}

// A journal whose end was seen and never became durable must not be mixed with the next one.
TEST(AFailedSync, LeavesNoJournalThatTheNextFallMakesBelieve) {
  const std::string journal = "/store/catalog.db-journal";
  World world;
  const auto start = four_assets(world);
  std::size_t met = 0;
  for (std::uint64_t n = 1; n <= 40; ++n) {
    SCOPED_TRACE("failed sync " + std::to_string(n));
    world.go_back(*start);
    ASSERT_TRUE(done(world.open()));
    world.disk.fail_sync_at(n);
    for (int i = 0; i < 8 && !world.store->must_stop(); ++i) {
      ignore(world.import_key("key-" + std::to_string(i), std::nullopt));
    }
    world.crash({});
    if (waits(world.disk.content(journal)) || !waits(world.disk.durable_content(journal))) continue;
    ++met;
    world.disk.stop_at(3);  // before SQLite writes anything
    ignore(world.open());
    EXPECT_FALSE(waits(world.disk.durable_content(journal)));
    world.crash({Crash::Kind::power_cut, Cut::lose_all, n});
    ASSERT_TRUE(done(world.open()));
    expect_sound(world, Seen());
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(met, 0U) << "no sync of the journal's end failed";
}

}  // namespace
}  // namespace aierase::test
