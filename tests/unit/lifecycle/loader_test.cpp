// Who brings a policy into force is not made an approver by it.
#include <gtest/gtest.h>

#include "unit/lifecycle/nightly.h"

namespace aierase::test {
namespace {

constexpr const char* kCarolsRules =
    "[class.logs]\nmatch = [\"name=log-*\"]\nerase-after = \"6 months\"\n"
    "custodians = [\"carol\"]\n";

// carol makes bob's logs due, and herself their custodian.
class WhoLoadsThePolicy : public ANightlyRun {
 protected:
  void SetUp() override {
    ANightlyRun::SetUp();
    ASSERT_TRUE(done(load(kCarolsRules)));
    import_of_bob("log-1");
    world.clock.advance(180 * kDay);
    import_of_bob("log-young");
  }
  void import_of_bob(const std::string& name) {
    ASSERT_TRUE(done(world.import(small_asset(name, ++seed))));
  }
  lifecycle::PlanView due() {
    world.clock.advance(kDay);
    run();
    return latest_plan(world);
  }
};

TEST_F(WhoLoadsThePolicy, DoesNotApproveByWhatItSaysOfHim) {
  const lifecycle::PlanView plan = due();
  EXPECT_EQ(plan.needed.custodians, std::vector<std::string>{"bob"});
  const Status refused = approve(carol(), plan);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(info(refused.error().code).name, info(Errc::access_denied).name);
  EXPECT_NE(refused.error().message.find("brought that policy into force"), std::string::npos)
      << refused.error().message;
  EXPECT_FALSE(refused.error().hint.empty());
  const std::string agreed = std::string(kCarolsRules) + "[class.new]\n";
  ASSERT_TRUE(done(
      world.store->load_policy({person(1003, "dave"), {{"rules.toml", agreed}}, "as agreed"})));
  EXPECT_TRUE(done(approve(carol(), plan))) << "dave says so, too";
}

TEST_F(WhoLoadsThePolicy, ApprovesAsTheCustodianThatTheAssetHas) {
  lifecycle::Store::Changes changes;
  changes.custodians = {{domain::CustodianKind::user, "carol", 1002}};
  changes.reason = "bob leaves";
  ASSERT_TRUE(done(world.store->set_asset(bob(), world.asset("log-1").id, changes)));
  EXPECT_TRUE(done(approve(carol(), due())));
}

TEST_F(WhoLoadsThePolicy, ObjectsByWhatItSaysOfHim) {
  const lifecycle::PlanView plan = due();
  EXPECT_TRUE(done(world.store->reject(carol(), plan.plan.id, "still in use")));
}

TEST_F(WhoLoadsThePolicy, DoesNotApproveByItInAdvance) {
  const UtcTime until = world.clock.now() + 300 * kDay;
  ASSERT_TRUE(done(world.store->approve_standing({carol(), "logs", until})));
  const lifecycle::PlanView plan = due();
  EXPECT_EQ(domain::to_text(plan.plan.state), "requested");
  EXPECT_TRUE(plan.plan.approvals.empty());
}

}  // namespace
}  // namespace aierase::test
