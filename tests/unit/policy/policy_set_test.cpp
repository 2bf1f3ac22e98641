#include <algorithm>

#include "base/limits.h"
#include "policy/describe.h"
#include "unit/policy/policy_facts.h"

namespace aierase::policy {
namespace {

constexpr const char* kEveryKey =
    "[class.logs]\n"
    "match = [\"kind=configuration\", \"label.purpose=log\"]\n"
    "retain-for = \"6 months\"\n"
    "erase-after = \"1 year\"\n"
    "trigger = \"last-used\"\n"
    "keep-last = 3\n"
    "grace = \"2 days\"\n"
    "allow-now = true\n"
    "approvals = 2\n"
    "custodians = [\"@legal\", \"alice\"]\n"
    "validation = \"other-person\"\n"
    "require-assurance = \"EA3\"\n"
    "basis = \"Article 19(1)\"\n"
    "on-conflict = \"suspend\"\n"
    "[brake]\n"
    "items = 5\n"
    "percent = 20\n"
    "bytes = \"500 GB\"\n";

TEST(APolicy, GivesEveryKeyItsType) {
  const PolicySet set = policy_of(kEveryKey);
  const RetentionClass* logs = set.find("logs");
  ASSERT_NE(logs, nullptr);
  ASSERT_EQ(logs->match.size(), 2u);
  EXPECT_EQ(logs->match[1].text(), "label.purpose=log");
  EXPECT_EQ(logs->retain_for, period("6 months"));
  EXPECT_EQ(logs->erase_after, period("1 year"));
  EXPECT_EQ(logs->trigger, Trigger::last_used);
  EXPECT_EQ(logs->keep_last, 3u);
  EXPECT_EQ(logs->grace, period("2 days"));
  EXPECT_EQ(logs->allow_now, AllowNow::yes);
  EXPECT_EQ(logs->approvals, 2u);
  EXPECT_EQ(logs->custodians, (std::vector<std::string>{"@legal", "alice"}));
  EXPECT_EQ(logs->validation, ValidationRule::other_person);
  EXPECT_EQ(logs->require_assurance, domain::Level::ea3);
  EXPECT_EQ(logs->basis, "Article 19(1)");
  EXPECT_EQ(logs->on_conflict, OnConflict::suspend);
  EXPECT_EQ(set.brake(), (Brake{5, 20, 500'000'000'000}));
}

TEST(TheBuiltInPolicy, HasTheClassDefaultAndTheBrakeOfTheManual) {
  const PolicySet set = PolicySet::built_in();
  ASSERT_EQ(set.classes().size(), 1u);
  const RetentionClass& value = set.classes()[0];
  EXPECT_EQ(value.name, "default");
  EXPECT_FALSE(value.retain_for || value.erase_after);
  EXPECT_EQ(value.approvals, 1u);
  EXPECT_EQ(value.grace, period("7 days"));
  EXPECT_EQ(value.allow_now, AllowNow::yes);
  EXPECT_EQ(set.brake(), (Brake{25, 10, 1'000'000'000'000}));
  EXPECT_EQ(policy_of("").version(), set.version());
}

TEST(AClassThatSaysNothing, DiffersFromDefaultOnlyInAllowNow) {
  const PolicySet set = policy_of("[class.plain]\n");
  RetentionClass plain = *set.find("plain");
  EXPECT_EQ(plain.allow_now, AllowNow::no);
  plain.allow_now = AllowNow::yes;
  plain.name = "default";
  EXPECT_EQ(plain, *set.find("default"));
}

TEST(TheClassDefault, MayBeStricterButNeverEraseAnything) {
  const PolicySet set = policy_of("[class.default]\napprovals = 2\nretain-for = \"30 days\"\n");
  EXPECT_EQ(set.find("default")->approvals, 2u);
  EXPECT_EQ(set.find("default")->allow_now, AllowNow::yes);
  for (const char* key : {"match = [\"name=*\"]", "erase-after = \"1 year\"", "keep-last = 3"}) {
    const auto lines = findings_of(std::string("[class.default]\n") + key + "\n");
    const bool told = std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
      return line.find("2:1 the class default cannot have") == 0;
    });
    EXPECT_TRUE(told) << key;
  }
}

TEST(EveryErrorOfAPolicy, IsToldAtOnceWithItsPlace) {
  const auto lines = findings_of(
      "[class.logs]\n"
      "retain-fro = \"6 months\"\n"
      "erase-after = \"6 m\"\n"
      "approvals = 0\n"
      "trigger = \"creation\"\n"
      "match = [\"colour=red\"]\n"
      "grace = 7\n"
      "[clas.x]\n"
      "[brake]\n"
      "item = 3\n");
  ASSERT_EQ(lines.size(), 8u);
  EXPECT_EQ(lines[0],
            "2:1 there is no key \"retain-fro\" in class \"logs\" | did you mean \"retain-for\"?");
  EXPECT_EQ(lines[1].substr(0, 22), "3:15 erase-after: \"6 m");
  EXPECT_EQ(lines[2].substr(0, 19), "4:13 approvals is 0");
  EXPECT_EQ(lines[3],
            "5:11 trigger cannot be \"creation\" | one of created, last-used, retired, "
            "superseded, placed-on-market");
  EXPECT_EQ(lines[4].substr(0, 41), "6:10 match: there is no match by \"colour\"");
  EXPECT_EQ(lines[5], "7:9 grace has to be a string, not an integer");
  EXPECT_EQ(lines[6].substr(0, 3), "8:2");
  EXPECT_NE(lines[6].find("did you mean \"class\"?"), std::string::npos);
  EXPECT_EQ(lines[7], "10:1 there is no key \"item\" in brake | did you mean \"items\"?");
}

TEST(BrokenToml, IsAFindingWithItsPlace) {
  const auto parsed = parse_policy({{"p.toml", "[class.x]\nmatch = [\n"}});
  ASSERT_EQ(parsed.findings.size(), 1u);
  EXPECT_FALSE(parsed.set.has_value());
  EXPECT_EQ(parsed.findings[0].place.file, "p.toml");
  EXPECT_GE(parsed.findings[0].place.line, 2u);
  EXPECT_EQ(parsed.findings[0].message.find("p.toml"), std::string::npos);
}

TEST(AClassInTwoFiles, IsAnErrorThatNamesBothPlaces) {
  const auto lines = findings_of(
      {{"a.toml", "[class.logs]\n"}, {"b.toml", "\n\n[class.logs]\ngrace = \"1 day\"\n"}});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].substr(0, 70),
            "3:8 the class \"logs\" is defined twice; first at a.toml:1:8 | give one ");
}

TEST(ABrakeInTwoFiles, IsAnErrorThatNamesBothPlaces) {
  const auto lines = findings_of({{"a.toml", "[brake]\n"}, {"b.toml", "[brake]\nitems = 9\n"}});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("first at a.toml:1:2"), std::string::npos) << lines[0];
}

