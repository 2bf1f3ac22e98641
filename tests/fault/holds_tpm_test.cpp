// What the TPM knows of holds, against an older image of the whole disk of the same epoch; and
// erasures that share a rotation of its memory.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "fault/support/erasures.h"
#include "fault/support/inspect.h"
#include "keytree/node.h"
#include "rootslot/tpm2_slot.h"

namespace aierase::test {
namespace {

constexpr std::uint32_t kLockout = 0x921;

class ATpmThatCountsHolds : public testing::Test {
 protected:
  void SetUp() override {
    world_.tpm = &tpm_;
    start_ = four_assets(world_);
  }
  std::size_t holds() {
    const auto page = world_.store->list_holds("", 10);
    EXPECT_TRUE(done(page));
    return page.ok() ? page->rows.size() : 0;
  }
  std::string findings() {
    const auto found = world_.store->doctor();
    EXPECT_TRUE(done(found));
    return found.ok() ? to_string(*found) : "";
  }
  void hold_and_put_back(const std::string& name) {
    ASSERT_TRUE(done(world_.open()));
    const auto image = world_.disk.snapshot();
    ASSERT_TRUE(done(world_.hold({"name=" + name})));
    world_.close();
    world_.disk.restore(*image);
  }

  SoftwareTpm tpm_;
  World world_;
  std::shared_ptr<const World::Moment> start_;
};

TEST_F(ATpmThatCountsHolds, RecognisesAnImageOfTheDiskFromBeforeAHold) {
  hold_and_put_back("model-1");
  const Contents before = everything(world_.disk);
  const Status opened = world_.open();
  ASSERT_FALSE(opened.ok()) << "a hold was rolled back, and nobody saw it";
  EXPECT_EQ(opened.error().code, Errc::foreign);
  EXPECT_NE(opened.error().message.find("1 hold more"), std::string::npos);
  EXPECT_EQ(differences(before, everything(world_.disk)), "");
}

TEST_F(ATpmThatCountsHolds, BelievesNoCountThatOnlyTheDatabaseHas) {
  hold_and_put_back("model-1");
  const auto image = world_.disk.snapshot();
  for (const std::string change :
       {"UPDATE store SET hold_count = hold_count + 1",
        "UPDATE store SET hold_count = hold_count + 1, generation = generation + 1",
        "UPDATE store SET hold_count = hold_count + 9, generation = generation + 1"}) {
    SCOPED_TRACE(change);
    world_.close();
    world_.disk.restore(*image);
    ASSERT_TRUE(done(sql(world_.disk, change)));
    EXPECT_FALSE(world_.open().ok()) << "a hold was rolled back, and nobody saw it";
  }
}

TEST_F(ATpmThatCountsHolds, TakesTheOlderImageWhereAPersonSaysSo) {
  hold_and_put_back("model-1");
  ASSERT_TRUE(done(world_.open(lifecycle::Store::Adopt::yes)));
  EXPECT_EQ(holds(), 0U);
  ASSERT_TRUE(done(world_.open())) << "it is accepted once and for all";
  ASSERT_TRUE(done(world_.hold({"name=model-2"})));
  ASSERT_TRUE(done(world_.open()));
  EXPECT_EQ(holds(), 1U);
}

// The limit, as the threat model has it: without a hold in between there is nothing to see.
TEST_F(ATpmThatCountsHolds, CannotTellAnImageOfTheSameEpochWithoutOne) {
  ASSERT_TRUE(done(world_.open()));
  const auto image = world_.disk.snapshot();
  ASSERT_TRUE(done(world_.import(small_asset("model-9", 90))));
  world_.close();
  world_.disk.restore(*image);
  EXPECT_TRUE(done(world_.open()));
}

// And a TPM that goes back with its disk hides it: that of a virtual machine.
TEST_F(ATpmThatCountsHolds, GoesBackWithAVirtualMachineAsAWhole) {
  ASSERT_TRUE(done(world_.open()));
  ASSERT_TRUE(done(world_.hold({"name=model-1"})));
  world_.go_back(*start_);
  ASSERT_TRUE(done(world_.open()));
  EXPECT_EQ(holds(), 0U);
}

TEST_F(ATpmThatCountsHolds, StaysOpenAfterHoldsErasuresAndRestarts) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(done(world_.open()));
    ASSERT_TRUE(done(world_.hold({"name=model-" + std::to_string(i)})));
    world_.crash({});
  }
  ASSERT_TRUE(done(world_.open()));
  ASSERT_TRUE(done(world_.erase({"model-3"})));
  ASSERT_TRUE(done(world_.open()));
  EXPECT_EQ(holds(), 3U);
}

