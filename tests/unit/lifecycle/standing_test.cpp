// Approvals in advance: they count for what their class makes due, while they are in force, and a
// plan that lost one waits for people.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "fault/support/inspect.h"
#include "lifecycle/signed_acts.h"
#include "lifecycle/standing.h"
#include "unit/certificate/ssh_sample.h"
#include "unit/lifecycle/life.h"

namespace aierase::test::in_advance {
namespace {

using certificate::SshKeyType;
using certificate::ssh_sample::SoftwareKey;
using domain::AssetState;
using domain::PlanState;
using lifecycle::HandInVerb;
using lifecycle::PlanView;
using lifecycle::StandingState;
using lifecycle::StandingView;
using std::chrono::hours;
using std::chrono::seconds;

constexpr hours kDay{24};
constexpr const char* kPolicy =
    "[class.drafts]\nerase-after = \"30 days\"\n"
    "[class.others]\nerase-after = \"30 days\"\n";
constexpr const char* kOtherRules =
    "[class.drafts]\nerase-after = \"20 days\"\n"
    "[class.others]\nerase-after = \"30 days\"\n";

domain::Actor nightly() {
  return person(900, "aierase-enforce");
}
domain::Actor carol() {
  return person(1002, "carol");
}
const domain::Custodian kBob{domain::CustodianKind::user, "bob", 1001};
const domain::Custodian kCarol{domain::CustodianKind::user, "carol", 1002};

class AStandingApproval : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(done(world.init(domain::PeopleRule::two_person)));
    ASSERT_TRUE(done(world.open()));
    ASSERT_TRUE(done(load(kPolicy)));
    add("m:1");
    add("left:1");  // so that the brake has nothing to say: something is left of each class
    add("left:2", "others");
  }
  Result<lifecycle::PolicyReport> load(const std::string& text) {
    return world.store->load_policy({carol(), {{"rules.toml", text}}, "as agreed"});
  }
  // One of its custodians puts it into its class.
  void add(const std::string& name, const std::string& retention = "drafts",
           std::vector<domain::Custodian> custodians = {kBob}, const domain::Actor& by = bob()) {
    ImportWish wish = small_asset(name, 1 + world.assets.size());
    wish.custodians = std::move(custodians);
    ASSERT_TRUE(done(world.import(wish)));
    lifecycle::Store::Changes changes;
    changes.retention = retention;
    changes.reason = "its class";
    ASSERT_TRUE(done(world.store->set_asset(by, world.asset(name).id, changes)));
  }
  // No import makes one of what is retired: somebody with a shell does.
  void make_child_of_the_first(const std::string& name) {
    add(name, "others");
    world.close();
    ASSERT_TRUE(done(sql(world.disk,
                         "INSERT INTO lineage (child, relation, parent) SELECT c.uuid, "
                         "'derived-from', p.uuid FROM asset c, asset p WHERE c.name = '" +
                             name + "' AND p.name = 'm:1';")));
    ASSERT_TRUE(done(world.open()));
  }
  UtcTime now() const { return world.clock.now(); }
  Result<StandingView> give(UtcTime until, const domain::Actor& by = bob(),
                            const std::string& class_name = "drafts") {
    return world.store->approve_standing({by, class_name, until});
  }
  // As the nightly run makes it.
  PlanView due(const std::vector<std::string>& names = {"m:1"},
               const domain::Actor& by = nightly()) {
    lifecycle::RetireRequest request;
    request.actor = by;
    for (const std::string& name : names) request.assets.push_back(world.asset(name).id);
    request.reason = "due";
    request.origin = domain::PlanOrigin::enforce;
    const auto view = world.store->retire(request);
    EXPECT_TRUE(done(view));
    return view.ok() ? *view : PlanView();
  }
  PlanView plan(const PlanView& earlier) {
    const auto view = world.store->show_plan(earlier.plan.id);
    EXPECT_TRUE(done(view));
    return view.ok() ? *view : PlanView();
  }
  PlanState state(const PlanView& earlier) { return plan(earlier).plan.state; }
  void expect_waits_for_people(const PlanView& earlier, const std::string& why) {
    EXPECT_TRUE(done(world.execute()));
    const PlanView after = plan(earlier);
    EXPECT_EQ(domain::to_text(after.plan.state), "requested") << why;
    EXPECT_FALSE(after.plan.due);
    EXPECT_EQ(after.needed.items_waiting, 1U);
    EXPECT_EQ(domain::to_text(state_of(world, "m:1")), "suspended");
    ASSERT_FALSE(after.plan.items.front().reasons.empty());
    EXPECT_NE(after.plan.items.front().reasons.front().text.find(why), std::string::npos)
        << after.plan.items.front().reasons.front().text;
    ASSERT_TRUE(done(world.store->resume_asset(alice(), world.asset("m:1").id, "looked at")));
    EXPECT_TRUE(done(world.read_back(world.asset("m:1"))));
  }
  StandingView listed() {
    const auto page = world.store->list_standing("", 10);
    EXPECT_TRUE(done(page));
    return page.ok() && !page->rows.empty() ? page->rows.front() : StandingView();
  }
  void expect_refused(const Result<StandingView>& result, Errc code, const char* why) {
    ASSERT_FALSE(result.ok()) << "it was taken";
    EXPECT_EQ(info(result.error().code).name, info(code).name) << result.error().message;
    EXPECT_NE(result.error().message.find(why), std::string::npos) << result.error().message;
    EXPECT_FALSE(result.error().hint.empty());
  }

