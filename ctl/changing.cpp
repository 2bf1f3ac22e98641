#include "ctl/changing.h"

#include <nlohmann/json.hpp>

#include "ctl/naming.h"
#include "ctl/render.h"

namespace aierase::ctl {
namespace {

constexpr std::size_t kNamesInACommand = 20;  // more would fill the terminal

Result<Json> change_one(Session& session, const Change& change, const std::string& wanted,
                        const Json& options) {
  CallArguments arguments;
  arguments.texts = {wanted};
  ASSIGN_OR_RETURN(Json answer,
                   session.call("Asset", change.method, std::move(arguments), options));
  return unwrapped(std::move(answer), "asset");
}

std::string name_of(const Json& asset, const std::string& wanted) {
  const std::string name = text_at(asset, "name");
  return printable(name.empty() ? wanted : name);
}

std::string remarks_text(const Json& asset, const Output& out) {
  std::string text;
  for (const Json& remark : list_at(asset, "remarks")) {
    if (!remark.is_string()) continue;
    text += wrapped(printable(remark.get<std::string>()), out.width(), 0) + "\n";
  }
  return text;
}

std::string id_of(const Json& asset, const std::string& wanted) {
  const std::string id = text_at(asset, "id");
  return printable(id.empty() ? wanted : id);
}

Result<std::vector<std::string>> chosen_assets(Session& session, const ManyChange& many) {
  const Arguments& given = session.arguments();
  ASSIGN_OR_RETURN(std::vector<std::string> names, named_assets(given, many.change.verb));
  if (given.has("match")) return matching_assets(session, many.from);
  if (!names.empty()) return names;
  return make_error(Errc::usage, "nothing is selected, and that never means everything",
                    "name assets, or select them with --match");
}

// The outcome of several calls, one after the other.
struct Outcomes {
  Json changed = Json::array();
  Json failed = Json::array();
  std::vector<std::string> names;  // of what was changed, to show
  Error first_failure;
};

// Nothing that follows can go better.
bool ends_all(Errc code) {
  return code == Errc::unreachable || code == Errc::cancelled;
}

Outcomes change_each(Session& session, const Change& change,
                     const std::vector<std::string>& wanted) {
  const Json options = reason_option(session.arguments());
  Outcomes outcomes;
  Error failure;
  for (const std::string& one : wanted) {
    if (!ends_all(failure.code)) {
      Result<Json> asset = change_one(session, change, one, options);
      if (asset.ok()) {
        outcomes.names.push_back(name_of(*asset, one));
        outcomes.changed.push_back(std::move(*asset));
        continue;
      }
      failure = std::move(asset).error();
      if (outcomes.failed.empty()) outcomes.first_failure = failure;
    }
    outcomes.failed.push_back({{"asset", printable(one)},
                               {"code", std::string(info(failure.code).name)},
                               {"message", printable(failure.message)}});
  }
  return outcomes;
}

std::string outcomes_text(const Outcomes& outcomes, const ManyChange& many) {
  std::string text;
  for (const std::string& name : outcomes.names) {
    text += name + " " + std::string(many.change.done) + ".\n";
  }
  for (const Json& row : outcomes.failed) {
    text += text_at(row, "asset") + ": not done: " + text_at(row, "message") + "\n";
  }
  if (outcomes.names.empty() || many.again.empty()) return text;
  return text + "Next: an operator makes them usable again" +
         command_for_many(many.again, "suspended", outcomes.names) + "\n";
}

}  // namespace

Result<int> change_asset(Session& session, const Change& change, const Json& options) {
  const std::string& wanted = session.operand(0);
  ASSIGN_OR_RETURN(Json asset, change_one(session, change, wanted, options));
  Output& out = session.out();
  if (!out.for_people()) {
    out.print_json(change.verb, {{"asset", std::move(asset)}});
  } else if (out.quiet()) {
    out.print(id_of(asset, wanted) + "\n");
  } else if (text_at(asset, "changed") == "no") {
    out.print("Nothing changed: it is so already with " + name_of(asset, wanted) + ".\n");
  } else {
    out.print(name_of(asset, wanted) + " " + std::string(change.done) + ".\n" +
              remarks_text(asset, out) + change.next);
  }
  return 0;
}

Result<int> change_assets(Session& session, const ManyChange& many) {
  const Arguments& given = session.arguments();
  if (given.operands().size() == 1 && session.operand(0) != "-" && !given.has("match")) {
    return change_asset(session, many.change, reason_option(given));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> wanted, chosen_assets(session, many));
  Outcomes outcomes = change_each(session, many.change, wanted);
  if (outcomes.changed.empty() && wanted.size() == 1) return outcomes.first_failure;
  Output& out = session.out();
  const int code = outcomes.failed.empty() ? 0 : info(Errc::partial).exit_code;
  if (!out.for_people()) {
    out.print_json(many.change.verb, {{"assets", std::move(outcomes.changed)},
                                      {"failed", std::move(outcomes.failed)}});
  } else if (!out.quiet()) {
    out.print(outcomes_text(outcomes, many));
  } else {
    for (const Json& asset : outcomes.changed) out.print(id_of(asset, "") + "\n");
    if (code != 0) {
      tell(make_error(Errc::partial, counted(outcomes.failed.size(), "asset") +
                                         " failed; the first: " + outcomes.first_failure.message),
           out.form());
    }
  }
  return code;
}

std::string command_for_many(std::string_view verb, std::string_view state,
                             const std::vector<std::string>& names) {
  std::string command = ":\n  aierase " + std::string(verb);
  if (names.size() > kNamesInACommand) {
    return ", and with them all that is " + std::string(state) + command +
           " --match state=" + std::string(state);
  }
  for (const std::string& name : names) command += " " + printable(name);
  return command;
}

Json reason_option(const Arguments& given) {
  Json options = Json::object();
  if (given.has("reason")) options["reason"] = given.value_or("reason", "");
  return options;
}

}  // namespace aierase::ctl
