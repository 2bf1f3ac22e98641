// Who may say what of a plan: the store asks for two persons, and knows them by their numbers.
#include <gtest/gtest.h>

#include <algorithm>

#include "fault/support/inspect.h"
#include "lifecycle/enforcing.h"
#include "lifecycle/standing.h"
#include "unit/lifecycle/life.h"

namespace aierase::test {
namespace {

using domain::CustodianKind;
using domain::PlanState;
using lifecycle::PlanView;

domain::Actor carol() {
  return person(1002, "carol");
}

class People : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(done(world.init(domain::PeopleRule::two_person)));
    ASSERT_TRUE(done(world.open()));
  }

  void add(const std::string& name, std::vector<domain::Custodian> custodians) {
    ImportWish wish = small_asset(name, 1 + world.assets.size());
    wish.custodians = std::move(custodians);
    ASSERT_TRUE(done(world.import(wish)));
  }
  // alice asks for one asset of these custodians.
  PlanView asked(std::vector<domain::Custodian> custodians, const domain::Actor& by = alice()) {
    add("gauss", std::move(custodians));
    return request({"gauss"}, by);
  }
  PlanView request(const std::vector<std::string>& names, const domain::Actor& by = alice()) {
    auto view = world.request(names, by);
    EXPECT_TRUE(done(view));
    return view.ok() ? std::move(view).value() : PlanView();
  }
  Result<PlanView> approve(const PlanView& view, const domain::Actor& by) {
    return world.store->approve(by, view.plan.id, to_hex(view.plan.digest));
  }
  PlanState state(const PlanView& view) {
    const auto now = world.store->show_plan(view.plan.id);
    EXPECT_TRUE(done(now));
    return now.ok() ? now->plan.state : PlanState::failed;
  }
  void expect_denied(const PlanView& view, const domain::Actor& by, const char* why) {
    const auto approved = approve(view, by);
    ASSERT_FALSE(approved.ok()) << by.login << " was believed";
    EXPECT_EQ(info(approved.error().code).name, info(Errc::access_denied).name);
    EXPECT_NE(approved.error().message.find(why), std::string::npos) << approved.error().message;
    EXPECT_FALSE(approved.error().hint.empty());
    EXPECT_EQ(state(view), PlanState::requested);
  }

  World world;
};

const domain::Custodian kBob{CustodianKind::user, "bob", 1001};
const domain::Custodian kCarol{CustodianKind::user, "carol", 1002};

TEST_F(People, WhoAreRootDoNotApproveNotEvenAsCustodian) {
  const PlanView view = asked({{CustodianKind::user, "root", 0}, kBob});
  expect_denied(view, person(0, "root"), "root does not approve");
  domain::Actor by_sudo = person(0, "root");
  by_sudo.audit_login_uid = 1001;
  expect_denied(view, by_sudo, "root does not approve");
}

TEST_F(People, WhoMayNotApproveAreNotNamedAsThoseWhoMay) {
  const domain::Custodian alice_herself{CustodianKind::user, "alice", 1000};
  add("shared", {{CustodianKind::user, "root", 0}, alice_herself, kBob});
  add("own", {alice_herself});
  add("absent", {{CustodianKind::person, "anna", domain::kNoUid}});
  const PlanView shared = request({"shared"});
  EXPECT_EQ(shared.needed.custodians, std::vector<std::string>{"bob"});
  EXPECT_EQ(shared.needed.items_of_nobody, 0U);
  EXPECT_TRUE(shared.needed.by_signature.empty());
  const PlanView own = request({"own"});
  EXPECT_TRUE(own.needed.custodians.empty());
  EXPECT_EQ(own.needed.items_of_nobody, 1U);
  const PlanView absent = request({"absent"});
  EXPECT_EQ(absent.needed.custodians, std::vector<std::string>{"anna"});
  EXPECT_EQ(absent.needed.by_signature, std::vector<std::string>{"anna"});
}

