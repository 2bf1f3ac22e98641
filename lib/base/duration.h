// Durations of retention: words in, calendar arithmetic in UTC, ISO 8601 out.
//
// Contract: pure and total but for parsing. Months and years keep the day of the month and the
// time of day, or end on the last day of a shorter month: 31 August + 6 months is the last of
// February, 29 February + 10 years is 28 February. Days are 24 hours. A sum never lies beyond
// kEndOfTime. Specified in: aierase-policy(5) DURATIONS.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace aierase {

struct Duration {
  enum class Unit { seconds, minutes, hours, days, weeks, months, years };
  std::int64_t count = 0;
  Unit unit = Unit::days;
  friend bool operator==(const Duration&, const Duration&) = default;
};

inline constexpr UtcTime kEndOfTime =
    std::chrono::sys_days{std::chrono::year{9999} / 12 / 31} + std::chrono::seconds{86'399};

// "6 months", "1 year", "36 hours", "0 days". Errc::invalid_input otherwise, with what to write
// instead; no place, the caller knows where the text stood.
Result<Duration> parse_duration(std::string_view text);

std::string to_words(const Duration& duration);    // "6 months"
std::string to_iso8601(const Duration& duration);  // "P6M", "P90D", "PT36H", "P2W"

UtcTime add(UtcTime start, const Duration& duration);

// Whether there is a start from which `a` ends later than `b`.
bool can_outlast(const Duration& a, const Duration& b);

}  // namespace aierase
