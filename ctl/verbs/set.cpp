#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/time.h"
#include "ctl/changing.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

// "placed-on-market=2026-11-02", or with a time, or today by itself: the only event that people
// record.
Result<std::string> moment_of_event(const std::string& text) {
  constexpr std::string_view kKnown = "placed-on-market";
  const std::size_t equals = std::min(text.find('='), text.size());
  if (std::string_view(text).substr(0, equals) != kKnown) {
    return make_error(Errc::usage, "--event knows placed-on-market[=DATE], not " + quoted(text));
  }
  if (equals == text.size()) return to_rfc3339(SystemClock().now()).substr(0, 10) + "T00:00:00Z";
  std::string moment = text.substr(equals + 1);
  if (moment.find('T') == std::string::npos) moment += "T00:00:00Z";
  if (from_rfc3339(moment)) return moment;
  return make_error(Errc::usage,
                    "--event needs a day like 2026-11-02 or a time like "
                    "2026-11-02T09:30:00Z, not " +
                        quoted(text.substr(equals + 1)));
}

}  // namespace

Result<int> run_set(Session& session) {
  const Arguments& given = session.arguments();
  if (!given.has("label") && !given.has("retention") && !given.has("custodian") &&
      !given.has("event")) {
    return make_error(Errc::usage, "'set' needs something to change",
                      "--label K=V, --label K-, --retention C, --custodian U or "
                      "--event E[=DATE]");
  }
  if (!given.has("reason")) {
    return make_error(Errc::usage, "'set' needs --reason", "it is recorded with the change");
  }
  for (const std::string& label : given.all("label")) {
    const bool removes =
        label.size() > 1 && label.back() == '-' && label.find('=') == std::string::npos;
    if (removes || (label.find('=') != std::string::npos && label[0] != '=')) continue;
    return make_error(Errc::usage, "--label needs K=V, or K- to remove it, not " + quoted(label));
  }
  Json options = reason_option(given);
  if (given.has("label")) options["labels"] = given.all("label");
  if (given.has("retention")) options["retention"] = given.value_or("retention", "");
  if (given.has("custodian")) options["custodians"] = given.all("custodian");
  if (given.has("event")) {
    ASSIGN_OR_RETURN(options["placed_on_market"], moment_of_event(given.value_or("event", "")));
  }
  return change_asset(
      session,
      {"set", "Set", "is changed", "Next: aierase show " + printable(session.operand(0)) + "\n"},
      options);
}

}  // namespace aierase::ctl
