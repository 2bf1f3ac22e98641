#include "domain/ids.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace aierase::domain {
namespace {

Uuid counting_uuid() {
  Uuid uuid;
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i)
    uuid.bytes[i] = static_cast<std::byte>(i * 17);
  return uuid;
}

TEST(AnId, ComesBackFromItsText) {
  const Uuid uuid = Uuid::random();
  const std::string text = id_text(IdType::plan, uuid);
  EXPECT_EQ(text.size(), 28U);
  EXPECT_EQ(text.substr(0, 2), "p-");
  const auto parsed = parse_id(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->type, IdType::plan);
  ASSERT_TRUE(parsed->whole);
  EXPECT_EQ(*parsed->whole, uuid);
}

TEST(AnId, MayBeAbbreviatedToSixDigitsButNotToFive) {
  EXPECT_TRUE(parse_id("a-abc234"));
  EXPECT_FALSE(parse_id("a-abc23"));
  EXPECT_FALSE(parse_id("a-abc234")->whole);
}

TEST(AnId, IsRefusedWithForeignLettersTypesOrLength) {
  EXPECT_FALSE(parse_id("x-abcdef"));
  EXPECT_FALSE(parse_id("a-ABCDEF"));
  EXPECT_FALSE(parse_id("a-abcde1"));
  EXPECT_FALSE(parse_id("aabcdefg"));
  EXPECT_FALSE(parse_id("a-" + std::string(27, 'a')));
  EXPECT_FALSE(parse_id(""));
}

TEST(AnId, WithBitsThatNoUuidHasIsRefused) {
  EXPECT_TRUE(parse_id("a-" + std::string(26, 'a')));
  EXPECT_FALSE(parse_id("a-" + std::string(25, 'a') + "b"));
}

TEST(AnIdOfAnotherType, IsAUsageErrorThatSaysWhatWasExpected) {
  const auto id = require_id(IdType::certificate, "p-abcdef");
  ASSERT_FALSE(id.ok());
  EXPECT_EQ(id.error().code, Errc::usage);
  EXPECT_NE(id.error().message.find("certificate"), std::string::npos);
  EXPECT_TRUE(require_id(IdType::plan, "p-abcdef").ok());
}

TEST(AnIdPrefix, MatchesExactlyTheUuidsInItsRange) {
  const Uuid uuid = counting_uuid();
  for (std::size_t digits = 6; digits <= 26; ++digits) {
    const auto prefix = parse_id("a-" + uuid.text().substr(0, digits));
    ASSERT_TRUE(prefix);
    EXPECT_TRUE(matches(*prefix, uuid));
    const UuidRange range = range_of(*prefix);
    EXPECT_LE(range.first, uuid);
    EXPECT_GE(range.last, uuid);
    EXPECT_TRUE(matches(*prefix, range.first));
    EXPECT_TRUE(matches(*prefix, range.last));
    // Before the first and after the last lies no match.
    Uuid before = range.first;
    for (std::size_t i = 16; i-- > 0;) {
      const auto value = std::to_integer<unsigned>(before.bytes[i]);
      before.bytes[i] = static_cast<std::byte>(value - 1U);
      if (value != 0) break;
    }
    EXPECT_FALSE(matches(*prefix, before));
  }
}

TEST(AWholeId, IsARangeOfOne) {
  const Uuid uuid = counting_uuid();
  const UuidRange range = range_of(*parse_id(id_text(IdType::asset, uuid)));
  EXPECT_EQ(range.first, uuid);
  EXPECT_EQ(range.last, uuid);
}

TEST(AnAssetName, IsSplitIntoBaseAndVersion) {
  const auto name = AssetName::parse("acme/Llama-3.1_8B:v1.0");
  ASSERT_TRUE(name.ok());
  EXPECT_EQ(name->base(), "acme/Llama-3.1_8B");
  EXPECT_EQ(name->version(), "v1.0");
  const auto plain = AssetName::parse("tiny");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->base(), "tiny");
  EXPECT_EQ(plain->version(), "");
}

TEST(AnAssetName, IsRefusedWhereItCouldMislead) {
  for (const char* text :
       {"", "a-abcdef", "j-abcdefghijklmnopqrstuvwxyz", "-x", "a/b/c", "a:b:c", "a:", ":v", "/a",
        "a/", "..", "org/..", "a b", "a\nb", "mod\xc3\xa9l", "a:v/1", "a*"}) {
    const auto name = AssetName::parse(text);
    ASSERT_FALSE(name.ok()) << text;
    EXPECT_EQ(name.error().code, Errc::invalid_input);
  }
  EXPECT_TRUE(AssetName::parse("a-abc").ok()) << "too short for an id";
  EXPECT_TRUE(AssetName::parse("a-abcdef:1").ok()) << "an id has no version";
}

TEST(AnAssetName, HasALengthLimit) {
  EXPECT_TRUE(AssetName::parse(std::string(limits::kAssetNameBytes, 'x')).ok());
  EXPECT_FALSE(AssetName::parse(std::string(limits::kAssetNameBytes + 1, 'x')).ok());
}

TEST(AGlob, KnowsStarsQuestionMarksAndBrackets) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("acme/*", "acme/llama"));
  EXPECT_FALSE(glob_match("acme/*", "other/llama"));
  EXPECT_TRUE(glob_match("*llama*", "acme/llama-3"));
  EXPECT_TRUE(glob_match("a?c", "abc"));
  EXPECT_FALSE(glob_match("a?c", "ac"));
  EXPECT_TRUE(glob_match("v[0-9]", "v7"));
  EXPECT_FALSE(glob_match("v[!0-9]", "v7"));
  EXPECT_TRUE(glob_match("v[^0-9]", "vx"));
  EXPECT_TRUE(glob_match("[]x]", "]"));
  EXPECT_TRUE(glob_match("[a-]", "-"));
  EXPECT_TRUE(glob_match("a[b", "a[b")) << "a bracket that never closes stands for itself";
  EXPECT_TRUE(glob_match("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(glob_match("abc", "abcd"));
  EXPECT_FALSE(glob_match("", "a"));
}

TEST(AGlobOfManyStars, EndsInReasonableTime) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "a*";
  pattern += 'b';
  EXPECT_FALSE(glob_match(pattern, std::string(2000, 'a')));
}

TEST(AGlobOfBracketsThatNeverClose, EndsInReasonableTime) {
  const std::string text(20'000, '[');
  EXPECT_FALSE(glob_match("*" + std::string(10'000, '[') + "b", text));
  EXPECT_TRUE(glob_match("*" + std::string(10'000, '['), text));
}

}  // namespace
}  // namespace aierase::domain
