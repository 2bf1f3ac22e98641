#include <nlohmann/json.hpp>

#include "ctl/changing.h"
#include "ctl/describe.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"
#include "domain/ids.h"

namespace aierase::ctl {
namespace {

std::string cancelled_text(const Json& plan) {
  std::size_t erased = 0;
  std::vector<std::string> alive;
  for (const Json& item : list_at(plan, "items")) {
    if (text_at(item, "state") == "erased") {
      ++erased;
    } else {
      alive.push_back(text_at(item, "name"));
    }
  }
  std::string text = "The plan is cancelled; ";
  text += erased == 0 ? "nothing was erased.\n"
                      : counted(erased, "item") + " had been erased before, for good.\n";
  const bool approved = !list_at(object_at(plan, "approvals"), "given").empty();
  text += approved ? "Next: what it had retired is suspended; to use it again" +
                         command_for_many("resume", "suspended", alive) + "\n"
                   : "Its assets are as they were.\n";
  return text + signed_record_text(plan);
}

}  // namespace

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
    out.print(cancelled_text(plan));
  }
  return 0;
}

}  // namespace aierase::ctl
