#include "policy/fixture.h"
#include "unit/policy/policy_facts.h"

namespace aierase::policy {
namespace {

constexpr const char* kOneCase =
    "[[case]]\n"
    "name = \"a log after a year\"\n"
    "at = 2027-01-31T00:00:00Z\n"
    "[case.asset]\n"
    "name = \"acme/log:1\"\n"
    "kind = \"configuration\"\n"
    "state = \"suspended\"\n"
    "retention = \"logs\"\n"
    "labels = { purpose = \"log\" }\n"
    "custodians = [\"alice\", \"@owners\"]\n"
    "derived-from = [\"acme/base:1\"]\n"
    "trained-on = [\"personal/x:1\"]\n"
    "created = 2026-01-31\n"
    "last-used = \"2026-01-31T00:00:00Z\"\n"
    "superseded = 2026-02-01\n"
    "placed-on-market = 2026-02-01\n"
    "exports-outstanding = 0\n"
    "newer-versions = 4\n"
    "[case.expect]\n"
    "verdict = \"due\"\n"
    "classes = [\"logs\"]\n"
    "floor = \"none\"\n"
    "due = 2027-01-31\n"
    "due-class = \"logs\"\n"
    "next-change = \"none\"\n"
    "grace = \"7 days\"\n"
    "allow-now = false\n"
    "approvals = 1\n"
    "validation = \"any-custodian\"\n"
    "require-assurance = \"EA0\"\n"
    "reasons = [\"1 year after its import\"]\n";

PolicySet logs() {
  return policy_of("[class.logs]\nerase-after = \"1 year\"\n");
}

TEST(ACaseThatIsAsExpected, Passes) {
  const ParsedFixture fixture = parse_fixture(kOneCase, "p.test.toml");
  ASSERT_TRUE(fixture.findings.empty()) << fixture.findings[0].message;
  ASSERT_EQ(fixture.cases.size(), 1u);
  EXPECT_EQ(fixture.cases[0].name, "a log after a year");
  EXPECT_EQ(fixture.cases[0].place.line, 1u);
  const CaseResult result = run_case(logs(), fixture.cases[0]);
  EXPECT_TRUE(result.passed()) << result.differences[0];
}

TEST(ACaseThatIsNotAsExpected, SaysEachDifference) {
  const ParsedFixture fixture = parse_fixture(kOneCase, "p.test.toml");
  const PolicySet other =
      policy_of("[class.logs]\nerase-after = \"2 years\"\nretain-for = \"13 months\"\n");
  const CaseResult result = run_case(other, fixture.cases.at(0));
  ASSERT_EQ(result.differences.size(), 5u);
  EXPECT_EQ(result.differences[0], "verdict is blocked, expected due");
  EXPECT_EQ(result.differences[1], "floor is 2027-02-28T00:00:00Z, expected none");
  EXPECT_EQ(result.differences[2], "due is 2028-01-31T00:00:00Z, expected 2027-01-31T00:00:00Z");
  EXPECT_EQ(result.differences[3], "next-change is 2027-02-28T00:00:00Z, expected none");
  EXPECT_EQ(result.differences[4], "no reason says \"1 year after its import\"");
}

TEST(AFixtureWithErrors, NamesEachWithItsPlace) {
  const ParsedFixture fixture = parse_fixture(
      "[[case]]\n"
      "att = 2027-01-31\n"
      "[case.asset]\n"
      "kind = \"banana\"\n"
      "created = 2026-02-30T00:00:00+02:00\n"
      "name = \"a b\"\n"
      "state = \"erased\"\n"
      "[case.expect]\n"
      "verdict = \"dou\"\n"
      "[[case]]\n"
      "at = \"yesterday\"\n",
      "p.test.toml");
  std::vector<std::string> lines;
  for (const Finding& finding : fixture.findings) {
    lines.push_back(std::to_string(finding.place.line) + " " + finding.message);
  }
  ASSERT_EQ(lines.size(), 1u) << "a date that does not exist ends the reading";
  const ParsedFixture mended = parse_fixture(
      "[[case]]\n"
      "att = 2027-01-31\n"
      "[case.asset]\n"
      "kind = \"banana\"\n"
      "created = 2026-02-20T00:00:00+02:00\n"
      "name = \"a b\"\n"
      "state = \"erased\"\n"
      "[case.expect]\n"
      "verdict = \"dou\"\n"
      "[[case]]\n"
      "at = \"yesterday\"\n",
      "p.test.toml");
  EXPECT_EQ(mended.findings.size(), 9u);
}

TEST(AFixtureWithoutCases, IsAnError) {
  EXPECT_EQ(parse_fixture("# nothing\n", "f").findings.size(), 1u);
  EXPECT_EQ(parse_fixture("case = 1\n", "f").findings.size(), 1u);
  EXPECT_FALSE(parse_fixture("[[case]]\nat = 2026-01-01\n", "f").findings.empty());
}

TEST(AFixture, LiesBesideItsPolicy) {
  EXPECT_EQ(fixture_of("dir/logs.toml"), "dir/logs.test.toml");
  EXPECT_EQ(fixture_of("logs"), "logs.test.toml");
}

}  // namespace
}  // namespace aierase::policy