TEST_F(ATpmThatCountsHolds, KeepsAHoldThatItCannotCountYet) {
  ASSERT_TRUE(done(world_.open()));
  tpm_.refuse(Tpm::nv_increment, kLockout);
  ASSERT_TRUE(done(world_.hold({"name=model-1"}))) << "it is in force all the same";
  ASSERT_TRUE(done(world_.hold({"name=model-2"})));
  EXPECT_FALSE(world_.store->must_stop());
  EXPECT_NE(findings().find("hold-uncounted"), std::string::npos);
  const auto uncounted = world_.keep();
  tpm_.forget();
  world_.clock.advance(std::chrono::minutes(11));
  ASSERT_TRUE(done(world_.execute()));
  EXPECT_EQ(findings().find("hold-uncounted"), std::string::npos);
  EXPECT_EQ(tpm_.count(Tpm::nv_increment), 2U);
  // Or the next start does it.
  world_.go_back(*uncounted);
  ASSERT_TRUE(done(world_.open()));
  EXPECT_EQ(findings().find("hold-uncounted"), std::string::npos);
  EXPECT_EQ(tpm_.count(Tpm::nv_increment), 2U);
  EXPECT_EQ(holds(), 2U);
}

TEST_F(ATpmThatCountsHolds, FollowsHoweverManyWereNotCounted) {
  const int holds = test_all() ? 1025 : 200;  // more than are counted at a time
  ASSERT_TRUE(done(world_.open()));
  tpm_.refuse(Tpm::nv_increment, kLockout);
  for (int i = 0; i < holds; ++i) ASSERT_TRUE(done(world_.hold({"name=model-1"})));
  tpm_.forget();
  ASSERT_TRUE(done(world_.open()));
  ASSERT_TRUE(done(world_.execute()));
  EXPECT_EQ(findings().find("hold-uncounted"), std::string::npos);
  EXPECT_EQ(tpm_.count(Tpm::nv_increment), static_cast<std::size_t>(holds));
  ASSERT_TRUE(done(world_.open()));
}

TEST_F(ATpmThatCountsHolds, NamesTheOlderImageBesideTheOtherHost) {
  hold_and_put_back("model-1");
  world_.host.machine_id_digest = std::string(64, 'b');
  const Status opened = world_.open();
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message.find("machine-id"), std::string::npos);
  EXPECT_NE(opened.error().message.find("1 hold more"), std::string::npos);
}

TEST_F(ATpmThatCountsHolds, KeepsWhatIsNotCountedThroughAnAdoption) {
  ASSERT_TRUE(done(world_.open()));
  tpm_.refuse(Tpm::nv_increment, kLockout);
  ASSERT_TRUE(done(world_.hold({"name=model-1"})));
  ASSERT_TRUE(done(world_.open(lifecycle::Store::Adopt::yes)));
  world_.close();
  tpm_.forget();
  ASSERT_TRUE(done(world_.open()));
  EXPECT_EQ(findings().find("hold-uncounted"), std::string::npos);
  EXPECT_EQ(tpm_.count(Tpm::nv_increment), 1U) << "the hold was counted at last";
}

TEST_F(ATpmThatCountsHolds, SaysThatItsCounterWasRemoved) {
  const std::string index = rootslot::nv_text(rootslot::indexes_of(world_.store_uuid()).holds);
  ASSERT_TRUE(tpm_.tool("tpm2_nvundefine -Q -C o " + index));
  const Status opened = world_.open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Errc::foreign);
  EXPECT_NE(opened.error().message.find(index), std::string::npos);
  ASSERT_TRUE(done(world_.open(lifecycle::Store::Adopt::yes)));
  ASSERT_TRUE(done(world_.open()));
  EXPECT_TRUE(done(world_.read_back(world_.asset("model-0"))));
}

TEST_F(ATpmThatCountsHolds, MayBeStoppedAnywhere) {
  StopPlan plan;
  plan.stride = 2;
  bool said_yes = false;
  plan.act = [&](World& world) {
    said_yes = world.open().ok() && world.hold({"name=model-1"}).ok();
  };
  plan.check = [&](World&) {
    if (said_yes) {
      EXPECT_EQ(holds(), 1U);
    }
    expect_sound(world_, Seen(), Look::quick);
  };
  EXPECT_GT(stop_everywhere(world_, *start_, plan), 8U);
}

