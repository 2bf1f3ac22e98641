// Plans that end otherwise than done leave a signed record, in the commit that ends them.
#include <gtest/gtest.h>

#include "certificate/bundle.h"
#include "certificate/verify.h"
#include "fault/support/inspect.h"
#include "unit/lifecycle/life.h"

namespace aierase::test {
namespace {

using catalog::RefusalRow;
using domain::PlanState;
using lifecycle::PlanView;

constexpr const char* kSigner = "/slot-dir/signer.key";
constexpr const char* kElsewhere = "/elsewhere";

class ARefusedPlan : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(done(world.init(domain::PeopleRule::two_person)));
    ASSERT_TRUE(done(world.open()));
    for (const char* name : {"m:1", "m:2", "m:3"}) {
      ASSERT_TRUE(done(world.import(small_asset(name, 1 + world.assets.size()))));
    }
  }
  Uuid asked(domain::Timing timing = domain::Timing::after_grace) {
    lifecycle::RetireRequest request;
    request.actor = alice();
    request.assets = {world.asset("m:1").id, world.asset("m:2").id};
    request.reason = "superseded";
    request.ticket = "OPS-9";
    request.timing = timing;
    const auto view = world.store->retire(request);
    EXPECT_TRUE(done(view));
    return view.ok() ? view->plan.id : Uuid{};
  }
  Status approve(const Uuid& plan) {
    const auto view = world.store->show_plan(plan);
    if (!view.ok()) return view.error();
    const auto approved = world.store->approve(bob(), plan, to_hex(view->plan.digest));
    return approved.ok() ? Status() : Status(approved.error());
  }
  // By a dependant that nobody knew of when the plan was made.
  void let_fall_out(const std::vector<std::string>& parents) {
    ImportWish late = small_asset("late:1", 9);
    for (const std::string& parent : parents) {
      late.lineage.emplace_back(domain::Relation::derived_from, parent);
    }
    ASSERT_TRUE(done(world.import(late)));
  }
  // As a stranger with the store's bare key reads it; and its leaf is in the log.
  Json told(const Uuid& plan, PlanState outcome) {
    const auto row = world.store->show_refusal(plan);
    EXPECT_TRUE(done(row));
    if (!row.ok()) return Json::object();
    EXPECT_EQ(row->outcome, outcome);
    crypto::Signature signature{};
    std::copy(row->signature.begin(), row->signature.end(), signature.begin());
    certificate::TrustStore trust;
    trust.add(world.store->signer(), "signer.pem");
    const auto report = certificate::verify_bundle(
        certificate::bundle_json(row->statement, signature, world.store->signer()).value(), trust);
    EXPECT_TRUE(report.verified);
    EXPECT_TRUE(report.refusal && report.refusal->outcome == outcome);
    const auto view = world.store->show_plan(plan);
    EXPECT_TRUE(done(view));
    EXPECT_TRUE(view->refusal && view->refusal->log_index == row->log_index);
    EXPECT_EQ(view->plan.state, outcome);
    return parse_json(row->statement).value().at("predicate");
  }
  void restart_without_signer() {
    world.close();
    ASSERT_TRUE(done(world.disk.rename(kSigner, kElsewhere)));
    ASSERT_TRUE(done(world.open()));
  }
  void restart_with_signer() {
    world.close();
    ASSERT_TRUE(done(world.disk.rename(kElsewhere, kSigner)));
    ASSERT_TRUE(done(world.open()));
  }
  bool doctor_says(const std::string& code) {
    const auto findings = world.store->doctor();
    EXPECT_TRUE(done(findings));
    return to_string(*findings).find(code) != std::string::npos;
  }

  World world;
};

TEST_F(ARefusedPlan, ThatWasRejectedNamesWhoAndWhy) {
  const Uuid plan = asked();
  ASSERT_TRUE(done(world.store->reject(bob(), plan, "still in use")));
  const Json record = told(plan, PlanState::rejected);
  EXPECT_EQ(record.at("ended").at("by"), "bob");
  EXPECT_EQ(record.at("ended").at("why"), "still in use");
  EXPECT_EQ(record.at("ended").at("as_custodian"), Json::array({"bob"}));
  EXPECT_EQ(record.at("plan").at("requester"), "alice");
  EXPECT_EQ(record.at("plan").at("ticket"), "OPS-9");
  EXPECT_EQ(record.at("items").size(), 2U);
  EXPECT_EQ(record.at("text"), "nothing was erased by it");
}

TEST_F(ARefusedPlan, ThatWasCancelledSaysWhoHadApproved) {
  const Uuid plan = asked();
  ASSERT_TRUE(done(approve(plan)));
  ASSERT_TRUE(done(world.store->cancel(alice(), plan)));
  const Json record = told(plan, PlanState::cancelled);
  EXPECT_EQ(record.at("ended").at("by"), "alice");
  EXPECT_EQ(record.at("people").at(1).at("role"), "approver");
  EXPECT_EQ(record.at("people").at(1).at("login"), "bob");
  EXPECT_EQ(record.at("items").at(0).at("state"), "dropped");
}