  World world;
};

TEST_F(AStandingApproval, CountsForWhatItsClassMakesDueInPlansOfTheNightlyRun) {
  ASSERT_TRUE(done(give(now() + 300 * kDay)));
  world.clock.advance(30 * kDay);
  const PlanView made = due();
  EXPECT_EQ(made.plan.state, PlanState::approved);
  EXPECT_EQ(made.plan.due, now() + 7 * kDay);
  EXPECT_EQ(state_of(world, "m:1"), AssetState::retired);
  world.clock.advance(7 * kDay - seconds(1));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state_of(world, "m:1"), AssetState::retired);
  world.clock.advance(seconds(1));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state_of(world, "m:1"), AssetState::erased);
}

TEST_F(AStandingApproval, StandsOnTheCertificateWithPersonClassAndDays) {
  ASSERT_TRUE(done(give(now() + 300 * kDay)));
  const UtcTime given = now();
  world.clock.advance(30 * kDay);
  due();
  world.clock.advance(7 * kDay);
  ASSERT_TRUE(done(world.execute()));
  const Json predicate = predicate_of(world, "m:1");
  const Json approver = predicate.at("people").back();
  EXPECT_EQ(approver.at("login"), "bob");
  const Json& standing = approver.at("standing_approval");
  EXPECT_EQ(standing.at("retention_class"), "drafts");
  EXPECT_EQ(standing.at("given_at"), to_rfc3339(given));
  EXPECT_EQ(standing.at("valid_until"), to_rfc3339(given + 300 * kDay));
  EXPECT_NE(predicate.at("disposal").at("people_rule_text").get<std::string>().find("in advance"),
            std::string::npos);
}

TEST_F(AStandingApproval, DoesNotCountForPlansThatPeopleMake) {
  ASSERT_TRUE(done(give(now() + 300 * kDay)));
  world.clock.advance(30 * kDay);
  lifecycle::RetireRequest request;
  request.actor = alice();
  request.assets = {world.asset("m:1").id};
  request.reason = "by hand";
  const auto made = world.store->retire(request);
  ASSERT_TRUE(done(made));
  EXPECT_EQ(made->plan.state, PlanState::requested);
  EXPECT_TRUE(made->plan.approvals.empty());
}

TEST_F(AStandingApproval, DoesNotCountForWhatAnotherClassMakesDue) {
  ASSERT_TRUE(done(give(now() + 300 * kDay)));
  add("other:1", "others");
  world.clock.advance(31 * kDay);
  EXPECT_EQ(due({"other:1"}).plan.state, PlanState::requested) << "another class";
  EXPECT_EQ(state_of(world, "other:1"), AssetState::active);
}

