#include <nlohmann/json.hpp>

#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {

Result<int> run_enforce(Session& session) {
  Output& out = session.out();
  if (!session.arguments().has("confirm-clock")) {
    return make_error(Errc::usage, "'enforce' needs --confirm-clock",
                      "plans that are approved and due are executed by the daemon without a call");
  }
  ASSIGN_OR_RETURN(Json answer, session.call("Policy", "ConfirmClock", {}, Json::object()));
  if (!out.for_people()) {
    out.print_json("enforce", {{"clock", std::move(answer)}});
  } else if (!out.quiet()) {
    out.print("By your word it is " + printable(text_at(answer, "time")) +
              ": what waited for a confirmed clock goes on.\n"
              "To see what goes on: aierase list plans\n");
  }
  return 0;
}

}  // namespace aierase::ctl
