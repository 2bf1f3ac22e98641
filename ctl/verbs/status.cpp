#include <nlohmann/json.hpp>

#include "ctl/describe.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {

Result<int> run_status(Session& session) {
  ASSIGN_OR_RETURN(Json status, session.call("Manager", "Status", {}, Json::object()));
  Output& out = session.out();
  if (!out.for_people()) {
    out.print_json("status", std::move(status));
  } else if (out.quiet()) {
    out.print(printable(text_at(object_at(status, "store"), "id")) + "\n");
  } else {
    out.print(describe_status(status, out));
  }
  return 0;
}

}  // namespace aierase::ctl