TEST_F(AStandingApproval, CountsOnlyForAssetsOfWhichThePersonIsACustodian) {
  add("carols:1", "drafts", {kCarol}, carol());
  ASSERT_TRUE(done(give(now() + 300 * kDay)));
  world.clock.advance(31 * kDay);
  const PlanView both = due({"m:1", "carols:1"});
  EXPECT_EQ(both.plan.state, PlanState::requested);
  EXPECT_EQ(both.needed.items_waiting, 1U);
  EXPECT_EQ(both.needed.custodians, std::vector<std::string>{"carol"});
  const auto answer = world.store->approve(carol(), both.plan.id, to_hex(both.plan.digest));
  ASSERT_TRUE(done(answer));
  EXPECT_EQ(answer->plan.state, PlanState::approved);
  world.clock.advance(7 * kDay);
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state_of(world, "m:1"), AssetState::erased);
  EXPECT_EQ(state_of(world, "carols:1"), AssetState::erased);
}

TEST_F(AStandingApproval, IsNotGivenByRootNorForWhatOneAsksForOneself) {
  expect_refused(give(now() + kDay, person(0, "root")), Errc::access_denied, "root does not");
  ASSERT_TRUE(done(give(now() + 300 * kDay)));
  world.clock.advance(30 * kDay);
  EXPECT_EQ(due({"m:1"}, bob()).plan.state, PlanState::requested) << "bob ran it himself";
}

TEST_F(AStandingApproval, IsRefusedForAClassThatMakesNothingDueAndForTooLong) {
  expect_refused(give(now() + kDay, bob(), "default"), Errc::usage, "makes nothing due");
  expect_refused(give(now() + kDay, bob(), "no-such"), Errc::not_found, "no class");
  expect_refused(give(now()), Errc::approval_expired, "that is over");
  expect_refused(give(now() + 366 * kDay + seconds(1)), Errc::resource_limit, "366 days");
  EXPECT_TRUE(done(give(now() + 366 * kDay)));
}

TEST_F(AStandingApproval, EndsWithItsDayAndWhatCountedOnItWaitsForPeople) {
  ASSERT_TRUE(done(give(now() + 33 * kDay)));
  world.clock.advance(30 * kDay);
  const PlanView made = due();
  EXPECT_EQ(made.plan.state, PlanState::approved);
  world.clock.advance(3 * kDay - seconds(1));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state(made), PlanState::approved);
  EXPECT_EQ(listed().state, StandingState::in_force);
  world.clock.advance(seconds(1));
  EXPECT_EQ(listed().state, StandingState::expired);
  world.clock.advance(seconds(60));
  expect_waits_for_people(made, "was valid until");
}

TEST_F(AStandingApproval, ThatLapsedDoesNotKeepThePersonFromApprovingThePlan) {
  ASSERT_TRUE(done(give(now() + 33 * kDay)));
  world.clock.advance(30 * kDay);
  const PlanView made = due();
  world.clock.advance(20 * kDay);
  expect_waits_for_people(made, "was valid until");
  const auto answer = world.store->approve(bob(), made.plan.id, to_hex(made.plan.digest));
  ASSERT_TRUE(done(answer));
  EXPECT_EQ(answer->plan.state, PlanState::approved);
  EXPECT_EQ(answer->plan.due, now() + 7 * kDay);
  world.clock.advance(7 * kDay);
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state_of(world, "m:1"), AssetState::erased);
  const Json people = predicate_of(world, "m:1").at("people");
  EXPECT_EQ(people.size(), 3U) << "importer, requester, and the approval that counted";
  EXPECT_FALSE(people.back().contains("standing_approval"));
}

TEST_F(AStandingApproval, IsRevokedAtOnce) {
  ASSERT_TRUE(done(give(now() + 300 * kDay)));
  ASSERT_TRUE(done(give(now() + 200 * kDay)));
  world.clock.advance(30 * kDay);
  const PlanView made = due();
  ASSERT_EQ(made.plan.approvals.size(), 1U) << "the one that lasts longest speaks for both";
  EXPECT_EQ(made.plan.approvals.front().standing->until, now() + 270 * kDay);
  const auto nobody = world.store->revoke_standing({carol(), "drafts", ""});
  ASSERT_FALSE(nobody.ok()) << "of carol there is none";
  EXPECT_EQ(nobody.error().code, Errc::not_found);
  const auto revoked = world.store->revoke_standing({bob(), "drafts", "not these"});
  ASSERT_TRUE(done(revoked));
  EXPECT_EQ(revoked->size(), 2U);
  expect_waits_for_people(made, "was revoked");
  EXPECT_EQ(listed().state, StandingState::revoked);
}

