#include <nlohmann/json.hpp>

#include "ctl/changing.h"
#include "ctl/describe.h"
#include "ctl/handing_in.h"
#include "ctl/render.h"
#include "ctl/standing.h"
#include "ctl/verbs/verbs.h"
#include "domain/ids.h"

namespace aierase::ctl {

Result<int> run_reject(Session& session) {
  if (session.arguments().has("standing")) return reject_standing(session);
  if (session.arguments().has("signed")) return hand_in(session, "reject");
  if (session.arguments().operands().empty()) {
    return make_error(Errc::usage, "'reject' needs a plan, --signed FILE or --standing CLASS",
                      "aierase list plans shows them");
  }
  const std::string& wanted = session.operand(0);
  RETURN_IF_ERROR(domain::require_id(domain::IdType::plan, wanted));
  if (session.arguments().value_or("reason", "").empty()) {
    return make_error(Errc::usage, "'reject' needs --reason",
                      "the person who asked will want to know");
  }
  CallArguments arguments;
  arguments.texts = {wanted};
  ASSIGN_OR_RETURN(Json answer, session.call("Plan", "Reject", std::move(arguments),
                                             reason_option(session.arguments())));
  Json plan = unwrapped(std::move(answer), "plan");
  Output& out = session.out();
  if (!out.for_people()) {
    out.print_json("reject", {{"plan", std::move(plan)}});
  } else if (out.quiet()) {
    out.print(printable(text_at(plan, "id")) + "\n");
  } else {
    out.print(
        "The plan is rejected; its assets stay as they were.\n"
        "Next: whoever asked may ask again with aierase retire.\n" +
        signed_record_text(plan));
  }
  return 0;
}

}  // namespace aierase::ctl
