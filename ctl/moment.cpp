#include "ctl/moment.h"

#include "base/json.h"
#include "ctl/outcome.h"

namespace aierase::ctl {

Result<UtcTime> parse_moment(std::string_view option, const std::string& text, DayEdge edge,
                             UtcTime now) {
  if (const std::optional<UtcTime> time = from_rfc3339(text)) return *time;
  const std::string of_day = edge == DayEdge::first_second ? "T00:00:00Z" : "T23:59:59Z";
  if (const std::optional<UtcTime> day = from_rfc3339(text + of_day)) return *day;
  const Result<std::chrono::milliseconds> ago = parse_patience(text);
  if (ago.ok()) return now - std::chrono::duration_cast<std::chrono::seconds>(*ago);
  return make_error(Errc::usage,
                    "--" + std::string(option) + " does not understand " + quoted(text),
                    "2026-11-20, 2026-11-20T19:30:00Z (UTC), or how long ago: 30min, 2h, 7d");
}

}  // namespace aierase::ctl