TEST_F(AStandingApproval, EndsWithThePerson) {
  ASSERT_TRUE(done(give(now() + 300 * kDay)));
  world.clock.advance(30 * kDay);
  const PlanView made = due();
  world.person_today = [](const domain::Actor&, const std::optional<std::string>&) {
    return Result<std::optional<domain::Actor>>(std::optional<domain::Actor>());
  };
  world.clock.advance(7 * kDay);
  EXPECT_EQ(listed().state, StandingState::voided);
  expect_waits_for_people(made, "nobody here is that person");
}

TEST_F(AStandingApproval, OfAGroupCountsWhileThePersonIsInIt) {
  domain::Actor member = bob();
  member.groups = {2000};
  add("teams:1", "drafts", {{domain::CustodianKind::group, "owners", 2000}}, member);
  ASSERT_TRUE(done(give(now() + 300 * kDay, member)));
  bool in_it = true;
  world.person_today = [&](const domain::Actor& then, const std::optional<std::string>&) {
    domain::Actor today = then;
    if (in_it) today.groups = {2000};
    return Result<std::optional<domain::Actor>>(std::optional(today));
  };
  world.clock.advance(31 * kDay);
  const PlanView made = due({"teams:1"});
  EXPECT_EQ(made.plan.state, PlanState::approved);
  in_it = false;
  world.clock.advance(7 * kDay);
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state(made), PlanState::requested);
  EXPECT_EQ(state_of(world, "teams:1"), AssetState::suspended);
}

TEST_F(AStandingApproval, IsVoidOnceItsClassHasOtherRulesAndDoesNotComeBackWithThem) {
  ASSERT_TRUE(done(give(now() + 300 * kDay)));
  world.clock.advance(30 * kDay);
  const PlanView made = due();
  const auto same = load(std::string(kPolicy) + "[class.more]\nerase-after = \"1 year\"\n");
  ASSERT_TRUE(done(same));
  EXPECT_TRUE(same->voided.empty()) << "its own class is as it was";
  EXPECT_EQ(state(made), PlanState::approved);
  const auto loaded = load(kOtherRules);
  ASSERT_TRUE(done(loaded));
  ASSERT_EQ(loaded->voided.size(), 1U);
  EXPECT_EQ(loaded->voided.front().actor.login, "bob");
  EXPECT_EQ(listed().state, StandingState::voided);
  expect_waits_for_people(made, "got other rules");
  ASSERT_TRUE(done(load(kPolicy)));
  EXPECT_EQ(listed().state, StandingState::voided);
}

TEST_F(AStandingApproval, IsBelievedByNoClockAlone) {
  ASSERT_TRUE(done(give(now() + 300 * kDay)));
  const UtcTime before = now();
  world.clock.set_wall(before + 40 * kDay);
  const PlanView made = due();
  EXPECT_EQ(made.plan.state, PlanState::requested) << "by trusted time it is not due";
  world.clock.set_wall(before);
  ASSERT_TRUE(done(world.store->cancel(alice(), made.plan.id)));
  world.clock.advance(30 * kDay);
  const PlanView again = due();
  EXPECT_EQ(again.plan.state, PlanState::approved);
  world.clock.set_wall(before + 300 * kDay);
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state(again), PlanState::requested) << "by the later clock its day is over";
}

