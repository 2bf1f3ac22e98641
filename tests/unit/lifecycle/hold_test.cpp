// Legal holds: what they bind, what they stop, and what goes on when they are lifted.
#include <gtest/gtest.h>

#include <algorithm>

#include "fault/support/crashes.h"
#include "fault/support/inspect.h"

namespace aierase::test {
namespace {

using domain::AssetState;
using domain::HoldReach;
using domain::ItemState;
using domain::PlanState;
using lifecycle::HoldView;

class ALegalHold : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(done(world.init()));
    ASSERT_TRUE(done(world.open()));
    for (const char* name : {"gauss/a:1", "gauss/b:1", "euler:1"}) {
      ASSERT_TRUE(done(world.import(small_asset(name, ++seed))));
    }
    ImportWish derived = small_asset("tuned:1", ++seed);
    derived.lineage = {{domain::Relation::derived_from, "gauss/a:1"}};
    ASSERT_TRUE(done(world.import(derived)));
    ImportWish twice = small_asset("twice-tuned:1", ++seed);
    twice.lineage = {{domain::Relation::derived_from, "tuned:1"}};
    ASSERT_TRUE(done(world.import(twice)));
  }

  Result<HoldView> place(const std::vector<std::string>& match,
                         HoldReach reach = HoldReach::present) {
    ASSIGN_OR_RETURN(std::vector<domain::Selector> selectors, domain::parse_selectors(match));
    return world.store->place_hold({bob(), "case 7", "evidence", std::move(selectors), reach});
  }
  Errc refusal(const std::vector<std::string>& match, HoldReach reach = HoldReach::present) {
    const auto placed = place(match, reach);
    return placed.ok() ? Errc::unexpected : placed.error().code;
  }
  // Names of what is bound, sorted.
  std::vector<std::string> bound(const Result<HoldView>& placed) {
    EXPECT_TRUE(done(placed));
    if (!placed.ok()) return {};
    const auto shown = world.store->show_hold(placed->hold.id);
    EXPECT_TRUE(done(shown));
    std::vector<std::string> names;
    for (const HoldView::Bound& one : shown->assets) names.push_back(one.name.text());
    std::sort(names.begin(), names.end());
    EXPECT_EQ(shown->bound, names.size());
    return names;
  }
  AssetState state(const std::string& name) {
    const auto view = world.store->show_asset(world.asset(name).id);
    EXPECT_TRUE(done(view));
    return view->asset.state;
  }
  std::size_t holds_on(const std::string& name) {
    return world.store->show_asset(world.asset(name).id)->holds.size();
  }
  lifecycle::PlanView newest_plan() {
    const auto plans = world.store->list_plans("", 1);
    EXPECT_TRUE(done(plans));
    return *world.store->show_plan(plans->rows.front().id);
  }
  Status label(const std::string& name, const std::string& key, const std::string& value) {
    lifecycle::Store::Changes changes;
    changes.labels = {{key, value}};
    changes.reason = "test";
    const auto set = world.store->set_asset(bob(), world.asset(name).id, changes);
    return set.ok() ? Status() : Status(set.error());
  }

  World world;
  std::uint64_t seed = 0;
};

using Names = std::vector<std::string>;

TEST_F(ALegalHold, BindsWhatMatchesByEveryTerm) {
  ASSERT_TRUE(done(label("gauss/b:1", "team", "vision-2")));
  EXPECT_EQ(bound(place({"name=gauss/*"})), (Names{"gauss/a:1", "gauss/b:1"}));
  EXPECT_EQ(bound(place({"name=gauss/*", "label.team=vision-?"})), Names{"gauss/b:1"});
  EXPECT_EQ(bound(place({"derived-from=gauss/a"})), (Names{"tuned:1", "twice-tuned:1"}));
  EXPECT_EQ(bound(place({"asset=euler:1"})), Names{"euler:1"});
  EXPECT_EQ(bound(place({"custodian=bob", "kind=model"})).size(), 5U);
}

TEST_F(ALegalHold, UponNothingIsRefusedUnlessItReachesIntoTheFuture) {
  EXPECT_EQ(refusal({"name=nobody"}), Errc::usage);
  EXPECT_EQ(refusal({}), Errc::usage);
  EXPECT_TRUE(bound(place({"name=nobody"}, HoldReach::future)).empty());
  EXPECT_EQ(refusal({"state=active"}, HoldReach::future), Errc::usage);
  EXPECT_EQ(refusal({"asset=nobody"}), Errc::not_found);
}

TEST_F(ALegalHold, ForTheFutureBindsLaterImportsAndChangesAndFreesNothing) {
  ASSERT_TRUE(done(place({"label.team=vision"}, HoldReach::future)));
  ASSERT_TRUE(done(place({"derived-from=euler"}, HoldReach::future)));
  EXPECT_EQ(holds_on("gauss/a:1"), 0U);
  ASSERT_TRUE(done(label("gauss/a:1", "team", "vision")));
  EXPECT_EQ(holds_on("gauss/a:1"), 1U);
  ASSERT_TRUE(done(label("gauss/a:1", "team", "audio")));
  EXPECT_EQ(holds_on("gauss/a:1"), 1U);
  ImportWish child = small_asset("euler-child:1", ++seed);
  child.lineage = {{domain::Relation::derived_from, "euler:1"}};
  ASSERT_TRUE(done(world.import(child)));
  EXPECT_EQ(holds_on("euler-child:1"), 1U);
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(holds_on("euler-child:1"), 1U);
}

TEST_F(ALegalHold, StopsARequest) {
  ASSERT_TRUE(done(place({"asset=euler:1"})));
  const auto asked = world.request({"euler:1"});
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(asked.error().code, Errc::legal_hold);
}

