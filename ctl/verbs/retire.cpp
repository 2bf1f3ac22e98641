#include <algorithm>
#include <nlohmann/json.hpp>

#include "ctl/describe.h"
#include "ctl/matching.h"
#include "ctl/naming.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

Error retire_usage(std::string message, std::string hint = "aierase retire --help explains it") {
  return make_error(Errc::usage, std::move(message), std::move(hint));
}

Result<std::vector<std::string>> selected(const Arguments& given) {
  ASSIGN_OR_RETURN(std::vector<std::string> names, named_assets(given, "retire"));
  if (names.empty() && !given.has("match")) {
    return retire_usage("nothing is selected, and that never means everything",
                        "name assets, or select them with --match");
  }
  return names;
}

Result<Json> retire_options(const Arguments& given) {
  if (given.value_or("reason", "").empty()) {
    return retire_usage("'retire' needs --reason", "it stands on the certificate");
  }
  if (given.has("cascade") && given.has("keep")) {
    return retire_usage(
        "--cascade takes every dependant along, --keep leaves one: give one of them");
  }
  for (const std::string& kept : given.all("keep")) {
    const std::size_t equals = kept.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == kept.size()) {
      return retire_usage("--keep needs DEPENDANT=REASON, not " + quoted(kept));
    }
  }
  ASSIGN_OR_RETURN(const Json match, read_matches(given.all("match")));
  Json options = {{"reason", given.value_or("reason", "")}};
  if (given.has("ticket")) options["ticket"] = given.value_or("ticket", "");
  if (!match.empty()) options["match"] = match;
  if (given.has("keep")) options["keep"] = given.all("keep");
  if (given.has("cascade")) options["cascade"] = "yes";
  if (given.has("skip-blocked")) options["skip_blocked"] = "yes";
  if (given.has("dry-run")) options["dry_run"] = "yes";
  if (given.has("now")) options["now"] = "yes";
  if (given.has("below-floor")) {
    const std::string basis = given.value_or("below-floor", "");
    if (basis.empty()) return retire_usage("--below-floor needs the legal basis in words");
    options["below_floor"] = basis;
  }
  return options;
}

std::optional<Errc> errc_from_name(std::string_view name) {
  for (int code = 0; code <= static_cast<int>(Errc::busy); ++code) {
    if (info(static_cast<Errc>(code)).name == name) return static_cast<Errc>(code);
  }
  return std::nullopt;
}

bool is_blocked(const Json& item) {
  const std::string verdict = text_at(item, "verdict");
  return verdict == "blocked" || verdict == "conflict";
}

std::size_t blocked_items(const Json& plan) {
  const auto& items = list_at(plan, "items");
  return static_cast<std::size_t>(std::count_if(items.begin(), items.end(), is_blocked));
}

// Everything that is blocked would be left out where something else remains.
bool would_be_made(const Json& plan) {
  return !list_at(plan, "items").empty() && blocked_items(plan) == 0;
}

// A dry run answers with the exit code that the real one would have had.
int dry_run_code(const Json& plan) {
  if (would_be_made(plan)) return 0;
  Errc worst = Errc::unexpected;
  bool blocked = false;
  for (const char* list : {"items", "left_out"}) {
    for (const Json& item : list_at(plan, list)) {
      if (!is_blocked(item)) continue;
      for (const Json& reason : list_at(item, "reasons")) {
        const Errc code = errc_from_name(text_at(reason, "code")).value_or(Errc::policy_conflict);
        worst = blocked ? worse_blocker(worst, code) : code;
        blocked = true;
      }
    }
  }
  return blocked ? info(worst).exit_code : 0;
}

std::string dry_run_text(const Json& plan, const Output& out) {
  const std::size_t items = list_at(plan, "items").size();
  Fields fields;
  add_approvers(fields, plan);
  add_terms(fields, plan);
  const std::string terms = fields.text(out.width());
  const std::string begin =
      (terms.empty() ? "\n" : "\n" + terms + "\n") + "This was a dry run: no plan was made";
  if (!would_be_made(plan)) {
    const std::size_t blocked = blocked_items(plan) + list_at(plan, "left_out").size();
    return begin + ", and none would be: " + counted(blocked, "item") +
           (blocked == 1 ? " is" : " are") + " blocked." +
           (blocked < items ? " --skip-blocked plans the others." : "") + "\n";
  }
  const std::string due = text_at(plan, "due_if_approved_now");
  const std::string orphaned = orphaned_text(plan);
  return begin + ", " + counted(items, "item") + " would be in it" +
         (due.empty() ? "" : ", and erased at " + printable(due) + " if approved now") + ".\n" +
         (orphaned.empty() ? "" : "It could not be approved: " + orphaned);
}

std::string plan_text(const Json& plan, const Output& out, const Arguments& given) {
  if (given.has("dry-run")) {
    const bool any = !list_at(plan, "items").empty();
    return (any ? item_table(plan, out) : std::string()) + dry_run_text(plan, out);
  }
  Fields fields;
  fields.add("Plan", text_at(plan, "id"));
  fields.add("Digest", text_at(plan, "digest"));
  fields.add("State", text_at(plan, "state"));
  fields.add("Erased at", moment_of_erasure(plan));
  add_terms(fields, plan);
  return item_table(plan, out) + "\n" + fields.text(out.width()) + "\n" + next_step(plan) +
         "To take it back: aierase cancel " + short_id(text_at(plan, "id")) + "\n";
}

}  // namespace

Result<int> run_retire(Session& session) {
  const Arguments& given = session.arguments();
  Output& out = session.out();
  ASSIGN_OR_RETURN(const Json options, retire_options(given));
  CallArguments arguments;
  ASSIGN_OR_RETURN(arguments.names, selected(given));
  ASSIGN_OR_RETURN(Json answer, session.call("Plan", "Retire", std::move(arguments), options));
  Json plan = unwrapped(std::move(answer), "plan");
  const bool dry_run = given.has("dry-run");
  const int code = dry_run ? dry_run_code(plan) : 0;
  if (!out.for_people()) {
    Json object = {{"plan", std::move(plan)}};
    if (dry_run) object["dry_run"] = true;
    out.print_json("retire", std::move(object));
  } else if (!out.quiet()) {
    out.print(plan_text(plan, out, given));
  } else if (!dry_run) {
    out.print(printable(text_at(plan, "id")) + "@" + printable(text_at(plan, "digest")) + "\n");
  }
  return code;
}

}  // namespace aierase::ctl
