#include "certificate/amendment.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/limits.h"
#include "base/time.h"
#include "certificate/bundle.h"
#include "certificate/canonical_text.h"
#include "certificate/statement.h"
#include "certificate/statement_parts.h"
#include "crypto/primitives.h"

namespace aierase::certificate {
namespace {

using domain::AmendmentKind;
using domain::AmendmentRecord;

std::string certificate_id(const Uuid& id) {
  return domain::id_text(domain::IdType::certificate, id);
}

std::string subject_part(const AmendmentRecord& record) {
  const std::string digest =
      ObjectText().text("sha256", to_hex(record.certificate_sha256)).finish();
  return ArrayText()
      .raw(ObjectText()
               .text("name", certificate_id(record.certificate))
               .raw("digest", digest)
               .finish())
      .finish();
}

// A name that the host gave itself may be of any bytes.
std::string store_part(const AmendmentRecord& record) {
  return ObjectText()
      .text("id", record.store.text())
      .text("host", is_valid_utf8(record.host) ? record.host : quoted(record.host))
      .text("machine_id_sha256", machine_text(record.machine_id_digest))
      .finish();
}

std::string evidence_part(const AmendmentRecord& record) {
  if (!record.evidence) return json_text("not applicable: no file was named");
  const domain::EvidenceFile& file = *record.evidence;
  return ObjectText()
      .text("name", file.name)
      .text("sha256", to_hex(file.sha256))
      .number("bytes", file.bytes)
      .text("media_type", file.media_type)
      .finish();
}

std::string again_part(const AmendmentRecord& record) {
  if (!record.again) return json_text("not applicable: no later erasure was named");
  return ObjectText()
      .text("certificate", certificate_id(record.again->certificate))
      .text("statement_sha256", to_hex(record.again->statement_sha256))
      .finish();
}

std::vector<std::string> open_after(const AmendmentRecord& record) {
  std::vector<std::string> open;
  std::set_difference(record.before.open.begin(), record.before.open.end(), record.closed.begin(),
                      record.closed.end(), std::back_inserter(open));
  return open;
}

std::string not_claimed_of(const AmendmentRecord& record) {
  ArrayText list;
  list.text("That this is the last that is said of the certificate: the log may hold later ones.");
  list.text("That what was said is so: the signer shows that it was said, when and by whom.");
  if (record.evidence) {
    list.text("That the file shows what it is named for: the store keeps its SHA-256 alone.");
  }
  return list.finish();
}

std::string predicate(const AmendmentRecord& record) {
  const std::vector<std::string> open = open_after(record);
  const bool verdict = record.kind == AmendmentKind::validation;
  return ObjectText()
      .number("schema_version", 1)
      .text("certificate_id", certificate_id(record.certificate))
      .number("number", record.before.number + 1)
      .text("previous_sha256", to_hex(record.before.last_sha256))
      .text("kind", domain::to_text(record.kind))
      .text("outcome", domain::is_final(record.validation, open.size()) ? "final" : "partial")
      .text("validation", domain::to_text(record.validation))
      .raw("residuals_closed", array_of_texts(record.closed))
      .raw("residuals_open", array_of_texts(open))
      .text("at", to_rfc3339(record.time))
      .text("reason", or_none(record.reason))
      .text("remedy", or_none(record.remedy))
      .raw("as_custodian", array_of_texts(record.capacities))
      .raw("store", store_part(record))
      .raw("asset", ObjectText()
                        .text("id", domain::id_text(domain::IdType::asset, record.asset))
                        .text("name", record.asset_name.text())
                        .finish())
      .raw("plan", ObjectText()
                       .text("id", domain::id_text(domain::IdType::plan, record.plan))
                       .text("digest", to_hex(record.plan_digest))
                       .finish())
      .raw("evidence", evidence_part(record))
      .raw("erased_again", again_part(record))
      .raw("people", ArrayText()
                         .raw(decider_part(verdict ? "validator" : "amender", record.actor,
                                           record.time, record.signed_by,
                                           record.signed_text ? &*record.signed_text : nullptr))
                         .finish())
      .raw("tool", tool_part(record.tool_version, record.tool_build))
      .raw("not_claimed", not_claimed_of(record))
      .finish();
}

}  // namespace

Result<AmendmentStatement> AmendmentStatement::of(const AmendmentRecord& record) {
  std::string text = ObjectText()
                         .text("_type", kStatementType)
                         .text("predicateType", kAmendmentPredicateType)
                         .raw("subject", subject_part(record))
                         .raw("predicate", predicate(record))
                         .finish();
  if (!is_valid_utf8(text)) {
    return make_error(Errc::invalid_input, "a text of the amendment is not valid UTF-8");
  }
  return AmendmentStatement(std::move(text));
}

Result<crypto::Signature> AmendmentStatement::sign(const crypto::SigningKey& signer) const {
  return signer.sign(as_bytes(pre_authentication_encoding(kPayloadType, text_)));
}

Result<domain::AmendedState> state_of_certificate(std::string_view statement) {
  ASSIGN_OR_RETURN(const JsonDocument json,
                   read_json(statement, JsonLimits{limits::kCertificateBytes, 32}));
  return state_of_certificate(json.root(), crypto::sha256(as_bytes(statement)));
}

Result<domain::AmendedState> state_of_certificate(JsonView json, const Digest& statement) {
  const JsonView residuals = json["predicate"]["residuals"];
  if (!residuals.is_array()) {
    return make_error(Errc::damaged, "a certificate lists no residuals", "run `aierase check`");
  }
  std::set<std::string> codes;
  for (const JsonView one : residuals) codes.insert(std::string(one["code"].text()));
  domain::AmendedState state;
  state.last_sha256 = statement;
  state.open.assign(codes.begin(), codes.end());
  return state;
}

}  // namespace aierase::certificate
