#include "base/duration.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json.h"
#include "base/limits.h"
#include "base/spelling.h"

namespace aierase {
namespace {

using std::chrono::days;
using std::chrono::months;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;
using Unit = Duration::Unit;

struct UnitRow {
  Unit unit;
  std::string_view singular, plural;
  std::string_view before, letter;  // of ISO 8601
  std::int64_t seconds;             // 0: counted by the calendar
  std::int64_t months;
  std::int64_t per_year;  // at most
};
constexpr std::array kUnits{
    UnitRow{Unit::seconds, "second", "seconds", "PT", "S", 1, 0, 31'622'400},
    UnitRow{Unit::minutes, "minute", "minutes", "PT", "M", 60, 0, 527'040},
    UnitRow{Unit::hours, "hour", "hours", "PT", "H", 3'600, 0, 8'784},
    UnitRow{Unit::days, "day", "days", "P", "D", 86'400, 0, 366},
    UnitRow{Unit::weeks, "week", "weeks", "P", "W", 604'800, 0, 52},
    UnitRow{Unit::months, "month", "months", "P", "M", 0, 1, 12},
    UnitRow{Unit::years, "year", "years", "P", "Y", 0, 12, 1},
};
constexpr std::array<std::string_view, 14> kUnitWords{
    "second", "seconds", "minute", "minutes", "hour",   "hours", "day",
    "days",   "week",    "weeks",  "month",   "months", "year",  "years"};

const UnitRow& row_of(Unit unit) {
  return kUnits[static_cast<std::size_t>(unit)];
}

Error refused(std::string_view text, const std::string& what, std::string hint = {}) {
  if (hint.empty()) hint = "write a number and a word: \"6 months\", \"10 years\", \"90 days\"";
  return make_error(Errc::invalid_input, quoted(text) + " is not a duration: " + what,
                    std::move(hint));
}

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

Result<Unit> parse_unit(std::string_view text, std::string_view word) {
  for (const UnitRow& row : kUnits) {
    if (word == row.singular || word == row.plural) return row.unit;
  }
  if (word.empty()) return refused(text, "it has no unit");
  if (word.size() == 1) {
    return refused(text, "the one letter " + quoted(word) + " may mean several units",
                   "write the word: minutes, hours, days, weeks, months or years");
  }
  const std::string_view near = nearest(word, kUnitWords);
  return refused(text, "there is no unit " + quoted(word),
                 near.empty() ? std::string() : "did you mean " + quoted(near) + "?");
}

// What stands where a number should begin, or goes on behind its digits.
Status check_number(std::string_view text, std::string_view digits, std::string_view rest) {
  if (text.empty()) return refused(text, "it is empty");
  if (text.front() == '-') return refused(text, "it is negative");
  if (digits.empty() && (text.front() == 'P' || text.front() == 'p')) {
    return refused(text, "durations are written in words");
  }
  if (digits.empty()) return refused(text, "it does not begin with a number in digits");
  if (!rest.empty() && (rest.front() == '.' || rest.front() == ',')) {
    return refused(text, "it has a fraction", "take a smaller unit: \"18 months\" for 1.5 years");
  }
  if (!rest.empty() && rest.front() != ' ') {
    return refused(text, "there is no space between number and unit");
  }
  return {};
}

UtcTime bounded(UtcTime time) {
  return std::clamp(time, UtcTime{}, kEndOfTime);
}

UtcTime add_months(UtcTime start, std::int64_t count) {
  const sys_days day = std::chrono::floor<days>(start);
  const year_month_day date(day);
  const auto month = date.year() / date.month() + months(count);
  const auto last = (month / std::chrono::last).day();
  return sys_days(month / std::min(date.day(), last)) + (start - day);
}

// Days on which calendar and fixed durations differ most: ends and beginnings of months over the
// 400 years after which the calendar repeats.
bool can_outlast_somewhere(const Duration& a, const Duration& b) {
  for (int y = 2000; y < 2400; ++y) {
    for (unsigned m = 1; m <= 12; ++m) {
      for (const unsigned d : {1U, 28U, 29U, 30U, 31U}) {
        const year_month_day date = year(y) / std::chrono::month(m) / std::chrono::day(d);
        if (date.ok() && add(sys_days(date), a) > add(sys_days(date), b)) return true;
      }
    }
  }
  return false;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  const std::string_view digits = text.substr(0, end);
  RETURN_IF_ERROR(check_number(text, digits, text.substr(end)));
  std::size_t word = end;
  while (word < text.size() && text[word] == ' ') ++word;
  ASSIGN_OR_RETURN(const Unit unit, parse_unit(text, text.substr(word)));
  Duration duration{0, unit};
  const auto most =
      static_cast<std::int64_t>(limits::kRetentionYears) * row_of(duration.unit).per_year;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), duration.count);
  if (read.ec != std::errc() || duration.count > most) {
    return refused(text, "it is longer than " + std::to_string(limits::kRetentionYears) + " years",
                   "for what may never be erased leave erase-after out");
  }
  return duration;
}

std::string to_words(const Duration& duration) {
  const UnitRow& row = row_of(duration.unit);
  return std::to_string(duration.count) + " " +
         std::string(duration.count == 1 ? row.singular : row.plural);
}

std::string to_iso8601(const Duration& duration) {
  const UnitRow& row = row_of(duration.unit);
  return std::string(row.before) + std::to_string(duration.count) + std::string(row.letter);
}

UtcTime add(UtcTime start, const Duration& duration) {
  const UnitRow& row = row_of(duration.unit);
  const UtcTime from = bounded(start);
  return bounded(row.months > 0 ? add_months(from, duration.count * row.months)
                                : from + seconds(duration.count * row.seconds));
}

bool can_outlast(const Duration& a, const Duration& b) {
  const UnitRow& row_a = row_of(a.unit);
  const UnitRow& row_b = row_of(b.unit);
  if (row_a.months > 0 && row_b.months > 0) return a.count * row_a.months > b.count * row_b.months;
  if (row_a.months == 0 && row_b.months == 0) {
    return a.count * row_a.seconds > b.count * row_b.seconds;
  }
  return can_outlast_somewhere(a, b);
}

}  // namespace aierase
