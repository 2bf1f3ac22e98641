#include <nlohmann/json.hpp>

#include "ctl/conformance.h"
#include "ctl/describe.h"
#include "ctl/openmetrics.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {

Result<int> run_status(Session& session) {
  Output& out = session.out();
  const bool metrics = session.arguments().has("openmetrics");
  if (metrics && !out.for_people()) {
    return make_error(Errc::usage, "--openmetrics and --json exclude each other");
  }
  const bool provisions = session.arguments().has("conformance");
  if (metrics && provisions) {
    return make_error(Errc::usage, "--openmetrics and --conformance exclude each other");
  }
  const Json options = metrics ? Json{{"measures", "yes"}} : Json::object();
  ASSIGN_OR_RETURN(Json status, session.call("Manager", "Status", {}, options));
  if (metrics) {
    out.print(openmetrics(status));
    return 0;
  }
  if (provisions) {
    Json told = conformance(status);
    if (out.for_people()) {
      out.print(describe_conformance(told, out));
    } else {
      out.print_json("status conformance", std::move(told));
    }
    return 0;
  }
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
