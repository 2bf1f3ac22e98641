// The table of provisions: whole, in the words that may be used, with commands that exist.
#include "ctl/conformance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ctl/render.h"
#include "ctl/verb.h"

namespace aierase::ctl {
namespace {

// ETSI EN 304 223 V2.1.1 clause 5, behind the clause of each.
const std::vector<std::pair<std::string, std::string>> kClauses{{"5.1.1", "1 1.1 2 2.1 2.2"},
                                                                {"5.1.2", "1 1.1 2 3 4 5 5.1 6 7"},
                                                                {"5.1.3", "1 1.1 1.2 1.3 2 3 4"},
                                                                {"5.1.4", "1 2 3 4 5"},
                                                                {"5.2.1", "1 2 3 3.1 4 4.1 4.2"},
                                                                {"5.2.2", "1 2 3 4 5 6"},
                                                                {"5.2.3", "1 2 2.1 2.2 3 4"},
                                                                {"5.2.4", "1 1.1 1.2 2 2.1 3"},
                                                                {"5.2.5", "1 2 2.1 3 4 4.1"},
                                                                {"5.3.1", "1 2 2.1 2.2 3"},
                                                                {"5.4.1", "1 1.1 2 3"},
                                                                {"5.4.2", "1 2 3 4"},
                                                                {"5.5.1", "1 2"}};

std::vector<std::string> split(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// "5.1.3-1, -1.2 to -4" as the single ones of that clause.
std::vector<std::string> numbers_of(const std::string& row, const std::vector<std::string>& all) {
  std::string plain = row.substr(row.find('-'));
  std::erase_if(plain, [](char c) { return c == ',' || c == '-'; });
  std::vector<std::string> found;
  bool range = false;
  for (const std::string& word : split(plain)) {
    if (word == "to") {
      range = true;
      continue;
    }
    auto at = std::find(all.begin(), all.end(), word);
    EXPECT_NE(at, all.end()) << row;
    if (at == all.end()) return found;
    auto from = range ? std::find(all.begin(), all.end(), found.back()) + 1 : at;
    found.insert(found.end(), from, at + 1);
    range = false;
  }
  return found;
}

Json strict_store() {
  return {{"at_rest", "unlock-secret"}, {"store", {{"people_rule", "two-person"}}}};
}

std::string state_of(const Json& conformance, std::string_view provision) {
  for (const Json& row : conformance["provisions"]) {
    if (text_at(row, "provision") == provision) return text_at(row, "state");
  }
  return {};
}

TEST(ATableOfProvisions, HasEachProvisionOfTheStandardOnce) {
  const Json table = conformance(strict_store());
  for (const auto& [clause, text] : kClauses) {
    const std::vector<std::string> all = split(text);
    std::vector<std::string> found;
    for (const Json& row : table["provisions"]) {
      const std::string numbers = text_at(row, "provision");
      if (!numbers.starts_with(clause + "-")) continue;
      for (std::string& one : numbers_of(numbers, all)) found.push_back(std::move(one));
    }
    std::sort(found.begin(), found.end());
    std::vector<std::string> wanted = all;
    std::sort(wanted.begin(), wanted.end());
    EXPECT_EQ(found, wanted) << clause;
  }
}

TEST(ATableOfProvisions, NamesOnlyCommandsThatThereAre) {
  const Json table = conformance(strict_store());
  for (const char* list : {"provisions", "controls"}) {
    for (const Json& row : table[list]) {
      const std::vector<std::string> words = split(text_at(row, "command"));
      if (words.empty()) {
        EXPECT_EQ(text_at(row, "state"), "organisational");
        continue;
      }
      ASSERT_EQ(words[0], "aierase");
      const std::size_t first = words[1] == "--json" ? 2 : 1;
      EXPECT_TRUE(std::any_of(kVerbs.begin(), kVerbs.end(), [&](const Verb& verb) {
        const std::string name(verb.name);
        return name == words[first] ||
               (first + 1 < words.size() && name == words[first] + " " + words[first + 1]);
      })) << text_at(row, "command");
    }
  }
}

TEST(ATableOfProvisions, SaysWhereAStoreIsSetUpForLess) {
  const Json strict = conformance(strict_store());
  EXPECT_EQ(state_of(strict, "5.5.1-2"), "supported");
  EXPECT_EQ(state_of(strict, "5.2.1-4"), "supported");
  const Json lax =
      conformance({{"at_rest", "none"}, {"store", {{"people_rule", "single-operator"}}}});
  EXPECT_EQ(state_of(lax, "5.5.1-2"), "partly");
  EXPECT_EQ(state_of(lax, "5.1.4-3"), "partly");
  EXPECT_EQ(state_of(lax, "5.2.1-4"), "partly");
  EXPECT_EQ(state_of(lax, "5.2.1-1"), "supported");
  EXPECT_EQ(state_of(conformance(Json::object()), "5.5.1-2"), "partly") << "nothing is assumed";
}

TEST(ATableOfProvisions, ClaimsNothingThatIsForOthersToSay) {
  const std::string text = conformance(strict_store()).dump();
  for (const char* word : {"certified", "compliant", "fulfil", "guarantee"}) {
    EXPECT_EQ(text.find(word), std::string::npos) << word;
  }
}

}  // namespace
}  // namespace aierase::ctl
