#include "base/duration.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace aierase {
namespace {

UtcTime at(const std::string& text) {
  const auto time = from_rfc3339(text.size() == 10 ? text + "T00:00:00Z" : text);
  EXPECT_TRUE(time.has_value()) << text;
  return time.value_or(UtcTime{});
}

Duration period(std::string_view text) {
  return parse_duration(text).value();
}

std::string after(const std::string& start, std::string_view words) {
  return to_rfc3339(add(at(start), period(words)));
}

TEST(ADuration, IsReadFromWordsInSingularAndPlural) {
  EXPECT_EQ(period("6 months"), (Duration{6, Duration::Unit::months}));
  EXPECT_EQ(period("1 month"), (Duration{1, Duration::Unit::months}));
  EXPECT_EQ(period("10 years"), (Duration{10, Duration::Unit::years}));
  EXPECT_EQ(period("90 days"), (Duration{90, Duration::Unit::days}));
  EXPECT_EQ(period("36  hours"), (Duration{36, Duration::Unit::hours}));
  EXPECT_EQ(period("2 weeks"), (Duration{2, Duration::Unit::weeks}));
  EXPECT_EQ(period("0 days"), (Duration{0, Duration::Unit::days}));
  EXPECT_EQ(period("90 seconds").unit, Duration::Unit::seconds);
  EXPECT_EQ(period("5 minutes").unit, Duration::Unit::minutes);
}

TEST(ADuration, IsRefusedWhereItCouldBeMistaken) {
  for (const char* text : {"",
                           " ",
                           "6",
                           "6 m",
                           "6m",
                           "6months",
                           "months",
                           "six months",
                           "-6 months",
                           "+6 months",
                           "1.5 years",
                           "1,5 years",
                           "6 months ",
                           " 6 months",
                           "6 Months",
                           "P6M",
                           "6 months 1 day",
                           "6\tmonths",
                           "1e3 days",
                           "0x10 days",
                           "99999999999999999999 days",
                           "1001 years",
                           "12001 months",
                           "6 fortnights"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration.ok()) << text;
    EXPECT_EQ(duration.error().code, Errc::invalid_input) << text;
    EXPECT_FALSE(duration.error().hint.empty()) << text;
  }
}

TEST(ADurationOfOneLetter, IsRefusedBecauseMonthsAndMinutesBeginAlike) {
  const auto duration = parse_duration("6 m");
  ASSERT_FALSE(duration.ok());
  EXPECT_NE(duration.error().message.find("several units"), std::string::npos);
}

TEST(AMisspelledUnit, IsAnsweredWithTheNearestOne) {
  EXPECT_EQ(parse_duration("6 monhts").error().hint, "did you mean \"months\"?");
}

TEST(ADuration, IsWrittenAsWordsAndAsIso8601) {
  const std::vector<std::array<std::string, 3>> rows{
      {"6 months", "6 months", "P6M"},    {"1 years", "1 year", "P1Y"},
      {"90 days", "90 days", "P90D"},     {"36 hours", "36 hours", "PT36H"},
      {"5 minutes", "5 minutes", "PT5M"}, {"2 weeks", "2 weeks", "P2W"},
      {"0 days", "0 days", "P0D"},        {"7 seconds", "7 seconds", "PT7S"}};
  for (const auto& row : rows) {
    EXPECT_EQ(to_words(period(row[0])), row[1]);
    EXPECT_EQ(to_iso8601(period(row[0])), row[2]);
  }
}

TEST(Months, EndOnTheLastDayOfAShorterMonth) {
  EXPECT_EQ(after("2026-08-31", "6 months"), "2027-02-28T00:00:00Z");
  EXPECT_EQ(after("2027-08-31", "6 months"), "2028-02-29T00:00:00Z");
  EXPECT_EQ(after("2026-08-30", "6 months"), "2027-02-28T00:00:00Z");
  EXPECT_EQ(after("2026-12-31", "2 months"), "2027-02-28T00:00:00Z");
  EXPECT_EQ(after("2026-01-31", "1 month"), "2026-02-28T00:00:00Z");
  EXPECT_EQ(after("2026-11-30T12:34:56Z", "3 months"), "2027-02-28T12:34:56Z");
}

TEST(Years, OfALeapDayEndOnTheLastOfFebruary) {
  EXPECT_EQ(after("2028-02-29", "10 years"), "2038-02-28T00:00:00Z");
  EXPECT_EQ(after("2028-02-29", "4 years"), "2032-02-29T00:00:00Z");
  EXPECT_EQ(after("2096-02-29", "4 years"), "2100-02-28T00:00:00Z");
  EXPECT_EQ(after("2028-02-29", "1 year"), "2029-02-28T00:00:00Z");
}

TEST(Days, AreTwentyFourHoursWhateverTheCalendarSays) {
  EXPECT_EQ(after("2028-02-28T23:59:59Z", "1 day"), "2028-02-29T23:59:59Z");
  EXPECT_EQ(after("2026-02-28", "36 hours"), "2026-03-01T12:00:00Z");
  EXPECT_EQ(after("2026-01-01", "2 weeks"), "2026-01-15T00:00:00Z");
}

TEST(ASum, NeverLeavesTheCalendar) {
  EXPECT_EQ(add(at("9999-12-31"), period("1000 years")), kEndOfTime);
  EXPECT_EQ(add(kEndOfTime, period("1 second")), kEndOfTime);
  EXPECT_EQ(add(UtcTime::max(), period("1 month")), kEndOfTime);
  EXPECT_EQ(add(UtcTime::min(), period("1 day")), from_unix(86'400));
  EXPECT_EQ(to_rfc3339(kEndOfTime), "9999-12-31T23:59:59Z");
}

TEST(OneDuration, CanOutlastAnotherOnlyIfSomeStartShowsIt) {
  EXPECT_FALSE(can_outlast(period("12 months"), period("1 year")));
  EXPECT_FALSE(can_outlast(period("6 months"), period("6 months")));
  EXPECT_FALSE(can_outlast(period("7 days"), period("1 week")));
  EXPECT_FALSE(can_outlast(period("1 month"), period("31 days")));
  EXPECT_TRUE(can_outlast(period("1 month"), period("30 days")));
  EXPECT_TRUE(can_outlast(period("29 days"), period("1 month")));
  EXPECT_FALSE(can_outlast(period("28 days"), period("1 month")));
  EXPECT_TRUE(can_outlast(period("4 years"), period("1460 days")));
  EXPECT_TRUE(can_outlast(period("1461 days"), period("4 years")));
  EXPECT_FALSE(can_outlast(period("1459 days"), period("4 years")));
}

TEST(OneDuration, NeverOutlastsAnotherFromAStartWhereItWasSaidItCannot) {
  std::mt19937 random(7);
  const char* units[] = {"hours", "days", "weeks", "months", "years"};
  for (int round = 0; round < 400; ++round) {
    const auto any = [&] {
      return period(std::to_string(random() % 40 + 1) + " " + units[random() % 5]);
    };
    const Duration a = any(), b = any();
    if (can_outlast(a, b)) continue;
    for (int i = 0; i < 200; ++i) {
      const UtcTime start = from_unix(static_cast<std::int64_t>(random()));
      ASSERT_LE(add(start, a), add(start, b)) << to_words(a) << ", " << to_words(b);
    }
  }
}

}  // namespace
}  // namespace aierase