// ---- erasures that wait for each other ---------------------------------------------------------

class ErasuresOnATpm : public testing::Test {
 protected:
  void SetUp() override {
    world_.tpm = &tpm_;
    world_.coalesce = std::chrono::minutes(1);
    four_assets(world_);
    ASSERT_TRUE(done(world_.open()));
  }
  // Approved, with its grace at an end.
  void due(const std::string& name) {
    lifecycle::RetireRequest request;
    request.actor = alice();
    request.assets = {world_.asset(name).id};
    request.reason = "superseded";
    const auto view = world_.store->retire(request);
    ASSERT_TRUE(done(view));
    ASSERT_TRUE(done(world_.store->approve(bob(), view->plan.id, to_hex(view->plan.digest))));
  }
  domain::AssetState state_of(const std::string& name) {
    const auto view = world_.store->show_asset(world_.asset(name).id);
    EXPECT_TRUE(done(view));
    return view.ok() ? view->asset.state : domain::AssetState::active;
  }
  std::uint64_t epoch() { return world_.store->status()->state.epoch; }

  SoftwareTpm tpm_;
  World world_;
};

TEST_F(ErasuresOnATpm, WaitForEachOtherAndShareARotation) {
  due("model-0");
  due("model-1");
  world_.clock.advance(std::chrono::hours(24 * 7) + std::chrono::seconds(10));
  ASSERT_TRUE(done(world_.execute()));
  EXPECT_EQ(state_of("model-0"), domain::AssetState::retired) << "it did not wait";
  const auto waiting = world_.store->list_plans("", 1);
  ASSERT_TRUE(done(waiting));
  const auto view = world_.store->show_plan(waiting->rows.front().id);
  ASSERT_TRUE(done(view));
  EXPECT_EQ(view->waits_for, lifecycle::WaitsFor::company);
  EXPECT_EQ(view->waits_until, *view->plan.due + std::chrono::minutes(1));
  EXPECT_EQ(epoch(), 0U);
  tpm_.forget();
  world_.clock.advance(std::chrono::minutes(1));
  ASSERT_TRUE(done(world_.execute()));
  EXPECT_EQ(state_of("model-0"), domain::AssetState::erased);
  EXPECT_EQ(state_of("model-1"), domain::AssetState::erased);
  EXPECT_EQ(epoch(), 1U) << "one rotation for both";
  EXPECT_EQ(tpm_.count(Tpm::nv_write), 2U);
  expect_sound(world_, Seen());
  const auto plans = world_.store->list_plans("", 10);
  ASSERT_TRUE(done(plans));
  for (const domain::Plan& plan : plans->rows) EXPECT_EQ(plan.state, domain::PlanState::done);
}

TEST_F(ErasuresOnATpm, GoAtOnceWhereAskedAndTakeTheOthersAlong) {
  due("model-0");
  world_.clock.advance(std::chrono::hours(24 * 7) + std::chrono::seconds(10));
  ASSERT_TRUE(done(world_.erase({"model-2"})));  // --now
  EXPECT_EQ(state_of("model-2"), domain::AssetState::erased);
  EXPECT_EQ(state_of("model-0"), domain::AssetState::erased);
  EXPECT_EQ(epoch(), 1U);
}

TEST_F(ErasuresOnATpm, LeaveOutWhatAHoldKeeps) {
  due("model-0");
  due("model-1");
  world_.clock.advance(std::chrono::hours(24 * 7) + std::chrono::minutes(2));
  ASSERT_TRUE(done(world_.hold({"name=model-1"})));
  ASSERT_TRUE(done(world_.execute()));
  EXPECT_EQ(state_of("model-0"), domain::AssetState::erased);
  EXPECT_EQ(state_of("model-1"), domain::AssetState::retired);
  expect_sound(world_, Seen());
}

