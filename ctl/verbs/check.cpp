#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

#include "ctl/describe.h"
#include "ctl/naming.h"
#include "ctl/progress.h"
#include "ctl/render.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {

namespace {

// "200M": bytes, or so many times 1,024 of them; a rate that does not fit is as good as none.
Result<std::uint64_t> parse_rate(const std::string& text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto number = std::from_chars(text.data(), end, value);
  std::string_view unit(number.ptr, static_cast<std::size_t>(end - number.ptr));
  constexpr std::string_view kRateUnits = "KMGT";
  unsigned power = 0;
  if (!unit.empty() && kRateUnits.find(unit[0]) != std::string_view::npos) {
    power = static_cast<unsigned>(kRateUnits.find(unit[0])) + 1;
    unit.remove_prefix(1);
    if (unit.starts_with("iB")) unit.remove_prefix(2);
  }
  if (unit == "/s") unit = {};
  if (number.ec != std::errc() || !unit.empty() || value == 0 || value > UINT64_MAX >> 10 * power) {
    return make_error(Errc::usage, "--max-rate needs bytes a second, not " + quoted(text),
                      "for instance 200M, which is 200 MiB a second");
  }
  return value << 10 * power;
}

Result<Json> check_options(const Arguments& given) {
  Json options = {{"depth", given.has("deep") ? "deep" : "structure"}};
  if (!given.has("max-rate")) return options;
  if (!given.has("deep")) {
    return make_error(Errc::usage, "--max-rate is for --deep: without it no content is read",
                      "aierase check --deep --max-rate R");
  }
  ASSIGN_OR_RETURN(options["max_rate"], parse_rate(given.value_or("max-rate", "")));
  return options;
}

}  // namespace

Result<int> run_check(Session& session) {
  Output& out = session.out();
  CallArguments arguments;
  ASSIGN_OR_RETURN(const Json options, check_options(session.arguments()));
  ASSIGN_OR_RETURN(arguments.names, named_assets(session.arguments(), "check"));
  if (session.arguments().has("match")) {
    ASSIGN_OR_RETURN(arguments.names, matching_assets(session));
  }
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
