#include "policy/compare.h"
#include "policy/ranks.h"
#include "unit/policy/policy_facts.h"

namespace aierase::policy {
namespace {

using domain::Verdict;

TEST(AFloor, HoldsToTheLastSecondAndNotOneLonger) {
  const PolicySet set = policy_of("[class.logs]\nretain-for = \"6 months\"\n");
  const Subject subject("2026-08-31", "logs");
  EXPECT_EQ(subject.verdict(set, "2027-02-27T23:59:59Z"), Verdict::blocked);
  EXPECT_EQ(subject.verdict(set, "2027-02-28T00:00:00Z"), Verdict::eligible);
  const Decision before = subject.decide(set, "2027-02-27T23:59:59Z");
  ASSERT_EQ(before.floors_in_force.size(), 1u);
  EXPECT_EQ(before.floors_in_force[0].code, Errc::retention_floor);
  EXPECT_EQ(before.floors_in_force[0].text,
            "class \"logs\" keeps it until 2027-02-28T00:00:00Z: at least 6 months after its "
            "import on 2026-08-31T00:00:00Z");
  EXPECT_EQ(before.next_change, at("2027-02-28"));
  EXPECT_FALSE(subject.decide(set, "2027-02-28").next_change.has_value());
}

TEST(AFloorOfTenYears, FromALeapDayEndsOnTheLastOfFebruary) {
  const PolicySet set = policy_of("[class.docs]\nretain-for = \"10 years\"\n");
  const Subject subject("2028-02-29", "docs");
  EXPECT_EQ(subject.verdict(set, "2038-02-27T23:59:59Z"), Verdict::blocked);
  EXPECT_EQ(subject.verdict(set, "2038-02-28T00:00:00Z"), Verdict::eligible);
}

TEST(ACeiling, IsDueAtItsSecondAndNotBefore) {
  const PolicySet set = policy_of("[class.logs]\nerase-after = \"1 year\"\n");
  const Subject subject("2026-01-31", "logs");
  EXPECT_EQ(subject.verdict(set, "2027-01-30T23:59:59Z"), Verdict::eligible);
  EXPECT_EQ(subject.verdict(set, "2027-01-31T00:00:00Z"), Verdict::due);
  EXPECT_EQ(subject.decide(set, "2026-06-01").next_change, at("2027-01-31"));
}

TEST(AFloorAndACeilingThatMeet, LeaveNoGapAndNoConflict) {
  const PolicySet set =
      policy_of("[class.logs]\nretain-for = \"6 months\"\nerase-after = \"6 months\"\n");
  const Subject subject("2026-08-31", "logs");
  EXPECT_EQ(subject.verdict(set, "2027-02-27T23:59:59Z"), Verdict::blocked);
  EXPECT_EQ(subject.verdict(set, "2027-02-28T00:00:00Z"), Verdict::due);
}

constexpr const char* kThree =
    "[class.short]\nmatch = [\"kind=model\"]\nretain-for = \"1 month\"\n"
    "[class.long]\nmatch = [\"label.project=gauss\"]\nretain-for = \"2 years\"\n"
    "[class.own]\nretain-for = \"6 months\"\n";

TEST(OfSeveralFloors, TheLongestWinsAndTheOthersAreNamed) {
  const PolicySet set = policy_of(kThree);
  Subject subject("2026-01-01", "own");
  subject.asset.labels["project"] = "gauss";
  const Decision decision = subject.decide(set, "2026-01-02");
  EXPECT_EQ(decision.classes, (std::vector<std::string>{"own", "long", "short"}));
  EXPECT_EQ(decision.floor, at("2028-01-01"));
  ASSERT_EQ(decision.floors.size(), 3u);
  EXPECT_EQ(decision.floors[0].retention_class, "long");
  EXPECT_EQ(decision.floors[0].standing, Standing::decides);
  EXPECT_EQ(decision.floors[1].retention_class, "own");
  EXPECT_EQ(decision.floors[1].standing, Standing::outranked);
  EXPECT_EQ(decision.floors_in_force.size(), 3u);
  EXPECT_EQ(decision.next_change, at("2026-02-01"));
  EXPECT_EQ(subject.decide(set, "2026-07-01").floors_in_force.size(), 1u);
}

TEST(OfSeveralCeilings, TheEarliestDecides) {
  const PolicySet set = policy_of(
      "[class.a]\nmatch = [\"kind=model\"]\nerase-after = \"2 years\"\n"
      "[class.b]\nmatch = [\"name=acme/*\"]\nerase-after = \"1 year\"\n");
  const Decision decision = Subject("2026-01-01").decide(set, "2026-02-01");
  EXPECT_EQ(decision.due, at("2027-01-01"));
  EXPECT_EQ(decision.ceilings[0].retention_class, "b");
  EXPECT_EQ(decision.ceilings[1].standing, Standing::outranked);
}

TEST(AFloorBeyondACeiling, IsAConflictFromTheFirstDayAndNeverDue) {
  const PolicySet set = policy_of(
      "[class.keep]\nmatch = [\"kind=model\"]\nretain-for = \"10 years\"\n"
      "[class.purge]\nmatch = [\"name=acme/*\"]\nerase-after = \"2 years\"\non-conflict = "
      "\"suspend\"\n");
  const Subject subject("2026-01-01");
  for (const char* when : {"2026-01-02", "2028-01-01", "2030-01-01"}) {
    const Decision decision = subject.decide(set, when);
    EXPECT_EQ(decision.verdict, Verdict::conflict) << when;
    ASSERT_EQ(decision.conflicts.size(), 1u) << when;
    EXPECT_EQ(decision.conflicts[0].code, Errc::policy_conflict);
    EXPECT_EQ(decision.terms.on_conflict, OnConflict::suspend);
    EXPECT_FALSE(unattended_erasure(decision).has_value());
  }
  // Once nothing keeps it a person may decide; a run never does.
  const Decision over = subject.decide(set, "2036-01-01");
  EXPECT_EQ(over.verdict, Verdict::conflict);
  EXPECT_TRUE(over.conflicts.empty());
  EXPECT_TRUE(over.floors_in_force.empty());
  EXPECT_TRUE(says(over, "a person may retire it"));
}

TEST(AnAssetOfAClassThatIsGone, IsAConflictAndStays) {
  const Decision decision =
      Subject("2026-01-01", "dropped").decide(PolicySet::built_in(), "2099-01-01");
  EXPECT_EQ(decision.verdict, Verdict::conflict);
  ASSERT_EQ(decision.conflicts.size(), 1u);
  EXPECT_NE(decision.conflicts[0].text.find("\"dropped\""), std::string::npos);
  EXPECT_EQ(decision.terms.allow_now, AllowNow::no);
  EXPECT_EQ(decision.terms.approvals, 1u);
}

// ---- triggers ----------------------------------------------------------------------------------

TEST(ADateThatOnlyPeopleRecord, KeepsWithoutAnEndUntilItIsRecorded) {
  const PolicySet set =
      policy_of("[class.docs]\nretain-for = \"10 years\"\ntrigger = \"placed-on-market\"\n");
  Subject subject("2026-01-01", "docs");
  const Decision open = subject.decide(set, "2199-01-01");
  EXPECT_EQ(open.verdict, Verdict::blocked);
  EXPECT_TRUE(open.floor_open);
  EXPECT_EQ(open.floors[0].standing, Standing::open);
  EXPECT_NE(open.floors_in_force.at(0).text.find("--event placed-on-market=DATE"),
            std::string::npos);
  subject.facts.events.placed_on_market = at("2027-03-01");
  EXPECT_EQ(subject.verdict(set, "2037-02-28T23:59:59Z"), Verdict::blocked);
  EXPECT_EQ(subject.verdict(set, "2037-03-01"), Verdict::eligible);
}

TEST(AnOpenFloor, IsAConflictOnceACeilingHasPassed) {
  const PolicySet set = policy_of(
      "[class.docs]\nretain-for = \"1 year\"\ntrigger = \"placed-on-market\"\n"
      "[class.purge]\nmatch = [\"kind=model\"]\nerase-after = \"2 years\"\n");
  const Subject subject("2026-01-01", "docs");
  const Decision before = subject.decide(set, "2027-12-31T23:59:59Z");
  EXPECT_EQ(before.verdict, Verdict::blocked);
  EXPECT_EQ(before.next_change, at("2028-01-01"));
  EXPECT_EQ(subject.verdict(set, "2028-01-01"), Verdict::conflict);
}

TEST(AFloorFromRetirement, DoesNotHinderTheRetirementButPostponesTheErasure) {
  const PolicySet set = policy_of("[class.x]\nretain-for = \"90 days\"\ntrigger = \"retired\"\n");
  Subject subject("2026-01-01", "x");
  const Decision before = subject.decide(set, "2026-06-01");
  EXPECT_EQ(before.verdict, Verdict::eligible);
  EXPECT_TRUE(before.floors_in_force.empty());
  EXPECT_EQ(before.retain_after_retirement, period("90 days"));
  subject.facts.events.retired = at("2026-06-01");
  const Decision during = subject.decide(set, "2026-06-01");
  EXPECT_EQ(during.verdict, Verdict::blocked);
  EXPECT_EQ(during.floor, at("2026-08-30"));
  EXPECT_FALSE(during.retain_after_retirement.has_value());
  EXPECT_EQ(subject.verdict(set, "2026-08-30"), Verdict::eligible);
}

TEST(AFloorFromRetirement, IsNoConflictWithACeilingThatHasPassed) {
  const PolicySet set = policy_of(
      "[class.x]\nretain-for = \"90 days\"\ntrigger = \"retired\"\n"
      "[class.y]\nmatch = [\"kind=model\"]\nerase-after = \"1 year\"\n");
  Subject subject("2026-01-01", "x");
  EXPECT_EQ(subject.verdict(set, "2027-01-01"), Verdict::due);
  subject.facts.events.retired = at("2027-01-01");
  EXPECT_EQ(subject.verdict(set, "2027-03-31T23:59:59Z"), Verdict::blocked);
  EXPECT_EQ(subject.verdict(set, "2027-04-01"), Verdict::due);
  EXPECT_EQ(unattended_erasure(subject.decide(set, "2027-02-01")), at("2027-04-01"));
}

TEST(AnAssetThatNothingSupersedes, IsNeitherKeptNorDueByThatRule) {
  const PolicySet set = policy_of(
      "[class.x]\ntrigger = \"superseded\"\nretain-for = \"3 months\"\nerase-after = \"1 year\"\n");
  Subject subject("2020-01-01", "x");
  EXPECT_EQ(subject.verdict(set, "2099-01-01"), Verdict::eligible);
  subject.facts.events.superseded = at("2026-01-01");
  EXPECT_EQ(subject.verdict(set, "2026-03-31T23:59:59Z"), Verdict::blocked);
  EXPECT_EQ(subject.verdict(set, "2026-04-01"), Verdict::eligible);
  EXPECT_EQ(subject.verdict(set, "2027-01-01"), Verdict::due);
}

TEST(LastUse, IsTheImportWhereItWasNeverUsed) {
  const PolicySet set = policy_of("[class.x]\ntrigger = \"last-used\"\nerase-after = \"1 year\"\n");
  Subject subject("2026-01-01", "x");
  EXPECT_EQ(subject.verdict(set, "2027-01-01"), Verdict::due);
  subject.facts.events.last_used = at("2026-07-01");
  EXPECT_EQ(subject.verdict(set, "2027-06-30T23:59:59Z"), Verdict::eligible);
  EXPECT_EQ(subject.verdict(set, "2027-07-01"), Verdict::due);
}

TEST(LastUse, IsUnknownWhileAnExportIsOutstandingAndErasesNothing) {
  const PolicySet set = policy_of(
      "[class.x]\ntrigger = \"last-used\"\nretain-for = \"1 month\"\nerase-after = \"1 year\"\n");
  Subject subject("2026-01-01", "x");
  subject.facts.exports_outstanding = 1;
  const Decision decision = subject.decide(set, "2199-01-01");
  EXPECT_EQ(decision.verdict, Verdict::eligible);
  EXPECT_FALSE(decision.due.has_value());
  EXPECT_EQ(decision.ceilings[0].standing, Standing::unknown);
  EXPECT_TRUE(says(decision, "unknown while an export is outstanding"));
  EXPECT_EQ(subject.verdict(set, "2026-01-15"), Verdict::blocked);  // the floor is known
}

// ---- keep-last ---------------------------------------------------------------------------------

constexpr const char* kKeepTwo =
    "[class.runs]\nmatch = [\"kind=checkpoint\"]\nerase-after = \"30 days\"\nkeep-last = 2\n";

TEST(KeepLast, ExemptsTheNewestVersionsFromTheCeilingOfItsClass) {
  const PolicySet set = policy_of(kKeepTwo);
  std::vector<Subject> subjects;
  for (int i = 1; i <= 4; ++i) {
    Subject subject("2026-01-0" + std::to_string(i));
    subject.asset.kind = domain::AssetKind::checkpoint;
    subject.asset.name = domain::AssetName::parse("acme/run:" + std::to_string(i)).value();
    subjects.push_back(subject);
  }
  subjects[3].asset.state = domain::AssetState::retired;  // on its way out: it holds no place
  std::vector<Facts> group;
  for (Subject& subject : subjects) group.push_back(subject.facts);
  rank_versions(set, group);
  const auto verdict = [&](std::size_t i) {
    return evaluate(set, group[i], at("2027-01-01")).verdict;
  };
  EXPECT_EQ(verdict(0), Verdict::due);
  EXPECT_EQ(verdict(1), Verdict::eligible);
  EXPECT_EQ(verdict(2), Verdict::eligible);
  EXPECT_EQ(group[0].ranks.at("runs"), 2u);
  EXPECT_EQ(group[2].ranks.at("runs"), 0u);
}

TEST(KeepLast, CountsOnlyTheVersionsOfItsOwnClass) {
  const PolicySet set = policy_of(kKeepTwo);
  std::vector<Subject> subjects(3, Subject("2026-01-01"));
  for (std::size_t i = 0; i < 3; ++i) {
    subjects[i].asset.name = domain::AssetName::parse("acme/run:" + std::to_string(i)).value();
    subjects[i].asset.created = at("2026-01-0" + std::to_string(i + 1));
  }
  subjects[0].asset.kind = domain::AssetKind::checkpoint;  // the two newer ones are models
  std::vector<Facts> group;
  for (Subject& subject : subjects) group.push_back(subject.facts);
  rank_versions(set, group);
  EXPECT_EQ(group[0].ranks.at("runs"), 0u);
  EXPECT_TRUE(group[1].ranks.empty());
}

TEST(KeepLast, TakesAnAssetOfUnknownPlaceForOneOfTheNewest) {
  Subject subject("2026-01-01");
  subject.asset.kind = domain::AssetKind::checkpoint;
  const Decision decision = subject.decide(policy_of(kKeepTwo), "2036-01-01");
  EXPECT_EQ(decision.verdict, Verdict::eligible);
  EXPECT_TRUE(says(decision, "its place among them is not known"));
}

TEST(KeepLast, DoesNotProtectFromAnotherClass) {
  const PolicySet set = policy_of(std::string(kKeepTwo) +
                                  "[class.purge]\nmatch = [\"label.personal=yes\"]\n"
                                  "erase-after = \"1 year\"\n");
  Subject subject("2026-01-01");
  subject.asset.kind = domain::AssetKind::checkpoint;
  subject.asset.labels["personal"] = "yes";
  subject.facts.ranks["runs"] = 0;
  EXPECT_EQ(subject.verdict(set, "2026-12-31"), Verdict::eligible);
  EXPECT_EQ(subject.verdict(set, "2027-01-01"), Verdict::due);
}

// ---- terms -------------------------------------------------------------------------------------

TEST(TheTermsOfSeveralClasses, AreTheStrictestOfEach) {
  const PolicySet set = policy_of(
      "[class.a]\ngrace = \"1 day\"\nallow-now = true\napprovals = 3\nbasis = \"law a\"\n"
      "custodians = [\"@legal\"]\n"
      "[class.b]\nmatch = [\"kind=model\"]\ngrace = \"30 days\"\nallow-now = true\n"
      "validation = \"other-person\"\nrequire-assurance = \"EA2\"\nbasis = \"law b\"\n"
      "custodians = [\"alice\", \"@legal\"]\n"
      "[class.c]\nmatch = [\"label.strict=yes\"]\n");
  Subject subject("2026-01-01", "a");
  const Terms terms = subject.decide(set, "2026-02-01").terms;
  EXPECT_EQ(terms.grace, period("30 days"));
  EXPECT_EQ(terms.allow_now, AllowNow::yes);
  EXPECT_EQ(terms.approvals, 3u);
  EXPECT_EQ(terms.validation, ValidationRule::other_person);
  EXPECT_EQ(terms.require_assurance, domain::Level::ea2);
  EXPECT_EQ(terms.bases, (std::vector<std::string>{"law a", "law b"}));
  EXPECT_EQ(terms.custodians, (std::vector<std::string>{"@legal", "alice"}));
  subject.asset.labels["strict"] = "yes";
  EXPECT_EQ(subject.decide(set, "2026-02-01").terms.allow_now, AllowNow::no);
}

TEST(TheLongestGrace, IsTheOneThatEndsLastFromNow) {
  const PolicySet set = policy_of(
      "[class.a]\ngrace = \"30 days\"\n[class.b]\nmatch = [\"kind=model\"]\ngrace = \"1 month\"\n");
  const Subject subject("2026-01-01", "a");
  EXPECT_EQ(subject.decide(set, "2026-02-01").terms.grace, period("30 days"));
  EXPECT_EQ(subject.decide(set, "2026-03-01").terms.grace, period("1 month"));
}

TEST(AnAssetOfNoClass, HasTheTermsOfTheManual) {
  const Decision decision = Subject().decide(PolicySet::built_in(), "2026-06-01");
  EXPECT_EQ(decision.verdict, Verdict::eligible);
  EXPECT_EQ(decision.terms.grace, period("7 days"));
  EXPECT_EQ(decision.terms.allow_now, AllowNow::yes);
  EXPECT_EQ(decision.terms.approvals, 1u);
  EXPECT_FALSE(decision.next_change.has_value());
  EXPECT_EQ(decision.explanation,
            (std::vector<std::string>{"no rule keeps it, and none makes it due"}));
}

// ---- lineage -----------------------------------------------------------------------------------

TEST(AClassByLineage, ReachesWhatWasMadeFromTheData) {
  const PolicySet set =
      policy_of("[class.personal]\nmatch = [\"trained-on=personal/*\"]\napprovals = 2\n");
  Subject subject;
  EXPECT_EQ(subject.decide(set, "2026-06-01").terms.approvals, 1u);
  subject.facts.ancestry.trained_on = {domain::AssetName::parse("personal/survey:3").value()};
  EXPECT_EQ(subject.decide(set, "2026-06-01").terms.approvals, 2u);
}

// ---- comparison of two sets --------------------------------------------------------------------

TEST(ANewPolicy, IsComparedByWhatBecomesDueSooner) {
  const Subject subject("2026-01-01", "x");
  const Decision now = subject.decide(
      policy_of("[class.x]\nretain-for = \"1 year\"\nerase-after = \"5 years\"\napprovals = 2\n"),
      "2026-06-01");
  const Decision then = subject.decide(
      policy_of("[class.x]\nretain-for = \"1 month\"\nerase-after = \"2 years\"\n"), "2026-06-01");
  const Change change = compare(now, then);
  EXPECT_EQ(change.erasure, Shift::sooner);
  EXPECT_EQ(change.floor, Shift::sooner);
  EXPECT_EQ(change.erasure_before, at("2031-01-01"));
  EXPECT_EQ(change.erasure_after, at("2028-01-01"));
  ASSERT_EQ(change.sentences.size(), 3u);
  EXPECT_EQ(change.sentences[0],
            "it becomes due at 2028-01-01T00:00:00Z instead of 2031-01-01T00:00:00Z");
  EXPECT_EQ(change.sentences[2], "it needs 1 instead of 2 approvals");
  const Change back = compare(then, now);
  EXPECT_EQ(back.erasure, Shift::later);
  EXPECT_FALSE(back.weakens());
  EXPECT_FALSE(compare(now, now).weakens());
}

TEST(ANewPolicy, WithoutAFloorThatThereWasSaysUntilWhenItKeptTheAsset) {
  const Subject subject("2026-01-01", "x");
  const Decision now =
      subject.decide(policy_of("[class.x]\nretain-for = \"1 year\"\n"), "2026-06-01");
  const Decision then = subject.decide(policy_of("[class.x]\napprovals = 1\n"), "2026-06-01");
  const Change change = compare(now, then);
  ASSERT_EQ(change.sentences.size(), 1u);
  EXPECT_EQ(change.sentences[0],
            "it is not kept any more, and was kept until 2027-01-01T00:00:00Z");
}

TEST(ANewPolicy, ThatMakesAConflictTakesNothingAwayUnlessAFloorGoes) {
  const Subject subject("2020-01-01", "x");
  const auto decide = [&](const char* text) {
    return subject.decide(policy_of(text), "2026-01-01");
  };
  const Decision kept = decide("[class.x]\nretain-for = \"50 years\"\n");
  const Decision contradicted = decide(
      "[class.x]\nretain-for = \"50 years\"\n"
      "[class.y]\nmatch = [\"kind=model\"]\nerase-after = \"2 years\"\n");
  ASSERT_EQ(contradicted.verdict, Verdict::conflict);
  EXPECT_FALSE(compare(kept, contradicted).weakens());
  const Decision without = decide("[class.z]\nretain-for = \"1 year\"\n");
  ASSERT_EQ(without.verdict, Verdict::conflict);
  const Change change = compare(kept, without);
  ASSERT_EQ(change.sentences.size(), 1u);
  EXPECT_EQ(change.sentences[0],
            "it is in conflict, and kept until that is mended, instead of until "
            "2070-01-01T00:00:00Z");
}

TEST(ANewPolicy, ThatEndsAConflictMakesTheAssetDueSooner) {
  const Subject subject("2020-01-01", "x");
  const PolicySet conflict = policy_of(
      "[class.x]\nretain-for = \"50 years\"\n"
      "[class.y]\nmatch = [\"kind=model\"]\nerase-after = \"2 years\"\n");
  const PolicySet settled = policy_of("[class.x]\nerase-after = \"2 years\"\n");
  const Change change =
      compare(subject.decide(conflict, "2026-01-01"), subject.decide(settled, "2026-01-01"));
  EXPECT_EQ(change.erasure, Shift::sooner);
  EXPECT_FALSE(change.erasure_before.has_value());
  EXPECT_TRUE(change.weakens());
}

}  // namespace
}  // namespace aierase::policy