TEST_F(AStandingApproval, ThatWasAlteredInTheCatalogErasesNothing) {
  const std::pair<const char*, const char*> changes[] = {
      {"its end", "UPDATE standing_approval SET valid_until = valid_until + 86400 * 60"},
      {"its class", "UPDATE standing_approval SET class = 'drafts', rules = zeroblob(32)"},
      {"its person", "UPDATE standing_approval SET actor_login = 'mallory'"},
      {"its revocation", "DELETE FROM standing_end"},
      {"its revocation, in the log too",
       "DELETE FROM standing_end; UPDATE log_leaf SET record = replace(record, '\"standing\"', "
       "'\"st\"') WHERE type = 'standing-ended'"},
  };
  ASSERT_TRUE(done(give(now() + 40 * kDay)));
  world.clock.advance(30 * kDay);
  due();
  const auto before = world.keep();
  for (const auto& [what, statement] : changes) {
    world.close();
    world.go_back(*before);
    ASSERT_TRUE(done(world.open()));
    if (std::string(what).find("its revocation") == 0) {
      ASSERT_TRUE(done(world.store->revoke_standing({bob(), "drafts", ""})));
    }
    world.close();
    ASSERT_TRUE(done(sql(world.disk, statement)));
    ASSERT_TRUE(done(world.open()));
    world.clock.advance(7 * kDay);
    static_cast<void>(world.execute().ok());
    EXPECT_NE(state_of(world, "m:1"), AssetState::erased) << what;
    EXPECT_NE(listed().state, StandingState::in_force) << what;
  }
}

TEST_F(AStandingApproval, IsNotEndedByWhatAnotherPersonWritesIntoAReason) {
  const auto bobs = give(now() + 300 * kDay);
  ASSERT_TRUE(done(bobs));
  ASSERT_TRUE(done(give(now() + 300 * kDay, carol())));
  const std::string id = bobs->approval.terms.id.hex();
  ASSERT_TRUE(done(world.store->revoke_standing({carol(), "drafts", id})));
  const auto page = world.store->list_standing("", 10);
  ASSERT_TRUE(done(page));
  for (const StandingView& view : page->rows) {
    const bool is_bobs = view.approval.actor.login == "bob";
    EXPECT_EQ(view.state, is_bobs ? StandingState::in_force : StandingState::revoked) << view.why;
  }
}

TEST_F(AStandingApproval, IsTakenFourTimesFromOnePersonForOneClass) {
  for (int i = 1; i <= 4; ++i) ASSERT_TRUE(done(give(now() + 100 * kDay * i / 2)));
  expect_refused(give(now() + 300 * kDay), Errc::resource_limit, "bob has 4");
  EXPECT_TRUE(done(give(now() + 300 * kDay, bob(), "others"))) << "another class";
  EXPECT_TRUE(done(give(now() + 300 * kDay, carol()))) << "another person";
}

TEST_F(AStandingApproval, GivesTheWholeGraceAlsoWhereTheClockIsALittleBehind) {
  ASSERT_TRUE(done(give(now() + 300 * kDay)));
  world.clock.advance(31 * kDay);
  const UtcTime trusted = now();
  add("left:3");
  world.clock.set_wall(trusted - hours(1) + seconds(60));
  const PlanView made = due();
  EXPECT_EQ(made.plan.state, PlanState::approved);
  EXPECT_GE(made.plan.due.value_or(UtcTime{}), trusted + 7 * kDay);
}

TEST_F(AStandingApproval, ThatEndedLeavesAloneWhatIsInAnotherPlanMeanwhile) {
  add("m:2");
  ASSERT_TRUE(done(give(now() + 300 * kDay)));
  world.clock.advance(31 * kDay);
  const PlanView made = due({"m:1", "m:2"});
  ASSERT_TRUE(done(world.hold({"name=m:2"})));
  make_child_of_the_first("child:1");
  world.clock.advance(7 * kDay);
  ASSERT_TRUE(done(world.execute()));
  ASSERT_EQ(state_of(world, "m:1"), AssetState::suspended) << "for its child it fell out";
  ASSERT_EQ(state(made), PlanState::approved) << "m:2 is held";
  lifecycle::RetireRequest request;
  request.actor = alice();
  request.assets = {world.asset("m:1").id, world.asset("child:1").id};
  request.reason = "by hand";
  const auto by_hand = world.store->retire(request);
  ASSERT_TRUE(done(by_hand));
  ASSERT_TRUE(done(world.store->approve(bob(), by_hand->plan.id, to_hex(by_hand->plan.digest))));
  ASSERT_TRUE(done(world.store->revoke_standing({bob(), "drafts", ""})));
  const auto holds = world.store->list_holds("", 1);
  ASSERT_TRUE(done(world.store->lift_hold(bob(), holds->rows.front().hold.id, "over")));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state(made), PlanState::requested);
  EXPECT_EQ(state_of(world, "m:1"), AssetState::retired) << "of the other plan";
}

