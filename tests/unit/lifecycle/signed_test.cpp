// Decisions by signature: who signed decides, and nothing that he did not sign is decided.
#include <gtest/gtest.h>

#include <algorithm>

#include "fault/support/inspect.h"
#include "lifecycle/signed_acts.h"
#include "unit/certificate/ssh_sample.h"
#include "unit/lifecycle/life.h"

namespace aierase::test {
namespace {

using certificate::ActDecision;
using certificate::DecisionAct;
using certificate::SshKeyType;
using certificate::ssh_sample::SoftwareKey;
using domain::PlanState;
using lifecycle::HandIn;
using lifecycle::HandInReport;
using lifecycle::HandInVerb;
using Course = HandInReport::Course;

domain::Actor enrolled(const std::string& id, std::uint32_t uid = domain::kNoUid) {
  domain::Actor actor;
  actor.uid = uid;
  actor.login = id;
  actor.person = domain::PersonEntry{id,       id + " in full",    "Head of Models", "Example Corp",
                                     "Vienna", id + "@example.org"};
  return actor;
}
domain::Custodian custodian_person(const std::string& id, std::uint32_t uid = domain::kNoUid) {
  return {domain::CustodianKind::person, id, uid};
}

class ASignedText : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(done(world.init(domain::PeopleRule::two_person)));
    ASSERT_TRUE(done(world.open()));
    add("gauss", {custodian_person("dora")});
    add("euler", {custodian_person("dora"), custodian_person("emil", 1005)});
  }
  void add(const std::string& name, std::vector<domain::Custodian> custodians) {
    ImportWish wish = small_asset(name, 1 + world.assets.size());
    wish.custodians = std::move(custodians);
    ASSERT_TRUE(done(world.import(wish)));
  }
  Uuid asked(const std::vector<std::string>& names, const domain::Actor& by = alice()) {
    const auto view = world.request(names, by);
    EXPECT_TRUE(done(view));
    return view.ok() ? view->plan.id : Uuid{};
  }
  DecisionAct act(const std::vector<Uuid>& plans, const std::string& decision = "approve",
                  const std::string& comment = "") {
    lifecycle::SigningWish wish;
    wish.plans = plans;
    wish.decision = decision;
    wish.comment = comment;
    auto made = world.store->act_to_sign(wish);
    EXPECT_TRUE(done(made));
    return made.ok() ? std::move(made).value() : DecisionAct();
  }
  static std::string text_of(const DecisionAct& act) { return certificate::render(act).value(); }

  HandIn file(const std::string& text, HandInVerb verb = HandInVerb::approve) {
    return {verb, text, dora_key.sign(text), alice(),
            [this](const certificate::SshPublicKey& key) { return find(key); }};
  }
  Result<domain::Actor> find(const certificate::SshPublicKey& key) const {
    for (const auto& [known, actor] : people) {
      if (known->line() == key.line()) return actor;
    }
    return make_error(Errc::signer_unknown, "nobody has this key");
  }
  Result<HandInReport> give(const DecisionAct& act, HandInVerb verb = HandInVerb::approve) {
    return world.store->hand_in(file(text_of(act), verb));
  }
  template <typename T>
  void expect_refused(const Result<T>& result, Errc code, const char* why) {
    ASSERT_FALSE(result.ok()) << "it was acted upon";
    EXPECT_EQ(info(result.error().code).name, info(code).name) << result.error().message;
    EXPECT_NE(result.error().message.find(why), std::string::npos) << result.error().message;
  }
  PlanState state(const Uuid& plan) {
    const auto view = world.store->show_plan(plan);
    EXPECT_TRUE(done(view));
    return view.ok() ? view->plan.state : PlanState::failed;
  }

  World world;
  SoftwareKey dora_key{SshKeyType::ed25519};
  SoftwareKey emil_key{SshKeyType::sk_ecdsa_p256};
  std::vector<std::pair<const SoftwareKey*, domain::Actor>> people{
      {&dora_key, enrolled("dora")}, {&emil_key, enrolled("emil", 1005)}};
};

