#include "ctl/outcome.h"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "ctl/render.h"

namespace aierase::ctl {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

// A signal may be lost with a daemon that restarts: look again now and then.
constexpr milliseconds kLookAgain{5000};
constexpr int kLooksPutOff = 30;  // one after the other

struct Ending {
  std::string_view state;
  Errc code;
  std::string_view sentence;
};
constexpr std::array kEndings{
    Ending{"rejected", Errc::approval_refused, "the plan was rejected"},
    Ending{"cancelled", Errc::approval_refused, "the plan was cancelled"},
    Ending{"expired", Errc::approval_expired, "the plan expired before it was approved"},
    Ending{"stale", Errc::plan_stale, "what was approved is no longer what is there"},
    Ending{"failed", Errc::unexpected, "the plan failed"},
};

struct Unit {
  std::string_view word;
  std::int64_t seconds;
};
constexpr std::array kUnits{
    Unit{"s", 1},  Unit{"sec", 1},  Unit{"seconds", 1},  Unit{"min", 60},  Unit{"minutes", 60},
    Unit{"m", 60}, Unit{"h", 3600}, Unit{"hours", 3600}, Unit{"d", 86400}, Unit{"days", 86400}};
constexpr std::int64_t kLongest = 366LL * 86400;

Error bad_patience(std::string_view text) {
  return make_error(Errc::usage, "not a time to wait: " + quoted(text),
                    "30s, 5min, 1h, 2d, or ISO 8601 as PT5M");
}

std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || value < 0 || value > kLongest) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end.ptr - text.data()));
  return value;
}

// PT1H30M, P2D; designators in their order, at least one.
std::optional<std::int64_t> iso_seconds(std::string_view text) {
  std::int64_t total = 0;
  std::string_view order = "DHMS";
  bool time = false, any = false;
  while (!text.empty()) {
    if (text[0] == 'T' && !time) {
      time = true;
      text.remove_prefix(1);
      any = false;
      continue;
    }
    const auto value = take_number(text);
    if (!value || text.empty()) return std::nullopt;
    const char unit = text[0];
    text.remove_prefix(1);
    const std::size_t place = order.find(unit);
    if (place == std::string_view::npos || (unit == 'D') == time) return std::nullopt;
    order.remove_prefix(place + 1);
    total += *value * (unit == 'D' ? 86400 : unit == 'H' ? 3600 : unit == 'M' ? 60 : 1);
    any = true;
  }
  return any ? std::optional(total) : std::nullopt;
}

}  // namespace

bool has_ended(const Json& plan) {
  const std::string state = text_at(plan, "state");
  if (state == "done" || state == "partial") return true;
  for (const Ending& ending : kEndings) {
    if (ending.state == state) return true;
  }
  return false;
}

std::size_t held_items(const Json& plan) {
  std::size_t held = 0;
  for (const Json& item : list_at(plan, "items")) {
    if (text_at(item, "state") == "held") ++held;
  }
  return held;
}

bool waits_for_holds(const Json& plan) {
  const std::string state = text_at(plan, "state");
  return (state == "approved" || state == "running") && text_at(plan, "due").empty() &&
         held_items(plan) > 0;
}

Result<int> outcome_of(const Json& plan) {
  const std::string state = text_at(plan, "state");
  if (state == "done") return 0;
  if (waits_for_holds(plan)) return info(Errc::legal_hold).exit_code;
  if (state == "partial") return info(Errc::partial).exit_code;
  for (const Ending& ending : kEndings) {
    if (ending.state != state) continue;
    return make_error(ending.code, std::string(ending.sentence),
                      "aierase show " + short_id(text_at(plan, "id")) + " tells more",
                      text_at(plan, "id"));
  }
  return 0;
}

Result<milliseconds> parse_patience(std::string_view text) {
  std::string_view rest = text;
  std::optional<std::int64_t> seconds;
  if (!rest.empty() && rest[0] == 'P') {
    seconds = iso_seconds(rest.substr(1));
  } else if (const auto value = take_number(rest)) {
    while (!rest.empty() && rest[0] == ' ') rest.remove_prefix(1);
    for (const Unit& unit : kUnits) {
      if (unit.word == rest) seconds = *value * unit.seconds;
    }
  }
  if (!seconds || *seconds > kLongest) return bad_patience(text);
  return milliseconds(*seconds * 1000);
}

Result<std::optional<Json>> wait_for(Session& session, const Look& look, const Enough& enough,
                                     Patience patience) {
  RETURN_IF_ERROR(session.watch_changes());
  const Steady::time_point start = Steady::now();
  for (int put_off = 0;;) {
    Result<Json> seen = look();
    // The daemon may have too many callers to answer; what is waited for goes on meanwhile.
    const bool crowded = !seen.ok() && seen.error().code == Errc::resource_limit;
    if (!seen.ok() && (!crowded || ++put_off > kLooksPutOff)) return std::move(seen).error();
    if (seen.ok()) {
      put_off = 0;
      if (enough(*seen)) return std::optional<Json>(std::move(*seen));
    }
    milliseconds left = kLookAgain;
    if (patience) {
      const auto spent = std::chrono::duration_cast<milliseconds>(Steady::now() - start);
      if (spent >= *patience) return std::optional<Json>();
      left = std::min(left, *patience - spent);
    }
    RETURN_IF_ERROR(session.wait_for_change(left));
  }
}

Result<Json> show_plan(Session& session, const std::string& plan) {
  CallArguments arguments;
  arguments.texts = {plan};
  ASSIGN_OR_RETURN(Json shown, session.call("Plan", "Show", std::move(arguments), Json::object()));
  return unwrapped(std::move(shown), "plan");
}

namespace {

Result<Json> asset_page(Session& session, const std::string& asset, const Json& options) {
  CallArguments arguments;
  arguments.texts = {asset};
  ASSIGN_OR_RETURN(Json shown, session.call("Asset", "Show", std::move(arguments), options));
  return unwrapped(std::move(shown), "asset");
}

}  // namespace

Result<Json> show_asset_metadata(Session& session, const std::string& asset) {
  return asset_page(session, asset, {{"metadata", "yes"}});
}

Result<Json> show_asset(Session& session, const std::string& asset, Files files) {
  ASSIGN_OR_RETURN(Json whole, asset_page(session, asset, Json::object()));
  if (files == Files::first || number_at(whole, "files_omitted") == 0) return whole;
  const std::string id = text_at(whole, "id");  // the name may mean another one by now
  Json& all = whole["files"];
  for (std::uint64_t omitted = number_at(whole, "files_omitted"); omitted > 0;) {
    ASSIGN_OR_RETURN(Json page, asset_page(session, id, {{"first_file", all.size()}}));
    if (list_at(page, "files").empty()) {
      return make_error(Errc::wrong_state,
                        printable(text_at(whole, "name")) + " was erased while it was read",
                        "aierase show " + short_id(id) + " tells more", id);
    }
    for (Json& file : page["files"]) all.push_back(std::move(file));
    omitted = number_at(page, "files_omitted");
  }
  whole.erase("files_omitted");
  return whole;
}

}  // namespace aierase::ctl
