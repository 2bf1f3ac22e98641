// Plans: what comes into them, what stays out, and the digest that approvals name.
#include <gtest/gtest.h>

#include "fault/support/crashes.h"
#include "lifecycle/core.h"

namespace aierase::test {
namespace {

using domain::AssetState;
using domain::PlanState;
using lifecycle::Cascade;
using lifecycle::Persist;
using lifecycle::RetireRequest;
using lifecycle::SkipBlocked;

Uuid uuid_with(std::uint8_t last) {
  Bytes bytes(16, std::byte{7});
  bytes[15] = static_cast<std::byte>(last);
  return *Uuid::from_bytes(bytes);
}

domain::Plan sample_plan() {
  domain::Plan plan;
  plan.id = uuid_with(1);
  for (const std::uint8_t i : {std::uint8_t{3}, std::uint8_t{2}}) {
    domain::PlanItem item;
    item.asset = uuid_with(i);
    item.name = domain::AssetName::parse("m:" + std::to_string(i)).value();
    item.kcv.fill(static_cast<std::byte>(i));
    plan.items.push_back(item);
  }
  plan.edges = {{uuid_with(3), domain::Relation::derived_from, uuid_with(2)}};
  return plan;
}

// Computed by hand from the text in aierase-store(5): sorted keys, no white space, SHA-256.
TEST(ThePlanDigest, IsThatOfTheCanonicalText) {
  const std::string id = "07070707070707070707070707070701";
  const auto asset = [&](const char* last) { return id.substr(0, 31) + last; };
  const std::string text =
      R"({"edges":[{"child":")" + asset("3") + R"(","parent":")" + asset("2") +
      R"(","relation":"derived-from"}],"items":[{"asset":")" + asset("2") + R"(","kcv":")" +
      std::string("02020202020202020202020202020202") + "02020202020202020202020202020202" +
      R"(","name":"m:2"},{"asset":")" + asset("3") + R"(","kcv":")" +
      std::string("03030303030303030303030303030303") + "03030303030303030303030303030303" +
      R"(","name":"m:3"}],"plan":")" + id +
      R"(","rules":{"below_floor":"","origin":"person","policy":")" + std::string(64, '0') +
      R"(","timing":"after-grace"},"schema":"aierase/plan/v1","store":")" + asset("9") + R"("})";
  EXPECT_EQ(to_hex(lifecycle::plan_digest(uuid_with(9), sample_plan())),
            to_hex(crypto::sha256(as_bytes(text))));
}

TEST(ThePlanDigest, ChangesWithEverythingThatCounts) {
  const Uuid store = uuid_with(9);
  const Digest digest = lifecycle::plan_digest(store, sample_plan());
  domain::Plan plan = sample_plan();
  std::swap(plan.items[0], plan.items[1]);
  EXPECT_EQ(lifecycle::plan_digest(store, plan), digest) << "order does not count";
  plan.origin = domain::PlanOrigin::enforce;
  EXPECT_NE(lifecycle::plan_digest(store, plan), digest) << "who made it";
  plan = sample_plan();
  plan.reason = "another";
  EXPECT_EQ(lifecycle::plan_digest(store, plan), digest) << "nor does the reason";
  EXPECT_NE(lifecycle::plan_digest(uuid_with(8), sample_plan()), digest);
  plan = sample_plan();
  plan.id = uuid_with(8);
  EXPECT_NE(lifecycle::plan_digest(store, plan), digest);
  plan = sample_plan();
  plan.items[0].kcv[0] ^= std::byte{1};
  EXPECT_NE(lifecycle::plan_digest(store, plan), digest);
  plan = sample_plan();
  plan.items.pop_back();
  EXPECT_NE(lifecycle::plan_digest(store, plan), digest);
  plan = sample_plan();
  plan.policy.fill(std::byte{1});
  EXPECT_NE(lifecycle::plan_digest(store, plan), digest);
  plan = sample_plan();
  plan.timing = domain::Timing::now;
  EXPECT_NE(lifecycle::plan_digest(store, plan), digest);
  plan = sample_plan();
  plan.below_floor = "GDPR Art. 17";
  EXPECT_NE(lifecycle::plan_digest(store, plan), digest);
  plan = sample_plan();
  plan.edges.clear();
  EXPECT_NE(lifecycle::plan_digest(store, plan), digest);
}