TEST_F(ASignedText, ApprovesAsThePersonWhoseKeyItIsAndNotAsTheCarrier) {
  const Uuid plan = asked({"gauss"});
  const auto report = give(act({plan}));
  ASSERT_TRUE(done(report));
  EXPECT_EQ(report->signer.login, "dora");
  ASSERT_EQ(report->here.size(), 1U);
  EXPECT_EQ(report->here[0].course, Course::recorded);
  EXPECT_EQ(state(plan), PlanState::approved);
  const auto view = world.store->show_plan(plan);
  ASSERT_EQ(view->plan.approvals.size(), 1U);
  const domain::Approval& approval = view->plan.approvals[0];
  EXPECT_EQ(approval.actor.uid, domain::kNoUid);
  EXPECT_EQ(approval.capacities, std::vector<std::string>{"dora"});
  ASSERT_TRUE(approval.signed_by);
  EXPECT_EQ(approval.signed_by->carrier.login, "alice");
  EXPECT_TRUE(done(world.execute()));
  EXPECT_EQ(state(plan), PlanState::done);
}

TEST_F(ASignedText, StandsWholeOnTheCertificateSoThatStockSshKeygenVerifiesIt) {
  const Uuid plan = asked({"gauss"});
  const std::string text = text_of(act({plan}));
  ASSERT_TRUE(done(world.store->hand_in(file(text))));
  ASSERT_TRUE(done(world.execute()));
  const Json people_part = predicate_of(world, "gauss").at("people");
  const auto approver = std::find_if(people_part.begin(), people_part.end(),
                                     [](const Json& one) { return one.at("role") == "approver"; });
  ASSERT_NE(approver, people_part.end());
  EXPECT_EQ(approver->at("contact_details").at("name"), "dora in full");
  EXPECT_EQ(approver->at("contact_details").at("contact"), "dora@example.org");
  const Json& part = approver->at("signature");
  const Bytes kept = from_base64(part.at("text_base64").get<std::string>()).value();
  EXPECT_EQ(as_text(kept), text);
  const Bytes signature = from_base64(part.at("signature_base64").get<std::string>()).value();
  const certificate::ssh_sample::StockSshKeygen stock;
  EXPECT_TRUE(stock.verifies(part.at("public_key"), as_text(kept), as_text(signature)));
  EXPECT_EQ(part.at("key"), stock.fingerprint(part.at("public_key")));
}

TEST_F(ASignedText, DoesNotCountUnderAKeyThatNobodyHas) {
  const Uuid plan = asked({"gauss"});
  HandIn wrong = file(text_of(act({plan})));
  const SoftwareKey stranger{SshKeyType::sk_ecdsa_p256};
  wrong.signature = stranger.sign(wrong.text);
  expect_refused(world.store->hand_in(wrong), Errc::signer_unknown, "nobody");
  HandIn other = file(text_of(act({plan})));
  other.text[other.text.find("superseded")] = 'S';
  expect_refused(world.store->hand_in(other), Errc::verification_failed, "");
  EXPECT_EQ(state(plan), PlanState::requested);
}

TEST_F(ASignedText, OfAnEnrolledPersonWhoIsNoCustodianDoesNotCount) {
  const Uuid plan = asked({"gauss"});
  HandIn emils = file(text_of(act({plan})));
  emils.signature = emil_key.sign(emils.text);
  expect_refused(world.store->hand_in(emils), Errc::access_denied, "no custodian");
  EXPECT_EQ(state(plan), PlanState::requested);
}

TEST_F(ASignedText, IsRefusedFromItsEndOnAlsoByAClockThatWasSetBack) {
  const Uuid plan = asked({"gauss"});
  DecisionAct signed_act = act({plan});
  signed_act.valid_until = world.clock.read().wall + std::chrono::hours(1);
  world.clock.advance(std::chrono::hours(1));
  expect_refused(give(signed_act), Errc::approval_expired, "valid until");
  signed_act.valid_until += std::chrono::seconds(1);
  EXPECT_TRUE(done(give(signed_act)));
}

// A text about many plans may end while the first of them are decided.
TEST_F(ASignedText, EndsForEachPlanByTheTimeThatIsRecordedWithIt) {
  const Uuid plan = asked({"gauss"});
  const domain::Actor dora = people[0].second;
  lifecycle::SignedDecision late;
  late.valid_until = world.clock.read().wall;
  const std::string digest = to_hex(world.store->show_plan(plan)->plan.digest);
  expect_refused(world.store->approve(dora, plan, digest, &late), Errc::approval_expired,
                 "valid until");
  expect_refused(world.store->reject(dora, plan, "no", &late), Errc::approval_expired,
                 "valid until");
  EXPECT_EQ(state(plan), PlanState::requested);
  ASSERT_TRUE(done(give(act({plan}))));
  ASSERT_TRUE(done(world.execute()));
  lifecycle::ValidateRequest request;
  request.actor = dora;
  request.plan = plan;
  request.verdict = domain::Validation::accepted;
  request.signed_decision = &late;
  expect_refused(world.store->validate(request), Errc::approval_expired, "valid until");
}

