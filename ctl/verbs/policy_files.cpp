#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "ctl/reading.h"
#include "ctl/render.h"
#include "ctl/verbs/policy.h"

namespace aierase::ctl {
namespace {

std::string_view word_of(policy::Severity severity) {
  return severity == policy::Severity::error ? "error" : "warning";
}

}  // namespace

Result<std::string> read_policy_file(const std::string& path) {
  return read_named_file(path, {limits::kPolicyBytes,
                                "a set may have " + std::to_string(limits::kPolicyFiles) + " files",
                                "name the policies in it: " + printable(path) + "/*.toml"});
}

Result<std::vector<policy::PolicyText>> read_policy_files(const std::vector<std::string>& paths) {
  std::vector<policy::PolicyText> texts;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(std::string text, read_policy_file(path));
    texts.push_back({path == "-" ? "standard input" : printable(path), std::move(text)});
  }
  return texts;
}

std::string findings_text(const std::vector<policy::Finding>& findings, const Output& out) {
  std::string text;
  for (const policy::Finding& finding : findings) {
    const bool error = finding.severity == policy::Severity::error;
    text += printable(policy::to_text(finding.place)) + ": " +
            out.toned(error ? Tone::bad : Tone::plain, word_of(finding.severity)) + ": " +
            printable(finding.message) + "\n";
    if (!finding.hint.empty()) text += "  hint: " + printable(finding.hint) + "\n";
  }
  return text;
}

Json findings_json(const std::vector<policy::Finding>& findings) {
  Json list = Json::array();
  for (const policy::Finding& finding : findings) {
    list.push_back(Json{{"severity", std::string(word_of(finding.severity))},
                        {"file", printable(finding.place.file)},
                        {"line", finding.place.line},
                        {"column", finding.place.column},
                        {"message", printable(finding.message)},
                        {"hint", printable(finding.hint)}});
  }
  return list;
}

std::size_t count_errors(const std::vector<policy::Finding>& findings) {
  return static_cast<std::size_t>(std::count_if(
      findings.begin(), findings.end(),
      [](const policy::Finding& finding) { return finding.severity == policy::Severity::error; }));
}

}  // namespace aierase::ctl
