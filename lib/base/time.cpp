#include "base/time.h"

namespace aierase {
namespace {

// "2026-11-20T19:30:00Z": two digits or four at fixed places.
std::optional<unsigned> digits(std::string_view text, std::size_t from, std::size_t count) {
  unsigned value = 0;
  for (const char character : text.substr(from, count)) {
    if (character < '0' || character > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(character - '0');
  }
  return value;
}

void append_two_digits(std::string& text, char before, unsigned value) {
  text += before;
  text += static_cast<char>('0' + value / 10);
  text += static_cast<char>('0' + value % 10);
}

bool has_the_shape(std::string_view text) {
  return text.size() == 20 && text[4] == '-' && text[7] == '-' && text[10] == 'T' &&
         text[13] == ':' && text[16] == ':' && text[19] == 'Z';
}

}  // namespace

std::string to_rfc3339(UtcTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string text = std::to_string(static_cast<int>(date.year()));
  if (text.size() < 4) text.insert(0, 4 - text.size(), '0');
  append_two_digits(text, '-', static_cast<unsigned>(date.month()));
  append_two_digits(text, '-', static_cast<unsigned>(date.day()));
  append_two_digits(text, 'T', static_cast<unsigned>(clock.hours().count()));
  append_two_digits(text, ':', static_cast<unsigned>(clock.minutes().count()));
  append_two_digits(text, ':', static_cast<unsigned>(clock.seconds().count()));
  return text + 'Z';
}

std::optional<UtcTime> from_rfc3339(std::string_view text) {
  if (!has_the_shape(text)) return std::nullopt;
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  // Leap seconds (60) have no place in sys_seconds and are refused.
  if (*year < 1970 || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  return UtcTime(std::chrono::sys_days(date)) + std::chrono::hours(*hour) +
         std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

}  // namespace aierase
