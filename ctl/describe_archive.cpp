#include "ctl/describe_archive.h"

#include <nlohmann/json.hpp>

namespace aierase::ctl {
namespace {

using certificate::SectionReport;

const char* word_of(certificate::CheckResult result) {
  switch (result) {
    case certificate::CheckResult::passed:
      return "passed";
    case certificate::CheckResult::failed:
      return "FAILED";
    case certificate::CheckResult::not_checked:
      return "not checked";
  }
  return "";
}

bool is_unknown(const SectionReport& section) {
  return section.signer == SectionReport::Signer::unknown;
}

std::string key_text(const SectionReport& section, const std::string& fingerprint) {
  const std::string shown = fingerprint.empty() ? std::string("no key") : fingerprint;
  return is_unknown(section) ? "UNKNOWN (" + shown + ")" : shown;
}

std::string signer_text(const SectionReport& section) {
  return key_text(section, section.fingerprint);
}

std::string log_text(const SectionReport& section) {
  return key_text(section, section.log_fingerprint);
}

std::string group(const char* title, const std::vector<certificate::Check>& checks,
                  const Output& out) {
  const bool good = certificate::holds(checks);
  Table table({"    CHECK", "RESULT", "DETAIL"});
  for (const certificate::Check& check : checks) {
    table.add({"    " + check.name, word_of(check.result), printable(check.detail)});
  }
  return "  " + std::string(title) + ": " +
         out.toned(good ? Tone::good : Tone::bad, good ? "holds" : "FAILED") + "\n" +
         table.text(out.width());
}

std::string section_text(const SectionReport& section, const Output& out) {
  const certificate::SectionFacts& facts = section.facts;
  std::string asked = facts.from || facts.until ? "" : "everything";
  if (facts.from) asked += "from " + to_rfc3339(*facts.from) + (facts.until ? " " : "");
  if (facts.until) asked += "to " + to_rfc3339(*facts.until);
  for (const std::string& one : facts.match) asked += ", " + printable(one);
  return "\nStore " + facts.name.store.text() + " on " + printable(facts.host) +
         " (nobody has signed that name)\n  signer " + signer_text(section) + "\n  log " +
         log_text(section) + "\n  asked for: " + asked + "\n" +
         group("INTEGRITY", section.integrity, out) +
         group("COMPLETENESS", section.completeness, out);
}

Json group_json(const std::vector<certificate::Check>& checks) {
  return {{"holds", certificate::holds(checks)}, {"checks", certificate::checks_json(checks)}};
}

Json section_json(const SectionReport& section) {
  const certificate::SectionFacts& facts = section.facts;
  Json json{{"folder", certificate::section_folder(facts.name)},
            {"store", facts.name.store.hex()},
            {"host", printable(facts.host)},
            {"match", facts.match},
            {"signer", signer_text(section)},
            {"log", log_text(section)},
            {"integrity", group_json(section.integrity)},
            {"completeness", group_json(section.completeness)},
            {"certificates", section.certificates.size()},
            {"refusals", section.refusals.size()},
            {"amendments", section.amendments.size()},
            {"records", section.records.size()},
            {"left_out", section.left_out}};
  if (facts.from) json["from"] = to_rfc3339(*facts.from);
  if (facts.until) json["to"] = to_rfc3339(*facts.until);
  return json;
}

}  // namespace

void add_checks(const std::vector<certificate::Check>& checks, Table& table) {
  for (const certificate::Check& check : checks) {
    table.add({"  " + check.name, word_of(check.result), printable(check.detail)});
  }
}

std::string archive_text(const std::string& file, const certificate::ArchiveReport& report,
                         const Output& out) {
  const bool verified = certificate::is_verified(report);
  std::string text =
      file + ": " +
      out.toned(verified ? Tone::good : Tone::bad, verified ? "verified" : "NOT verified") +
      (verified && !certificate::has_own_pages(report) ? ", but for its README and index.html"
                                                       : "") +
      ", an archive of " + counted(report.sections.size(), "section") + "\n";
  Table table({"  CHECK", "RESULT", "DETAIL"});
  add_checks(report.checks, table);
  text += table.text(out.width());
  for (const SectionReport& section : report.sections) text += section_text(section, out);
  return text;
}

Json archive_json(const certificate::ArchiveReport& report) {
  const bool verified = certificate::is_verified(report);
  Json sections = Json::array();
  for (const SectionReport& section : report.sections) sections.push_back(section_json(section));
  Json json{{"verified", verified},
            {"checks", certificate::checks_json(report.checks)},
            {"signer", report.sections.size() == 1
                           ? signer_text(report.sections.front())
                           : counted(report.sections.size(), "signer") + ", see sections"},
            {"sections", std::move(sections)}};
  if (!verified) {
    json["error"] = std::string(info(certificate::outcome_of(report)).name);
  }
  return json;
}

}  // namespace aierase::ctl
