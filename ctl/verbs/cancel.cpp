#include <nlohmann/json.hpp>

#include "ctl/render.h"
#include "ctl/verbs/verbs.h"
#include "domain/ids.h"

namespace aierase::ctl {

Result<int> run_cancel(Session& session) {
  const std::string& wanted = session.operand(0);
  RETURN_IF_ERROR(domain::require_id(domain::IdType::plan, wanted));
  CallArguments arguments;
  arguments.texts = {wanted};
  ASSIGN_OR_RETURN(Json answer,
                   session.call("Plan", "Cancel", std::move(arguments), Json::object()));
  Json plan = unwrapped(std::move(answer), "plan");
  Output& out = session.out();
  if (!out.for_people()) {
    out.print_json("cancel", {{"plan", std::move(plan)}});
  } else if (out.quiet()) {
    out.print(printable(text_at(plan, "id")) + "\n");
  } else {
    out.print(
        "The plan is cancelled; nothing was erased.\n"
        "Next: aierase list shows the state of its assets.\n");
  }
  return 0;
}

}  // namespace aierase::ctl
