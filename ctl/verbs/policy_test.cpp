#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ctl/render.h"
#include "ctl/verbs/policy.h"
#include "ctl/verbs/verbs.h"
#include "policy/fixture.h"

namespace aierase::ctl {
namespace {

struct FixtureFile {
  std::string name;
  policy::ParsedFixture parsed;
};

struct Run {
  const policy::Case* one = nullptr;
  policy::CaseResult result;
};

std::string moment_text(const std::optional<UtcTime>& moment) {
  return moment ? to_rfc3339(*moment) : std::string("-");
}

Json moment_json(const std::optional<UtcTime>& moment) {
  return moment ? Json(to_rfc3339(*moment)) : Json();
}

Status refuse_operand(const std::string& path) {
  if (path == "-") {
    return make_error(Errc::usage, "fixtures lie beside the policy, so it has to be a file",
                      "aierase policy check - reads standard input");
  }
  if (path.size() > 10 && path.compare(path.size() - 10, 10, ".test.toml") == 0) {
    return make_error(Errc::usage, quoted(path) + " is a file of fixtures",
                      "name the policy; its fixtures beside it are found by their name", path);
  }
  return {};
}

bool has_fixtures(const std::vector<std::string>& policies) {
  return std::any_of(policies.begin(), policies.end(), [](const std::string& policy_file) {
    return access(policy::fixture_of(policy_file).c_str(), F_OK) == 0;
  });
}

Result<std::vector<FixtureFile>> read_fixtures(const std::vector<std::string>& policies,
                                               Output& out) {
  std::vector<FixtureFile> files;
  for (const std::string& policy_file : policies) {
    const std::string name = policy::fixture_of(policy_file);
    if (access(name.c_str(), F_OK) != 0 && errno == ENOENT) {
      out.remark("no fixtures for " + printable(policy_file) + ": there is no " + printable(name));
      continue;
    }
    ASSIGN_OR_RETURN(const std::string text, read_policy_file(name));
    files.push_back({name, policy::parse_fixture(text, printable(name))});
  }
  if (!files.empty()) return files;
  return make_error(Errc::not_found,
                    "there are no fixtures: no " + quoted(policy::fixture_of(policies.front())),
                    "aierase-policy(5) FIXTURES shows one", policies.front());
}

std::string joined_texts(const std::vector<std::string>& texts, std::string_view separator) {
  std::string text;
  for (const std::string& one : texts) {
    text += (text.empty() ? std::string() : std::string(separator)) + one;
  }
  return text;
}

Json rules_json(const std::vector<policy::Rule>& rules) {
  Json list = Json::array();
  for (const policy::Rule& rule : rules) {
    list.push_back(Json{{"class", rule.retention_class},
                        {"trigger", std::string(policy::to_text(rule.trigger))},
                        {"period", to_iso8601(rule.period)},
                        {"event", moment_json(rule.event)},
                        {"moment", moment_json(rule.moment)},
                        {"standing", std::string(policy::to_text(rule.standing))}});
  }
  return list;
}

Json case_json(const Run& run) {
  const policy::Decision& decision = run.result.decision;
  return Json{{"file", run.one->place.file},
              {"line", run.one->place.line},
              {"name", run.one->name},
              {"at", to_rfc3339(run.one->at)},
              {"passed", run.result.passed()},
              {"differences", run.result.differences},
              {"verdict", std::string(domain::to_text(decision.verdict))},
              {"classes", decision.classes},
              {"floors", rules_json(decision.floors)},
              {"ceilings", rules_json(decision.ceilings)},
              {"due", moment_json(decision.due)},
              {"next_change", moment_json(decision.next_change)},
              {"explanation", decision.explanation}};
}

std::string cases_text(const std::vector<Run>& runs, const Output& out) {
  Table table({"RESULT", "VERDICT", "DUE", "CASE"});
  for (const Run& run : runs) {
    table.add({run.result.passed() ? "passed" : "FAILED",
               std::string(domain::to_text(run.result.decision.verdict)),
               moment_text(run.result.decision.due), printable(run.one->name)});
  }
  std::string text = table.text(out.width());
  for (const Run& run : runs) {
    if (run.result.passed()) continue;
    text += "\n" + printable(policy::to_text(run.one->place)) + ": " +
            out.toned(Tone::bad, printable(run.one->name)) + "\n";
    for (const std::string& difference : run.result.differences) {
      text += wrapped(printable(difference), out.width(), 2) + "\n";
    }
    text +=
        wrapped("because " + joined_texts(run.result.decision.explanation, "; "), out.width(), 2) +
        "\n";
  }
  return text;
}

Json report_json(const policy::PolicySet& set, const std::vector<Run>& runs, std::size_t failed) {
  Json cases = Json::array();
  for (const Run& run : runs) cases.push_back(case_json(run));
  return Json{{"passed", failed == 0},
              {"version", {{"sha256", to_hex(set.version())}}},
              {"failed", failed},
              {"cases", std::move(cases)}};
}

// What keeps the cases from being run at all.
Result<int> tell_findings(const std::vector<policy::Finding>& findings, Output& out) {
  const std::size_t errors = count_errors(findings);
  if (!out.for_people()) {
    out.print_json("policy test", Json{{"passed", false}, {"findings", findings_json(findings)}});
    return info(Errc::invalid_input).exit_code;
  }
  out.print(findings_text(findings, out));
  return make_error(Errc::invalid_input,
                    "policy and fixtures have " + counted(errors, "error") + "; no case was run");
}

}  // namespace

Result<int> run_policy_test(Session& session) {
  Output& out = session.out();
  const std::vector<std::string>& operands = session.arguments().operands();
  for (const std::string& path : operands) RETURN_IF_ERROR(refuse_operand(path));
  ASSIGN_OR_RETURN(const std::vector<policy::PolicyText> texts, read_policy_files(operands));
  policy::ParsedPolicy parsed = policy::parse_policy(texts);
  // A policy with errors is that first, and without fixtures second.
  if (count_errors(parsed.findings) > 0 && !has_fixtures(operands)) {
    return tell_findings(parsed.findings, out);
  }
  ASSIGN_OR_RETURN(const std::vector<FixtureFile> files, read_fixtures(operands, out));
  for (const FixtureFile& file : files) {
    parsed.findings.insert(parsed.findings.end(), file.parsed.findings.begin(),
                           file.parsed.findings.end());
  }
  if (count_errors(parsed.findings) > 0) return tell_findings(parsed.findings, out);

  std::vector<Run> runs;
  std::size_t failed = 0;
  for (const FixtureFile& file : files) {
    for (const policy::Case& one : file.parsed.cases) {
      runs.push_back({&one, policy::run_case(*parsed.set, one)});
      if (!runs.back().result.passed()) ++failed;
    }
  }
  if (!out.for_people()) {
    out.print_json("policy test", report_json(*parsed.set, runs, failed));
    return failed == 0 ? 0 : info(Errc::verification_failed).exit_code;
  }
  if (!out.quiet()) out.print(cases_text(runs, out));
  if (failed == 0) return 0;
  return make_error(Errc::verification_failed,
                    std::to_string(failed) + " of " + counted(runs.size(), "case") + " failed",
                    "either the policy does not do what the fixture expects, or the fixture "
                    "expects what nobody wants");
}

}  // namespace aierase::ctl
