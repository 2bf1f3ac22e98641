#include <algorithm>
#include <nlohmann/json.hpp>

#include "ctl/describe.h"
#include "ctl/handing_in.h"
#include "ctl/outcome.h"
#include "ctl/render.h"
#include "ctl/standing.h"
#include "ctl/verbs/verbs.h"
#include "domain/ids.h"

namespace aierase::ctl {
namespace {

constexpr std::size_t kLeastDigits = 12;

struct PlanAndDigest {
  std::string plan;
  std::string digest;
};

Result<PlanAndDigest> plan_and_digest(const std::string& text) {
  const std::size_t at = text.find('@');
  PlanAndDigest result{text.substr(0, at), at == std::string::npos ? "" : text.substr(at + 1)};
  RETURN_IF_ERROR(domain::require_id(domain::IdType::plan, result.plan));
  std::string& digits = result.digest;
  std::transform(digits.begin(), digits.end(), digits.begin(), [](char digit) {
    return digit >= 'A' && digit <= 'F' ? static_cast<char>(digit - 'A' + 'a') : digit;
  });
  const bool hexadecimal =
      digits.find_first_not_of("0123456789abcdef") == std::string::npos && digits.size() <= 64;
  if (hexadecimal && digits.size() >= kLeastDigits) return result;
  return make_error(Errc::usage,
                    "an approval names the plan and at least " + std::to_string(kLeastDigits) +
                        " digits of its digest: P@DIGEST, not " + quoted(text),
                    "read the plan first; aierase show " + result.plan + " prints the command");
}

std::string outcome_text(const Json& plan, const Output& out) {
  std::size_t erased = 0;
  std::string certificate;
  for (const Json& item : list_at(plan, "items")) {
    if (text_at(item, "state") != "erased") continue;
    ++erased;
    if (certificate.empty()) certificate = short_id(text_at(item, "certificate"));
  }
  const std::size_t all = list_at(plan, "items").size();
  std::string text = item_table(plan, out) + "\n";
  if (erased == 0) return text + "Nothing was erased: every key is where it was.\n";
  text += std::to_string(erased) + " of " + counted(all, "item") + (erased == 1 ? " is" : " are") +
          " erased: the keys are destroyed, for good.\n";
  if (!certificate.empty()) {
    text += "Next: keep the certificate" + std::string(erased > 1 ? "s" : "") +
            " where others can verify " + (erased > 1 ? "them" : "it") +
            ":\n  aierase certificate export " + certificate + " FILE\n";
  }
  return text;
}

}  // namespace

Result<int> run_approve(Session& session) {
  if (session.arguments().has("standing")) return approve_standing(session);
  if (session.arguments().has("until")) {
    return make_error(Errc::usage, "--until is for --standing",
                      "what is approved of one plan ends with the plan");
  }
  if (session.arguments().has("signed")) return hand_in(session, "approve");
  if (session.arguments().operands().empty()) {
    return make_error(Errc::usage, "'approve' needs P@DIGEST, --signed FILE or --standing CLASS",
                      "aierase show PLAN prints the command");
  }
  Output& out = session.out();
  ASSIGN_OR_RETURN(const PlanAndDigest wanted, plan_and_digest(session.operand(0)));
  RETURN_IF_ERROR(session.watch_changes());
  CallArguments arguments;
  arguments.texts = {wanted.plan, wanted.digest};
  ASSIGN_OR_RETURN(Json answer,
                   session.call("Plan", "Approve", std::move(arguments), Json::object()));
  Json plan = unwrapped(std::move(answer), "plan");
  const std::string id = text_at(plan, "id").empty() ? wanted.plan : text_at(plan, "id");
  const std::string waits_for = text_at(plan, "waits_for");
  if (text_at(plan, "state") != "requested" && (waits_for.empty() || waits_for == "company")) {
    const std::string until = printable(text_at(plan, "waits_until"));
    out.remark("Approved. The daemon erases it" +
               (until.empty() ? "" : ", at the latest at " + until) +
               "; interrupting this command does not stop it.");
    const Enough enough = [](const Json& seen) { return has_ended(seen) || waits_for_holds(seen); };
    ASSIGN_OR_RETURN(const std::optional<Json> ended,
                     wait_for(session, [&] { return show_plan(session, id); }, enough, {}));
    plan = *ended;
  }
  const bool at_rest = has_ended(plan) || waits_for_holds(plan);
  const auto code = at_rest ? outcome_of(plan) : Result<int>(0);
  if (!out.for_people()) {
    out.print_json("approve", {{"plan", plan}});
  } else if (out.quiet()) {
    for (const Json& item : list_at(plan, "items")) {
      const std::string certificate = text_at(item, "certificate");
      if (!certificate.empty()) out.print(printable(certificate) + "\n");
    }
  } else if (at_rest) {
    out.print(outcome_text(plan, out) + next_step(plan));
  } else if (text_at(plan, "state") == "approved") {
    out.print("Approved. " + next_step(plan));
  } else {
    out.print("Approved by you; " + counted(number_at(plan, "items_waiting"), "item") +
              " still without approval.\n" + next_step(plan));
  }
  return code;
}

}  // namespace aierase::ctl