TEST_F(People, WhoAreTooFewAreKnownToBe) {
  ASSERT_TRUE(done(world.store->load_policy(
      {bob(), {{"rules.toml", "[class.default]\napprovals = 2\n"}}, "as agreed"})));
  const domain::Custodian owners{CustodianKind::group, "owners", 2000};
  add("one", {kBob});
  add("two", {kBob, kCarol});
  add("group", {kBob, owners});
  EXPECT_EQ(request({"one"}).needed.items_of_nobody, 1U);
  EXPECT_EQ(request({"two"}).needed.items_of_nobody, 0U);
  EXPECT_EQ(request({"group"}).needed.items_of_nobody, 0U) << "nobody can tell who is in it";
}

TEST_F(People, WhoAreRootDoNotAnswerForAnAssetAlone) {
  const domain::Custodian root{CustodianKind::user, "root", 0};
  ImportWish wish = small_asset("rooted", 1);
  wish.custodians = {root};
  const Status refused = world.import(wish);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::usage);
  add("gauss", {kBob});
  lifecycle::Store::Changes changes;
  changes.custodians = {root};
  changes.reason = "handed over";
  const auto set = world.store->set_asset(bob(), world.asset("gauss").id, changes);
  ASSERT_FALSE(set.ok());
  EXPECT_EQ(set.error().code, Errc::usage);
}

TEST_F(People, WhoRequestedDoNotApproveUnderAnyAccount) {
  const PlanView view =
      asked({{CustodianKind::user, "alice", 1000}, {CustodianKind::user, "alice-adm", 1500}, kBob});
  expect_denied(view, alice(), "whoever requested");
  domain::Actor other_account = person(1500, "alice-adm");
  other_account.audit_login_uid = 1000;
  expect_denied(view, other_account, "under any account");
}

TEST_F(People, WhoRequestedUnderAnotherAccountAreKnownByTheirLogin) {
  domain::Actor by_sudo = person(1500, "deploy");
  by_sudo.audit_login_uid = 1001;
  const PlanView view = asked({kBob, kCarol}, by_sudo);
  expect_denied(view, bob(), "whoever requested");
  domain::Actor third = person(1002, "carol");
  third.audit_login_uid = 1001;
  expect_denied(view, third, "whoever requested");
  EXPECT_TRUE(done(approve(view, carol())));
}

TEST_F(People, AreCustodiansByTheirNumberAndNotByTheirName) {
  const PlanView view = asked({kBob});
  expect_denied(view, person(1009, "bob"), "no custodian");
  const auto renamed = approve(view, person(1001, "robert"));
  ASSERT_TRUE(done(renamed));
  EXPECT_EQ(renamed->plan.state, PlanState::approved);
  ASSERT_EQ(renamed->plan.approvals.size(), 1U);
  EXPECT_EQ(renamed->plan.approvals[0].capacities, std::vector<std::string>{"bob"});
}

TEST_F(People, SpeakForAGroupWhileTheyAreInIt) {
  const PlanView view = asked({{CustodianKind::group, "ml-owners", 2000}});
  EXPECT_EQ(view.needed.custodians, std::vector<std::string>{"@ml-owners"});
  expect_denied(view, person(2000, "ml-owners"), "no custodian");
  domain::Actor member = carol();
  member.groups = {100, 2000};
  const auto approved = approve(view, member);
  ASSERT_TRUE(done(approved));
  EXPECT_EQ(approved->plan.state, PlanState::approved);
}