TEST_F(ASignedText, IsNotMadeWhereItWouldBeExpiredAtOnce) {
  const Uuid plan = asked({"gauss"});
  lifecycle::SigningWish wish;
  wish.plans = {plan};
  wish.decision = "approve";
  wish.valid_until = world.clock.read().wall + std::chrono::hours(1);
  world.clock.advance(std::chrono::hours(2));
  ASSERT_TRUE(done(world.store->confirm_clock(alice())));
  world.clock.set_wall(world.clock.read().wall - std::chrono::hours(2));
  const auto late = world.store->act_to_sign(wish);
  ASSERT_FALSE(late.ok()) << "trusted time is beyond its end";
  EXPECT_NE(late.error().message.find("later than that already"), std::string::npos);
  wish.valid_until.reset();
  const auto made = world.store->act_to_sign(wish);
  ASSERT_TRUE(done(made));
  EXPECT_TRUE(done(give(*made)));
}

TEST_F(ASignedText, AboutAnotherStoreIsNotForThisOne) {
  const Uuid plan = asked({"gauss"});
  DecisionAct elsewhere = act({plan});
  elsewhere.plans[0].store = Uuid::random();
  expect_refused(give(elsewhere), Errc::not_found, "not of this store");
  DecisionAct both = act({plan});
  both.plans.push_back(elsewhere.plans[0]);
  both.plans.back().plan = Uuid::random();
  const auto report = give(both);
  ASSERT_TRUE(done(report));
  EXPECT_EQ(report->here.size(), 1U);
  ASSERT_EQ(report->elsewhere.size(), 1U);
  EXPECT_EQ(report->elsewhere[0].host, "node7");
  EXPECT_EQ(state(plan), PlanState::approved);
}

TEST_F(ASignedText, MustSayOfThePlanExactlyWhatTheStoreWouldSay) {
  const Uuid plan = asked({"gauss"});
  const DecisionAct good = act({plan});
  ASSERT_EQ(good.plans[0].notes.size(), 1U) << "that there is no grace";
  using Change = void (*)(certificate::ActPlan&);
  const std::pair<Change, const char*> changes[] = {
      {[](certificate::ActPlan& one) { one.digest[0] ^= std::byte{1}; }, "the digest"},
      {[](certificate::ActPlan& one) { one.host = "node8"; }, "the host"},
      {[](certificate::ActPlan& one) { one.requester = "carol"; }, "the requester"},
      {[](certificate::ActPlan& one) { one.reason = "a test"; }, "the reason"},
      {[](certificate::ActPlan& one) { one.ticket = "OPS-1"; }, "the ticket"},
      {[](certificate::ActPlan& one) { one.notes.clear(); }, "a note"},
      {[](certificate::ActPlan& one) {
         one.assets[0] = domain::AssetName::parse("harmless").value();
       },
       "the list of assets"},
  };
  for (const auto& [change, what] : changes) {
    DecisionAct altered = good;
    change(altered.plans[0]);
    const auto result = give(altered);
    ASSERT_FALSE(result.ok()) << what;
    EXPECT_NE(result.error().message.find(what), std::string::npos) << result.error().message;
    EXPECT_EQ(state(plan), PlanState::requested) << what;
  }
}

TEST_F(ASignedText, OfWhoAskedDoesNotApproveWhicheverWayItCame) {
  people[0].second = enrolled("dora", alice().uid);
  add("own", {custodian_person("dora", alice().uid), custodian_person("emil", 1005)});
  const Uuid plan = asked({"own"});
  expect_refused(give(act({plan})), Errc::access_denied, "whoever requested");
  EXPECT_EQ(state(plan), PlanState::requested);
}

TEST_F(ASignedText, CountsOnceHoweverOftenItIsHandedIn) {
  add("carols", {{domain::CustodianKind::user, "carol", 1002}});
  const Uuid plan = asked({"gauss", "carols"});
  const DecisionAct signed_act = act({plan});
  ASSERT_TRUE(done(give(signed_act)));
  EXPECT_EQ(state(plan), PlanState::requested) << "carol has not spoken";
  expect_refused(give(signed_act), Errc::wrong_state, "handed in before");
  EXPECT_EQ(world.store->show_plan(plan)->plan.approvals.size(), 1U);
  ASSERT_TRUE(done(world.store->cancel(alice(), plan)));
  expect_refused(give(signed_act), Errc::wrong_state, "handed in before");
  EXPECT_EQ(state(plan), PlanState::cancelled);
}

