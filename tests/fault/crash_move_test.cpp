// The root slot on its way between file and TPM, stopped anywhere.

#include <gtest/gtest.h>

#include <algorithm>

#include "fault/support/erasures.h"
#include "fault/support/inspect.h"

namespace aierase::test {
namespace {

using lifecycle::SlotKind;

constexpr std::uint32_t kRetry = 0x922;

class AMove : public testing::TestWithParam<std::pair<SlotKind, SlotKind>> {
 protected:
  void SetUp() override {
    world_.tpm = &tpm_;
    world_.home = from();
    four_assets(world_);
    ASSERT_TRUE(done(world_.open()));
    ASSERT_TRUE(done(world_.erase({"model-0"})));
    earlier_ = world_.slots();
    world_.close();
    start_ = world_.keep();
  }
  static SlotKind from() { return GetParam().first; }
  static SlotKind to() { return GetParam().second; }

  SlotKind home() {
    const auto locator = lifecycle::Store::read_locator(world_.settings());
    EXPECT_TRUE(done(locator));
    if (!locator.ok()) return SlotKind::file;
    EXPECT_FALSE(locator->move.has_value()) << "it is still on its way";
    EXPECT_EQ(locator->left_tpm, lifecycle::SlotLocator::LeftTpm::none);
    return locator->slot_kind;
  }
  // Either all of it, or nothing.
  void expect_settled() {
    const SlotKind now = home();
    EXPECT_TRUE(now == from() || now == to());
    expect_sound(world_, Seen(), Look::readings);
    const bool in_tpm = tpm_.tool("tpm2_nvreadpublic | grep -q .");
    EXPECT_EQ(in_tpm, lifecycle::has_tpm(now)) << "indexes of the TPM";
    const auto key = world_.disk.stat(std::string(kSlotDirectory) + "/tpm.key");
    ASSERT_TRUE(done(key));
    EXPECT_EQ(key->has_value(), lifecycle::has_tpm(now));
    if (now == from()) return;
    const std::set<StolenSlot> left = world_.slots();
    for (const StolenSlot& secret : earlier_) {
      EXPECT_EQ(left.count(secret), 0U) << "a secret of epoch " << secret.epoch << " is left";
    }
  }
  // And it goes on from there.
  void finish() {
    if (home() == from()) {
      ASSERT_TRUE(done(world_.store->move_slot(bob(), to())));
    }
    EXPECT_EQ(home(), to());
    expect_settled();
    ASSERT_TRUE(done(world_.hold({"name=model-3"})));
    ASSERT_TRUE(done(world_.erase({"model-2"})));
    expect_sound(world_, Seen(), Look::readings);
    ASSERT_TRUE(done(world_.open()));
    expect_sound(world_, Seen(), Look::readings);
  }

