// The gate as a table: each fact alone stops, and nothing else does.
#include <gtest/gtest.h>

#include "lifecycle/gate.h"

namespace aierase::lifecycle {
namespace {

using domain::AssetState;
using domain::PeopleRule;
using domain::PlanState;
using domain::Verdict;

const UtcTime kNow = from_unix(1'767'225'600);

domain::Actor who(std::uint32_t uid, const char* login) {
  domain::Actor actor;
  actor.uid = uid;
  actor.login = login;
  return actor;
}

// Everything is in order for an execution.
struct Case {
  Case() {
    asset.id = Uuid::random();
    asset.state = AssetState::retired;
    asset.custodians = {{domain::CustodianKind::user, "bob", 1001}};
    input.purpose = Purpose::execution;
    input.asset.key = KeyCheck::matches;
    input.plan.state = PlanState::approved;
    input.plan.requester = who(1000, "alice");
    input.plan.due = kNow;
    input.clock.wall = input.clock.trusted = kNow;
    domain::Approval approval;
    approval.actor = who(1001, "bob");
    approval.capacities = {"bob"};
    input.plan.approvals = {approval};
  }
  GateDecision decide() {
    input.asset.asset = &asset;
    return Gate::decide(input);
  }
  domain::Asset asset;
  GateInput input;
};

TEST(TheGate, OpensWhenEverythingIsInOrder) {
  Case one;
  const GateDecision decision = one.decide();
  EXPECT_EQ(decision.verdict, Verdict::due);
  EXPECT_TRUE(decision.reasons.empty());
  ASSERT_TRUE(decision.permit.has_value());
  EXPECT_EQ(decision.permit->asset(), one.asset.id);
}

struct Fact {
  const char* name;
  void (*set)(Case&);
  Errc code;
};
void PrintTo(const Fact& fact, std::ostream* out) {
  *out << fact.name;
}

domain::Hold a_hold() {
  domain::Hold hold;
  hold.matter = "case 7";
  return hold;
}

domain::Approval& approval_of(Case& one) {
  if (one.input.plan.approvals.empty()) one.input.plan.approvals.emplace_back();
  return one.input.plan.approvals[0];
}

const Fact kFacts[] = {
    {"it is active", [](Case& c) { c.asset.state = AssetState::active; }, Errc::wrong_state},
    {"it is suspended", [](Case& c) { c.asset.state = AssetState::suspended; }, Errc::wrong_state},
    {"it is being erased", [](Case& c) { c.asset.state = AssetState::erasing; }, Errc::wrong_state},
    {"it is erased", [](Case& c) { c.asset.state = AssetState::erased; }, Errc::erased},
    {"a hold", [](Case& c) { c.input.asset.holds = {a_hold()}; }, Errc::legal_hold},
    {"a floor",
     [](Case& c) {
       c.input.policy.floors = {{Errc::retention_floor, "until 2030"}};
     },
     Errc::retention_floor},
    {"a conflict",
     [](Case& c) {
       c.input.policy.conflicts = {{Errc::policy_conflict, "floor and ceiling"}};
     },
     Errc::policy_conflict},
    {"another plan", [](Case& c) { c.input.asset.other_plan = Uuid::random(); }, Errc::wrong_state},
    {"it changed", [](Case& c) { c.input.asset.binding = Binding::changed; }, Errc::plan_stale},
    {"a dependant", [](Case& c) { c.input.asset.open_dependants.emplace_back(); },
     Errc::plan_stale},
    {"no approval", [](Case& c) { c.input.plan.approvals.clear(); }, Errc::approval_missing},
    {"an approval by root", [](Case& c) { approval_of(c).actor = who(0, "root"); },
     Errc::approval_missing},
    {"an approval by who asked", [](Case& c) { approval_of(c).actor = who(1000, "alice"); },
     Errc::approval_missing},
    {"an approval by who asked, by su",
     [](Case& c) { approval_of(c).actor.audit_login_uid = 1000; }, Errc::approval_missing},
    {"an approval as custodian of others", [](Case& c) { approval_of(c).capacities = {"@data"}; },
     Errc::approval_missing},
    {"a refusal among the approvals",
     [](Case& c) { approval_of(c).decision = domain::Decision::reject; }, Errc::approval_missing},
    {"an approval that was tampered with", [](Case& c) { c.input.plan.altered = "bob"; },
     Errc::damaged},
    {"no custodian at all", [](Case& c) { c.asset.custodians.clear(); }, Errc::approval_missing},
    {"a plan that is only requested", [](Case& c) { c.input.plan.state = PlanState::requested; },
     Errc::approval_missing},
    {"a plan that was cancelled", [](Case& c) { c.input.plan.state = PlanState::cancelled; },
     Errc::approval_missing},
    {"no moment", [](Case& c) { c.input.plan.due.reset(); }, Errc::approval_missing},
    {"a moment before that of the log",
     [](Case& c) { c.input.plan.agreed = kNow + std::chrono::seconds(1); }, Errc::damaged},
    {"a moment one second away", [](Case& c) { c.input.plan.due = kNow + std::chrono::seconds(1); },
     Errc::clock},
    {"a key that was not looked at", [](Case& c) { c.input.asset.key = KeyCheck::not_read; },
     Errc::unexpected},
    {"another's key", [](Case& c) { c.input.asset.key = KeyCheck::differs; }, Errc::damaged},
    {"no key", [](Case& c) { c.input.asset.key = KeyCheck::absent; }, Errc::damaged},
    {"a key behind damage", [](Case& c) { c.input.asset.key = KeyCheck::unreadable; },
     Errc::damaged},
    {"a reader", [](Case& c) { c.input.asset.open_leases = 1; }, Errc::busy},
};

class EachFactAlone : public ::testing::TestWithParam<Fact> {};

TEST_P(EachFactAlone, StopsAnExecutionAndIsNamed) {
  Case one;
  GetParam().set(one);
  const GateDecision decision = one.decide();
  EXPECT_FALSE(decision.permit.has_value());
  ASSERT_EQ(decision.reasons.size(), 1U);
  EXPECT_EQ(decision.reasons[0].code, GetParam().code) << decision.reasons[0].text;
  EXPECT_FALSE(decision.reasons[0].text.empty());
  EXPECT_TRUE(decision.verdict == Verdict::blocked || decision.verdict == Verdict::conflict);
}

INSTANTIATE_TEST_SUITE_P(OfTheTable, EachFactAlone, ::testing::ValuesIn(kFacts));

TEST(TheGate, NamesEveryReasonAtOnce) {
  for (const Fact& first : kFacts) {
    for (const Fact& second : kFacts) {
      Case one;
      first.set(one);
      second.set(one);
      const GateDecision decision = one.decide();
      EXPECT_FALSE(decision.permit.has_value()) << first.name << ", " << second.name;
      EXPECT_GE(decision.reasons.size(), 1U);
    }
  }
}

TEST(TheGate, GivesNoPermitForARequestOrAnApproval) {
  for (const Purpose purpose : {Purpose::request, Purpose::approval}) {
    Case one;
    one.input.purpose = purpose;
    one.asset.state = AssetState::active;
    const GateDecision decision = one.decide();
    EXPECT_EQ(decision.verdict, Verdict::eligible);
    EXPECT_FALSE(decision.permit.has_value());
  }
}

TEST(TheGate, BelievesTheSlowerClockWhenNobodyAttends) {
  Case one;
  one.input.attendance = Attendance::unattended;
  one.input.clock.trusted = kNow - std::chrono::seconds(1);
  EXPECT_FALSE(one.decide().permit.has_value());
  one.input.clock.trusted = kNow;
  one.input.clock.wall = kNow - std::chrono::seconds(1);
  EXPECT_FALSE(one.decide().permit.has_value());
  one.input.clock.wall = kNow;
  EXPECT_TRUE(one.decide().permit.has_value());
  one.input.clock.anomalies = {{Errc::clock, "the clocks are apart"}};
  EXPECT_FALSE(one.decide().permit.has_value());
  one.input.attendance = Attendance::attended;
  EXPECT_TRUE(one.decide().permit.has_value()) << "a person has looked";
}

TEST(TheGate, BrakesWhatTheNightlyRunMadeUntilOnePersonMoreApproves) {
  Case one;
  one.input.brake.trips = {{Errc::brake, "30 items in a run"}};
  EXPECT_TRUE(one.decide().permit.has_value()) << "a person made it";
  one.input.plan.origin = domain::PlanOrigin::enforce;
  one.input.policy.verdict = Verdict::due;
  EXPECT_FALSE(one.decide().permit.has_value());
  one.input.plan.braked_at = 7;
  EXPECT_EQ(one.decide().reasons.at(0).code, Errc::approval_missing);
  one.asset.custodians.push_back({domain::CustodianKind::user, "carol", 1002});
  domain::Approval second;
  second.actor = who(1002, "carol");
  second.capacities = {"carol"};
  second.log_index = 6;
  one.input.plan.approvals.push_back(second);
  EXPECT_FALSE(one.decide().permit.has_value()) << "she approved before it tripped";
  one.input.plan.approvals.back().log_index = 8;
  EXPECT_TRUE(one.decide().permit.has_value());
}

TEST(TheGate, LetsNothingOfTheNightlyRunGoThatNoRuleMakesDue) {
  Case one;
  one.input.plan.origin = domain::PlanOrigin::enforce;
  for (const Verdict verdict : {Verdict::eligible, Verdict::conflict}) {
    one.input.policy.verdict = verdict;
    EXPECT_FALSE(one.decide().permit.has_value());
  }
  one.input.policy.verdict = Verdict::due;
  EXPECT_TRUE(one.decide().permit.has_value());
}

TEST(TheGate, LetsOnePersonDoBothOnlyWhereTheStoreSaysSo) {
  Case one;
  one.input.plan.approvals[0].actor = who(1000, "alice");
  one.input.plan.approvals[0].capacities = {"single operator"};
  EXPECT_FALSE(one.decide().permit.has_value());
  one.input.people_rule = PeopleRule::single_operator;
  EXPECT_TRUE(one.decide().permit.has_value());
}

TEST(StandingOfAnApprover, ComesFromEveryAccountOfTheRequester) {
  const PeopleRule two = PeopleRule::two_person;
  domain::Actor alice = who(1000, "alice"), bob = who(1001, "bob");
  EXPECT_EQ(standing_of(bob, alice, two), Standing::counts);
  EXPECT_EQ(standing_of(alice, alice, two), Standing::is_requester);
  EXPECT_EQ(standing_of(who(0, "root"), alice, two), Standing::is_root);
  domain::Actor service = who(990, "deploy");
  service.audit_login_uid = 1001;  // bob asked through a service account
  EXPECT_EQ(standing_of(bob, service, two), Standing::is_requester);
  domain::Actor other = who(991, "other");
  other.audit_login_uid = 1001;
  EXPECT_EQ(standing_of(other, service, two), Standing::is_requester);
  EXPECT_EQ(standing_of(other, bob, two), Standing::is_requester);
}

// An approval by somebody of people.toml, as what he is called there.
domain::Approval approval_by(const char* person, std::uint32_t uid = domain::kNoUid) {
  domain::Approval approval;
  approval.actor = who(uid, person);
  approval.actor.person = domain::PersonEntry{person, person, "", "", "", ""};
  approval.capacities = {person};
  return approval;
}

std::size_t counted(const std::vector<domain::Custodian>& custodians,
                    const std::vector<domain::Approval>& approvals,
                    const std::vector<std::string>& named_by_class = {},
                    const domain::Actor* loader = nullptr) {
  PolicyFacts policy;
  policy.custodians = named_by_class;
  policy.loader = loader;
  const domain::Actor requester = who(1000, "alice");
  const std::string no_basis;
  return count_approvals(custodians, policy, {requester, no_basis, std::nullopt}, approvals,
                         PeopleRule::two_person)
      .counted;
}

TEST(Approvals, CountPeopleWhoHaveNoAccountEachForOne) {
  const std::vector<domain::Custodian> custodians{
      {domain::CustodianKind::person, "dora", domain::kNoUid},
      {domain::CustodianKind::person, "emil", domain::kNoUid}};
  EXPECT_EQ(counted(custodians, {approval_by("dora"), approval_by("emil")}), 2U);
  EXPECT_EQ(counted(custodians, {approval_by("dora"), approval_by("dora")}), 1U);
  EXPECT_EQ(counted({}, {approval_by("dora"), approval_by("emil")}, {"dora", "emil"}), 2U);
}

TEST(Approvals, OfOnePersonByAccountAndBySignatureAreOne) {
  const std::vector<domain::Custodian> custodians{{domain::CustodianKind::person, "dora", 1004}};
  domain::Approval by_account = approval_by("dora", 1004);
  by_account.actor.person.reset();
  EXPECT_EQ(counted(custodians, {by_account, approval_by("dora", 1004)}), 1U);
  EXPECT_EQ(counted(custodians, {approval_by("dora"), approval_by("dora", 1004)}), 1U);
}

TEST(Approvals, OfAPersonDoNotCountForAUserOfThatName) {
  const std::vector<domain::Custodian> user{{domain::CustodianKind::user, "dora", 1009}};
  EXPECT_EQ(counted(user, {approval_by("dora")}), 0U);
  EXPECT_EQ(counted(user, {approval_by("dora", 1009)}), 1U);
}

TEST(Approvals, OfWhoLoadedThePolicyDoNotCountByWhatItSaysOfHim) {
  const std::vector<domain::Custodian> own{{domain::CustodianKind::user, "bob", 1001}};
  domain::Approval by_bob;
  by_bob.actor = who(1001, "bob");
  by_bob.capacities = {"bob"};
  domain::Actor by_sudo = who(0, "root");
  by_sudo.audit_login_uid = 1001;
  for (const domain::Actor& loader : {who(1001, "bob"), by_sudo}) {
    EXPECT_EQ(counted({}, {by_bob}, {"bob"}, &loader), 0U) << loader.login;
    EXPECT_EQ(counted(own, {by_bob}, {"bob"}, &loader), 1U) << loader.login;
  }
  const domain::Actor carol = who(1002, "carol");
  EXPECT_EQ(counted({}, {by_bob}, {"bob"}, &carol), 1U);
}

// ---- approvals in advance -----------------------------------------------------------------------

// Approved by bob in advance alone, for the class that makes it due, up to the next second.
struct CaseInAdvance : Case {
  CaseInAdvance() {
    StandingFacts facts;
    facts.approval.terms.id = Uuid::random();
    facts.approval.terms.retention_class = "drafts";
    facts.approval.terms.from = kNow;
    facts.approval.terms.until = kNow + std::chrono::seconds(1);
    facts.approval.actor = who(1001, "bob");
    facts.rules = facts.approval.terms.rules;
    facts.capacities = {"bob"};
    input.plan.approvals[0].standing = facts.approval.terms;
    input.plan.standing = {facts};
    input.plan.origin = domain::PlanOrigin::enforce;
    input.policy.due_by = "drafts";
    input.policy.verdict = domain::Verdict::due;
  }
  StandingFacts& facts() { return input.plan.standing[0]; }
};

TEST(AnApprovalInAdvance, OpensTheGateForWhatItsClassMakesDue) {
  CaseInAdvance one;
  EXPECT_TRUE(one.decide().permit.has_value());
}

struct LapsedFact {
  const char* name;
  void (*set)(CaseInAdvance&);
  Errc code;
};
void PrintTo(const LapsedFact& fact, std::ostream* out) {
  *out << fact.name;
}

const LapsedFact kLapsedFacts[] = {
    {"the wall clock is at its end",
     [](CaseInAdvance& c) { c.input.clock.wall += std::chrono::seconds(1); },
     Errc::approval_expired},
    {"trusted time is at its end",
     [](CaseInAdvance& c) { c.input.clock.trusted += std::chrono::seconds(1); },
     Errc::approval_expired},
    {"the wall clock is before its begin",
     [](CaseInAdvance& c) {
       c.facts().approval.terms.from += std::chrono::seconds(1);
       c.facts().approval.terms.until += std::chrono::seconds(2);
       c.input.clock.trusted += std::chrono::seconds(1);
     },
     Errc::approval_expired},
    {"it was revoked", [](CaseInAdvance& c) { c.facts().approval.end.emplace(); },
     Errc::approval_refused},
    {"the class has other rules", [](CaseInAdvance& c) { c.facts().rules = Digest{std::byte{1}}; },
     Errc::approval_refused},
    {"there is no such class", [](CaseInAdvance& c) { c.facts().rules.reset(); },
     Errc::approval_refused},
    {"the person is gone", [](CaseInAdvance& c) { c.facts().person = StandingFacts::Person::gone; },
     Errc::approval_refused},
    {"the record was altered", [](CaseInAdvance& c) { c.facts().record = Binding::changed; },
     Errc::damaged},
    {"the person answers for it no more", [](CaseInAdvance& c) { c.facts().capacities.clear(); },
     Errc::approval_missing},
    {"nothing is known of it", [](CaseInAdvance& c) { c.input.plan.standing.clear(); },
     Errc::approval_missing},
    {"another class makes it due", [](CaseInAdvance& c) { c.input.policy.due_by = "others"; },
     Errc::approval_missing},
    {"no class makes it due", [](CaseInAdvance& c) { c.input.policy.due_by.clear(); },
     Errc::approval_missing},
    {"a person made the plan",
     [](CaseInAdvance& c) { c.input.plan.origin = domain::PlanOrigin::person; },
     Errc::approval_missing},
    {"whoever gave it ran the night's run",
     [](CaseInAdvance& c) { c.input.plan.requester = who(1001, "bob"); }, Errc::approval_missing},
};

class AnApprovalInAdvanceThatLapsed : public ::testing::TestWithParam<LapsedFact> {};

TEST_P(AnApprovalInAdvanceThatLapsed, DoesNotOpenTheGate) {
  CaseInAdvance one;
  GetParam().set(one);
  const GateDecision decision = one.decide();
  EXPECT_FALSE(decision.permit);
  ASSERT_EQ(decision.reasons.size(), 1U);
  EXPECT_EQ(info(decision.reasons[0].code).name, info(GetParam().code).name)
      << decision.reasons[0].text;
}

INSTANTIATE_TEST_SUITE_P(Facts, AnApprovalInAdvanceThatLapsed, ::testing::ValuesIn(kLapsedFacts));

TEST(AnApprovalInAdvance, OfAPersonWhoAlsoApprovedThePlanCountsOnce) {
  CaseInAdvance one;
  domain::Approval by_hand = one.input.plan.approvals[0];
  by_hand.standing.reset();
  one.input.plan.approvals.push_back(by_hand);
  one.input.policy.approvals = 2;
  EXPECT_FALSE(one.decide().permit);
}

}  // namespace
}  // namespace aierase::lifecycle