TEST_F(ASignedText, OfSomebodyWhoApprovedByAccountIsTheSamePersonAgain) {
  add("shared", {custodian_person("emil", 1005), {domain::CustodianKind::user, "carol", 1002}});
  add("carols", {{domain::CustodianKind::user, "carol", 1002}});
  const Uuid plan = asked({"shared", "carols"});
  const auto view = world.store->show_plan(plan);
  ASSERT_TRUE(done(world.store->approve(person(1005, "emil"), plan, to_hex(view->plan.digest))));
  HandIn again = file(text_of(act({plan})));
  again.signature = emil_key.sign(again.text);
  expect_refused(world.store->hand_in(again), Errc::wrong_state, "handed in before");
}

TEST_F(ASignedText, ActsUponEachOfItsPlansOrNot) {
  const Uuid first = asked({"gauss"});
  const Uuid second = asked({"euler"});
  DecisionAct both = act({first, second});
  both.plans[1].reason = "something else";
  const auto report = give(both);
  ASSERT_TRUE(done(report));
  ASSERT_EQ(report->here.size(), 2U);
  EXPECT_EQ(report->here[0].course, Course::recorded);
  EXPECT_EQ(report->here[1].course, Course::refused);
  ASSERT_TRUE(report->here[1].refusal);
  EXPECT_EQ(report->here[1].refusal->code, Errc::verification_failed);
  EXPECT_EQ(state(first), PlanState::approved);
  EXPECT_EQ(state(second), PlanState::requested);
  const auto all = give(act({second}));
  ASSERT_TRUE(done(all));
  EXPECT_EQ(state(second), PlanState::approved);
}

TEST_F(ASignedText, RejectsWithTheReasonThatWasSigned) {
  const Uuid plan = asked({"gauss"});
  const DecisionAct no = act({plan}, "reject", "still in use");
  expect_refused(give(no), Errc::usage, "reject");
  ASSERT_TRUE(done(give(no, HandInVerb::reject)));
  const auto view = world.store->show_plan(plan);
  EXPECT_EQ(view->plan.state, PlanState::rejected);
  ASSERT_EQ(view->plan.approvals.size(), 1U);
  EXPECT_EQ(view->plan.approvals[0].reason, "still in use");
}

TEST_F(ASignedText, JudgesAnOutcomeAndAnOldOneDoesNotUndoANewOne) {
  const Uuid plan = asked({"gauss"});
  ASSERT_TRUE(done(give(act({plan}))));
  ASSERT_TRUE(done(world.execute()));
  const DecisionAct yes = act({plan}, "accept");
  ASSERT_TRUE(done(give(yes, HandInVerb::validate)));
  EXPECT_EQ(certificate_of(world, "gauss").validation, domain::Validation::accepted);
  const DecisionAct no = act({plan}, "reject", "a copy turned up");
  EXPECT_EQ(no.decision, ActDecision::reject_outcome);
  ASSERT_TRUE(done(give(no, HandInVerb::validate)));
  expect_refused(give(yes, HandInVerb::validate), Errc::wrong_state, "handed in before");
  EXPECT_EQ(certificate_of(world, "gauss").validation, domain::Validation::rejected);
}

TEST_F(ASignedText, ThatWasChangedInTheCatalogErasesNothing) {
  const std::pair<const char*, const char*> changes[] = {
      {"the text", "UPDATE signed_text SET text = text || ' '"},
      {"the signature", "UPDATE signed_text SET signature = signature || ' '"},
      {"the key", "UPDATE approval SET key = 'SHA256:other'"},
      {"the person", "UPDATE approval SET person = replace(person, 'dora in full', 'Dora')"},
      {"the carrier", "UPDATE approval SET carrier_login = 'mallory'"},
  };
  const auto before = world.keep();
  for (const auto& [what, statement] : changes) {
    world.close();
    world.go_back(*before);
    ASSERT_TRUE(done(world.open()));
    const Uuid plan = asked({"gauss"});
    ASSERT_TRUE(done(give(act({plan}))));
    world.close();
    ASSERT_TRUE(done(sql(world.disk, statement)));
    ASSERT_TRUE(done(world.open()));
    static_cast<void>(world.execute().ok());
    EXPECT_NE(state_of(world, "gauss"), domain::AssetState::erased) << what;
    EXPECT_NE(state(plan), PlanState::done) << what;
  }
}

TEST_F(ASignedText, WithoutASignatureIsNotTaken) {
  HandIn bare = file(text_of(act({asked({"gauss"})})));
  bare.signature.clear();
  expect_refused(world.store->hand_in(bare), Errc::invalid_input, "without a signature");
}

}  // namespace
}  // namespace aierase::test
