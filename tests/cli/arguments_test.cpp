#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "ctl/arguments.h"
#include "ctl/matching.h"
#include "ctl/outcome.h"
#include "ctl/progress.h"
#include "ctl/render.h"

namespace aierase::ctl {
namespace {

Errc refusal_of(const std::vector<std::string>& words) {
  const auto line = parse_command_line(words);
  EXPECT_FALSE(line.ok());
  return line.ok() ? Errc::unexpected : line.error().code;
}

TEST(APlanWithItsDigest, IsThePlanWhereverARecordIsAskedFor) {
  const std::string plan = "p-aaaaaaaaaaaaaaaaaaaaaaaaaa@0123456789ab";
  const auto line = parse_command_line({"certificate", "export", plan, "out.json"});
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->arguments.operands()[0], plan.substr(0, 28));
}

TEST(ACommandLine, TakesGlobalOptionsBeforeAndBehindTheVerb) {
  const auto before = parse_command_line({"--json", "--bus", "session", "list"});
  ASSERT_TRUE(before.ok());
  EXPECT_EQ(before->form, Form::json);
  EXPECT_EQ(before->bus, "session");
  EXPECT_EQ(before->verb->name, "list");
  const auto behind = parse_command_line({"list", "plans", "-q", "--bus=session"});
  ASSERT_TRUE(behind.ok());
  EXPECT_EQ(behind->verbosity, Verbosity::quiet);
  EXPECT_EQ(behind->bus, "session");
  EXPECT_EQ(behind->arguments.operands(), std::vector<std::string>{"plans"});
}

TEST(ACommandLine, DoesNotTakeTheValueOfAGlobalOptionForTheVerb) {
  const auto line = parse_command_line({"-H", "root@host", "status"});
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->verb->name, "status");
  EXPECT_EQ(line->host, "root@host");
}

TEST(ACommandLine, RefusesAScalarGivenTwice) {
  EXPECT_EQ(refusal_of({"retire", "a", "--reason", "x", "--reason", "y"}), Errc::usage);
  EXPECT_EQ(refusal_of({"--bus", "session", "status", "--bus", "system"}), Errc::usage);
}

TEST(ACommandLine, KeepsRepeatedOptionsInOrderAndDoesNotSplitAtCommas) {
  const auto line = parse_command_line({"import", "n", "p", "--label", "a=1,2", "--label=b=3"});
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->arguments.all("label"), (std::vector<std::string>{"a=1,2", "b=3"}));
}

TEST(ACommandLine, TakesADashAndWordsBehindTwoDashesAsOperands) {
  const auto line = parse_command_line({"import", "n", "--tar", "--", "-odd"});
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->arguments.operands(), (std::vector<std::string>{"n", "-odd"}));
  const auto dash = parse_command_line({"import", "n", "-"});
  ASSERT_TRUE(dash.ok());
  EXPECT_EQ(dash->arguments.operands(), (std::vector<std::string>{"n", "-"}));
}

TEST(ACommandLine, TakesValuesWithNewlinesAndLeadingDashes) {
  const auto line = parse_command_line({"retire", "a", "--reason=two\nlines", "--ticket", "-5"});
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->arguments.value_or("reason", ""), "two\nlines");
  EXPECT_EQ(line->arguments.value_or("ticket", ""), "-5");
}