TEST_F(AStandingApproval, OfAPlanThatHasBegunLetsTheRestFallOut) {
  add("m:2");
  ASSERT_TRUE(done(give(now() + 300 * kDay)));
  world.clock.advance(31 * kDay);
  const PlanView made = due({"m:1", "m:2"});
  ASSERT_TRUE(done(world.hold({"name=m:2"})));
  world.clock.advance(7 * kDay);
  ASSERT_TRUE(done(world.execute()));
  ASSERT_EQ(state_of(world, "m:1"), AssetState::erased);
  ASSERT_TRUE(done(world.store->revoke_standing({bob(), "drafts", ""})));
  const auto holds = world.store->list_holds("", 1);
  ASSERT_TRUE(done(world.store->lift_hold(bob(), holds->rows.front().hold.id, "over")));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state_of(world, "m:2"), AssetState::suspended);
  EXPECT_EQ(state(made), PlanState::partial);
}

// ---- by signature -------------------------------------------------------------------------------

domain::Actor dora() {
  domain::Actor actor;
  actor.uid = domain::kNoUid;
  actor.login = "dora";
  actor.person = domain::PersonEntry{"dora", "Dora", "", "", "", ""};
  return actor;
}

class ASignedStandingApproval : public AStandingApproval {
 protected:
  void SetUp() override {
    world.find_custodians = [](const std::vector<std::string>& names) {
      std::vector<domain::Custodian> found;
      for (const std::string& name : names) {
        found.push_back({domain::CustodianKind::person, name, domain::kNoUid});
      }
      return Result<std::vector<domain::Custodian>>(found);
    };
    world.person_today = [this](const domain::Actor& then, const std::optional<std::string>& key) {
      const bool known = !key || *key == dora_key.line();
      return Result<std::optional<domain::Actor>>(known ? std::optional(then) : std::nullopt);
    };
    AStandingApproval::SetUp();
    add("doras:1", "drafts", {{domain::CustodianKind::person, "dora", domain::kNoUid}}, dora());
  }
  certificate::SignedAct text(const std::string& decision = "approve") {
    lifecycle::StandingWish wish;
    wish.retention_class = "drafts";
    wish.approver = "dora";
    wish.decision = decision;
    if (decision == "approve") wish.until = now() + 300 * kDay;
    auto act = world.store->standing_to_sign(wish);
    EXPECT_TRUE(done(act));
    return act.ok() ? std::move(act).value() : certificate::SignedAct();
  }
  Result<lifecycle::HandInReport> hand_in(const certificate::SignedAct& act,
                                          HandInVerb verb = HandInVerb::approve) {
    const std::string text = certificate::render(act).value();
    return world.store->hand_in(
        {verb, text, dora_key.sign(text), alice(),
         [](const certificate::SshPublicKey&) { return Result<domain::Actor>(dora()); }});
  }
  void expect_not_taken(const certificate::SignedAct& act, Errc code, const char* why,
                        HandInVerb verb = HandInVerb::approve) {
    const auto report = hand_in(act, verb);
    ASSERT_FALSE(report.ok()) << why;
    EXPECT_EQ(info(report.error().code).name, info(code).name) << report.error().message;
    EXPECT_NE(report.error().message.find(why), std::string::npos) << report.error().message;
  }

  SoftwareKey dora_key{SshKeyType::ed25519};
};