class APlan : public ::testing::Test {
 protected:
  void SetUp() override { start(domain::PeopleRule::two_person); }
  void start(domain::PeopleRule rule) {
    ASSERT_TRUE(done(world.init(rule)));
    ASSERT_TRUE(done(world.open()));
    ASSERT_TRUE(done(world.import(small_asset("base:1", 1))));
    import_child("child:1", domain::Relation::derived_from, "base:1");
    import_child("grandchild:1", domain::Relation::derived_from, "child:1");
    import_child("next:1", domain::Relation::supersedes, "base:1");
  }
  void import_child(const std::string& name, domain::Relation relation, const std::string& parent) {
    ImportWish wish = small_asset(name, ++seed);
    wish.lineage = {{relation, parent}};
    ASSERT_TRUE(done(world.import(wish)));
  }
  RetireRequest request(const std::vector<std::string>& names) {
    RetireRequest request;
    request.actor = alice();
    request.reason = "old";
    request.timing = domain::Timing::now;
    for (const std::string& name : names) request.assets.push_back(world.asset(name).id);
    return request;
  }
  static std::vector<std::string> names(const lifecycle::PlanView& view) {
    std::vector<std::string> found;
    for (const domain::PlanItem& item : view.plan.items) found.push_back(item.name.text());
    return found;
  }
  AssetState state(const std::string& name) {
    return world.store->show_asset(world.asset(name).id)->asset.state;
  }
  Result<lifecycle::PlanView> approve(const domain::Actor& actor, const lifecycle::PlanView& plan) {
    return world.store->approve(actor, plan.plan.id, to_hex(plan.plan.digest).substr(0, 12));
  }
  World world;
  std::uint64_t seed = 10;
};
using Texts = std::vector<std::string>;

TEST_F(APlan, IsRefusedWhileADependantLives) {
  const auto refused = world.store->retire(request({"base:1"}));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::policy_conflict);
  EXPECT_NE(refused.error().message.find("child:1"), std::string::npos);
  EXPECT_NE(refused.error().hint.find("--cascade"), std::string::npos);
  EXPECT_TRUE(world.store->list_plans("", 10)->rows.empty());
}

TEST_F(APlan, TakesEverythingDerivedAlongWhenAskedTo) {
  RetireRequest wish = request({"base:1"});
  wish.cascade = Cascade::yes;
  const auto plan = world.store->retire(wish);
  ASSERT_TRUE(done(plan));
  EXPECT_EQ(names(*plan), (Texts{"base:1", "child:1", "grandchild:1"})) << "not what supersedes it";
}

TEST_F(APlan, LetsADependantStayForAReason) {
  RetireRequest wish = request({"base:1"});
  wish.keep = {{"child:1", "still in use"}};
  const auto plan = world.store->retire(wish);
  ASSERT_TRUE(done(plan));
  EXPECT_EQ(names(*plan), Texts{"base:1"});
  ASSERT_EQ(plan->plan.kept.size(), 1U);
  EXPECT_EQ(plan->plan.kept[0].reason, "still in use");
}

TEST_F(APlan, TellsTheNamesOfWhatStays) {
  RetireRequest wish = request({"base:1"});
  wish.keep = {{"child:1", "still in use"}};
  for (const Persist persist : {Persist::dry_run, Persist::yes}) {
    wish.persist = persist;
    const auto plan = world.store->retire(wish);
    ASSERT_TRUE(done(plan));
    EXPECT_EQ(plan->kept_names.at(plan->plan.kept.at(0).asset).text(), "child:1");
  }
}

TEST_F(APlan, KeepsNothingFromWhatItDoesNotDependOn) {
  for (const char* stranger : {"next:1", "grandchild:1"}) {
    RetireRequest wish = request({"base:1"});
    wish.keep = {{"child:1", "still in use"}, {stranger, "foo"}};
    const auto plan = world.store->retire(wish);
    ASSERT_FALSE(plan.ok()) << stranger;
    EXPECT_EQ(plan.error().code, Errc::usage);
    EXPECT_NE(plan.error().message.find(stranger), std::string::npos) << plan.error().message;
  }
}