TEST_F(People, AreNeededForEveryItemAndCountOnce) {
  add("gauss", {kBob});
  add("euler", {kCarol});
  const PlanView view = request({"gauss", "euler"});
  EXPECT_EQ(view.needed.items_waiting, 2U);
  EXPECT_EQ(view.needed.custodians, (std::vector<std::string>{"bob", "carol"}));
  const auto first = approve(view, bob());
  ASSERT_TRUE(done(first));
  EXPECT_EQ(first->plan.state, PlanState::requested);
  EXPECT_EQ(first->needed.custodians, std::vector<std::string>{"carol"});
  const auto again = approve(view, bob());
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Errc::wrong_state);
  EXPECT_TRUE(done(world.execute()));
  EXPECT_TRUE(done(world.read_back(world.asset("gauss")))) << "half a plan is no plan";
  const auto last = approve(view, carol());
  ASSERT_TRUE(done(last));
  EXPECT_EQ(last->plan.state, PlanState::approved);
  EXPECT_TRUE(done(world.execute()));
  EXPECT_EQ(state(view), PlanState::done);
}

TEST_F(People, ApproveWhatTheyHaveSeen) {
  const PlanView view = asked({kBob});
  const std::string digest = to_hex(view.plan.digest);
  std::string other = digest;
  other[11] = other[11] == '0' ? '1' : '0';
  for (const auto& [typed, code] : {std::pair<std::string, Errc>{other, Errc::plan_stale},
                                    {other.substr(0, 12), Errc::plan_stale},
                                    {digest.substr(0, 11), Errc::usage},
                                    {"", Errc::usage},
                                    {digest + "0", Errc::usage}}) {
    const auto approved = world.store->approve(bob(), view.plan.id, typed);
    ASSERT_FALSE(approved.ok()) << typed;
    EXPECT_EQ(approved.error().code, code) << typed;
  }
  EXPECT_TRUE(done(world.store->approve(bob(), view.plan.id, digest.substr(0, 12))));
}

TEST_F(People, WhoMayApproveMayRejectAndNobodyElse) {
  const PlanView view = asked({kBob});
  for (const domain::Actor& actor : {alice(), carol(), person(0, "root")}) {
    const auto rejected = world.store->reject(actor, view.plan.id, "not yet");
    ASSERT_FALSE(rejected.ok()) << actor.login;
    EXPECT_EQ(rejected.error().code, Errc::access_denied);
  }
  EXPECT_EQ(world.store->reject(bob(), view.plan.id, "").error().code, Errc::usage);
  const auto rejected = world.store->reject(bob(), view.plan.id, "still in use");
  ASSERT_TRUE(done(rejected));
  EXPECT_EQ(rejected->plan.state, PlanState::rejected);
  EXPECT_EQ(approve(view, bob()).error().code, Errc::approval_refused);
  EXPECT_TRUE(done(world.read_back(world.asset("gauss"))));
  EXPECT_TRUE(done(world.request({"gauss"}))) << "a rejected plan binds nothing";
}

TEST_F(People, MayCancelUntilItIsDone) {
  const PlanView view = asked({kBob});
  ASSERT_TRUE(done(approve(view, bob())));
  const auto cancelled = world.store->cancel(alice(), view.plan.id);
  ASSERT_TRUE(done(cancelled));
  EXPECT_EQ(cancelled->plan.state, PlanState::cancelled);
  EXPECT_EQ(cancelled->plan.items[0].state, domain::ItemState::dropped);
  EXPECT_TRUE(done(world.execute()));
  const auto asset = world.store->show_asset(world.asset("gauss").id);
  ASSERT_TRUE(done(asset));
  EXPECT_EQ(asset->asset.state, domain::AssetState::suspended);
  EXPECT_EQ(world.store->cancel(alice(), view.plan.id).error().code, Errc::wrong_state);
  ASSERT_TRUE(done(world.store->resume_asset(bob(), world.asset("gauss").id, "needed")));
  EXPECT_TRUE(done(world.read_back(world.asset("gauss"))));
  ASSERT_TRUE(done(world.erase({"gauss"})));
  const auto plans = world.store->list_plans("", 1);
  ASSERT_TRUE(done(plans));
  EXPECT_EQ(world.store->cancel(alice(), plans->rows[0].id).error().code, Errc::wrong_state);
}