TEST_F(ARefusedPlan, ThatExpiredWasEndedByTheDaemon) {
  const Uuid plan = asked();
  world.clock.advance(std::chrono::hours(31 * 24));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(told(plan, PlanState::expired).at("ended").at("by"), "aierased");
}

TEST_F(ARefusedPlan, ThatIsStaleSaysWhatItsRulesWereAndAre) {
  const Uuid plan = asked(domain::Timing::now);
  ASSERT_TRUE(done(world.store->load_policy(
      {alice(),
       {{"c.toml", "[class.calm]\nmatch = [\"name=m\"]\ngrace = \"2 days\"\n"}},
       "calm"})));
  ASSERT_FALSE(approve(plan).ok());
  const Json record = told(plan, PlanState::stale);
  EXPECT_NE(record.at("policy").at("at_request_sha256"), record.at("policy").at("at_end_sha256"));
}

TEST_F(ARefusedPlan, ThatWasCarriedOutInPartNamesCertificatesAndReasons) {
  const Uuid plan = asked(domain::Timing::now);
  let_fall_out({"m:2"});
  ASSERT_TRUE(done(approve(plan)));
  ASSERT_TRUE(done(world.execute()));
  const Json record = told(plan, PlanState::partial);
  EXPECT_EQ(record.at("erased"), 1);
  EXPECT_EQ(record.at("not_erased"), 1);
  for (const Json& item : record.at("items")) {
    const bool gone = item.at("state") == "erased";
    EXPECT_EQ(item.contains("certificate"), gone);
    EXPECT_EQ(item.at("reasons").empty(), gone);
  }
}

TEST_F(ARefusedPlan, ThatFailedErasedNothing) {
  const Uuid plan = asked(domain::Timing::now);
  let_fall_out({"m:1", "m:2"});
  ASSERT_TRUE(done(approve(plan)));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(told(plan, PlanState::failed).at("erased"), 0);
}

TEST_F(ARefusedPlan, IsNoneThatIsOpenOrDone) {
  const Uuid plan = asked(domain::Timing::now);
  EXPECT_EQ(world.store->show_refusal(plan).error().code, Errc::not_found);
  ASSERT_TRUE(done(approve(plan)));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(world.store->show_plan(plan)->plan.state, PlanState::done);
  EXPECT_EQ(world.store->show_refusal(plan).error().code, Errc::not_found);
}

TEST_F(ARefusedPlan, EndsWithoutTheSignerAndIsSignedByTheNextStartThatHasIt) {
  const Uuid plan = asked();
  restart_without_signer();
  ASSERT_TRUE(done(world.store->cancel(alice(), plan))) << "a person must always be able to";
  EXPECT_EQ(world.store->show_refusal(plan).error().code, Errc::wrong_state);
  EXPECT_TRUE(doctor_says("record-unsigned"));
  const auto waiting = world.store->show_plan(plan);
  ASSERT_TRUE(done(waiting));
  ASSERT_TRUE(waiting->refusal);
  EXPECT_TRUE(waiting->refusal->signature.empty());
  const UtcTime ended = waiting->refusal->issued;
  world.clock.advance(std::chrono::hours(5));
  restart_with_signer();
  const Json record = told(plan, PlanState::cancelled);
  EXPECT_EQ(record.at("ended").at("at"), to_rfc3339(ended)) << "the bytes are those of then";
  EXPECT_FALSE(doctor_says("record-unsigned"));
}

TEST_F(ARefusedPlan, IsNotSignedForWhoeverRewroteWhatWaits) {
  const Uuid plan = asked();
  restart_without_signer();
  ASSERT_TRUE(done(world.store->reject(bob(), plan, "still in use")));
  world.close();
  ASSERT_TRUE(done(sql(world.disk,
                       "UPDATE refusal SET statement = replace(statement, 'still in use', "
                       "'no use at all')")));
  ASSERT_TRUE(done(world.disk.rename(kElsewhere, kSigner)));
  ASSERT_TRUE(done(world.open()));
  ASSERT_FALSE(world.store->show_refusal(plan).ok()) << "it was signed";
  EXPECT_TRUE(doctor_says("not what the log committed to"));
}

TEST_F(ARefusedPlan, IsPublishedInTheLogWithoutBeingAsked) {
  const Uuid plan = asked();
  ASSERT_TRUE(done(world.store->reject(bob(), plan, "still in use")));
  ASSERT_TRUE(done(world.execute()));
  const auto row = world.store->show_refusal(plan);
  ASSERT_TRUE(done(row));
  const auto head = read_file(world.disk, "/store/log/checkpoint", 1 << 16);
  ASSERT_TRUE(done(head));
  const std::string text(as_text(*head));
  const std::size_t line = text.find('\n') + 1;
  EXPECT_GT(std::stoull(text.substr(line)), row->log_index);
}

}  // namespace
}  // namespace aierase::test