TEST_F(APlan, OfADryRunAsksForNobodyWhereItWouldNotBeMade) {
  RetireRequest wish = request({"base:1", "grandchild:1"});
  wish.persist = Persist::dry_run;
  const auto plan = world.store->retire(wish);
  ASSERT_TRUE(done(plan));
  EXPECT_EQ(plan->needed.items_waiting, 0U);
  EXPECT_FALSE(plan->due_if_approved_now);
  wish.skip_blocked = SkipBlocked::yes;
  wish.assets = {world.asset("base:1").id};
  const auto none = world.store->retire(wish);
  ASSERT_TRUE(done(none));
  EXPECT_TRUE(none->plan.items.empty());
  EXPECT_EQ(none->left_out.size(), 1U);
}

TEST_F(APlan, OfADryRunIsNowhere) {
  RetireRequest wish = request({"base:1"});
  wish.persist = Persist::dry_run;
  const auto plan = world.store->retire(wish);
  ASSERT_TRUE(done(plan));
  EXPECT_EQ(plan->plan.items[0].verdict, domain::Verdict::blocked);
  EXPECT_TRUE(world.store->list_plans("", 10)->rows.empty());
  EXPECT_EQ(state("base:1"), AssetState::active);
}

TEST_F(APlan, SkipsWhatIsBlockedWhenAskedToAndNeverEverything) {
  RetireRequest wish = request({"base:1", "grandchild:1"});
  wish.skip_blocked = SkipBlocked::yes;
  for (const Persist persist : {Persist::dry_run, Persist::yes}) {
    wish.persist = persist;
    const auto plan = world.store->retire(wish);
    ASSERT_TRUE(done(plan));
    EXPECT_EQ(names(*plan), Texts{"grandchild:1"});
    EXPECT_EQ(plan->needed.items_waiting, 1U);
    ASSERT_EQ(plan->left_out.size(), 1U) << "told, and not only dropped";
    EXPECT_EQ(plan->left_out[0].name.text(), "base:1");
    EXPECT_NE(plan->left_out[0].reasons.at(0).text.find("child:1"), std::string::npos);
  }
  RetireRequest only = request({"base:1"});
  only.skip_blocked = SkipBlocked::yes;
  EXPECT_FALSE(world.store->retire(only).ok());
}

TEST_F(APlan, NeedsAReasonAndAnAsset) {
  RetireRequest wish = request({"next:1"});
  wish.reason.clear();
  EXPECT_EQ(world.store->retire(wish).error().code, Errc::usage);
  EXPECT_EQ(world.store->retire(request({})).error().code, Errc::usage);
}

TEST_F(APlan, NamesAnAssetInOneOpenPlanOnly) {
  ASSERT_TRUE(done(world.store->retire(request({"next:1"}))));
  const auto again = world.store->retire(request({"next:1"}));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Errc::wrong_state);
}

TEST_F(APlan, ChangesNothingBeforeItsLastApproval) {
  ImportWish carols = small_asset("carols:1", 77);
  carols.custodians = {{domain::CustodianKind::user, "carol", 1002}};
  ASSERT_TRUE(done(world.import(carols)));
  const auto plan = world.store->retire(request({"next:1", "carols:1"}));
  ASSERT_TRUE(done(plan));
  EXPECT_EQ(plan->needed.custodians, (Texts{"bob", "carol"}));
  ASSERT_TRUE(done(approve(bob(), *plan)));
  EXPECT_EQ(state("next:1"), AssetState::active);
  EXPECT_TRUE(done(world.read_back(world.asset("next:1"))));
  EXPECT_EQ(world.store->show_plan(plan->plan.id)->needed.custodians, Texts{"carol"});
  const auto last = approve(person(1002, "carol"), *plan);
  ASSERT_TRUE(done(last));
  EXPECT_EQ(last->plan.state, PlanState::approved);
  EXPECT_EQ(state("next:1"), AssetState::retired);
  EXPECT_FALSE(world.read_back(world.asset("next:1")).ok());
}

