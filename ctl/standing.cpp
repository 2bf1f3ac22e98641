#include "ctl/standing.h"

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "ctl/describe.h"
#include "ctl/moment.h"
#include "ctl/render.h"

namespace aierase::ctl {
namespace {

// What --standing does not go with.
Status check_alone(const Arguments& given, std::string_view verb,
                   std::initializer_list<const char*> others) {
  if (!given.operands().empty()) {
    return make_error(
        Errc::usage, "'" + std::string(verb) + " --standing' names a retention class, and no plan");
  }
  for (const char* other : others) {
    if (!given.has(other)) continue;
    return make_error(Errc::usage, std::string("--standing does not go with --") + other);
  }
  return {};
}

Result<std::string> end_of(const Arguments& given) {
  ASSIGN_OR_RETURN(const UtcTime until,
                   parse_moment("until", given.value_or("until", ""), DayEdge::last_second,
                                SystemClock().now(), Tense::future));
  return to_rfc3339(until);
}

std::string plans_wait_text() {
  return "Plans of the nightly run that counted on it wait for people again:\n"
         "  aierase list plans\n";
}

void print_approval(Output& out, std::string_view verb, const Json& approval,
                    const std::string& text) {
  if (!out.for_people()) {
    out.print_json(verb, {{"approval", approval}});
  } else if (out.quiet()) {
    out.print(printable(text_at(approval, "id")) + "\n");
  } else {
    out.print(text);
  }
}

}  // namespace

// One line: `--json` has the whole key.
std::string giver_of(const Json& approval) {
  constexpr std::size_t kShown = 15;  // "SHA256:" and eight
  const Json& by = object_at(approval, "by");
  const std::string login = printable(text_at(by, "login"));
  const std::string who = login.empty() ? "uid " + text_at(by, "uid") : login;
  const std::string key = text_at(object_at(by, "signed"), "key");
  return key.empty() ? who : who + ", key " + printable(key.substr(0, kShown));
}

std::string standing_table(const Json& approvals, const Output& out) {
  Table table({"APPROVAL", "CLASS", "STATE", "BY", "GIVEN", "VALID UNTIL", "WHY"});
  for (const Json& approval : approvals) {
    table.add({printable(text_at(approval, "id")), printable(text_at(approval, "class")),
               printable(text_at(approval, "state")), giver_of(approval),
               printable(text_at(approval, "given")), printable(text_at(approval, "valid_until")),
               printable(text_at(approval, "why"))});
  }
  return table.text(out.width());
}

Result<int> approve_standing(Session& session) {
  const Arguments& given = session.arguments();
  RETURN_IF_ERROR(check_alone(given, "approve", {"signed"}));
  if (!given.has("until")) {
    return make_error(Errc::usage, "an approval in advance ends with a day: it needs --until",
                      "--until 2027-05-31, a year from now at most");
  }
  CallArguments arguments;
  ASSIGN_OR_RETURN(std::string until, end_of(given));
  arguments.texts = {given.value_or("standing", ""), std::move(until)};
  ASSIGN_OR_RETURN(Json answer,
                   session.call("Plan", "ApproveStanding", std::move(arguments), Json::object()));
  const Json approval = unwrapped(std::move(answer), "approval");
  const std::string name = printable(text_at(approval, "class"));
  print_approval(session.out(), "approve", approval,
                 "Approved in advance: what the class " + name +
                     " makes due, of assets that you answer for then, until " +
                     printable(text_at(approval, "valid_until")) +
                     ".\nIt counts for plans of the nightly run alone, and ends sooner when the "
                     "class gets other rules.\nTo change your mind: aierase reject --standing " +
                     name + "\n");
  return 0;
}

Result<int> reject_standing(Session& session) {
  const Arguments& given = session.arguments();
  RETURN_IF_ERROR(check_alone(given, "reject", {"signed"}));
  CallArguments arguments;
  arguments.texts = {given.value_or("standing", "")};
  Json options = Json::object();
  if (given.has("reason")) options["reason"] = given.value_or("reason", "");
  ASSIGN_OR_RETURN(const Json report,
                   session.call("Plan", "RejectStanding", std::move(arguments), options));
  Output& out = session.out();
  const Json& approvals = list_at(report, "approvals");
  if (!out.for_people()) {
    out.print_json("reject", {{"approvals", approvals}});
  } else if (out.quiet()) {
    for (const Json& one : approvals) out.print(printable(text_at(one, "id")) + "\n");
  } else {
    out.print("Revoked: " + counted(approvals.size(), "approval") + " in advance. " +
              plans_wait_text());
  }
  return 0;
}

Result<int> print_standing_request(Session& session) {
  const Arguments& given = session.arguments();
  const auto& operands = given.operands();
  const std::string decision = operands.empty() ? "approve" : operands.front();
  if (operands.size() > 1 || (decision != "approve" && decision != "reject")) {
    return make_error(Errc::usage, "an approval in advance is approved or rejected",
                      "aierase show --request --standing CLASS --approver U [reject]");
  }
  if (given.has("with") || !given.has("approver")) {
    return make_error(Errc::usage, "a text for --standing names who will sign it, and nothing else",
                      "aierase show --request --standing CLASS --approver U --until DATE");
  }
  Json options{{"decision", decision}};
  if (given.has("reason")) options["comment"] = given.value_or("reason", "");
  if (given.has("approval")) options["approval"] = given.value_or("approval", "");
  if (given.has("until")) {
    ASSIGN_OR_RETURN(options["valid_until"], end_of(given));
  }
  CallArguments arguments;
  arguments.texts = {given.value_or("standing", ""), given.value_or("approver", "")};
  ASSIGN_OR_RETURN(Json answer,
                   session.call("Plan", "StandingToSign", std::move(arguments), options));
  Output& out = session.out();
  const std::string text = text_at(answer, "text");
  if (!out.for_people()) {
    out.print_json("show", {{"request", std::move(answer)}});
  } else {
    out.print(text);
  }
  return 0;
}

}  // namespace aierase::ctl