TEST_F(ALegalHold, DefersItsItemOfAnApprovedPlanAndTheOthersGo) {
  const auto asked = world.request({"euler:1", "gauss/b:1"});
  ASSERT_TRUE(done(asked));
  const auto hold = place({"asset=euler:1"});
  ASSERT_TRUE(done(hold));
  ASSERT_TRUE(done(world.store->approve(bob(), asked->plan.id, to_hex(asked->plan.digest))));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state("euler:1"), AssetState::retired);
  EXPECT_EQ(state("gauss/b:1"), AssetState::erased);
  lifecycle::PlanView view = newest_plan();
  EXPECT_FALSE(view.plan.due) << "nothing of it can go on";
  EXPECT_FALSE(view.plan.finished);
  EXPECT_EQ(world.stolen().count(world.asset("euler:1").id), 1U);

  ASSERT_TRUE(done(world.open()));  // the hold and what waits for it survive the process
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state("euler:1"), AssetState::retired);

  const auto lifted = world.store->lift_hold(alice(), hold->hold.id, "settled");
  ASSERT_TRUE(done(lifted));
  EXPECT_EQ(lifted->requeued, std::vector<Uuid>{asked->plan.id});
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state("euler:1"), AssetState::erased);
  EXPECT_EQ(newest_plan().plan.state, PlanState::done);
  expect_sound(world, Seen());
}

TEST_F(ALegalHold, KeepsWhatAnotherHoldAlsoBinds) {
  const auto asked = world.request({"euler:1"});
  ASSERT_TRUE(done(asked));
  const auto first = place({"asset=euler:1"}), second = place({"name=euler"});
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_TRUE(done(world.store->approve(bob(), asked->plan.id, to_hex(asked->plan.digest))));
  ASSERT_TRUE(done(world.execute()));
  const auto lifted = world.store->lift_hold(alice(), first->hold.id, "settled");
  ASSERT_TRUE(done(lifted));
  EXPECT_TRUE(lifted->requeued.empty());
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state("euler:1"), AssetState::retired);
  EXPECT_EQ(world.store->lift_hold(alice(), first->hold.id, "again").error().code,
            Errc::wrong_state);
  ASSERT_TRUE(done(world.store->lift_hold(alice(), second->hold.id, "settled")));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state("euler:1"), AssetState::erased);
}

TEST_F(ALegalHold, LetsAPlanBeTakenBack) {
  const auto asked = world.request({"euler:1"});
  ASSERT_TRUE(done(asked));
  const auto hold = place({"asset=euler:1"});
  ASSERT_TRUE(done(world.store->approve(bob(), asked->plan.id, to_hex(asked->plan.digest))));
  ASSERT_TRUE(done(world.execute()));
  ASSERT_TRUE(done(world.store->cancel(alice(), asked->plan.id)));
  EXPECT_EQ(state("euler:1"), AssetState::suspended);
  EXPECT_EQ(newest_plan().plan.items.front().state, ItemState::dropped);
  const auto lifted = world.store->lift_hold(alice(), hold->hold.id, "settled");
  ASSERT_TRUE(done(lifted));
  EXPECT_TRUE(lifted->requeued.empty());
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state("euler:1"), AssetState::suspended) << "who was taken back stays";
}

TEST_F(ALegalHold, ComesTooLateForWhatIsErased) {
  ASSERT_TRUE(done(world.erase({"euler:1"})));
  EXPECT_EQ(refusal({"asset=euler:1"}), Errc::erased);
  EXPECT_EQ(refusal({"name=euler"}), Errc::usage);
}

struct Tampering {
  const char* name;
  const char* sql;
};
void PrintTo(const Tampering& one, std::ostream* out) {
  *out << one.name;
}

class ATamperedHold : public ALegalHold, public ::testing::WithParamInterface<Tampering> {};

TEST_P(ATamperedHold, StopsEveryErasureUntilItIsRestored) {
  ASSERT_TRUE(done(place({"name=gauss/*"})));
  ASSERT_TRUE(done(world.retire({"euler:1"})));
  world.close();
  const Bytes before = world.disk.content("/store/catalog.db");
  ASSERT_TRUE(done(sql(world.disk, GetParam().sql)));
  ASSERT_TRUE(done(world.open()));
  const Status executed = world.execute();
  ASSERT_FALSE(executed.ok());
  EXPECT_EQ(executed.error().code, Errc::damaged) << executed.error().message;
  EXPECT_EQ(state("euler:1"), AssetState::retired);
  EXPECT_EQ(world.stolen().count(world.asset("euler:1").id), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    ByAnEditor, ATamperedHold,
    ::testing::Values(
        Tampering{"removed", "DELETE FROM hold_asset; DELETE FROM hold"},
        Tampering{"lifted",
                  "UPDATE hold SET lifted = 1, lifted_uid = 0, lifted_login = 'root', "
                  "lift_reason = 'x'"},
        Tampering{"another match", "UPDATE hold SET selectors = '[\"name=nobody\"]'"},
        Tampering{"another matter", "UPDATE hold SET matter = 'nothing'"},
        Tampering{"invented",
                  "INSERT INTO hold (uuid, matter, reason, selectors, reach, placed_uid, "
                  "placed_login, placed, log_index) VALUES (randomblob(16), 'm', 'r', '[]', "
                  "'present', 0, 'root', 1, 0)"}),
    [](const auto& one) {
      std::string name = one.param.name;
      std::replace(name.begin(), name.end(), ' ', '_');
      return name;
    });

}  // namespace
}  // namespace aierase::test
