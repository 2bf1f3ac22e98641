// Points in time and their text: UTC seconds, RFC 3339 ("2026-11-20T19:30:00Z").
// Contract: pure; parse accepts only UTC ("Z"), seconds resolution, years 1970 to 9999.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace aierase {

using UtcTime = std::chrono::sys_seconds;

std::string to_rfc3339(UtcTime time);
std::optional<UtcTime> from_rfc3339(std::string_view text);
inline std::int64_t to_unix(UtcTime time) {
  return time.time_since_epoch().count();
}
inline UtcTime from_unix(std::int64_t seconds) {
  return UtcTime{std::chrono::seconds{seconds}};
}

}  // namespace aierase
