// Views of an asset: who holds them, what ends them, and that what is mounted is in use.
#include "fault/support/crashes.h"
#include "unit/lifecycle/life.h"
#include "unit/lifecycle/nightly.h"

namespace aierase::test {
namespace {

using domain::AssetState;
using domain::Timing;
using lifecycle::MountRequest;
using lifecycle::MountTicket;
using lifecycle::RetireRequest;
using std::chrono::hours;

constexpr const char* kUnused =
    "[class.unused]\nmatch = [\"name=m\"]\nerase-after = \"30 days\"\ntrigger = \"last-used\"\n";

class AMountedAsset : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(done(world.init(domain::PeopleRule::two_person)));
    ASSERT_TRUE(done(world.open()));
    ASSERT_TRUE(done(world.import(small_asset("m:1", 1))));
    asset = world.asset("m:1").id;
  }

  Result<MountTicket> mount() {
    MountRequest request;
    request.asset = asset;
    request.holder.actor = alice();
    request.holder.pid = 4711;
    request.holder.unit = "llama.service";
    request.holder.mount_point = "/srv/m";
    return world.store->begin_mount(std::move(request));
  }
  Result<lifecycle::PlanView> retire(lifecycle::Persist persist = lifecycle::Persist::yes) {
    RetireRequest request;
    request.actor = alice();
    request.assets = {asset};
    request.reason = "its end";
    request.timing = Timing::now;
    request.persist = persist;
    return world.store->retire(request);
  }
  Status approve(const lifecycle::PlanView& plan) {
    const auto answer =
        world.store->approve(bob(), plan.plan.id, to_hex(plan.plan.digest).substr(0, 12));
    return answer.ok() ? Status() : Status(answer.error());
  }
  std::optional<UtcTime> due() {
    const auto view = world.store->show_asset(asset);
    EXPECT_TRUE(done(view));
    return view.ok() && view->retention ? view->retention->due : std::nullopt;
  }

  World world;
  Uuid asset;
};

TEST_F(AMountedAsset, TellsWhoHoldsItApartFromItsExports) {
  const auto ticket = mount();
  ASSERT_TRUE(done(ticket));
  const auto view = world.store->show_asset(asset);
  ASSERT_TRUE(done(view));
  ASSERT_EQ(view->holders.size(), 1U);
  EXPECT_EQ(view->holders[0].pid, 4711U);
  EXPECT_EQ(view->holders[0].unit, "llama.service");
  EXPECT_EQ(view->holders[0].actor.uid, alice().uid);
  EXPECT_EQ(view->holders[0].since, world.clock.now());
  EXPECT_EQ(view->running_exports, 0U);
  EXPECT_TRUE(view->exports.empty());
  EXPECT_EQ(view->events.front().action, "mount");
}

TEST_F(AMountedAsset, IsNamedWithItsHoldersByPlansAndDryRuns) {
  const auto ticket = mount();
  ASSERT_TRUE(done(ticket));
  const auto dry = retire(lifecycle::Persist::dry_run);
  ASSERT_TRUE(done(dry));
  EXPECT_EQ(dry->holders.at(asset).at(0).mount_point, "/srv/m");
  const auto plan = retire();
  ASSERT_TRUE(done(plan));
  EXPECT_EQ(plan->holders.at(asset).size(), 1U);
}

TEST_F(AMountedAsset, IsRevokedByTheLastApprovalAndNotByTheRequest) {
  const auto ticket = mount();
  ASSERT_TRUE(done(ticket));
  const auto plan = retire();
  ASSERT_TRUE(done(plan));
  EXPECT_FALSE(ticket->lease.revoked());
  ASSERT_TRUE(done(approve(*plan)));
  EXPECT_TRUE(ticket->lease.revoked());
  EXPECT_EQ(mount().error().code, Errc::wrong_state) << "nobody mounts what is retired";
}

TEST_F(AMountedAsset, IsRevokedByASuspension) {
  const auto ticket = mount();
  ASSERT_TRUE(done(ticket));
  ASSERT_TRUE(done(world.store->suspend_asset(alice(), asset, "an incident")));
  EXPECT_TRUE(ticket->lease.revoked());
}

TEST_F(AMountedAsset, HasNoHolderOnceItsLeaseHasEnded) {
  {
    const auto ticket = mount();
    ASSERT_TRUE(done(ticket));
  }
  const auto view = world.store->show_asset(asset);
  ASSERT_TRUE(done(view));
  EXPECT_TRUE(view->holders.empty());
}

TEST_F(AMountedAsset, IsInUseForAsLongAsItIsMounted) {
  ASSERT_TRUE(done(world.store->load_policy(
      {carol(), {{"rules.toml", kUnused}}, "as agreed", lifecycle::Persist::yes})));
  const UtcTime imported = world.clock.now();
  EXPECT_EQ(due(), imported + 30 * kDay);
  world.clock.advance(10 * kDay);
  auto ticket = mount();
  ASSERT_TRUE(done(ticket));
  EXPECT_EQ(due(), imported + 40 * kDay) << "mounting it is a use";
  world.clock.advance(25 * kDay);
  ASSERT_TRUE(done(world.store->execute_due()));
  EXPECT_EQ(due(), imported + 65 * kDay) << "and so is every hour that it lasts";
  world.clock.advance(hours(2));
  ticket->lease = lifecycle::KeyLease();
  ASSERT_TRUE(done(world.store->execute_due()));
  EXPECT_EQ(due(), imported + 65 * kDay) << "what nobody has mounted is not in use";
  ASSERT_TRUE(done(world.store->end_mount(asset)));
  EXPECT_EQ(due(), imported + 65 * kDay + hours(2)) << "it was, until it ended";
}

TEST_F(AMountedAsset, IsNotedOnceAnHourAndNotWithEachLook) {
  const auto ticket = mount();
  ASSERT_TRUE(done(ticket));
  ASSERT_TRUE(done(world.store->execute_due()));
  const std::string before = fingerprint(world);
  world.clock.advance(std::chrono::minutes(59));
  ASSERT_TRUE(done(world.store->execute_due()));
  EXPECT_EQ(fingerprint(world), before);
}

TEST_F(AMountedAsset, HasFiles) {
  ASSERT_TRUE(done(world.import_key("k", std::nullopt)));
  MountRequest request;
  request.asset = world.asset("k").id;
  request.holder.actor = alice();
  const auto refused = world.store->begin_mount(std::move(request));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::invalid_input);
}

}  // namespace
}  // namespace aierase::test
