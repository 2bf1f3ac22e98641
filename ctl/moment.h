// Points in time as people type them: a date, a time, or how long ago or from now.
//
// Contract: pure. Times are UTC, as everything that the daemon prints. Specified in: aierase(1)
// audit, enforce.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace aierase::ctl {

enum class DayEdge { first_second, last_second };  // what a date alone means
enum class Tense { past, future };                 // what a duration alone means

// "2026-11-20", "2026-11-20T19:30:00Z", or a duration before or after `now`: "30min", "2d".
// `option` is named by the error.
Result<UtcTime> parse_moment(std::string_view option, const std::string& text, DayEdge edge,
                             UtcTime now, Tense tense = Tense::past);

}  // namespace aierase::ctl