TEST(ACeilingBelowTheFloorOfItsOwnClass, IsAContradiction) {
  for (const char* periods : {"retain-for = \"6 months\"\nerase-after = \"90 days\"\n",
                              "retain-for = \"6 months\"\nerase-after = \"183 days\"\n",
                              "retain-for = \"2 years\"\nerase-after = \"23 months\"\n"}) {
    EXPECT_NE(only_finding(std::string("[class.x]\n") + periods).find("3:15 the class contradicts"),
              std::string::npos)
        << periods;
  }
  EXPECT_TRUE(
      findings_of("[class.x]\nretain-for = \"6 months\"\nerase-after = \"6 months\"\n").empty());
  EXPECT_TRUE(
      findings_of("[class.x]\nretain-for = \"6 months\"\nerase-after = \"184 days\"\n").empty());
}

TEST(KeepLast, NeedsAnAgeAtWhichTheOthersGo) {
  EXPECT_NE(only_finding("[class.x]\nkeep-last = 3\n").find("keep-last needs erase-after"),
            std::string::npos);
  EXPECT_NE(only_finding("[class.x]\nerase-after = \"1 day\"\nkeep-last = 0\n").find("from 1 to"),
            std::string::npos);
}

TEST(AnEmptyMatch, IsNeverEverything) {
  EXPECT_NE(only_finding("[class.x]\nmatch = []\n").find("would mean every asset"),
            std::string::npos);
  EXPECT_NE(only_finding("[class.x]\nmatch = \"kind=model\"\n").find("brackets"),
            std::string::npos);
}

TEST(AMatchOfEveryAsset, IsAllowedAndSaidAloud) {
  const auto parsed = parse_policy({{"p.toml", "[class.x]\nmatch = [\"name=*\"]\n"}});
  EXPECT_TRUE(parsed.set.has_value());
  ASSERT_EQ(parsed.findings.size(), 1u);
  EXPECT_EQ(parsed.findings[0].severity, Severity::warning);
}

TEST(AMatchByState, IsRefusedBecauseSuspendingWouldEndTheFloor) {
  EXPECT_NE(only_finding("[class.x]\nmatch = [\"state=active\"]\n").find("cannot match by state"),
            std::string::npos);
}

TEST(AMatchByRetention, HasToNameAClassOfTheSet) {
  EXPECT_NE(only_finding("[class.logs]\n[class.x]\nmatch = [\"retention=lgos\"]\n")
                .find("did you mean \"logs\"?"),
            std::string::npos);
  EXPECT_TRUE(
      findings_of({{"a", "[class.x]\nmatch = [\"retention=logs\"]\n"}, {"b", "[class.logs]\n"}})
          .empty());
  EXPECT_TRUE(findings_of("[class.x]\nmatch = [\"retention=default\"]\n").empty());
}