TEST_F(People, HaveThirtyDaysToApprove) {
  const PlanView view = asked({kBob});
  world.clock.advance(std::chrono::hours(30 * 24));
  EXPECT_EQ(approve(view, bob()).error().code, Errc::approval_expired);
  EXPECT_TRUE(done(world.execute()));
  EXPECT_EQ(state(view), PlanState::expired);
  EXPECT_TRUE(done(world.request({"gauss"})));
}

// ---- whose login nobody knows -------------------------------------------------------------------

domain::Actor hidden(domain::Actor actor,
                     domain::LoginSight sight = domain::LoginSight::process_gone) {
  actor.audit_login_uid.reset();
  actor.login_sight = sight;
  return actor;
}

class WhoHidesALogin : public People {
 protected:
  void SetUp() override {
    People::SetUp();
    ASSERT_TRUE(done(world.hold({"name=*"}, domain::HoldReach::future)));
    add("gauss", {kBob});
    custody.custodians = {kCarol};
    custody.reason = "bob leaves";
  }
  // Of every act that takes two persons; its refusal, or that it was done.
  std::vector<std::pair<std::string, Status>> all_acts(const domain::Actor& by) {
    const Uuid gauss = world.asset("gauss").id;
    const Uuid hold = world.store->list_holds("", 1)->rows.front().hold.id;
    lifecycle::ValidateRequest verdict;
    verdict.actor = by;
    verdict.verdict = domain::Validation::accepted;
    lifecycle::EnforceRun run(*world.store, {by, lifecycle::Persist::yes, std::nullopt});
    return {{"retire", status(world.request({"gauss"}, by))},
            {"approve", status(world.store->approve(by, Uuid::random(), ""))},
            {"reject", status(world.store->reject(by, Uuid::random(), "no"))},
            {"cancel", status(world.store->cancel(by, Uuid::random()))},
            {"validate", status(world.store->validate(verdict))},
            {"in advance", status(world.store->approve_standing({by, "default", {}}))},
            {"enforce", status(run.step())},
            {"confirm-clock", status(world.store->confirm_clock(by))},
            {"policy load", status(world.store->load_policy({by, {}, "", yes}))},
            {"custodians", status(world.store->set_asset(by, gauss, custody))},
            {"lift", status(world.store->lift_hold(by, hold, "over"))}};
  }
  template <typename T>
  static Status status(const Result<T>& result) {
    return result.ok() ? Status() : Status(result.error());
  }

  static constexpr lifecycle::Persist yes = lifecycle::Persist::yes;
  lifecycle::Store::Changes custody;
};

TEST_F(WhoHidesALogin, DoesNothingThatTakesTwoPersons) {
  for (const domain::LoginSight sight :
       {domain::LoginSight::process_gone, domain::LoginSight::other_account,
        domain::LoginSight::unreadable}) {
    for (const auto& [act, refusal] : all_acts(hidden(bob(), sight))) {
      ASSERT_FALSE(refusal.ok()) << act;
      EXPECT_EQ(info(refusal.error().code).name, info(Errc::access_denied).name) << act;
      EXPECT_NE(refusal.error().message.find("nobody knows as whom bob logged in"),
                std::string::npos)
          << act << ": " << refusal.error().message;
      EXPECT_FALSE(refusal.error().hint.empty()) << act;
    }
  }
  EXPECT_TRUE(world.store->list_plans("", 1)->rows.empty());
}

TEST_F(WhoHidesALogin, IsNotWhoeverDidNotLogIn) {
  domain::Actor service = hidden(bob(), domain::LoginSight::told);
  for (const auto& [act, outcome] : all_acts(service)) {
    EXPECT_TRUE(outcome.ok() || outcome.error().code != Errc::access_denied) << act;
  }
}