  SoftwareTpm tpm_;
  World world_;
  std::set<StolenSlot> earlier_;
  std::shared_ptr<const World::Moment> start_;
};

// Moves out of a file, out of a home with a TPM, and into a file.
class AMoveFromAFile : public AMove {};
class AMoveFromATpm : public AMove {};
class AMoveToAFile : public AMove {};

TEST_P(AMove, GivesAHomeAndKeepsTheLowerLevel) {
  ASSERT_TRUE(done(world_.open()));
  ASSERT_TRUE(done(world_.store->move_slot(bob(), to())));
  EXPECT_EQ(world_.store->move_slot(bob(), to()).error().code, Errc::wrong_state);
  const auto status = world_.store->status();
  ASSERT_TRUE(done(status));
  EXPECT_EQ(status->slot.kind, to_text(to()));
  finish();
  const auto view = world_.store->show_asset(world_.asset("model-2").id);
  ASSERT_TRUE(done(view));
  const auto row = world_.store->show_certificate(*view->certificate);
  ASSERT_TRUE(done(row));
  const std::string kind = "\"kind\":\"" + std::string(to_text(from())) + "\"";
  EXPECT_NE(row->statement.find(kind), std::string::npos) << "where it lived before";
  const bool in_file = from() == SlotKind::file || to() == SlotKind::file;
  EXPECT_EQ(row->assurance < domain::Level::ea2, in_file);
  // What is born now has never lived elsewhere.
  ASSERT_TRUE(done(world_.import(small_asset("model-9", 90))));
  ASSERT_TRUE(done(world_.erase({"model-9"})));
  const auto later = world_.store->show_asset(world_.asset("model-9").id);
  ASSERT_TRUE(done(later));
  const auto second = world_.store->show_certificate(*later->certificate);
  ASSERT_TRUE(done(second));
  EXPECT_EQ(second->assurance < domain::Level::ea2, to() == SlotKind::file);
}

TEST_P(AMove, MayBeStoppedAnywhere) {
  StopPlan plan;
  plan.stride = 23;
  plan.act = [&](World& world) {
    if (world.open().ok()) static_cast<void>(world.store->move_slot(bob(), to()).ok());
  };
  std::size_t looked = 0;
  plan.check = [&](World&) {
    expect_settled();
    if (!HasFailure() && ++looked % 4 == 0) finish();
  };
  EXPECT_GT(stop_everywhere(world_, *start_, plan), 12U);
}

TEST_P(AMove, SurvivesTheDeathOfTheTpmAtAnyCommand) {
  std::size_t looked = 0;
  for (const SoftwareTpm::When when : {SoftwareTpm::When::before, SoftwareTpm::When::after}) {
    for (std::size_t n = 1;; n += test_all() ? 1 : 11) {
      SCOPED_TRACE("killed at command " + std::to_string(n));
      world_.go_back(*start_);
      ASSERT_TRUE(done(world_.open()));
      tpm_.kill_at(n, when);
      const Status moved = world_.store->move_slot(bob(), to());
      const bool killed = tpm_.was_killed();
      EXPECT_TRUE(killed || moved.ok());
      world_.crash({});
      ASSERT_TRUE(done(world_.open()));
      expect_settled();
      if (++looked % 3 == 0) finish();
      ASSERT_FALSE(HasFailure());
      if (killed) continue;
      EXPECT_GE(n, 4U);
      break;
    }
  }
}

// The process lives on, and so do the models.
TEST_P(AMove, StaysWhereItWasWhileTheTpmRefuses) {
  for (const Tpm refused : {Tpm::nv_define, Tpm::nv_write}) {
    for (std::size_t passing = 0; passing < 12; ++passing) {
      SCOPED_TRACE("refused after " + std::to_string(passing));
      world_.go_back(*start_);
      ASSERT_TRUE(done(world_.open()));
      tpm_.refuse(refused, kRetry, passing);
      const Status moved = world_.store->move_slot(bob(), to());
      tpm_.forget();
      if (world_.store->must_stop()) {
        world_.crash({});
        ASSERT_TRUE(done(world_.open()));
      }
      world_.clock.advance(std::chrono::minutes(11));
      ASSERT_TRUE(done(world_.execute()));
      EXPECT_EQ(home() == to(), moved.ok());
      expect_settled();
      ASSERT_FALSE(HasFailure());
      if (moved.ok()) break;
      if (passing % 2 == 0) finish();
    }
  }
}

// Before the tree was keyed anew nothing hangs on the new home: without its TPM the store opens.
TEST_P(AMoveFromAFile, NeedsNoTpmThatHasNoPartInItYet) {
  world_.hook = [&](lifecycle::EraseStep step) {
    if (step == lifecycle::EraseStep::tx2) world_.disk.stop_at(1);
  };
  ASSERT_TRUE(done(world_.open()));
  EXPECT_FALSE(world_.store->move_slot(bob(), to()).ok());
  world_.hook = nullptr;
  world_.crash({});
  tpm_.kill();
  ASSERT_TRUE(done(world_.open()));
  EXPECT_TRUE(done(world_.read_back(world_.asset("model-1"))));
  const auto findings = world_.store->doctor();
  ASSERT_TRUE(done(findings));
  EXPECT_NE(to_string(*findings).find("tpm-left"), std::string::npos);
  tpm_.start();
  world_.clock.advance(std::chrono::minutes(11));
  ASSERT_TRUE(done(world_.execute()));
  expect_settled();
  finish();
}

TEST_P(AMoveFromAFile, WaitsForNoTpmThatWasCleared) {
  world_.hook = [&](lifecycle::EraseStep step) {
    if (step == lifecycle::EraseStep::tx2) world_.disk.stop_at(1);
  };
  ASSERT_TRUE(done(world_.open()));
  EXPECT_FALSE(world_.store->move_slot(bob(), to()).ok());
  world_.hook = nullptr;
  world_.crash({});
  ASSERT_TRUE(tpm_.tool("tpm2_clear -Q -c p"));
  ASSERT_TRUE(done(world_.open()));
  expect_settled();
  finish();
}

// Stopped anywhere, and the TPM does not come back with the machine: the store opens, or says whom
// it waits for.
TEST_P(AMove, OpensOrSaysThatItWaitsForItsTpm) {
  std::size_t opened_without = 0;
  for (std::uint64_t n = 3;; n += test_all() ? 1 : 37) {
    SCOPED_TRACE("stopped at " + std::to_string(n));
    world_.go_back(*start_);
    ASSERT_TRUE(done(world_.open()));
    world_.disk.stop_at(n);
    static_cast<void>(world_.store->move_slot(bob(), to()).ok());
    const bool stopped = world_.disk.stopped();
    world_.crash({});
    tpm_.kill();
    const Status opened = world_.open();
    if (opened.ok()) {
      ++opened_without;
      EXPECT_TRUE(done(world_.read_back(world_.asset("model-1"))));
    } else {
      EXPECT_EQ(opened.error().code, Errc::busy) << opened.error().message;
    }
    tpm_.start();
    ASSERT_TRUE(done(world_.open()));
    expect_settled();
    ASSERT_FALSE(HasFailure());
    if (!stopped) break;
  }
  const bool between_both = lifecycle::has_tpm(from()) && lifecycle::has_tpm(to());
  EXPECT_EQ(opened_without == 0, between_both);
}

// The locator alone is put back, as it was on the way.
TEST_P(AMove, RefusesALocatorOfAnotherTime) {
  const std::string locator = std::string(kStoreDirectory) + "/root-slot";
  Bytes on_its_way;
  world_.hook = [&](lifecycle::EraseStep step) {
    if (step == lifecycle::EraseStep::tx1 && on_its_way.empty()) {
      on_its_way = everything(world_.disk)[locator];
    }
  };
  ASSERT_TRUE(done(world_.open()));
  ASSERT_TRUE(done(world_.store->move_slot(bob(), to())));
  ASSERT_TRUE(done(world_.store->move_slot(bob(), from())));
  world_.close();
  const auto refused = [&] {
    const Bytes newest = everything(world_.disk)[locator];
    ASSERT_TRUE(done(put_file(world_.disk, locator, on_its_way)));
    const Contents before = everything(world_.disk);
    const Status opened = world_.open();
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Errc::damaged) << opened.error().message;
    EXPECT_EQ(differences(before, everything(world_.disk)), "");
    ASSERT_TRUE(done(put_file(world_.disk, locator, newest)));
    ASSERT_TRUE(done(world_.open()));
    EXPECT_TRUE(done(world_.read_back(world_.asset("model-1"))));
  };
  refused();
  // One that was given up, and an erasure in the home that it did not leave: the epoch fits.
  world_.go_back(*start_);
  ASSERT_TRUE(done(world_.open()));
  ASSERT_TRUE(done(world_.erase({"model-2"})));
  world_.close();
  refused();
}

// Whoever has set a password for the TPM's owner has not cleared it.
TEST_P(AMoveFromAFile, DoesNotCallATpmClearedThatRefusesIt) {
  world_.hook = [&](lifecycle::EraseStep step) {
    if (step == lifecycle::EraseStep::tx2) world_.disk.stop_at(1);
  };
  ASSERT_TRUE(done(world_.open()));
  EXPECT_FALSE(world_.store->move_slot(bob(), to()).ok());
  world_.hook = nullptr;
  world_.crash({});
  ASSERT_TRUE(tpm_.tool("tpm2_changeauth -Q -c o of-the-owner"));
  ASSERT_TRUE(done(world_.open()));
  const auto findings = world_.store->doctor();
  ASSERT_TRUE(done(findings));
  EXPECT_NE(to_string(*findings).find("tpm-left"), std::string::npos);
  ASSERT_TRUE(tpm_.tool("tpm2_changeauth -Q -c o -p of-the-owner"));
  world_.clock.advance(std::chrono::minutes(11));
  ASSERT_TRUE(done(world_.execute()));
  expect_settled();
}

// The TPM does not let go of the old secret, and the disk has no room for the way back.
TEST_P(AMoveFromATpm, StopsWhereItCanNeitherGoOnNorTurnBack) {
  world_.hook = [&](lifecycle::EraseStep step) {
    if (step != lifecycle::EraseStep::zero_slot) return;
    tpm_.refuse(Tpm::nv_write, kRetry);
    world_.disk.set_capacity(1);
  };
  ASSERT_TRUE(done(world_.open()));
  EXPECT_FALSE(world_.store->move_slot(bob(), to()).ok());
  EXPECT_TRUE(world_.store->must_stop());
  world_.hook = nullptr;
  tpm_.forget();
  world_.crash({});
  world_.disk.set_capacity(1ULL << 40U);
  ASSERT_TRUE(done(world_.open()));
  expect_settled();
  finish();
}

TEST_P(AMove, DoesNotStopTheStoreWhereTheDiskIsFull) {
  ASSERT_TRUE(done(world_.open()));
  world_.disk.set_capacity(1);
  EXPECT_EQ(world_.store->move_slot(bob(), to()).error().code, Errc::no_space);
  EXPECT_FALSE(world_.store->must_stop());
  world_.disk.set_capacity(1ULL << 40U);
  expect_settled();
  finish();
}

// Between the last commit of a move and its locator.
TEST_P(AMove, OpensOnAFullDisk) {
  std::size_t opened = 0;
  for (std::uint64_t n = 1;; n += test_all() ? 1 : 9) {
    world_.go_back(*start_);
    bool last = false;
    world_.hook = [&](lifecycle::EraseStep step) {
      if (step == lifecycle::EraseStep::tx3 && !last) {
        last = true;
        world_.disk.stop_at(n);
      }
    };
    ASSERT_TRUE(done(world_.open()));
    static_cast<void>(world_.store->move_slot(bob(), to()).ok());
    const bool stopped = world_.disk.stopped();
    world_.hook = nullptr;
    world_.crash({});
    if (!stopped) break;
    world_.disk.set_capacity(1);
    if (world_.open().ok()) {
      ++opened;
      world_.disk.set_capacity(1ULL << 40U);
      EXPECT_TRUE(done(world_.read_back(world_.asset("model-1"))));
      world_.clock.advance(std::chrono::minutes(11));
      ASSERT_TRUE(done(world_.execute()));
      expect_settled();
    }
    world_.disk.set_capacity(1ULL << 40U);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GE(opened, test_all() ? 2U : 1U);
}

// No certificate hangs on the old home: it may die before it has signed, or before it was zeroed.
TEST_P(AMove, EndsWithoutTheWordOfATpmThatDoesNotSign) {
  for (std::size_t passing = 0; passing < 8; ++passing) {
    SCOPED_TRACE("refused after " + std::to_string(passing));
    world_.go_back(*start_);
    ASSERT_TRUE(done(world_.open()));
    tpm_.refuse(Tpm::nv_certify, kRetry, passing);
    const Status moved = world_.store->move_slot(bob(), to());
    if (world_.store->must_stop()) {
      world_.crash({});
      ASSERT_TRUE(done(world_.open()));
      EXPECT_EQ(home(), to());
    }
    tpm_.forget();
    expect_settled();
    ASSERT_FALSE(HasFailure());
    if (moved.ok()) break;
  }
}

TEST_P(AMoveToAFile, LeavesATpmThatDiedWhereAPersonSaysSo) {
  world_.hook = [&](lifecycle::EraseStep step) {
    if (step == lifecycle::EraseStep::zero_slot) tpm_.kill();
  };
  ASSERT_TRUE(done(world_.open()));
  EXPECT_FALSE(world_.store->move_slot(bob(), to()).ok());
  world_.hook = nullptr;
  world_.crash({});
  tpm_.kill();
  const Status waiting = world_.open();
  ASSERT_FALSE(waiting.ok());
  EXPECT_EQ(waiting.error().code, Errc::busy);
  ASSERT_TRUE(done(world_.open(lifecycle::Store::Adopt::yes)));
  ASSERT_TRUE(done(world_.open()));
  EXPECT_TRUE(done(world_.read_back(world_.asset("model-1"))));
  tpm_.start();
  world_.clock.advance(std::chrono::minutes(11));
  ASSERT_TRUE(done(world_.execute()));
  expect_settled();
  finish();
}

std::string name_of(const testing::TestParamInfo<std::pair<SlotKind, SlotKind>>& info) {
  const auto word = [](SlotKind kind) {
    return std::string(kind == SlotKind::tpm2_and_file ? "both" : to_text(kind));
  };
  return word(info.param.first) + "_to_" + word(info.param.second);
}

constexpr std::pair kFileToTpm{SlotKind::file, SlotKind::tpm2};
constexpr std::pair kTpmToFile{SlotKind::tpm2, SlotKind::file};
constexpr std::pair kFileToBoth{SlotKind::file, SlotKind::tpm2_and_file};
constexpr std::pair kBothToFile{SlotKind::tpm2_and_file, SlotKind::file};
constexpr std::pair kTpmToBoth{SlotKind::tpm2, SlotKind::tpm2_and_file};
constexpr std::pair kBothToTpm{SlotKind::tpm2_and_file, SlotKind::tpm2};

INSTANTIATE_TEST_SUITE_P(Homes, AMove,
                         testing::Values(kFileToTpm, kTpmToFile, kFileToBoth, kBothToFile,
                                         kTpmToBoth, kBothToTpm),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Homes, AMoveFromAFile, testing::Values(kFileToTpm, kFileToBoth), name_of);
INSTANTIATE_TEST_SUITE_P(Homes, AMoveFromATpm,
                         testing::Values(kTpmToFile, kBothToFile, kTpmToBoth, kBothToTpm), name_of);
INSTANTIATE_TEST_SUITE_P(Homes, AMoveToAFile, testing::Values(kTpmToFile, kBothToFile), name_of);

// Both homes at once: one share, from wherever it was stolen, opens nothing.
TEST(AShare, OpensNothingWithoutTheOther) {
  SoftwareTpm tpm;
  World world;
  world.tpm = &tpm;
  world.home = SlotKind::tpm2_and_file;
  four_assets(world);
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(world.stolen().size(), 4U) << "the control: both shares";
  const std::set<StolenSlot> in_file = Adversary::slots(world.disk, kSlotPath);
  EXPECT_EQ(in_file.size(), 1U);
  EXPECT_TRUE(world.adversary.readable(in_file, world.targets()).empty());
  world.tpm = nullptr;
  EXPECT_TRUE(world.stolen().empty());
  world.tpm = &tpm;
  ASSERT_TRUE(done(world.erase({"model-1"})));
  expect_sound(world, Seen());
  world.close();
  tpm.kill();
  EXPECT_EQ(world.open().error().code, Errc::busy);
  tpm.start();
  ASSERT_TRUE(done(world.open()));
}

TEST(AShare, MayBeStoppedAnywhereInAnErasure) {
  SoftwareTpm tpm;
  World world;
  world.tpm = &tpm;
  world.home = SlotKind::tpm2_and_file;
  const auto start = approved(world, {"model-1"});
  Watch watch(world);
  EXPECT_GT(stop_erasure(world, *start, watch, {"model-1"}, 41), 12U);
}

TEST(AShare, SurvivesTheDeathOfItsTpmAtEachCommand) {
  SoftwareTpm tpm;
  World world;
  world.tpm = &tpm;
  world.home = SlotKind::tpm2_and_file;
  const auto start = approved(world, {"model-1"});
  Watch watch(world);
  for (std::size_t n = 1;; ++n) {
    SCOPED_TRACE("killed at command " + std::to_string(n));
    world.go_back(*start);
    watch.seen = Seen();
    tpm.kill_at(n, SoftwareTpm::When::after);
    if (world.open().ok()) static_cast<void>(world.execute().ok());
    const bool killed = tpm.was_killed();
    if (!world.store || !world.store->must_stop()) watch.seen.doomed.clear();
    world.crash({});
    ASSERT_TRUE(done(world.open()));
    settle(world, watch, {"model-1"}, Look::readings);
    ASSERT_FALSE(testing::Test::HasFailure());
    if (!killed) break;
  }
}

}  // namespace
}  // namespace aierase::test
