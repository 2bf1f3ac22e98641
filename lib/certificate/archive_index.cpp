#include "certificate/archive_index.h"

#include <map>

#include "certificate/archive_assets.h"
#include "certificate/canonical_text.h"
#include "certificate/certificate_page.h"

namespace aierase::certificate {
namespace {

std::string certificate_row(const ArchivedCertificate& one) {
  const CertificateSummary& is = one.summary;
  ObjectText row;
  row.number("leaf", one.leaf)
      .text("id", is.id)
      .text("asset", is.asset)
      .text("name", is.name)
      .text("kind", is.kind)
      .text("assurance", is.assurance)
      .text("plan", is.plan)
      .text("erased_at", is.erased_at);
  if (!is.manifest_sha256.empty()) row.text("manifest_sha256", is.manifest_sha256);
  return row.finish();
}

std::string refusal_row(const ArchivedRefusal& one) {
  return ObjectText()
      .number("leaf", one.leaf)
      .text("plan", one.summary.plan)
      .text("outcome", domain::to_text(one.summary.outcome))
      .finish();
}

std::string amendment_row(const ArchivedAmendment& one) {
  const AmendmentSummary& is = one.summary;
  return ObjectText()
      .number("leaf", one.leaf)
      .text("certificate", is.certificate)
      .number("number", is.number)
      .text("kind", domain::to_text(is.kind))
      .text("at", is.at)
      .text("by", is.by)
      .text("validation", domain::to_text(is.validation))
      .text("outcome", is.outcome)
      .finish();
}

std::string record_row(const ArchivedRecord& one) {
  return ObjectText()
      .number("leaf", one.leaf)
      .text("type", one.type)
      .text("time", to_rfc3339(one.time))
      .text("by", one.by)
      .finish();
}

template <typename Row>
std::string list_of(const std::vector<Row>& rows, std::string (*text)(const Row&)) {
  ArrayText list;
  for (const Row& row : rows) list.raw(text(row));
  return list.finish();
}

std::string section_row(const SectionReport& section) {
  const SectionFacts& facts = section.facts;
  ObjectText row;
  row.text("folder", section_folder(facts.name))
      .text("store", facts.name.store.hex())
      .text("host", facts.host)
      .text("fingerprint", section.fingerprint)
      .text("log_fingerprint", section.log_fingerprint)
      .number("first", facts.name.first)
      .number("size", facts.name.size)
      .number("left_out", section.left_out)
      .raw("match", array_of_texts(facts.match))
      .raw("certificates", list_of(section.certificates, certificate_row))
      .raw("refusals", list_of(section.refusals, refusal_row))
      .raw("amendments", list_of(section.amendments, amendment_row))
      .raw("records", list_of(section.records, record_row));
  if (facts.from) row.text("from", to_rfc3339(*facts.from));
  if (facts.until) row.text("until", to_rfc3339(*facts.until));
  return row.finish();
}

std::string assets_list(const std::vector<SectionReport>& sections) {
  ArrayText assets;
  for (const auto& [digest, places] : assets_by_digest(sections)) {
    ArrayText list;
    for (const AssetPlace& place : places) {
      list.raw(ObjectText()
                   .text("store", place.section->facts.name.store.hex())
                   .text("certificate", place.certificate->summary.id)
                   .text("name", place.certificate->summary.name)
                   .finish());
    }
    assets.raw(
        ObjectText().text("manifest_sha256", digest).raw("certificates", list.finish()).finish());
  }
  return assets.finish();
}

std::string files_list(const std::vector<ArchivedFile>& files) {
  ArrayText list;
  for (const ArchivedFile& file : files) {
    list.raw(ObjectText()
                 .text("name", file.name)
                 .number("bytes", file.bytes)
                 .text("sha256", to_hex(file.sha256))
                 .finish());
  }
  return list.finish();
}

}  // namespace

std::string index_json(const std::vector<SectionReport>& sections,
                       const std::vector<ArchivedFile>& files) {
  return ObjectText()
             .text("schema", "aierase/archive/v1")
             .raw("sections", list_of(sections, section_row))
             .raw("assets", assets_list(sections))
             .raw("files", files_list(files))
             .finish() +
         "\n";
}

std::string readme() {
  return html::kReadme;
}

}  // namespace aierase::certificate
