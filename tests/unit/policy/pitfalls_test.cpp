// Where others failed: accidental destruction, clocks, approvals. As far as rules are concerned;
// brake, holds and the clock guard have their tests where they live.
#include "policy/ranks.h"
#include "unit/policy/policy_facts.h"

namespace aierase::policy {
namespace {

using domain::Verdict;

TEST(ASelectorWithATypingError, MatchesNothingInsteadOfEverything) {
  EXPECT_FALSE(parse_policy({{"p", "[class.x]\nmatch = [\"lable.a=b\"]\n"}}).set);
  const PolicySet set =
      policy_of("[class.x]\nmatch = [\"label.projcet=gauss\"]\nerase-after = \"1 day\"\n");
  Subject subject;
  subject.asset.labels["project"] = "gauss";
  EXPECT_EQ(subject.verdict(set, "2199-01-01"), Verdict::eligible);
}

TEST(APolicyWithoutAnyClass, MakesNothingDue) {
  EXPECT_EQ(Subject("1970-01-01").verdict(policy_of("# nothing\n"), "9999-12-31"),
            Verdict::eligible);
}

TEST(RetentionOfZero, IsNotARule) {
  EXPECT_FALSE(parse_policy({{"p", "[class.x]\nerase-after = \"0 days\"\n"}}).set);
  EXPECT_FALSE(parse_policy({{"p", "[class.x]\nerase-after = \"-1 days\"\n"}}).set);
  EXPECT_FALSE(parse_policy({{"p", "[class.x]\nerase-after = 0\n"}}).set);
}

TEST(ApprovalsOfZero, AreRefusedAndApprovalsUnsetAreOne) {
  EXPECT_FALSE(parse_policy({{"p", "[class.x]\napprovals = 0\n"}}).set);
  EXPECT_FALSE(parse_policy({{"p", "[class.x]\napprovals = -1\n"}}).set);
  EXPECT_FALSE(parse_policy({{"p", "[class.default]\napprovals = 0\n"}}).set);
  EXPECT_EQ(policy_of("[class.x]\n").find("x")->approvals, 1u);
}

TEST(TheExpiryOfAParent, DoesNotMakeItsChildDue) {
  const PolicySet set = policy_of("[class.data]\nerase-after = \"1 day\"\n");
  Subject child;
  child.facts.ancestry.derived_from = {domain::AssetName::parse("acme/parent:1").value()};
  child.facts.ancestry.trained_on = child.facts.ancestry.derived_from;
  EXPECT_EQ(child.verdict(set, "2199-01-01"), Verdict::eligible);
}

TEST(DatesThatAnObjectBringsAlong, DoNotSteerRetention) {
  const PolicySet set = policy_of("[class.x]\nerase-after = \"10 years\"\n");
  Subject subject("2026-01-01", "x");
  subject.asset.labels = {{"created", "1999-01-01"}, {"date", "1999-01-01"}};
  EXPECT_EQ(subject.verdict(set, "2030-01-01"), Verdict::eligible);
  EXPECT_EQ(subject.decide(set, "2030-01-01").due, at("2036-01-01"));
}

TEST(ARowWrittenUnderAFutureClock, IsNamedInsteadOfForgotten) {
  const PolicySet set = policy_of("[class.x]\nerase-after = \"1 year\"\n");
  const Decision decision = Subject("2199-01-01", "x").decide(set, "2026-06-01");
  EXPECT_EQ(decision.verdict, Verdict::eligible);
  EXPECT_TRUE(says(decision, "in the future: the clock was wrong then, or is now"));
}

TEST(AClockThatGoesBack, MakesNothingDueAndEndsNoFloor) {
  const PolicySet set =
      policy_of("[class.x]\nretain-for = \"1 month\"\nerase-after = \"1 year\"\n");
  const Subject subject("2026-01-01", "x");
  EXPECT_EQ(subject.verdict(set, "2027-01-01"), Verdict::due);
  EXPECT_EQ(subject.verdict(set, "2026-12-31"), Verdict::eligible);
  EXPECT_EQ(subject.verdict(set, "1970-01-01"), Verdict::blocked);
}

TEST(TheNewestVersion, IsTheOneImportedLastWhateverItsNameSays) {
  const PolicySet set =
      policy_of("[class.x]\nmatch = [\"kind=model\"]\nerase-after = \"1 day\"\nkeep-last = 1\n");
  std::vector<Subject> subjects(2, Subject("2026-01-01"));
  subjects[0].asset.name = domain::AssetName::parse("acme/m:9").value();
  subjects[1].asset.name = domain::AssetName::parse("acme/m:10").value();
  subjects[1].asset.created = at("2026-02-01");
  std::vector<Facts> group{subjects[0].facts, subjects[1].facts};
  rank_versions(set, group);
  EXPECT_EQ(evaluate(set, group[0], at("2026-03-01")).verdict, Verdict::due);
  EXPECT_EQ(evaluate(set, group[1], at("2026-03-01")).verdict, Verdict::eligible);
}

TEST(OneUnit, IsNeverGuessedFromALetter) {
  EXPECT_FALSE(parse_policy({{"p", "[class.x]\nerase-after = \"6m\"\n"}}).set);
  EXPECT_FALSE(parse_policy({{"p", "[class.x]\nerase-after = \"6M\"\n"}}).set);
}

TEST(AMisspelledFloor, IsNotSilentlyNoFloor) {
  EXPECT_FALSE(parse_policy({{"p", "[class.x]\nretain_for = \"10 years\"\n"}}).set);
  EXPECT_FALSE(parse_policy({{"p", "[clas.x]\nretain-for = \"10 years\"\n"}}).set);
  EXPECT_FALSE(parse_policy({{"p", "class = 1\n"}}).set);
}

}  // namespace
}  // namespace aierase::policy
