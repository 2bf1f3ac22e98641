// The index of an archive for people: one page, without a script, that loads nothing.

#include <set>

#include "base/bytes.h"
#include "certificate/archive_assets.h"
#include "certificate/archive_index.h"
#include "certificate/certificate_page.h"
#include "certificate/page_template.h"
#include "crypto/primitives.h"

namespace aierase::certificate {
namespace {

std::string cell(std::string_view text) {
  return "<td><bdi>" + html_text(text) + "</bdi></td>";
}

std::string link_cell(const std::string& target, std::string_view text) {
  return "<td><a href=\"" + target + "\"><bdi>" + html_text(text) + "</bdi></a></td>";
}

std::string term(std::string_view name, std::string_view value) {
  return "<dt>" + std::string(name) + "</dt><dd><bdi>" + html_text(value) + "</bdi></dd>\n";
}

std::string table_head(std::initializer_list<std::string_view> columns) {
  std::string row = "<table><thead><tr>";
  for (const std::string_view column : columns) row += "<th>" + std::string(column) + "</th>";
  return row + "</tr></thead><tbody>\n";
}

std::string member_link(const SectionReport& section, const Member& member) {
  return section_folder(section.facts.name) + "/" + member_name(member);
}

std::string match_text(const SectionFacts& facts) {
  std::string text;
  for (const std::string& one : facts.match) text += (text.empty() ? "" : ", ") + one;
  return text.empty() ? "everything" : text;
}

std::string period_text(const SectionFacts& facts) {
  return (facts.from ? "from " + to_rfc3339(*facts.from) : std::string("from its first day")) +
         (facts.until ? " to " + to_rfc3339(*facts.until) : std::string(" to its last"));
}

std::string head_of(const SectionReport& section) {
  const SectionFacts& facts = section.facts;
  return "<h2>Store on <bdi>" + html_text(facts.host) + "</bdi></h2>\n<dl>" +
         term("Store", facts.name.store.text()) + term("Signer in force", section.fingerprint) +
         term("Log key in force", section.log_fingerprint) + term("Asked for", period_text(facts)) +
         term("Match", match_text(facts)) +
         term("Leaves of its log",
              std::to_string(facts.name.first) + " to before " + std::to_string(facts.name.size)) +
         term("Certificates", std::to_string(section.certificates.size())) +
         term("Plans without erasure", std::to_string(section.refusals.size())) +
         term("Left out", std::to_string(section.left_out)) + "</dl>\n";
}

std::string certificates_of(const SectionReport& section) {
  if (section.certificates.empty()) return "<h3>No certificates</h3>\n";
  std::string text = "<h3>Certificates</h3>\n" +
                     table_head({"Erased at", "What", "Kind", "Assurance", "Certificate", "Plan"});
  for (const ArchivedCertificate& one : section.certificates) {
    const CertificateSummary& is = one.summary;
    text += "<tr>" + cell(is.erased_at) + cell(is.name) + cell(is.kind) + cell(is.assurance) +
            link_cell(member_link(section, {Part::certificate, one.leaf, 0, is.id}), is.id) +
            cell(is.plan) + "</tr>\n";
  }
  return text + "</tbody></table>\n";
}

std::string refusals_of(const SectionReport& section) {
  if (section.refusals.empty()) return {};
  std::string text = "<h3>Plans that ended without an erasure, or with a part of it</h3>\n" +
                     table_head({"Plan", "How it ended"});
  for (const ArchivedRefusal& one : section.refusals) {
    text += "<tr>" +
            link_cell(member_link(section, {Part::refusal, one.leaf, 0, one.summary.plan}),
                      one.summary.plan) +
            cell(one.summary.sentence) + "</tr>\n";
  }
  return text + "</tbody></table>\n";
}

std::string amendments_of(const SectionReport& section) {
  if (section.amendments.empty()) return {};
  std::string text = "<h3>What was said of certificates afterwards</h3>\n" +
                     table_head({"Certificate", "Amendment", "What was said", "With it"});
  for (const ArchivedAmendment& one : section.amendments) {
    const AmendmentSummary& is = one.summary;
    text += "<tr>" + cell(is.certificate) +
            link_cell(member_link(section, {Part::amendment, one.leaf, 0, is.certificate}),
                      std::to_string(is.number)) +
            cell(is.sentence) +
            cell(is.outcome + ", " + std::string(domain::to_text(is.validation))) + "</tr>\n";
  }
  return text + "</tbody></table>\n";
}

std::string records_of(const SectionReport& section) {
  if (section.records.empty()) return {};
  std::string text = "<h3>Decisions</h3>\n" + table_head({"Time", "What", "By", "Record"});
  for (const ArchivedRecord& one : section.records) {
    text += "<tr>" + cell(to_rfc3339(one.time)) + cell(one.type) + cell(one.by) +
            link_cell(member_link(section, {Part::record, one.leaf, 0, {}}),
                      "leaf " + std::to_string(one.leaf)) +
            "</tr>\n";
  }
  return text + "</tbody></table>\n";
}

// Content that more than one store has erased.
std::string shared_assets(const std::vector<SectionReport>& sections) {
  std::string rows;
  for (const auto& [digest, places] : assets_by_digest(sections)) {
    std::set<Uuid> stores;
    std::string where;
    for (const AssetPlace& place : places) {
      stores.insert(place.section->facts.name.store);
      where += (where.empty() ? "" : "; ") + place.certificate->summary.name + " on " +
               place.section->facts.host;
    }
    if (stores.size() > 1) rows += "<tr>" + cell(digest) + cell(where) + "</tr>\n";
  }
  if (rows.empty()) return {};
  return "<h2>The same content on several hosts</h2>\n" +
         table_head({"SHA-256 of its manifest", "Erased as"}) + rows + "</tbody></table>\n";
}

}  // namespace

std::string index_page(const std::vector<SectionReport>& sections) {
  const std::string style = html::kArchiveStyle;
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'sha256-" +
      to_base64(crypto::sha256(as_bytes(style))) +
      "'; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>Evidence of disposals</title>\n<style>" +
      style +
      "</style>\n</head>\n<body>\n<h1>Evidence of disposals</h1>\n"
      "<p class=\"lead\">What was erased, what was refused, and who decided, out of the logs of " +
      std::to_string(sections.size()) + (sections.size() == 1 ? " store" : " sections of stores") +
      ".</p>\n<p class=\"warn\">Nobody has signed this page, and it proves nothing by itself. The "
      "files that it names are signed: <code>README</code> beside it tells how to check all of "
      "them, also without any software of ours.</p>\n";
  page += shared_assets(sections);
  for (const SectionReport& section : sections) {
    page += head_of(section) + certificates_of(section) + amendments_of(section) +
            refusals_of(section) + records_of(section);
  }
  return page + "</body>\n</html>\n";
}

}  // namespace aierase::certificate
