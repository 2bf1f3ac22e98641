// What is shipped in policies/retention: it loads, alone and together, and does what its fixtures
// say; the schema for editors knows the same keys as the code.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/json.h"
#include "policy/fixture.h"
#include "unit/policy/policy_facts.h"

namespace aierase::policy {
namespace {

const std::string kExamples = AIERASE_SOURCE_DIR "/policies/retention";

std::string text_of_file(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> example_files() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(kExamples)) {
    const std::string path = entry.path().string();
    if (path.ends_with(".toml") && !path.ends_with(".test.toml")) paths.push_back(path);
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

TEST(EveryShippedPolicy, LoadsWithoutAFindingAndPassesItsFixtures) {
  const std::vector<std::string> paths = example_files();
  ASSERT_EQ(paths.size(), 6u);
  for (const std::string& path : paths) {
    SCOPED_TRACE(path);
    const ParsedPolicy parsed = parse_policy({{path, text_of_file(path)}});
    EXPECT_TRUE(parsed.findings.empty());
    ASSERT_TRUE(parsed.set.has_value());
    const ParsedFixture fixture = parse_fixture(text_of_file(fixture_of(path)), fixture_of(path));
    for (const Finding& finding : fixture.findings) {
      ADD_FAILURE() << to_text(finding.place) << ": " << finding.message;
    }
    EXPECT_GE(fixture.cases.size(), 3u);
    for (const Case& one : fixture.cases) {
      const CaseResult result = run_case(*parsed.set, one);
      for (const std::string& difference : result.differences) {
        ADD_FAILURE() << one.name << ": " << difference;
      }
    }
  }
}

TEST(TheShippedPolicies, FormOneSet) {
  std::vector<PolicyText> texts;
  for (const std::string& path : example_files()) texts.push_back({path, text_of_file(path)});
  EXPECT_TRUE(load_policy(texts).ok());
}

TEST(TheShippedPolicies, SayThatTheyAreExamplesAndNameTheirSchema) {
  for (const std::string& path : example_files()) {
    const std::string text = text_of_file(path);
    EXPECT_EQ(text.find("#:schema ./policy.schema.json\n"), 0u) << path;
    EXPECT_NE(text.find("# An example to start from."), std::string::npos) << path;
  }
}

std::set<std::string> keys_of(const Json& object) {
  std::set<std::string> keys;
  for (const auto& entry : object.items()) keys.insert(entry.key());
  return keys;
}

std::set<std::string> words_of_span(std::span<const std::string_view> words) {
  return {words.begin(), words.end()};
}

TEST(TheSchemaForEditors, KnowsTheSameKeysAndWordsAsTheCode) {
  const auto schema = parse_json(text_of_file(kExamples + "/policy.schema.json"));
  ASSERT_TRUE(schema.ok());
  const Json& properties = schema->at("definitions").at("class").at("properties");
  EXPECT_EQ(keys_of(properties), words_of_span(class_keys()));
  EXPECT_EQ(keys_of(schema->at("definitions").at("brake").at("properties")),
            words_of_span(brake_keys()));
  for (const Json& word : properties.at("trigger").at("enum")) {
    EXPECT_TRUE(parse_trigger(word.get<std::string>())) << word;
  }
  for (const Json& word : properties.at("validation").at("enum")) {
    EXPECT_TRUE(parse_validation_rule(word.get<std::string>())) << word;
  }
  for (const Json& word : properties.at("on-conflict").at("enum")) {
    EXPECT_TRUE(parse_on_conflict(word.get<std::string>())) << word;
  }
}

}  // namespace
}  // namespace aierase::policy