TEST(ThePeriodsOfAClass, AreNotZero) {
  EXPECT_NE(only_finding("[class.x]\nretain-for = \"0 days\"\n").find("is zero"),
            std::string::npos);
  EXPECT_NE(only_finding("[class.x]\nerase-after = \"0 hours\"\n").find("is zero"),
            std::string::npos);
  EXPECT_TRUE(findings_of("[class.x]\ngrace = \"0 days\"\n").empty());
}

TEST(TheNameOfAClass, IsPlain) {
  for (const char* name : {"\"\"", "Logs", "\"a b\"", "\"a.b\"", "-x", "_x", "\"a\\u0007\""}) {
    EXPECT_FALSE(parse_policy({{"p", std::string("[class.") + name + "]\n"}}).set) << name;
  }
  const std::string longest(limits::kClassNameBytes, 'a');
  EXPECT_TRUE(parse_policy({{"p", "[class." + longest + "]\n"}}).set);
  EXPECT_FALSE(parse_policy({{"p", "[class." + longest + "a]\n"}}).set);
}

TEST(APolicy, HasLimits) {
  std::string many;
  for (std::size_t i = 0; i <= limits::kPolicyClasses; ++i) {
    many += "[class.c" + std::to_string(i) + "]\n";
  }
  EXPECT_NE(only_finding(many).find("more than 256 classes"), std::string::npos);
  EXPECT_FALSE(parse_policy({{"p", std::string(limits::kPolicyBytes + 1, '\n')}}).set);
  EXPECT_FALSE(parse_policy(std::vector<PolicyText>(limits::kPolicyFiles + 1, {"p", ""})).set);
  std::string match = "[class.x]\nmatch = [";
  for (std::size_t i = 0; i <= limits::kSelectorsPerClass; ++i) match += "\"label.a=b\",\n";
  EXPECT_FALSE(parse_policy({{"p", match + "]\n"}}).set);
}

TEST(TheBrake, CannotBeTakenOff) {
  for (const char* line :
       {"items = 0", "percent = 0", "percent = 101", "bytes = 0", "bytes = \"0 GB\"",
        "bytes = \"1 GiBi\"", "items = 10001", "bytes = \"99999 PB\"", "bytes = \"1TB\""}) {
    EXPECT_FALSE(parse_policy({{"p", std::string("[brake]\n") + line + "\n"}}).set) << line;
  }
}

TEST(TwoTextsOfTheSameMeaning, HaveTheSameVersion) {
  const Digest one = policy_of(
                         "[class.a]\ngrace = \"1 day\"\nmatch = [\"kind=model\", \"label.x=y\"]\n"
                         "[class.b]\n")
                         .version();
  const Digest other = load_policy({{"x", "# a comment\n[class.b]\napprovals = 1\n"},
                                    {"y",
                                     "[class.a]\nmatch = [\"label.x=y\", \"kind=model\"]\n"
                                     "grace = \"1 days\"\n"}})
                           .value()
                           .version();
  EXPECT_EQ(one, other);
  EXPECT_NE(one, policy_of("[class.a]\ngrace = \"2 days\"\n[class.b]\n").version());
  EXPECT_NE(one, PolicySet::built_in().version());
}

TEST(TheCanonicalText, IsTheOneOfTheManual) {
  EXPECT_EQ(
      PolicySet::built_in().canonical(),
      "{\"brake\":{\"bytes\":1000000000000,\"items\":25,\"percent\":10},\"classes\":{\"default\":{"
      "\"allow_now\":true,\"approvals\":1,\"basis\":\"\",\"custodians\":[],\"erase_after\":null,"
      "\"grace\":\"P7D\",\"keep_last\":null,\"match\":[],\"on_conflict\":\"keep\","
      "\"require_assurance\":\"EA0\",\"retain_for\":null,\"trigger\":\"created\","
      "\"validation\":\"any-custodian\"}},\"schema\":\"aierase/policy/v1\"}");
}

TEST(LoadingABrokenPolicy, IsOneErrorThatCountsTheOthers) {
  const auto set = load_policy({{"p.toml", "[class.x]\na = 1\nb = 2\nc = 3\n"}});
  ASSERT_FALSE(set.ok());
  EXPECT_EQ(set.error().code, Errc::invalid_input);
  EXPECT_EQ(set.error().message, "p.toml:2:1: there is no key \"a\" in class \"x\" (and 2 more)");
}

TEST(AClass, IsToldInSentences) {
  const auto sentences = describe(*policy_of(kEveryKey).find("logs"));
  ASSERT_GE(sentences.size(), 6u);
  EXPECT_EQ(sentences[0],
            "It is for assets imported or set with --retention logs, and for every asset with "
            "kind=configuration and label.purpose=log.");
  EXPECT_EQ(
      sentences[1],
      "It keeps an asset at least 6 months after its last use; at that very second it may go.");
  EXPECT_EQ(size_words(1'000'000'000'000), "1 TB");
  EXPECT_EQ(size_words(1'500'000'000'000), "1500 GB");
  EXPECT_EQ(size_words(1'234), "1234 B");
}

}  // namespace
}  // namespace aierase::policy
