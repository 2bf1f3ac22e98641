#include <nlohmann/json.hpp>

#include "ctl/matching.h"
#include "ctl/outcome.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

Result<Json> hold_options(const Arguments& given) {
  for (const char* needed : {"matter", "reason"}) {
    if (!given.value_or(needed, "").empty()) continue;
    return make_error(Errc::usage, "'hold place' needs --" + std::string(needed),
                      "whoever meets the hold later has to understand it");
  }
  if (!given.has("match")) {
    return make_error(Errc::usage, "nothing is selected, and that never means everything",
                      "select with --match; --match 'name=*' means everything");
  }
  ASSIGN_OR_RETURN(Json match, read_matches(given.all("match")));
  Json options = {{"match", std::move(match)}};
  if (given.has("future")) options["future"] = "yes";
  return options;
}

}  // namespace

Result<int> run_hold_place(Session& session) {
  const Arguments& given = session.arguments();
  Output& out = session.out();
  ASSIGN_OR_RETURN(const Json options, hold_options(given));
  CallArguments arguments;
  arguments.texts = {given.value_or("matter", ""), given.value_or("reason", "")};
  ASSIGN_OR_RETURN(Json answer, session.call("Hold", "Place", std::move(arguments), options));
  Json hold = unwrapped(std::move(answer), "hold");
  const std::string id = text_at(hold, "id");
  if (!out.for_people()) {
    out.print_json("hold-place", {{"hold", std::move(hold)}});
  } else if (out.quiet()) {
    out.print(printable(id) + "\n");
  } else {
    std::string text = short_id(id) +
                       " is in force: " + counted(number_at(hold, "assets_count"), "asset") +
                       " cannot be erased until it is lifted";
    text += given.has("future") ? ", and whatever comes to match later.\n" : ".\n";
    out.print(text + "To see what it binds: aierase show " + short_id(id) +
              "\nNext: when the matter ends, a hold keeper lifts it with\n  aierase hold lift " +
              short_id(id) + " --reason T\n");
  }
  return 0;
}

}  // namespace aierase::ctl