TEST_F(WhoHidesALogin, MayLookAndMayUse) {
  lifecycle::RetireRequest look;
  look.actor = hidden(alice());
  look.assets = {world.asset("gauss").id};
  look.reason = "what if";
  look.skip_blocked = lifecycle::SkipBlocked::yes;
  look.persist = lifecycle::Persist::dry_run;
  EXPECT_NE(status(world.store->retire(look)).ok() ? Errc::unexpected
                                                   : world.store->retire(look).error().code,
            Errc::access_denied);
  lifecycle::Store::Changes label;
  label.labels = {{"seen", "yes"}};
  label.reason = "sorted";
  EXPECT_TRUE(done(world.store->set_asset(hidden(bob()), world.asset("gauss").id, label)));
}

TEST(WhoHidesALoginFromOneself, IsTheSingleOperatorAllTheSame) {
  World single;
  ASSERT_TRUE(done(single.init(domain::PeopleRule::single_operator)));
  ASSERT_TRUE(done(single.open()));
  ASSERT_TRUE(done(single.import(small_asset("gauss", 1))));
  const auto view = single.request({"gauss"}, hidden(alice()));
  ASSERT_TRUE(done(view));
  EXPECT_TRUE(
      done(single.store->approve(hidden(alice()), view->plan.id, to_hex(view->plan.digest))));
}

// ---- an approval dies with what it was given for ------------------------------------------------

class AnApproval : public People {
 protected:
  // Approved by bob; then the world changes, and the daemon gets to it.
  void expect_dead(Errc code, const std::string& name = "gauss") {
    ASSERT_TRUE(done(world.execute()));
    const auto plan = world.store->show_plan(approved.plan.id);
    ASSERT_TRUE(done(plan));
    EXPECT_EQ(plan->plan.state, PlanState::failed);
    ASSERT_FALSE(plan->plan.items[0].reasons.empty());
    EXPECT_EQ(info(plan->plan.items[0].reasons[0].code).name, info(code).name)
        << plan->plan.items[0].reasons[0].text;
    const auto asset = world.store->show_asset(world.asset(name).id);
    ASSERT_TRUE(done(asset));
    EXPECT_EQ(asset->asset.state, domain::AssetState::suspended);
    EXPECT_EQ(world.stolen().count(world.asset(name).id), 1U);
    EXPECT_TRUE(world.store->list_certificates("", 10)->rows.empty());
  }
  void approve_gauss() {
    approved = asked({kBob});
    ASSERT_TRUE(done(approve(approved, bob())));
  }

  PlanView approved;
};

TEST_F(AnApproval, DiesWhenTheCustodianHandsOver) {
  approve_gauss();
  lifecycle::Store::Changes changes;
  changes.custodians = {kCarol};
  changes.reason = "bob leaves";
  const Uuid id = world.asset("gauss").id;
  EXPECT_EQ(world.store->set_asset(alice(), id, changes).error().code, Errc::access_denied);
  ASSERT_TRUE(done(world.store->set_asset(bob(), id, changes)));
  expect_dead(Errc::approval_missing);
}

ImportWish made_of(const std::string& parent, domain::Relation relation) {
  ImportWish adapter = small_asset("gauss-lora", 40);
  adapter.lineage = {{relation, parent}};
  return adapter;
}

TEST_F(AnApproval, DiesWhenSomethingNewCameFromTheItemBeforeIt) {
  approved = asked({kBob});
  ASSERT_TRUE(done(world.import(made_of("gauss", domain::Relation::derived_from))));
  ASSERT_TRUE(done(approve(approved, bob())));
  expect_dead(Errc::plan_stale);
}

TEST_F(AnApproval, IsNotUndoneByWhatSomebodyMakesOfTheItemAfterIt) {
  approve_gauss();
  for (const domain::Relation relation :
       {domain::Relation::derived_from, domain::Relation::trained_on,
        domain::Relation::configured_by}) {
    const Status refused = world.import(made_of("gauss", relation));
    ASSERT_FALSE(refused.ok()) << domain::to_text(relation);
    EXPECT_EQ(info(refused.error().code).name, info(Errc::wrong_state).name);
    EXPECT_NE(refused.error().message.find("alice asked for it: superseded"), std::string::npos)
        << refused.error().message;
  }
  const auto plan = world.store->show_plan(approved.plan.id);
  ASSERT_EQ(plan->attempted_uses.size(), 1U);
  EXPECT_EQ(plan->attempted_uses[0].count, 3U);
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state(approved), PlanState::done);
  EXPECT_TRUE(done(world.import(made_of("gauss", domain::Relation::derived_from))))
      << "of what is erased only the lineage is left";
}

