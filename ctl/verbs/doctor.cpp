#include <nlohmann/json.hpp>

#include "ctl/describe.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {

Result<int> run_doctor(Session& session) {
  ASSIGN_OR_RETURN(Json answer, session.call("Manager", "Doctor", {}, Json::object()));
  Output& out = session.out();
  if (!out.for_people()) {
    out.print_json("doctor", std::move(answer));
    return 0;
  }
  const Json& findings = list_at(answer, "findings");
  if (out.quiet()) {
    for (const Json& finding : findings) out.print(printable(text_at(finding, "code")) + "\n");
    return 0;
  }
  out.print(findings.empty() ? "Nothing was found to be wrong.\n"
                             : describe_findings(findings, out));
  return 0;
}

}  // namespace aierase::ctl
