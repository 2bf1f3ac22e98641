#include <nlohmann/json.hpp>

#include "ctl/describe.h"
#include "ctl/outcome.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"
#include "domain/ids.h"

namespace aierase::ctl {
namespace {

enum class Goal { approved, erased, final };

Result<Goal> goal_of(const Arguments& given) {
  const std::string word = given.value_or("for", "");
  if (word == "approved") return Goal::approved;
  if (word == "erased") return Goal::erased;
  if (word == "final") return Goal::final;
  return make_error(Errc::usage,
                    word.empty() ? "'wait' needs --for"
                                 : "--for knows approved, erased and final, not " + quoted(word),
                    "aierase wait ID --for approved|erased|final");
}

bool plan_is_so_far(const Json& plan, Goal goal) {
  if (has_ended(plan)) return true;
  return goal == Goal::approved && text_at(plan, "state") != "requested";
}

bool asset_is_so_far(const Json& asset, Goal goal) {
  const std::string state = text_at(asset, "state");
  if (state == "erased") return true;
  return goal == Goal::approved && (state == "retired" || state == "erasing");
}

// A plan that cannot reach the goal any more is an error, also for `approved`.
Result<int> code_of(const Json& plan, Goal goal) {
  const auto outcome = outcome_of(plan);
  if (!outcome.ok()) return outcome;
  return goal == Goal::approved ? 0 : *outcome;
}

Error too_late(const Json& last, const std::string& wanted) {
  const std::string state = text_at(last, "state");
  if (waits_for_holds(last)) {
    return make_error(Errc::legal_hold, "the time is over, and legal holds keep it waiting",
                      "aierase list holds shows them", wanted);
  }
  if (text_at(last, "waits_for") == "grace") {
    return make_error(
        Errc::busy,
        "the time is over, and its grace lasts until " + printable(text_at(last, "due")),
        "aierase cancel " + printable(wanted) + " takes it back until then", wanted);
  }
  if (text_at(last, "waits_for") == "company") {
    return make_error(
        Errc::busy,
        "the time is over, and it waits for others to go with it, at the latest until " +
            printable(text_at(last, "waits_until")),
        "aierase cancel " + printable(wanted) + " takes it back until then", wanted);
  }
  if (text_at(last, "waits_for") == "clock") {
    return make_error(Errc::busy, "the time is over, and it waits for a confirmed clock",
                      "if the clock is right: aierase enforce --confirm-clock", wanted);
  }
  if (state == "active" || state == "suspended") {
    return make_error(Errc::wrong_state, "the time is over, and no plan names it",
                      "aierase retire " + printable(wanted) + " --reason REASON makes one", wanted);
  }
  const bool unapproved = state == "requested";
  return make_error(unapproved ? Errc::approval_missing : Errc::busy,
                    unapproved ? "the time is over, and an approval is still missing"
                               : "the time is over, and the erasure is still running",
                    "aierase show " + printable(wanted) + " tells who has to act", wanted);
}

}  // namespace

Result<int> run_wait(Session& session) {
  Output& out = session.out();
  const std::string& wanted = session.operand(0);
  ASSIGN_OR_RETURN(const Goal goal, goal_of(session.arguments()));
  Patience patience;
  if (const std::string* given = session.arguments().find("timeout")) {
    ASSIGN_OR_RETURN(patience, parse_patience(*given));
  }
  const auto id = domain::parse_id(wanted);
  if (id && id->type != domain::IdType::plan && id->type != domain::IdType::asset) {
    return make_error(Errc::usage, "'wait' is for plans and assets, not for " + quoted(wanted));
  }
  const bool plan = id && id->type == domain::IdType::plan;
  Json last;
  const Look look = [&]() -> Result<Json> {
    ASSIGN_OR_RETURN(last, plan ? show_plan(session, wanted) : show_asset(session, wanted));
    return last;
  };
  const Enough enough = [&](const Json& seen) {
    return plan ? plan_is_so_far(seen, goal) : asset_is_so_far(seen, goal);
  };
  ASSIGN_OR_RETURN(const std::optional<Json> seen, wait_for(session, look, enough, patience));
  if (!seen) {
    const std::string in_plan = text_at(last, "open_plan");
    if (in_plan.empty()) return too_late(last, wanted);
    ASSIGN_OR_RETURN(last, show_plan(session, in_plan));  // what it waits for stands there
    return too_late(last, short_id(in_plan));
  }
  const auto code = plan ? code_of(*seen, goal) : Result<int>(0);
  if (!out.for_people()) {
    out.print_json("wait", {{plan ? "plan" : "asset", *seen}});
  } else if (out.quiet()) {
    out.print(printable(text_at(*seen, "id")) + "\n");
  } else {
    out.print(short_id(text_at(*seen, "id")) + " is " + printable(text_at(*seen, "state")) + ".\n");
  }
  return code;
}

}  // namespace aierase::ctl