TEST_F(APlan, IsApprovedByThePeopleWhoMayAndNoOther) {
  const auto plan = world.store->retire(request({"next:1"}));
  ASSERT_TRUE(done(plan));
  const auto refusal = [&](const domain::Actor& actor) {
    return approve(actor, *plan).error().code;
  };
  EXPECT_EQ(refusal(alice()), Errc::access_denied);
  EXPECT_EQ(refusal(person(0, "root")), Errc::access_denied);
  EXPECT_EQ(refusal(person(1002, "carol")), Errc::access_denied) << "no custodian of it";
  domain::Actor su = bob();
  su.audit_login_uid = alice().uid;
  EXPECT_EQ(refusal(su), Errc::access_denied);
  EXPECT_EQ(world.store->approve(bob(), plan->plan.id, "000000000000").error().code,
            Errc::plan_stale);
  EXPECT_EQ(world.store->approve(bob(), plan->plan.id, "00").error().code, Errc::usage);
  ASSERT_TRUE(done(approve(bob(), *plan)));
  EXPECT_EQ(refusal(bob()), Errc::wrong_state) << "not twice";
}

TEST_F(APlan, ThatWasRejectedOrTakenBackCannotBeApproved) {
  const auto first = world.store->retire(request({"next:1"}));
  ASSERT_TRUE(done(first));
  EXPECT_EQ(world.store->reject(bob(), first->plan.id, "").error().code, Errc::usage);
  ASSERT_TRUE(done(world.store->reject(bob(), first->plan.id, "still needed")));
  EXPECT_EQ(approve(bob(), *first).error().code, Errc::approval_refused);
  EXPECT_EQ(state("next:1"), AssetState::active);
  const auto second = world.store->retire(request({"next:1"}));
  ASSERT_TRUE(done(second));
  ASSERT_TRUE(done(world.store->cancel(alice(), second->plan.id)));
  EXPECT_EQ(approve(bob(), *second).error().code, Errc::wrong_state);
}

TEST_F(APlan, ThatNobodyApprovesExpires) {
  const auto plan = world.store->retire(request({"next:1"}));
  ASSERT_TRUE(done(plan));
  world.clock.advance(std::chrono::hours(30 * 24) - std::chrono::seconds(1));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(world.store->show_plan(plan->plan.id)->plan.state, PlanState::requested);
  world.clock.advance(std::chrono::seconds(120));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(world.store->show_plan(plan->plan.id)->plan.state, PlanState::expired);
  EXPECT_EQ(approve(bob(), *plan).error().code, Errc::approval_expired);
}

TEST_F(APlan, WaitsForAClockThatWentBack) {
  const auto plan = world.store->retire(request({"next:1"}));
  ASSERT_TRUE(done(plan));
  ASSERT_TRUE(done(approve(bob(), *plan)));
  world.clock.set_wall(world.clock.read().wall - std::chrono::hours(1));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state("next:1"), AssetState::retired) << "neither erased nor dropped";
  world.clock.advance(std::chrono::hours(2));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state("next:1"), AssetState::erased);
}

TEST_F(APlan, DropsADependantBornAfterItsRequestWithItsParentOnly) {
  const auto plan = world.store->retire(request({"next:1", "grandchild:1"}));
  ASSERT_TRUE(done(plan));
  import_child("late:1", domain::Relation::derived_from, "next:1");
  ASSERT_TRUE(done(approve(bob(), *plan)));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state("next:1"), AssetState::suspended);
  EXPECT_EQ(state("grandchild:1"), AssetState::erased);
  EXPECT_EQ(world.store->show_plan(plan->plan.id)->plan.state, PlanState::partial);
}

TEST_F(APlan, LeavesItsNameFreeForAnotherAsset) {
  ASSERT_TRUE(done(world.erase({"next:1"})));
  const Uuid erased = world.asset("next:1").id;
  const auto by_name = world.store->resolve_asset("next:1", catalog::NameScope::any);
  ASSERT_TRUE(done(by_name));
  EXPECT_EQ(*by_name, erased);
  EXPECT_EQ(world.store->resolve_asset("next:1", catalog::NameScope::living).error().code,
            Errc::erased);
  ASSERT_TRUE(done(world.import(small_asset("next:1", 99))));
  EXPECT_NE(*world.store->resolve_asset("next:1", catalog::NameScope::any), erased);
}

}  // namespace
}  // namespace aierase::test
