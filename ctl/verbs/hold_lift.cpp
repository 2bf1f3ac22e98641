#include <nlohmann/json.hpp>

#include "ctl/changing.h"
#include "ctl/outcome.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"
#include "domain/ids.h"

namespace aierase::ctl {

Result<int> run_hold_lift(Session& session) {
  const std::string& wanted = session.operand(0);
  RETURN_IF_ERROR(domain::require_id(domain::IdType::hold, wanted));
  if (session.arguments().value_or("reason", "").empty()) {
    return make_error(Errc::usage, "'hold lift' needs --reason",
                      "say why the matter no longer needs it");
  }
  CallArguments arguments;
  arguments.texts = {wanted};
  ASSIGN_OR_RETURN(Json answer, session.call("Hold", "Lift", std::move(arguments),
                                             reason_option(session.arguments())));
  Json hold = unwrapped(std::move(answer), "hold");
  Output& out = session.out();
  if (!out.for_people()) {
    out.print_json("hold-lift", {{"hold", std::move(hold)}});
    return 0;
  }
  if (out.quiet()) {
    out.print(printable(text_at(hold, "id")) + "\n");
    return 0;
  }
  std::string text = short_id(text_at(hold, "id")) + " is lifted; it bound " +
                     counted(number_at(hold, "assets_count"), "asset") + ".\n";
  const Json& plans = list_at(hold, "plans_due_again");
  for (const Json& plan : plans) {
    const std::string id = plan.is_string() ? short_id(plan.get<std::string>()) : std::string();
    text += id + " was approved before and goes on now: aierase wait " + id + " --for final\n";
  }
  if (plans.empty()) text += "No plan was waiting for it.\n";
  out.print(text);
  return 0;
}

}  // namespace aierase::ctl