// The disk does not give back the nodes that a round wrote; the rows of the undo it does.
class ErasuresOnABrokenDisk : public ErasuresOnATpm {
 protected:
  // In the first `rounds` of the rounds to come.
  void spoil_in(int rounds) {
    world_.hook = [this, rounds](lifecycle::EraseStep step) {
      if (step == lifecycle::EraseStep::tx1) before_ = nodes();
      if (step != lifecycle::EraseStep::check || ++looked_ > rounds) return;
      for (const auto& [row, offset] : nodes()) {
        if (before_.count(row) == 0) world_.disk.poke(kCatalog, offset, Bytes(4, std::byte{0}));
      }
    };
  }
  void both_due() {
    due("model-0");
    due("model-1");
    world_.clock.advance(std::chrono::hours(24 * 7) + std::chrono::minutes(2));
  }
  void expect_states(domain::AssetState state, domain::PlanState plans) {
    EXPECT_EQ(state_of("model-0"), state);
    EXPECT_EQ(state_of("model-1"), state);
    const auto page = world_.store->list_plans("", 10);
    ASSERT_TRUE(done(page));
    ASSERT_EQ(page->rows.size(), 2U);
    for (const domain::Plan& plan : page->rows) EXPECT_EQ(plan.state, plans);
  }
  int looked_ = 0;

 private:
  static constexpr const char* kCatalog = "/store/catalog.db";
  // Each row of the key tree by its header and salt, and where it stands.
  std::map<Bytes, std::uint64_t> nodes() const {
    const Bytes content = world_.disk.content(kCatalog);
    const ByteView magic = as_bytes(std::string_view("AEN1"));  // aierase-store(5)
    std::map<Bytes, std::uint64_t> found;
    for (auto at = content.begin();;) {
      at = std::search(at, content.end(), magic.begin(), magic.end());
      if (content.end() - at < static_cast<std::ptrdiff_t>(keytree::kNodeHeaderBytes)) return found;
      const Bytes row(at, at + keytree::kNodeHeaderBytes);
      found.emplace(row, static_cast<std::uint64_t>(at - content.begin()));
      ++at;
    }
  }
  std::map<Bytes, std::uint64_t> before_;
};

TEST_F(ErasuresOnABrokenDisk, GoEachByItselfAfterTheirRoundWasUndone) {
  both_due();
  spoil_in(1);
  ASSERT_TRUE(done(world_.execute()));
  EXPECT_EQ(looked_, 3) << "one round for both, then one for each";
  expect_states(domain::AssetState::erased, domain::PlanState::done);
  EXPECT_EQ(epoch(), 2U);
  world_.hook = {};
  expect_sound(world_, Seen());
}

TEST_F(ErasuresOnABrokenDisk, FallOutWhereItStaysBrokenAndNothingIsDestroyed) {
  both_due();
  spoil_in(3);
  ASSERT_TRUE(done(world_.execute()));
  EXPECT_EQ(looked_, 3);
  expect_states(domain::AssetState::suspended, domain::PlanState::failed);
  EXPECT_EQ(epoch(), 0U);
  world_.hook = {};
  for (const std::string name : {"model-0", "model-1"}) {
    ASSERT_TRUE(done(world_.store->resume_asset(alice(), world_.asset(name).id, "looked at")));
    EXPECT_TRUE(done(world_.read_back(world_.asset(name))));
  }
  expect_sound(world_, Seen());
}

TEST_F(ErasuresOnATpm, MayBeStoppedAnywhere) {
  due("model-0");
  due("model-1");
  world_.clock.advance(std::chrono::hours(24 * 7) + std::chrono::minutes(2));
  world_.close();
  world_.disk.power_cut(Cut::keep_all, 1);
  const auto start = world_.keep();
  Watch watch(world_);
  EXPECT_GT(stop_erasure(world_, *start, watch, {"model-0", "model-1"}, 43), 12U);
}

TEST_F(ErasuresOnATpm, AreCountedAndTooManyAreSaid) {
  const auto rotations = [&] { return world_.store->status()->rotations; };
  EXPECT_EQ(rotations(), 0U);
  for (int i = 0; i < 51; ++i) {
    const std::string name = "small-" + std::to_string(i);
    ASSERT_TRUE(done(world_.import(small_asset(name, static_cast<std::uint64_t>(500 + i)))));
    ASSERT_TRUE(done(world_.erase({name})));
    const auto found = world_.store->doctor();
    ASSERT_TRUE(done(found));
    EXPECT_EQ(to_string(*found).find("slot-wear") != std::string::npos, i >= 50) << i;
  }
  EXPECT_EQ(rotations(), 51U);
  world_.clock.advance(std::chrono::hours(25));
  EXPECT_EQ(rotations(), 0U);
}

}  // namespace
}  // namespace aierase::test