TEST_F(ASignedStandingApproval, CountsAndStandsWholeOnTheCertificate) {
  const certificate::SignedAct act = text();
  const auto report = hand_in(act);
  ASSERT_TRUE(done(report));
  ASSERT_TRUE(report->standing);
  EXPECT_EQ(report->standing->state, StandingState::in_force);
  world.clock.advance(31 * kDay);
  EXPECT_EQ(due({"doras:1"}).plan.state, PlanState::approved);
  world.clock.advance(7 * kDay);
  ASSERT_TRUE(done(world.execute()));
  ASSERT_EQ(state_of(world, "doras:1"), AssetState::erased);
  const Json approver = predicate_of(world, "doras:1").at("people").back();
  const Json& part = approver.at("signature");
  const Bytes kept = from_base64(part.at("text_base64").get<std::string>()).value();
  EXPECT_EQ(as_text(kept), certificate::render(act).value());
  const Bytes signature = from_base64(part.at("signature_base64").get<std::string>()).value();
  const certificate::ssh_sample::StockSshKeygen stock;
  EXPECT_TRUE(stock.verifies(part.at("public_key"), as_text(kept), as_text(signature)));
}

TEST_F(ASignedStandingApproval, IsRevokedByASignatureAndDoesNotComeBack) {
  const certificate::SignedAct act = text();
  ASSERT_TRUE(done(hand_in(act)));
  expect_not_taken(act, Errc::wrong_state, "handed in before");
  world.clock.advance(31 * kDay);
  const PlanView made = due({"doras:1"});
  const certificate::SignedAct no = text("reject");
  expect_not_taken(no, Errc::usage, "which is not for");
  const auto report = hand_in(no, HandInVerb::reject);
  ASSERT_TRUE(done(report));
  EXPECT_EQ(report->standing->state, StandingState::revoked);
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state(made), PlanState::requested) << "before its grace is over";
  expect_not_taken(no, Errc::wrong_state, "ended already", HandInVerb::reject);
  expect_not_taken(act, Errc::wrong_state, "handed in before");
}

TEST_F(ASignedStandingApproval, MustSayWhatTheStoreWouldSay) {
  using Approval = certificate::StandingApproval;
  using Change = void (*)(Approval&);
  const std::tuple<Change, Errc, const char*> changes[] = {
      {[](Approval& act) { act.store = Uuid::random(); }, Errc::not_found, "another store"},
      {[](Approval& act) { act.host = "node8"; }, Errc::verification_failed, "the host"},
      {[](Approval& act) { act.approver = "bob"; }, Errc::verification_failed, "signed it"},
      {[](Approval& act) { act.rules[0] ^= std::byte{1}; }, Errc::plan_stale, "other rules"},
      {[](Approval& act) { act.retention_class = "none"; }, Errc::not_found, "no class"},
      {[](Approval& act) { act.valid_until += 100 * kDay; }, Errc::resource_limit, "366"},
  };
  for (const auto& [change, code, why] : changes) {
    Approval act = std::get<Approval>(text());
    change(act);
    expect_not_taken(act, code, why);
  }
  EXPECT_TRUE(world.store->list_standing("", 10)->rows.empty());
}

TEST_F(ASignedStandingApproval, IsAskedForByWhoIsEnrolledAndRevokedOneByOne) {
  ASSERT_TRUE(done(hand_in(text())));
  ASSERT_TRUE(done(hand_in(text())));
  lifecycle::StandingWish wish;
  wish.retention_class = "drafts";
  wish.approver = "dora";
  wish.decision = "reject";
  const auto several = world.store->standing_to_sign(wish);
  ASSERT_FALSE(several.ok());
  EXPECT_NE(several.error().message.find("has 2"), std::string::npos);
  wish.approval = listed().approval.terms.id;
  const auto one = world.store->standing_to_sign(wish);
  ASSERT_TRUE(done(one));
  EXPECT_EQ(std::get<certificate::StandingRevocation>(*one).approval, *wish.approval);
}

TEST_F(ASignedStandingApproval, EndsWithTheKey) {
  ASSERT_TRUE(done(hand_in(text())));
  world.clock.advance(31 * kDay);
  const PlanView made = due({"doras:1"});
  world.person_today = [](const domain::Actor&, const std::optional<std::string>& key) {
    EXPECT_TRUE(key) << "it was given by a key";
    return Result<std::optional<domain::Actor>>(std::optional<domain::Actor>());
  };
  world.clock.advance(7 * kDay);
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state(made), PlanState::requested);
}

}  // namespace
}  // namespace aierase::test::in_advance
