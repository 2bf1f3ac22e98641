#include "ctl/handing_in.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "certificate/signed_act.h"
#include "ctl/moment.h"
#include "ctl/reading.h"
#include "ctl/render.h"
#include "domain/ids.h"

namespace aierase::ctl {
namespace {

Result<std::string> read_text(const std::string& path, std::size_t limit) {
  ASSIGN_OR_RETURN(std::string text, read_named_file(path, {limit, "", "name the file in it"}));
  if (is_valid_utf8(text) && text.find('\0') == std::string::npos) return text;
  return make_error(Errc::invalid_input, quoted(path) + " is no text", "", path);
}

struct SignedText {
  std::string text;
  std::string signature;
};

Result<SignedText> read_signed(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string file,
                   read_text(path, limits::kSignedActBytes + limits::kSshSignatureBytes));
  const certificate::SignedFile parts = certificate::split_signed_file(file);
  SignedText both{std::string(parts.text), std::string(parts.signature)};
  if (!both.signature.empty()) return both;
  Result<std::string> beside = read_text(path + ".sig", limits::kSshSignatureBytes);
  if (!beside.ok() && beside.error().code == Errc::not_found) {
    return make_error(
        Errc::not_found,
        "there is no signature in " + printable(path) + ", and no file " + printable(path) + ".sig",
        "ssh-keygen -Y sign -n aierase-approval@v1 -f KEY " + printable(path), path);
  }
  if (!beside.ok()) return std::move(beside).error();
  both.signature = std::move(*beside);
  return both;
}

// ---- the text -----------------------------------------------------------------------------------

struct Wanted {
  std::vector<std::string> plans;
  std::string decision = "approve";
};

Result<Wanted> read_wanted(const std::vector<std::string>& operands) {
  Wanted wanted;
  wanted.plans = operands;
  if (certificate::parse_act_decision(operands.back())) {
    wanted.decision = operands.back();
    wanted.plans.pop_back();
  }
  if (wanted.plans.empty()) {
    return make_error(Errc::usage, "'show --request' needs a plan", "aierase list plans");
  }
  for (const std::string& plan : wanted.plans) {
    RETURN_IF_ERROR(domain::require_id(domain::IdType::plan, plan));
  }
  return wanted;
}

Result<certificate::DecisionAct> decision_in(const std::string& text, const std::string& where) {
  Result<certificate::SignedAct> act = certificate::parse_signed_act(text);
  if (!act.ok()) return std::move(act).error().in(where);
  auto* decision = std::get_if<certificate::DecisionAct>(&*act);
  if (decision != nullptr) return std::move(*decision);
  return make_error(Errc::invalid_input, where + " is no decision about plans");
}

// With the texts of other hosts: one signature for all of them.
Result<std::string> together(const std::string& text, const std::vector<std::string>& files) {
  if (files.empty()) return text;
  std::vector<certificate::DecisionAct> acts;
  ASSIGN_OR_RETURN(certificate::DecisionAct ours, decision_in(text, "the daemon's text"));
  acts.push_back(std::move(ours));
  for (const std::string& file : files) {
    ASSIGN_OR_RETURN(const std::string other, read_text(file, limits::kSignedActBytes));
    ASSIGN_OR_RETURN(certificate::DecisionAct act, decision_in(other, printable(file)));
    acts.push_back(std::move(act));
  }
  ASSIGN_OR_RETURN(certificate::DecisionAct merged, certificate::merge(acts));
  return certificate::render(std::move(merged));
}

// ---- the way back -------------------------------------------------------------------------------

// Of a decision about an outcome; empty for others.
std::string verdict_of(const std::string& decision) {
  const auto parsed = certificate::parse_act_decision(decision);
  if (parsed == certificate::ActDecision::accept) return "accepted";
  if (parsed == certificate::ActDecision::reject_outcome) return "rejected";
  return parsed == certificate::ActDecision::escalate ? "escalated" : "";
}

std::string row_text(const Json& row, const std::string& decision) {
  const std::string course = text_at(row, "course");
  std::string text = "  " + short_id(text_at(row, "id")) + "  ";
  if (course == "refused") return text + "refused: " + printable(text_at(row, "why")) + "\n";
  text += course == "already" ? "was decided before; " : "";
  const std::string verdict = verdict_of(decision);
  if (!verdict.empty()) return text + "its outcome is " + verdict + "\n";
  text += course == "already" ? "it is " : "";
  const std::uint64_t waiting = number_at(row, "items_waiting");
  text += printable(text_at(row, "state"));
  if (waiting > 0) text += "; " + counted(waiting, "item") + " still without approval";
  return text + "\n";
}

std::string next_of_verdict(const Json& report, const std::string& verdict) {
  for (const Json& row : list_at(report, "plans")) {
    if (text_at(row, "course") != "recorded") continue;
    const std::string plan = short_id(text_at(row, "id"));
    return verdict == "accepted"
               ? "Next: who else has to say a word stands in\n  aierase show " + plan + "\n"
               : "Next: once it is remedied, a custodian says so with\n  aierase "
                 "validate " +
                     plan + " accept --reason T\n";
  }
  return {};
}

// One plan is named; of several the list tells.
std::string next_text(const Json& report) {
  const std::string verdict = verdict_of(text_at(report, "decision"));
  if (!verdict.empty()) return next_of_verdict(report, verdict);
  if (text_at(report, "decision") != "approve") return "";
  std::vector<std::string> waiting, agreed;
  for (const Json& row : list_at(report, "plans")) {
    if (text_at(row, "course") != "recorded") continue;
    (text_at(row, "state") == "requested" ? waiting : agreed)
        .push_back(short_id(text_at(row, "id")));
  }
  std::string text;
  if (!waiting.empty()) {
    text += "Next: other custodians approve " + std::string(waiting.size() == 1 ? "it" : "them") +
            ", too:\n  aierase " +
            (waiting.size() == 1 ? "show " + waiting.front() : "list plans") + "\n";
  }
  if (!agreed.empty()) {
    text += "Next: nobody needs to act:\n  aierase " +
            (agreed.size() == 1 ? "wait " + agreed.front() + " --for erased" : "list plans") + "\n";
  }
  return text;
}

std::string report_text(const Json& report) {
  const Json& plans = list_at(report, "plans");
  std::string text = "Signed by " + printable(text_at(object_at(report, "signer"), "login")) +
                     ", with the key\n  " + printable(text_at(report, "key")) +
                     "\nDecision: " + printable(text_at(report, "decision")) + "\n";
  const Json& approval = object_at(report, "approval");
  if (holds(report, "approval")) {
    return text + "In advance, for class " + printable(text_at(approval, "class")) + ": it is " +
           printable(text_at(approval, "state")) +
           (text_at(approval, "state") == "revoked"
                ? std::string()
                : ", until " + printable(text_at(approval, "valid_until"))) +
           ".\nTo see all: aierase list approvals\n";
  }
  for (const Json& row : plans) text += row_text(row, text_at(report, "decision"));
  const std::size_t elsewhere = list_at(report, "elsewhere").size();
  if (elsewhere > 0) {
    text += counted(elsewhere, "plan") + " of other stores " + (elsewhere == 1 ? "is" : "are") +
            " left alone.\nNext: hand the text in on " +
            (elsewhere == 1 ? "its host" : "their hosts") + ", too:";
    std::vector<std::string> hosts;
    for (const Json& row : list_at(report, "elsewhere")) hosts.push_back(text_at(row, "host"));
    std::sort(hosts.begin(), hosts.end());
    hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
    for (const std::string& host : hosts) text += " " + printable(host);
    text += "\n";
  }
  return text + next_text(report);
}

}  // namespace