TEST_F(AnApproval, IsNotUndoneByWhatIsCommittedAfterIt) {
  const PlanView view = asked({kBob});
  lifecycle::ImportRequest late;
  late.actor = alice();
  late.name = "gauss-key";
  late.kind = domain::AssetKind::dataset_key;
  late.custodians = {kBob};
  late.lineage = {{domain::Relation::configured_by, "gauss"}};
  auto begun = world.store->begin_import(late);
  ASSERT_TRUE(done(begun));
  const Uuid id = begun->asset;
  ASSERT_TRUE(done(approve(view, bob())));
  const auto finished = world.store->finish_key_import(std::move(*begun), std::nullopt, {});
  ASSERT_FALSE(finished.ok());
  EXPECT_EQ(info(finished.error().code).name, info(Errc::wrong_state).name);
  ASSERT_TRUE(done(world.store->abort_import(id)));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(state(view), PlanState::done);
}

TEST_F(AnApproval, DoesNotKeepAwayWhatSupersedesTheItem) {
  approve_gauss();
  EXPECT_TRUE(done(world.import(made_of("gauss", domain::Relation::supersedes))));
}

TEST_F(AnApproval, OfOnePersonDiesWhenTheStoreAsksForTwo) {
  world.close();
  World single;
  ASSERT_TRUE(done(single.init(domain::PeopleRule::single_operator)));
  ASSERT_TRUE(done(single.open()));
  ASSERT_TRUE(done(single.import(small_asset("gauss", 1))));
  const auto view = single.request({"gauss"});
  ASSERT_TRUE(done(view));
  ASSERT_TRUE(done(single.store->approve(alice(), view->plan.id, to_hex(view->plan.digest))));
  ASSERT_TRUE(done(single.store->tighten_people_rule(alice())));
  EXPECT_EQ(single.store->tighten_people_rule(alice()).error().code, Errc::wrong_state);
  ASSERT_TRUE(done(single.execute()));
  const auto after = single.store->show_plan(view->plan.id);
  ASSERT_TRUE(done(after));
  EXPECT_EQ(after->plan.state, PlanState::failed);
  EXPECT_EQ(after->plan.items[0].reasons[0].code, Errc::approval_missing);
}

TEST_F(AnApproval, DiesWhenTheItemIsNoLongerWhatTheDigestCovers) {
  approve_gauss();
  world.close();
  ASSERT_TRUE(done(sql(world.disk, "UPDATE asset SET name = 'gauss-2' WHERE name = 'gauss';")));
  ASSERT_TRUE(done(world.open()));
  expect_dead(Errc::plan_stale);
}

// Somebody with a shell adds to a plan that was approved without it.
TEST_F(AnApproval, CoversNoItemThatWasAddedLater) {
  add("euler", {kBob});
  approve_gauss();
  world.close();
  ASSERT_TRUE(done(sql(
      world.disk,
      "UPDATE asset SET state = 'retired' WHERE name = 'euler';"
      "INSERT INTO plan_item (plan, position, asset, name, kcv, bytes, verdict, reasons, state) "
      "SELECT (SELECT max(id) FROM plan), 1, uuid, name, kcv, bytes, 'eligible', '[]', 'pending' "
      "FROM asset WHERE name = 'euler';")));
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(world.stolen().count(world.asset("euler").id), 1U);
  expect_dead(Errc::plan_stale, "euler");
}

}  // namespace
}  // namespace aierase::test
