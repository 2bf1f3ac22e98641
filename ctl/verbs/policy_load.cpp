#include <nlohmann/json.hpp>

#include "ctl/render.h"
#include "ctl/verbs/policy.h"
#include "ctl/verbs/verbs.h"

namespace aierase::ctl {
namespace {

std::string moment_text(const Json& row, std::string_view key) {
  const std::string moment = text_at(row, key);
  return moment.empty() ? "never" : printable(moment);
}

std::string weakened_text(const Json& report, const Output& out) {
  const Json& rows = list_at(report, "weakened");
  if (rows.empty()) return "No asset loses protection, and none is due sooner.\n";
  Table table({"ASSET", "NAME", "WAS DUE", "IS DUE", "WHAT BECOMES WEAKER"});
  for (const Json& row : rows) {
    table.add({short_id(text_at(row, "asset")), printable(text_at(row, "name")),
               moment_text(row, "due_before"), moment_text(row, "due_after"),
               printable(joined(list_at(row, "weaker"), "; "))});
  }
  std::string text = table.text(out.width());
  const std::uint64_t all = number_at(report, "weakened_count");
  if (all > rows.size()) text += "and " + counted(all - rows.size(), "more asset") + "\n";
  return text;
}

// Approvals in advance that end with the rules they were given for.
std::string voided_text(const Json& report) {
  std::string text;
  for (const Json& row : list_at(report, "approvals_voided")) {
    text += "The standing approval of " + printable(text_at(row, "login")) + " for class " +
            printable(text_at(row, "class")) + " is void: the class has other rules.\n";
  }
  return text.empty() ? text
                      : text +
                            "Whoever gave one may give another:\n"
                            "  aierase approve --standing CLASS --until DATE\n\n";
}

std::string report_text(const Json& report, const Output& out, bool dry_run) {
  Fields fields;
  fields.add("Version", text_at(report, "version"));
  fields.add("In place of", text_at(report, "previous"));
  fields.add("Living assets", text_at(report, "assets_count"));
  fields.add("Lose protection", text_at(report, "weakened_count"));
  fields.add("Due now", text_at(report, "due_count"));
  fields.add("In conflict now", text_at(report, "in_conflict_count"));
  std::string text =
      weakened_text(report, out) + "\n" + fields.text(out.width()) + "\n" + voided_text(report);
  if (text_at(report, "version") == text_at(report, "previous")) {
    return text + "It is the policy that is in force already: nothing changes.\n";
  }
  if (dry_run) return text + "This was a dry run: the policy in force is as it was.\n";
  return text +
         "This policy is in force. Every plan that is decided from now on is decided by it,\n"
         "also one that was approved under another. To see one asset: aierase show ASSET\n";
}

}  // namespace

Result<int> run_policy_load(Session& session) {
  const Arguments& given = session.arguments();
  Output& out = session.out();
  const bool dry_run = given.has("dry-run");
  if (!dry_run && given.value_or("reason", "").empty()) {
    return make_error(Errc::usage, "'policy load' needs --reason",
                      "it is recorded with the policy; --dry-run needs none");
  }
  CallArguments arguments;
  arguments.names.emplace();
  arguments.contents.emplace();
  // Looked at here first: an error is told with its place before a password is asked for.
  ASSIGN_OR_RETURN(std::vector<policy::PolicyText> texts, read_policy_files(given.operands()));
  const policy::ParsedPolicy parsed = policy::parse_policy(texts);
  const std::size_t errors = count_errors(parsed.findings);
  if (out.for_people() && !out.quiet()) out.print(findings_text(parsed.findings, out));
  if (errors > 0) {
    return make_error(Errc::invalid_input, "the policy has " + counted(errors, "error"),
                      "mend them and load it again; aierase-policy(5) explains each key");
  }
  for (policy::PolicyText& text : texts) {
    arguments.names->push_back(std::move(text.name));
    arguments.contents->push_back(std::move(text.text));
  }
  Json options = Json::object();
  if (given.has("reason")) options["reason"] = given.value_or("reason", "");
  if (dry_run) options["dry_run"] = "yes";
  ASSIGN_OR_RETURN(Json report, session.call("Policy", "Load", std::move(arguments), options));
  if (!out.for_people()) {
    Json object = {{"policy", std::move(report)}};
    if (dry_run) object["dry_run"] = true;
    out.print_json("policy-load", std::move(object));
  } else if (out.quiet()) {
    out.print(printable(text_at(report, "version")) + "\n");
  } else {
    out.print(report_text(report, out, dry_run));
  }
  return 0;
}

}  // namespace aierase::ctl