Result<int> print_request(Session& session) {
  const Arguments& given = session.arguments();
  ASSIGN_OR_RETURN(const Wanted wanted, read_wanted(given.operands()));
  Json options{{"decision", wanted.decision}};
  if (given.has("reason")) options["comment"] = given.value_or("reason", "");
  if (given.has("until")) {
    ASSIGN_OR_RETURN(const UtcTime until,
                     parse_moment("until", given.value_or("until", ""), DayEdge::last_second,
                                  SystemClock().now(), Tense::future));
    options["valid_until"] = to_rfc3339(until);
  }
  CallArguments arguments;
  arguments.names = wanted.plans;
  ASSIGN_OR_RETURN(Json answer, session.call("Plan", "TextToSign", std::move(arguments), options));
  ASSIGN_OR_RETURN(const std::string text, together(text_at(answer, "text"), given.all("with")));
  Output& out = session.out();
  if (!out.for_people()) {
    answer["text"] = text;
    out.print_json("show", {{"request", std::move(answer)}});
    return 0;
  }
  out.print(text);
  return 0;
}

Result<int> hand_in(Session& session, std::string_view verb) {
  const Arguments& given = session.arguments();
  if (!given.operands().empty() || given.has("reason") || given.has("remedy")) {
    return make_error(Errc::usage, "'" + std::string(verb) +
                                       " --signed' takes nothing else: all that is said "
                                       "stands in the signed text");
  }
  ASSIGN_OR_RETURN(const SignedText both, read_signed(given.value_or("signed", "")));
  CallArguments arguments;
  arguments.texts = {std::string(verb), both.text, both.signature};
  ASSIGN_OR_RETURN(const Json report,
                   session.call("Plan", "HandIn", std::move(arguments), Json::object()));
  Output& out = session.out();
  const Json& plans = list_at(report, "plans");
  if (!out.for_people()) {
    out.print_json(verb, {{"signed", report}});
  } else if (out.quiet()) {
    for (const Json& row : plans) {
      if (text_at(row, "course") == "recorded") out.print(printable(text_at(row, "id")) + "\n");
    }
    const std::string approval = text_at(object_at(report, "approval"), "id");
    if (!approval.empty()) out.print(printable(approval) + "\n");
  } else {
    out.print(report_text(report));
  }
  const bool all = std::none_of(plans.begin(), plans.end(), [](const Json& row) {
    return text_at(row, "course") == "refused";
  });
  return all ? 0 : info(Errc::partial).exit_code;
}

}  // namespace aierase::ctl
