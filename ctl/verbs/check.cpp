#include <nlohmann/json.hpp>

#include "ctl/describe.h"
#include "ctl/progress.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {

Result<int> run_check(Session& session) {
  Output& out = session.out();
  CallArguments arguments;
  arguments.names = session.arguments().operands();
  const Json options = {{"depth", session.arguments().has("deep") ? "deep" : "structure"}};
  ASSIGN_OR_RETURN(Job job, session.start("Manager", "Check", std::move(arguments), options));
  Json result;
  {
    Progress progress(out, "Checking", 0);
    ASSIGN_OR_RETURN(result, job.wait([&](std::uint64_t bytes) { progress.update(bytes); }));
  }
  const Json findings = list_at(result, "findings");
  std::size_t errors = 0;
  for (const Json& finding : findings) errors += text_at(finding, "severity") == "error" ? 1 : 0;
  if (!out.for_people()) {
    out.print_json("check", std::move(result));
  } else {
    if (!out.quiet()) out.print(describe_findings(findings, out));
    const std::uint64_t assets = number_at(result, "assets");
    out.print("Checked " + counted(assets, "asset") + ", " +
              human_bytes(number_at(result, "bytes")) + ": " +
              (findings.empty() ? "nothing is wrong" : counted(findings.size(), "finding")) +
              ".\n");
  }
  return errors == 0 ? 0 : info(Errc::damaged).exit_code;
}

}  // namespace aierase::ctl
