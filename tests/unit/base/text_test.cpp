#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/json.h"
#include "base/time.h"
#include "base/toml.h"
#include "base/uuid.h"

namespace aierase {
namespace {

Bytes bytes_of(std::string_view text) {
  return copy_of(as_bytes(text));
}

TEST(Base32, FollowsRfc4648InLowerCaseWithoutPadding) {
  EXPECT_EQ(to_base32({}), "");
  EXPECT_EQ(to_base32(as_bytes("f")), "my");
  EXPECT_EQ(to_base32(as_bytes("fo")), "mzxq");
  EXPECT_EQ(to_base32(as_bytes("foo")), "mzxw6");
  EXPECT_EQ(to_base32(as_bytes("foob")), "mzxw6yq");
  EXPECT_EQ(to_base32(as_bytes("fooba")), "mzxw6ytb");
  EXPECT_EQ(to_base32(as_bytes("foobar")), "mzxw6ytboi");
  EXPECT_EQ(from_base32("mzxw6ytboi"), bytes_of("foobar"));
}

TEST(Base64, FollowsRfc4648WithPadding) {
  EXPECT_EQ(to_base64({}), "");
  EXPECT_EQ(to_base64(as_bytes("f")), "Zg==");
  EXPECT_EQ(to_base64(as_bytes("fo")), "Zm8=");
  EXPECT_EQ(to_base64(as_bytes("foo")), "Zm9v");
  EXPECT_EQ(to_base64(as_bytes("foobar")), "Zm9vYmFy");
  EXPECT_EQ(from_base64("Zm8="), bytes_of("fo"));
  EXPECT_EQ(from_base64("Zg=="), bytes_of("f"));
  EXPECT_EQ(from_base64(""), Bytes());
}

TEST(Decoders, RefuseWhatTheEncodersNeverWrite) {
  for (const char* text : {"Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Z===", "====", "Zm9v\n"}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
  for (const char* text : {"m", "mz1", "mza", "MY", "my======", "mzxw6ytbo", "mzx"}) {
    EXPECT_FALSE(from_base32(text)) << text;
  }
  for (const char* text : {"0", "0G", "AB", "0 ", "0x00"}) EXPECT_FALSE(from_hex(text)) << text;
}

TEST(Decoders, InvertTheEncodersForEveryLength) {
  Bytes bytes;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
    EXPECT_EQ(from_base32(to_base32(bytes)), bytes);
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    bytes.push_back(static_cast<std::byte>(255 - i * 37 % 256));
  }
}

TEST(BigEndianIntegers, HaveTheMostSignificantByteFirst) {
  Bytes bytes;
  append_be16(bytes, 0x0102);
  append_be32(bytes, 0x03040506);
  append_be64(bytes, 0x0708090a0b0c0d0eULL);
  EXPECT_EQ(to_hex(bytes), "0102030405060708090a0b0c0d0e");
  const ByteView view(bytes);
  EXPECT_EQ(get_be16(view), 0x0102);
  EXPECT_EQ(get_be32(view.subspan(2)), 0x03040506U);
  EXPECT_EQ(get_be64(view.subspan(6)), 0x0708090a0b0c0d0eULL);
}

TEST(AUuid, IsWrittenAsTwentySixCharactersAndReadBack) {
  const Uuid uuid = Uuid::random();
  EXPECT_EQ(uuid.text().size(), 26U);
  EXPECT_EQ(Uuid::from_text(uuid.text()), uuid);
  EXPECT_EQ(Uuid::from_bytes(uuid.view()), uuid);
  EXPECT_NE(uuid, Uuid::random());
  EXPECT_FALSE(uuid.is_zero());
  EXPECT_TRUE(Uuid().is_zero());
  EXPECT_FALSE(Uuid::from_text(uuid.text().substr(1)));
  EXPECT_FALSE(Uuid::from_bytes(uuid.view().first(15)));
}

TEST(Rfc3339, IsWrittenAndReadInUtc) {
  EXPECT_EQ(to_rfc3339(from_unix(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(from_unix(1'795'203'000)), "2026-11-20T19:30:00Z");
  EXPECT_EQ(from_rfc3339("2026-11-20T19:30:00Z"), from_unix(1'795'203'000));
  EXPECT_EQ(from_rfc3339("2024-02-29T23:59:59Z"), from_unix(1'709'251'199));
  EXPECT_EQ(from_rfc3339("9999-12-31T23:59:59Z"), from_unix(253'402'300'799));
  EXPECT_EQ(to_rfc3339(from_unix(253'402'300'799)), "9999-12-31T23:59:59Z");
}

TEST(Rfc3339, RefusesEveryOtherForm) {
  for (const char* text : {"", "2026-11-20", "2026-11-20T19:30:00", "2026-11-20t19:30:00z",
                           "2026-11-20 19:30:00Z", "2026-11-20T19:30:00+00:00",
                           "2026-11-20T19:30:00.0Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z",
                           "2026-01-01T00:60:00Z", "2026-06-30T23:59:60Z", "1969-12-31T23:59:59Z",
                           "2026-1-1T00:00:00Z", "+026-01-01T00:00:00Z", "2026-01-01T00:00:0 Z"}) {
    EXPECT_FALSE(from_rfc3339(text)) << text;
  }
}

Error json_error(std::string_view text, const JsonLimits& limits = {}) {
  const Result<Json> parsed = parse_json(text, limits);
  EXPECT_FALSE(parsed.ok()) << text;
  return parsed.ok() ? Error{} : parsed.error();
}

TEST(Json, IsWrittenWithSortedKeysAndWithoutBlanks) {
  const Result<Json> parsed = parse_json(R"( {"b": [1, 2.5, null], "a": "\u00e9"} )");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(dump_canonical(*parsed).value(), "{\"a\":\"\xC3\xA9\",\"b\":[1,2.5,null]}");
  EXPECT_EQ(dump_pretty(Json{{"a", 1}}).value(), "{\n  \"a\": 1\n}");
}

TEST(Json, WithDuplicateKeysIsRefusedWithThePlace) {
  const Error error = json_error(R"({"a":1,"b":{"c":1},"a":2})");
  EXPECT_EQ(error.code, Errc::invalid_input);
  EXPECT_NE(error.message.find("byte 22"), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("\"a\""), std::string::npos) << error.message;
  EXPECT_TRUE(parse_json(R"([{"a":1},{"a":2}])").ok());
}

TEST(Json, IsRefusedBeyondItsDepth) {
  const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_TRUE(parse_json(nested(64)).ok());
  EXPECT_NE(json_error(nested(65)).message.find("byte 64"), std::string::npos);
  EXPECT_EQ(json_error(std::string(2'000'000, '[')).code, Errc::invalid_input);
}

TEST(Json, IsRefusedBeyondItsNumberOfValues) {
  const JsonLimits limits{1 << 20, 64, 4};
  EXPECT_TRUE(parse_json(R"([{"a":"b"},null])", limits).ok());
  EXPECT_NE(json_error(R"([{"a":"b"},null,1])", limits).message.find("more than 4 values"),
            std::string::npos);
  EXPECT_FALSE(parse_json("[[],[],[],[]]", limits).ok());
}

TEST(Json, IsRefusedWhenItIsNotWholeCleanText) {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {""sv, "{"sv, "{}x"sv, "{} {}"sv, "nul"sv, "{}\0"sv, "{}\0garbage"sv, "\xEF\xBB\xBF{}"sv,
        "\"\xC0\x80\""sv, "\"\xED\xA0\x80\""sv, "\"\xFF\""sv, "\"\\ud800\""sv, "1e999"sv, "01"sv,
        "[1,]"sv, "{'a':1}"sv, "NaN"sv, "/**/1"sv, "\"a\nb\""sv}) {
    EXPECT_EQ(json_error(text).code, Errc::invalid_input) << text;
  }
}

TEST(Json, NamesTheByteThatIsRefusedAndWhy) {
  struct Case {
    std::string_view text;
    std::size_t byte;
    std::string_view why;
  };
  for (const Case& one :
       {Case{R"({"a" 1})", 5, "colon"}, Case{"[1 2]", 3, "comma"}, Case{R"({"a":1,})", 7, "name"},
        Case{"[1] 2", 4, "must not be followed"}, Case{R"(["ab)", 4, "quotation mark"},
        Case{"[\"a\tb\"]", 3, "control character"}, Case{R"(["a\x"])", 3, "unknown escape"},
        Case{R"(["\u12g4"])", 2, "escape in string"}, Case{R"(["\ud800"])", 2, "surrogate pair"},
        Case{R"(["\udc00"])", 9, "UTF-8"}, Case{"[1.]", 3, "fraction"},
        Case{"[0, 1e400]", 4, "too big"}, Case{"[\"a\xC3(\"]", 6, "UTF-8"}}) {
    const std::string message = json_error(one.text).message;
    EXPECT_NE(message.find("byte " + std::to_string(one.byte) + ": "), std::string::npos)
        << message;
    EXPECT_NE(message.find(one.why), std::string::npos) << message;
  }
}

TEST(Json, HasEveryTextAndNumberAsItWasWritten) {
  // A text ends, or has what is special, at every place of the words that it is read by.
  for (std::size_t before = 0; before < 20; ++before) {
    const std::string plain(before, 'x');
    for (const std::string_view special :
         {"", "\\\"", "\\u00e9", "\xC3\xA9", "\\ud83d\\ude00", "\\/"}) {
      const std::string text = '"' + plain + std::string(special) + plain + '"';
      EXPECT_EQ(parse_json(text).value(), Json::parse(text)) << text;
    }
  }
  for (std::size_t before = 0; before < 40; ++before) {
    for (char refused = 0; refused < ' '; ++refused) {
      const std::string text =
          '"' + std::string(before, 'x') + refused + std::string(20, 'x') + '"';
      EXPECT_NE(json_error(text).message.find("byte " + std::to_string(before + 1) + ":"),
                std::string::npos);
    }
  }
  const Json numbers =
      parse_json("[0,-0,18446744073709551615,-9223372036854775808,1e2,-1.5]").value();
  EXPECT_TRUE(numbers[0].is_number_unsigned());
  EXPECT_EQ(numbers[2].get<std::uint64_t>(), UINT64_MAX);
  EXPECT_EQ(numbers[3].get<std::int64_t>(), INT64_MIN);
  EXPECT_TRUE(numbers[4].is_number_float());
  EXPECT_EQ(dump_canonical(numbers).value(),
            "[0,0,18446744073709551615,-9223372036854775808,100.0,-1.5]");
}

TEST(Json, IsRefusedBeyondItsSizeBeforeItIsRead) {
  JsonLimits limits;
  limits.max_bytes = 4;
  EXPECT_TRUE(parse_json("1234", limits).ok());
  EXPECT_EQ(json_error("12345", limits).code, Errc::resource_limit);
}

TEST(Json, WithBytesThatAreNoTextIsNotWritten) {
  EXPECT_EQ(dump_canonical(Json("\xFF")).error().code, Errc::invalid_input);
}

TEST(Utf8, IsCheckedToTheLetter) {
  EXPECT_TRUE(is_valid_utf8("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\n"));
  for (const char* text : {"\x80", "\xC1\xBF", "\xC3", "\xE0\x80\x80", "\xED\xBF\xBF",
                           "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(is_valid_utf8(text)) << quoted(text);
  }
  EXPECT_TRUE(is_printable_utf8("na\xC3\xAFve model"));
  EXPECT_FALSE(is_printable_utf8("a\x1b[31m"));
  EXPECT_FALSE(is_printable_utf8("\x7F"));
  EXPECT_FALSE(is_printable_utf8("\xC2\x9B"));  // the C1 form of ESC [
  EXPECT_TRUE(is_printable_utf8("\xC2\xA0"));
}

TEST(HostileText, IsQuotedForATerminal) {
  std::string text = "a\x1b[\"\n\xFF\xC2\x9B";
  EXPECT_EQ(quoted(text), R"("a\x1B[\"\x0A\xFF\xC2\x9B")");
  EXPECT_EQ(quoted("a\u061C\u00AD\u3164\U000E0041\u202E"),
            R"("a\xD8\x9C\xC2\xAD\xE3\x85\xA4\xF3\xA0\x81\x81\xE2\x80\xAE")");
  EXPECT_EQ(quoted("münchen 模型"), "\"münchen 模型\"");
  EXPECT_EQ(quoted(std::string(100, 'a')), "\"" + std::string(80, 'a') + "\"...");
  EXPECT_EQ(quoted(std::string(79, 'a') + "\xC3\xA9"), "\"" + std::string(79, 'a') + "\"...");
}

TomlFile toml_file(std::string_view text) {
  Result<TomlFile> file = TomlFile::parse(text, "aierased.toml");
  if (!file.ok()) ADD_FAILURE() << file.error().message;
  return std::move(file).value();
}

constexpr std::string_view kConfig =
    "name = \"x\"\n"
    "[slot]\n"
    "path = \"/p\"\n"
    "keep = 7\n"
    "direct = true\n"
    "allowed = [\"a\", \"b\"]\n";

TEST(ATomlFile, GivesTypedValuesByDottedName) {
  TomlFile file = toml_file(kConfig);
  EXPECT_EQ(file.get_string("name").value(), "x");
  EXPECT_EQ(file.get_string("slot.path").value(), "/p");
  EXPECT_EQ(file.get_integer("slot.keep").value(), 7);
  EXPECT_EQ(file.get_boolean("slot.direct").value(), true);
  EXPECT_EQ(file.get_strings("slot.allowed").value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(file.get_string("slot.absent").value(), std::nullopt);
  EXPECT_EQ(file.get_string("nothing.there").value(), std::nullopt);
  EXPECT_TRUE(file.refuse_unknown_keys().ok());
}

TEST(ATomlFile, NamesThePlaceOfAWrongType) {
  TomlFile file = toml_file(kConfig);
  const auto wrong = file.get_integer("slot.path");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message, "aierased.toml:3:8: 'slot.path' has to be an integer");
  EXPECT_FALSE(file.get_string("slot").ok());
  EXPECT_FALSE(file.get_string("name.below").ok());
  EXPECT_FALSE(file.get_strings("slot.keep").ok());
}

// Texts that run into an assertion of the library: neither an abort nor anything undefined.
TEST(ATomlFile, NamesTheLineWhereTheParserGivesUp) {
  for (const std::string broken : {"[.a]", "[.a.", "[.'", "a=[}"}) {
    const auto file = TomlFile::parse("a.b = 1\nc = 2\n" + broken + "\nd = 3\n", "aierased.toml");
    ASSERT_FALSE(file.ok()) << broken;
    EXPECT_EQ(file.error().code, Errc::invalid_input);
    EXPECT_TRUE(file.error().message.starts_with("aierased.toml:3:")) << file.error().message;
  }
}

TEST(ATomlFile, RefusesTheFirstKeyThatNobodyAskedFor) {
  TomlFile file = toml_file(kConfig);
  ASSERT_TRUE(file.get_string("name").ok());
  ASSERT_TRUE(file.get_string("slot.path").ok());
  ASSERT_TRUE(file.get_boolean("slot.direct").ok());
  EXPECT_EQ(file.refuse_unknown_keys().error().message, "aierased.toml:4:1: unknown key \"keep\"");
}

TEST(ATomlFile, TakesADottedNameInQuotesForAnotherKey) {
  TomlFile file = toml_file("\"slot.path\" = \"/p\"\n");
  EXPECT_EQ(file.get_string("slot.path").value(), std::nullopt);
  EXPECT_FALSE(file.refuse_unknown_keys().ok());
}

TEST(ATomlFile, RefusesAnUnknownTableEvenAnEmptyOne) {
  TomlFile file = toml_file("[slott]\n");
  ASSERT_TRUE(file.get_string("slot.path").ok());
  EXPECT_FALSE(file.refuse_unknown_keys().ok());
}

TEST(ATomlFile, ThatIsBrokenIsRefusedWithItsPlace) {
  const auto broken = TomlFile::parse("a = 1\nb = \n", "f.toml");
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().code, Errc::invalid_input);
  EXPECT_EQ(broken.error().message.substr(0, 9), "f.toml:2:") << broken.error().message;
}

TEST(ATomlFile, ThatIsMadeToExhaustTheParserIsRefused) {
  std::string dotted = "a";
  for (int i = 0; i < 1000; ++i) dotted += ".a";
  EXPECT_FALSE(TomlFile::parse(dotted + " = 1\n", "f").ok());
  EXPECT_FALSE(TomlFile::parse("a = \"" + std::string(5000, 'x') + "\"\n", "f").ok());
  EXPECT_FALSE(TomlFile::parse(std::string(10'000, '['), "f").ok());
  EXPECT_EQ(TomlFile::parse(std::string(100, '\n'), "f", 99).error().code, Errc::resource_limit);
  std::string nested = "a = ";
  for (int i = 0; i < 120; ++i)
    nested += "{b" + std::string(".b") + dotted.substr(1, 180) + " = [\n";
  EXPECT_FALSE(TomlFile::parse(nested, "f").ok());  // never closed, and never a crash
}

}  // namespace
}  // namespace aierase
