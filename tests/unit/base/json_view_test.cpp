// JSON that is only read: what is found, what is not, and what a stranger cannot make slow.
#include "base/json_view.h"

#include <gtest/gtest.h>

#include <ctime>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace aierase {
namespace {

TEST(AJsonView, HasEachValueAsItsType) {
  const JsonDocument document =
      read_json(R"({"t":"a\u00e9\n","n":18446744073709551615,"m":-1,"r":1.0,"y":true,"z":null,
                    "l":[1,"two",[3]],"o":{"b":2,"a":1},"e":[]})")
          .value();
  const JsonView root = document.root();
  EXPECT_EQ(root["t"].text(), "a\xC3\xA9\n");
  EXPECT_EQ(root["n"].number(), UINT64_MAX);
  EXPECT_EQ(root["m"].number(), std::nullopt);
  EXPECT_EQ(root["r"].number(), std::nullopt);
  EXPECT_EQ(root["y"].truth(), true);
  EXPECT_TRUE(root["z"].is_null());
  EXPECT_TRUE(root.contains("z"));
  EXPECT_EQ(root["l"].size(), 3U);
  EXPECT_EQ(root["l"][1].text(), "two");
  EXPECT_EQ(root["l"][2][0].number(), 3U);
  EXPECT_TRUE(root["e"].empty());
  EXPECT_EQ(root["o"].key(0), "a");
  EXPECT_EQ(root["o"][0].number(), 1U);
  EXPECT_EQ(root["o"].key(1), "b");
  EXPECT_EQ(root.json(), Json::parse(R"({"t":"aé\n","n":18446744073709551615,"m":-1,"r":1.0,
      "y":true,"z":null,"l":[1,"two",[3]],"o":{"b":2,"a":1},"e":[]})"));
}

TEST(AJsonView, OfWhatIsNotThereIsNull) {
  const JsonDocument document = read_json(R"({"a":"text","l":[1],"n":null})").value();
  const JsonView root = document.root();
  for (const JsonView nothing :
       {JsonView(), root["b"], root[""], root["a"]["a"], root["a"][0], root["l"][1], root["l"]["a"],
        root["n"]["a"], root["n"][0], root[3], root["b"]["c"]["d"]}) {
    EXPECT_TRUE(nothing.is_null());
    EXPECT_EQ(nothing.text(), "");
    EXPECT_EQ(nothing.number(), std::nullopt);
    EXPECT_EQ(nothing.truth(), std::nullopt);
    EXPECT_EQ(nothing.size(), 0U);
    EXPECT_FALSE(nothing.contains("a"));
    for (const JsonView item : nothing) ADD_FAILURE() << item.text();
  }
  for (const JsonView item : root) ADD_FAILURE() << item.text();
  EXPECT_EQ(root["a"].size(), 1U);
  EXPECT_FALSE(root["a"].empty());
  EXPECT_EQ(root.key(9), "");
}

TEST(AJsonView, HasItsMembersInTheOrderOfTheirKeysHoweverTheyCame) {
  const std::vector<std::string> keys{"b", "", "\xC3\xA9", "ab", "a", "B", "a\x7F", "abc"};
  std::map<std::string, std::uint64_t> expected;
  std::string text;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    text += (text.empty() ? "" : ",") + Json(keys[i]).dump() + ":" + std::to_string(i);
    expected[keys[i]] = i;
    const JsonDocument document = read_json("{" + text + "}").value();
    const JsonView root = document.root();
    ASSERT_EQ(root.size(), expected.size());
    std::size_t at = 0;
    for (const auto& [key, number] : expected) {
      EXPECT_EQ(root.key(at), key);
      EXPECT_EQ(root[at].number(), number);
      EXPECT_EQ(root[key].number(), number);
      ++at;
    }
    EXPECT_FALSE(root.contains("abcd"));
    EXPECT_FALSE(root.contains("A"));
  }
}

TEST(AJsonView, LivesAsLongAsItsDocumentWhereverThatGoes) {
  std::vector<JsonDocument> kept;
  std::vector<JsonView> views;
  for (std::size_t i = 0; i < 40; ++i) {
    kept.push_back(read_json("[\"" + std::to_string(i) + "\"]").value());
    views.push_back(kept.back().root()[0]);
  }
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(views[i].text(), std::to_string(i));
}

TEST(AKeyThatStandsTwice, IsFoundInWhateverOrderItComes) {
  for (const char* text :
       {R"({"a":1,"b":2,"b":3})", R"({"b":1,"a":2,"b":3})", R"({"c":1,"b":2,"a":3,"c":4})",
        R"({"b":1,"a":{"b":2,"a":3},"c":4,"a":5})", R"({"x":[{"b":1,"a":1}],"a":2,"\u0061":3})",
        R"({"":1,"a":2,"":3})"}) {
    const Result<JsonDocument> read = read_json(text);
    ASSERT_FALSE(read.ok()) << text;
    const auto byte = std::string_view(text).rfind(':');
    EXPECT_EQ(read.error().message.find("JSON, byte " + std::to_string(byte) + ": the key "), 0U)
        << read.error().message;
    EXPECT_NE(read.error().message.find("stands twice"), std::string::npos);
    EXPECT_EQ(parse_json(text).error().message, read.error().message);
  }
}

// Squared, these would take minutes.
TEST(AJsonView, IsNotSlowWhateverAStrangerWrote) {
  constexpr std::size_t kMembers = 200'000;
  const std::clock_t start = std::clock();
  for (const bool in_order : {true, false}) {
    std::string text = "{";
    for (std::size_t i = 0; i < kMembers; ++i) {
      const std::size_t number = in_order ? i : kMembers - 1 - i;
      text += (i == 0 ? "\"" : ",\"") + std::to_string(1'000'000 + number) + "\":{\"a\":[]}";
    }
    text += '}';
    const JsonDocument document = read_json(text).value();
    const JsonView root = document.root();
    std::size_t found = 0;
    for (std::size_t i = 0; i < kMembers; ++i) {
      found += root[std::to_string(1'000'000 + i)]["a"].is_array() ? 1 : 0;
    }
    EXPECT_EQ(found, kMembers);
    text.insert(text.size() - 1, ",\"1000000\":1");
    EXPECT_NE(read_json(text).error().message.find("stands twice"), std::string::npos);
  }
  EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, 20);
}

}  // namespace
}  // namespace aierase