TEST(ACommandLine, RefusesWhatTheVerbDoesNotKnow) {
  EXPECT_EQ(refusal_of({"status", "--deep"}), Errc::usage);
  EXPECT_EQ(refusal_of({"frobnicate"}), Errc::usage);
  EXPECT_EQ(refusal_of({"certificate"}), Errc::usage);
  EXPECT_EQ(refusal_of({"status", "extra"}), Errc::usage);
  EXPECT_EQ(refusal_of({"cancel"}), Errc::usage);
  EXPECT_EQ(refusal_of({"show", ""}), Errc::usage);
  EXPECT_EQ(refusal_of({"retire", "a", "--cascade=maybe"}), Errc::usage);
  EXPECT_EQ(refusal_of({"show", std::string(100'000, 'x')}), Errc::usage);
}

TEST(ACommandLine, WithHelpNeedsNothingElse) {
  const auto line = parse_command_line({"import", "--help"});
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->request, Request::help);
}

TEST(AVerbOfTwoWords, IsFoundByBoth) {
  const auto line = parse_command_line({"certificate", "trust", "dir"});
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->verb->name, "certificate trust");
  EXPECT_EQ(line->arguments.operands(), std::vector<std::string>{"dir"});
}

TEST(ASelection, RefusesUnknownKeysDoublesAndMissingValues) {
  EXPECT_FALSE(read_matches({"colour=red"}).ok());
  EXPECT_FALSE(read_matches({"state=active", "state=erased"}).ok());
  EXPECT_FALSE(read_matches({"name"}).ok());
  EXPECT_FALSE(read_matches({"name="}).ok());
  EXPECT_TRUE(read_matches({"label.a=1", "label.b=2", "name=x*"}).ok());
}

TEST(ATimeToWait, IsReadAsPeopleAndStandardsWriteIt) {
  using std::chrono::seconds;
  for (const auto& [text, expected] :
       std::vector<std::pair<std::string, int>>{{"30s", 30},
                                                {"5min", 300},
                                                {"5 min", 300},
                                                {"1h", 3600},
                                                {"PT5M", 300},
                                                {"P1DT1H30M5S", 91805},
                                                {"2d", 172800}}) {
    const auto patience = parse_patience(text);
    ASSERT_TRUE(patience.ok()) << text;
    EXPECT_EQ(*patience, seconds(expected)) << text;
  }
  for (const char* text :
       {"", "5", "min", "-5s", "P", "PT", "P5M", "PT5", "5y", "PT1M1H", "999d"}) {
    EXPECT_FALSE(parse_patience(text).ok()) << text;
  }
}

TEST(TheEndOfAPlan, DecidesTheExitCode) {
  EXPECT_EQ(*outcome_of({{"state", "done"}}), 0);
  EXPECT_EQ(*outcome_of({{"state", "partial"}}), 14);
  EXPECT_EQ(info(outcome_of({{"state", "rejected"}}).error().code).exit_code, 9);
  EXPECT_EQ(info(outcome_of({{"state", "expired"}}).error().code).exit_code, 9);
  EXPECT_EQ(info(outcome_of({{"state", "stale"}}).error().code).exit_code, 10);
  EXPECT_FALSE(has_ended({{"state", "approved"}}));
}

TEST(TextForATerminal, CannotSteerIt) {
  EXPECT_EQ(printable("a\x1b[31mb\n"), "a\\x1B[31mb\\x0A");
  EXPECT_EQ(printable("\xff\xfe"), "\\xFF\\xFE");
  EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
  // The right-to-left override: what is behind it would be read backwards.
  EXPECT_EQ(printable("keep \xe2\x80\xae"
                      "esare"),
            "keep \\xE2\\x80\\xAE"
            "esare");
}

TEST(ATable, AlignsItsColumnsAndWrapsTheLastOne) {
  Table table({"A", "B"});
  table.add({"long cell", "one two three four five"});
  EXPECT_EQ(table.text(31),
            "A          B\n"
            "long cell  one two three four\n"
            "           five\n");
}

TEST(Progress, SaysHowMuchHowFastAndHowLong) {
  EXPECT_EQ(progress_text(512 << 20, 1 << 30, std::chrono::milliseconds(1000)),
            "512 MiB of 1.0 GiB, 50 %, 512 MiB/s, 2 s left");
  EXPECT_EQ(progress_text(100, 0, std::chrono::milliseconds(0)), "100 B");
}

TEST(Progress, SaysWhatTheLastStepDoes) {
  EXPECT_EQ(last_step_text(4ULL << 30, "recording it", std::chrono::milliseconds(3200)),
            "4.0 GiB; recording it, 3 s");
  EXPECT_EQ(last_step_text(0, "recording it", std::chrono::milliseconds(10)), "recording it");
}

}  // namespace
}  // namespace aierase::ctl
