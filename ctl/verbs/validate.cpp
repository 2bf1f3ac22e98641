#include <nlohmann/json.hpp>

#include "ctl/changing.h"
#include "ctl/handing_in.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"
#include "domain/ids.h"

namespace aierase::ctl {
namespace {

Status check(const std::string& subject, const std::string& verdict, const Arguments& given) {
  const auto id = domain::parse_id(subject);
  const bool fits =
      id && (id->type == domain::IdType::plan || id->type == domain::IdType::certificate);
  if (!fits) {
    return make_error(Errc::usage,
                      "'validate' is for plans and certificates, not for " + quoted(subject),
                      "their ids begin with p- and c-; aierase list certificates shows them");
  }
  if (verdict != "accept" && verdict != "reject" && verdict != "escalate") {
    return make_error(Errc::usage, "an outcome is not validated by " + quoted(verdict),
                      "aierase validate P|C accept|reject|escalate");
  }
  if (verdict != "accept" && given.value_or("reason", "").empty()) {
    return make_error(Errc::usage, "'validate ... " + verdict + "' needs --reason",
                      "whoever has to remedy it has to understand it");
  }
  return {};
}

std::string next_of(const Json& report, const std::string& subject) {
  const std::uint64_t awaiting = number_at(report, "awaiting");
  if (awaiting > 0) {
    return "Next: other custodians say their word on " + counted(awaiting, "certificate") +
           " of this plan.\n";
  }
  if (text_at(report, "verdict") == "accepted") return "Nothing more is asked of anybody.\n";
  return "Next: once it is remedied, a custodian says so with\n  aierase validate " +
         printable(subject) + " accept --reason T\n";
}

}  // namespace

Result<int> run_validate(Session& session) {
  const Arguments& given = session.arguments();
  if (given.has("signed")) return hand_in(session, "validate");
  if (given.operands().size() != 2) {
    return make_error(Errc::usage, "'validate' needs what and how, or --signed FILE",
                      "aierase validate P|C accept|reject|escalate");
  }
  const std::string& subject = session.operand(0);
  const std::string& verdict = session.operand(1);
  RETURN_IF_ERROR(check(subject, verdict, given));
  Json options = reason_option(given);
  if (given.has("remedy")) options["remedy"] = given.value_or("remedy", "");
  CallArguments arguments;
  arguments.texts = {subject, verdict};
  ASSIGN_OR_RETURN(const Json report,
                   session.call("Certificate", "Validate", std::move(arguments), options));
  Output& out = session.out();
  const Json& certificates = list_at(report, "certificates");
  if (!out.for_people()) {
    out.print_json("validate", report);
  } else if (out.quiet()) {
    for (const Json& one : certificates) {
      if (one.is_string()) out.print(printable(one.get<std::string>()) + "\n");
    }
  } else {
    out.print(counted(certificates.size(), "outcome") +
              (certificates.size() == 1 ? " is " : " are ") +
              printable(text_at(report, "verdict")) + "; recorded, and in the log.\n" +
              next_of(report, subject));
  }
  return 0;
}

}  // namespace aierase::ctl
