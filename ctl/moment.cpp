#include "ctl/moment.h"

#include "base/json.h"
#include "ctl/outcome.h"

namespace aierase::ctl {

Result<UtcTime> parse_moment(std::string_view option, const std::string& text, DayEdge edge,
                             UtcTime now, Tense tense) {
  if (const std::optional<UtcTime> time = from_rfc3339(text)) return *time;
  const std::string of_day = edge == DayEdge::first_second ? "T00:00:00Z" : "T23:59:59Z";
  if (const std::optional<UtcTime> day = from_rfc3339(text + of_day)) return *day;
  const bool past = tense == Tense::past;
  const Result<std::chrono::milliseconds> away = parse_patience(text);
  if (away.ok()) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*away);
    return past ? now - seconds : now + seconds;
  }
  return make_error(Errc::usage,
                    "--" + std::string(option) + " does not understand " + quoted(text),
                    std::string("2026-11-20, 2026-11-20T19:30:00Z (UTC), or how long ") +
                        (past ? "ago" : "from now") + ": 30min, 2h, 7d");
}

}  // namespace aierase::ctl
