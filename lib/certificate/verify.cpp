#include "certificate/verify.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/limits.h"
#include "certificate/bundle.h"
#include "certificate/json_reading.h"
#include "certificate/log_check.h"
#include "certificate/people_check.h"
#include "certificate/statement.h"
#include "certificate/statement_check.h"
#include "crypto/primitives.h"
#include "crypto/timestamp.h"
#include "translog/log.h"

namespace aierase::certificate {
namespace {

constexpr std::string_view kBundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";
constexpr JsonLimits kBundleLimits{limits::kCertificateBytes, 16, 10'000};
constexpr JsonLimits kStatementLimits{limits::kCertificateBytes, 32};

struct Parsed {
  std::string payload;
  Digest payload_sha256{};
  crypto::Signature signature{};
  std::string hint;
  std::optional<LogEntry> log;
  std::vector<Bytes> timestamps;  // responses of authorities
};

Status read_timestamps(JsonView data, Parsed& parsed) {
  RETURN_IF_ERROR(check_members(data, "timestampVerificationData", {"rfc3161Timestamps"}));
  const JsonView list = data["rfc3161Timestamps"];
  if (!list.is_array() || list.size() > limits::kTimeStampsPerBundle) {
    return malformed("rfc3161Timestamps is no list of at most " +
                     std::to_string(limits::kTimeStampsPerBundle));
  }
  for (const JsonView one : list) {
    RETURN_IF_ERROR(check_members(one, "a time stamp", {"signedTimestamp"}));
    ASSIGN_OR_RETURN(Bytes response, base64_member(one, "signedTimestamp"));
    parsed.timestamps.push_back(std::move(response));
  }
  return {};
}

Status read_material(JsonView material, Parsed& parsed) {
  RETURN_IF_ERROR(check_members(material, "verificationMaterial", {"publicKey"},
                                {"tlogEntries", "timestampVerificationData"}));
  RETURN_IF_ERROR(check_members(material["publicKey"], "publicKey", {"hint"}));
  ASSIGN_OR_RETURN(parsed.hint, text_member(material["publicKey"], "hint"));
  if (!is_fingerprint(parsed.hint)) return malformed("the key hint is no SHA-256 in hex");
  if (material.contains("tlogEntries")) {
    const JsonView entries = material["tlogEntries"];
    if (!entries.is_array() || entries.size() > 1) {
      return malformed("tlogEntries is no list of at most one");
    }
    for (const JsonView entry : entries) {
      ASSIGN_OR_RETURN(parsed.log, read_log_entry(entry));
    }
  }
  if (!material.contains("timestampVerificationData")) return {};
  return read_timestamps(material["timestampVerificationData"], parsed);
}

// Most of a bundle is its payload. It is base64, which needs no parsing: the text is cut out of the
// JSON, whose form then shows that it stood where a payload stands, since no other member of a
// bundle has that name.
struct CutBundle {
  std::string rest;  // with an empty payload
  std::string_view payload;
};

std::optional<CutBundle> cut_payload(std::string_view bundle) {
  constexpr std::string_view kStart = "\"payload\":\"";
  if (bundle.size() > kBundleLimits.max_bytes) return std::nullopt;
  const std::size_t at = bundle.find(kStart);
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t begin = at + kStart.size();
  const std::size_t end = bundle.find('"', begin);
  if (end == std::string_view::npos) return std::nullopt;
  CutBundle cut{std::string(bundle.substr(0, begin)), bundle.substr(begin, end - begin)};
  // What is escaped is for the parser.
  if (cut.payload.find('\\') != std::string_view::npos) return std::nullopt;
  cut.rest += bundle.substr(end);
  return cut;
}

Status read_envelope(JsonView envelope, const std::optional<CutBundle>& cut, Parsed& parsed) {
  RETURN_IF_ERROR(
      check_members(envelope, "dsseEnvelope", {"payload", "payloadType", "signatures"}));
  RETURN_IF_ERROR(expect_text(envelope, "payloadType", kPayloadType));
  if (cut) RETURN_IF_ERROR(expect_text(envelope, "payload", ""));
  std::optional<Bytes> payload;
  if (cut) {
    payload = from_base64(cut->payload);
    if (!payload) return malformed("payload is not base64");
  } else {
    ASSIGN_OR_RETURN(payload, base64_member(envelope, "payload"));
  }
  parsed.payload = as_text(*payload);
  parsed.payload_sha256 = crypto::sha256(*payload);
  const JsonView signatures = envelope["signatures"];
  if (!signatures.is_array() || signatures.size() != 1) {
    return malformed("there must be exactly one signature");
  }
  RETURN_IF_ERROR(check_members(signatures[0], "the signature", {"sig", "keyid"}));
  RETURN_IF_ERROR(expect_text(signatures[0], "keyid", parsed.hint));
  ASSIGN_OR_RETURN(const Bytes signature, base64_member(signatures[0], "sig"));
  if (signature.size() != parsed.signature.size())
    return malformed("the signature is not 64 bytes");
  std::copy(signature.begin(), signature.end(), parsed.signature.begin());
  return {};
}

Result<Parsed> parse_bundle(std::string_view bundle) {
  const std::optional<CutBundle> cut = cut_payload(bundle);
  ASSIGN_OR_RETURN(const JsonDocument document,
                   read_json(cut ? std::string_view(cut->rest) : bundle, kBundleLimits));
  const JsonView json = document.root();
  RETURN_IF_ERROR(
      check_members(json, "the bundle", {"mediaType", "verificationMaterial", "dsseEnvelope"}));
  RETURN_IF_ERROR(expect_text(json, "mediaType", kBundleType));
  Parsed parsed;
  RETURN_IF_ERROR(read_material(json["verificationMaterial"], parsed));
  RETURN_IF_ERROR(read_envelope(json["dsseEnvelope"], cut, parsed));
  return parsed;
}

void add(VerifyReport& report, std::string name, CheckResult result, std::string detail) {
  report.checks.push_back({std::move(name), result, std::move(detail)});
}

void add_verdict(VerifyReport& report, const char* name, const std::optional<std::string>& fault,
                 std::string good) {
  add(report, name, fault ? CheckResult::failed : CheckResult::passed,
      fault ? "Refused: " + *fault + "." : std::move(good));
}

// A broken file: nothing after "format" could be looked at.
VerifyReport not_a_bundle(const Error& error) {
  VerifyReport report;
  add(report, "format", CheckResult::failed, "This is not a certificate bundle: " + error.message);
  for (const char* name : {"signer", "signature", "statement", "residuals", "assurance", "log"}) {
    add(report, name, CheckResult::not_checked, "The file could not be read.");
  }
  return report;
}

// Why a key that is trusted does not speak for this certificate.
std::optional<std::string> objection(const Parsed& parsed, const TrustedKey& trusted,
                                     const TrustStore& trust) {
  if (trust.revoked.count(parsed.hint) != 0) {
    return "The key SHA256:" + parsed.hint + " was revoked here: nothing that it signed counts.";
  }
  if (!trusted.role || !parsed.log || speaks_for_leaf(*trusted.role, parsed.log->leaf)) {
    return std::nullopt;
  }
  const KeyringKey& role = *trusted.role;
  return "The key was not in force at leaf " + std::to_string(parsed.log->leaf) +
         " of the log: it speaks for leaves from " + std::to_string(role.first_leaf) +
         (role.end_leaf ? " and before " + std::to_string(*role.end_leaf) : std::string(" on")) +
         ".";
}

CheckResult check_signature(const Parsed& parsed, const TrustedKey* trusted,
                            const TrustStore& trust, VerifyReport& report) {
  if (trusted == nullptr) {
    report.signer = "UNKNOWN (SHA256:" + parsed.hint + ")";
    add(report, "signer", CheckResult::failed,
        "No trusted key has the fingerprint that the file names, SHA256:" + parsed.hint + ".");
    add(report, "signature", CheckResult::not_checked,
        "Not checked: no trusted key has this fingerprint, so nothing shows who wrote this.");
    return CheckResult::not_checked;
  }
  report.signer = "SHA256:" + parsed.hint;
  const std::optional<std::string> against = objection(parsed, *trusted, trust);
  add(report, "signer", against ? CheckResult::failed : CheckResult::passed,
      against.value_or("The key is trusted here: " + trusted->file));
  const std::string encoded = pre_authentication_encoding(kPayloadType, parsed.payload);
  if (crypto::verify_signature(trusted->key, as_bytes(encoded), parsed.signature)) {
    add(report, "signature", CheckResult::passed, "The Ed25519 signature holds.");
    return CheckResult::passed;
  }
  add(report, "signature", CheckResult::failed,
      "The signature does not hold: statement or signature were changed.");
  return CheckResult::failed;
}

// Who speaks for one store speaks for no other, and for a store whose keyring is trusted here none
// but its keys.
std::optional<std::string> foreign_store(JsonView statement, const TrustedKey* trusted,
                                         const TrustStore& trust) {
  if (trusted == nullptr) return std::nullopt;
  const std::string_view id = statement["predicate"]["store"]["id"].text();
  const std::optional<Uuid> store = Uuid::from_text(id);
  if (!store || store->text() != id) return "it names no store";
  if (!trusted->role) {
    if (!trust.has_keyring_of(*store)) return std::nullopt;
    return "it speaks of the store " + quoted(id) +
           ", whose keyring is trusted here, and its key does not stand in that";
  }
  if (*store == trusted->store) return std::nullopt;
  return "it speaks of the store " + quoted(id) + ", and its key is of the store " +
         trusted->store.text();
}

std::string bare_key_of(const TrustedKey* trusted) {
  return trusted == nullptr || trusted->role ? std::string() : key_id(trusted->key);
}

void check_refusal(JsonView statement, const TrustedKey* trusted, const TrustStore& trust,
                   VerifyReport& report) {
  std::optional<std::string> fault = refusal_fault(statement);
  if (!fault) fault = foreign_store(statement, trusted, trust);
  add_verdict(report, "statement", fault,
              "It has the form of the record of a refusal and agrees with itself.");
  if (!fault) report.refusal = summary_of(statement);
  add(report, "outcome", fault ? CheckResult::not_checked : CheckResult::passed,
      fault ? "The statement was refused." : report.refusal->sentence);
}

void check_amendment(JsonView statement, std::string_view text, const TrustedKey* trusted,
                     const TrustStore& trust, VerifyReport& report) {
  std::optional<std::string> fault = amendment_fault(statement);
  if (!fault) fault = foreign_store(statement, trusted, trust);
  const std::string open = fault ? "" : cut_of_validator(statement["predicate"]);
  add_verdict(report, "statement", fault,
              "It has the form of an amendment of a certificate and agrees with itself." + open);
  if (!fault) {
    report.amendment = summary_of_amendment(statement, text);
    report.amendment->bare_key = bare_key_of(trusted);
  }
  add(report, "amends", fault ? CheckResult::not_checked : CheckResult::passed,
      fault ? "The statement was refused."
            : "It is number " + std::to_string(report.amendment->number) + " of " +
                  report.amendment->certificate + ": " + report.amendment->sentence + ".");
}

CertificateSummary summary_of_certificate(JsonView statement, const Digest& sha256) {
  const JsonView predicate = statement["predicate"];
  const JsonView asset = predicate["asset"];
  const auto text = [](JsonView object, const char* key) {
    return std::string(object[key].text());
  };
  CertificateSummary summary;
  summary.of = subject_of_certificate(statement);
  const auto start = state_of_certificate(statement, sha256);
  if (start.ok()) summary.start = *start;
  summary.id = text(predicate, "certificate_id");
  summary.asset = text(asset, "id");
  summary.name = text(asset, "name");
  summary.kind = text(asset, "kind");
  summary.assurance = text(predicate["assurance"], "level");
  summary.plan = text(predicate["disposal"], "plan");
  summary.erased_at = text(predicate["times"], "verified_zero_at");
  summary.statement_sha256 = to_hex(sha256);
  const std::string digest = text(asset, "manifest_sha256");
  if (is_fingerprint(digest)) summary.manifest_sha256 = digest;
  return summary;
}

void check_content(const Parsed& parsed, const TrustedKey* trusted, const TrustStore& trust,
                   VerifyReport& report) {
  const Result<JsonDocument> document = read_json(parsed.payload, kStatementLimits);
  if (!document.ok()) {
    add(report, "statement", CheckResult::failed, "Refused: " + document.error().message + ".");
    add(report, "residuals", CheckResult::not_checked, "The statement could not be read.");
    add(report, "assurance", CheckResult::not_checked, "The statement could not be read.");
    return;
  }
  const JsonView json = document->root();
  if (is_refusal(json)) return check_refusal(json, trusted, trust, report);
  if (is_amendment(json)) return check_amendment(json, parsed.payload, trusted, trust, report);
  StatementFindings findings = check_statement(json);
  if (!findings.statement_fault) {
    findings.statement_fault = foreign_store(json, trusted, trust);
  }
  const std::string open = findings.statement_fault ? "" : cut_of_approvers(json["predicate"]);
  add_verdict(report, "statement", findings.statement_fault,
              "It has the form of a disposal statement and agrees with itself." + open);
  add_verdict(report, "residuals", findings.residuals_fault, std::move(findings.residuals));
  if (!findings.statement_fault) {
    report.certificate = summary_of_certificate(json, parsed.payload_sha256);
    report.certificate->bare_key = bare_key_of(trusted);
  }
  // Hostile text may stand in the claim: it is shown only once the statement is known to be sound
  // in form, and the caller escapes what it prints.
  const bool sound = !findings.statement_fault;
  add(report, "assurance", sound ? CheckResult::passed : CheckResult::not_checked,
      sound ? std::move(findings.assurance) : "The statement was refused.");
}

// The keyring of a store says that its certificates are in its log: one without a proof may have
// been signed aside of it.
Check check_log(const Parsed& parsed, const TrustedKey* trusted, const TrustStore& trust,
                HeadCache* heads) {
  if (!parsed.log) {
    if (trusted != nullptr && trusted->role) {
      return {"log", CheckResult::failed,
              "The proof is missing: the keyring of this store names its log, and nothing here "
              "shows that the certificate is in it."};
    }
    return {"log", CheckResult::not_checked, "This bundle carries no log entry."};
  }
  if (trusted == nullptr) {
    return {"log", CheckResult::not_checked, "Not checked: the signer is not known."};
  }
  const Result<std::string> body =
      log_entry_body(parsed.payload_sha256, parsed.signature, trusted->key);
  if (!body.ok()) return {"log", CheckResult::failed, body.error().message};
  return check_log_entry(*parsed.log, *body, *trusted, trust, heads);
}

// What others say of when the signature was there already.
Check check_timestamp(const Bytes& response, const crypto::Signature& signature,
                      const TrustStore& trust) {
  const Result<crypto::TimeStamp> said = crypto::read_timestamp(response, signature);
  if (!said.ok())
    return {"timestamp", CheckResult::failed, "Refused: " + said.error().message + "."};
  const std::string time = to_rfc3339(said->time);
  const Result<crypto::TimeStamp> held =
      crypto::verify_timestamp(response, signature, trust.time_authorities);
  if (held.ok()) {
    return {"timestamp", CheckResult::passed,
            "An authority trusted here saw the signature at " + time + "."};
  }
  if (held.error().code == Errc::signer_unknown) {
    return {"timestamp", CheckResult::not_checked,
            "A time stamp says " + time + "; it is of no authority of time stamps trusted here."};
  }
  return {"timestamp", CheckResult::failed, "Refused: " + held.error().message + "."};
}

bool none_failed(const VerifyReport& report) {
  return std::none_of(report.checks.begin(), report.checks.end(),
                      [](const Check& check) { return check.result == CheckResult::failed; });
}

bool only_the_signer_failed(const VerifyReport& report) {
  return std::all_of(report.checks.begin(), report.checks.end(), [](const Check& check) {
    return check.result != CheckResult::failed || check.name == "signer";
  });
}

std::string_view to_text(CheckResult result) {
  switch (result) {
    case CheckResult::passed:
      return "passed";
    case CheckResult::failed:
      return "failed";
    case CheckResult::not_checked:
      return "not_checked";
  }
  return "not_checked";
}

}  // namespace

Result<Bytes> timestamp_request_for(std::string_view bundle) {
  ASSIGN_OR_RETURN(const Parsed parsed, parse_bundle(bundle));
  return crypto::timestamp_request(parsed.signature);
}

Result<std::string> with_timestamp(std::string_view bundle, ByteView response) {
  ASSIGN_OR_RETURN(const Parsed parsed, parse_bundle(bundle));
  Result<crypto::TimeStamp> said = crypto::read_timestamp(response, parsed.signature);
  if (!said.ok()) return std::move(said).error();
  ASSIGN_OR_RETURN(Json json, parse_json(bundle, kBundleLimits));
  json["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"].push_back(
      {{"signedTimestamp", to_base64(response)}});
  ASSIGN_OR_RETURN(std::string stamped, dump_canonical(json));
  RETURN_IF_ERROR(parse_bundle(stamped));
  return stamped;
}

Result<LogEntry> log_entry_of_bundle(std::string_view bundle) {
  ASSIGN_OR_RETURN(Parsed parsed, parse_bundle(bundle));
  if (parsed.log) return std::move(*parsed.log);
  return make_error(Errc::not_found, "the certificate carries no log entry");
}

VerifyReport verify_bundle(std::string_view bundle, const TrustStore& trust, HeadCache* heads) {
  Result<Parsed> parsed = parse_bundle(bundle);
  if (!parsed.ok()) return not_a_bundle(parsed.error());
  VerifyReport report;
  add(report, "format", CheckResult::passed, "A Sigstore bundle v0.3 with one signature.");
  const TrustedKey* trusted = trust.signer(parsed->hint);
  const CheckResult signature = check_signature(*parsed, trusted, trust, report);
  check_content(*parsed, trusted, trust, report);
  report.checks.push_back(check_log(*parsed, trusted, trust, heads));
  if (report.checks.back().result == CheckResult::passed) {
    report.logged = LoggedAt{parsed->log->leaf, translog::leaf_hash(as_bytes(parsed->log->body))};
  }
  for (const Bytes& response : parsed->timestamps) {
    report.checks.push_back(check_timestamp(response, parsed->signature, trust));
  }
  const bool only_unknown = trusted == nullptr && only_the_signer_failed(report);
  report.verified = trusted != nullptr && signature == CheckResult::passed && none_failed(report);
  report.outcome = only_unknown ? Errc::signer_unknown : Errc::verification_failed;
  if (signature == CheckResult::passed) report.statement = std::move(parsed->payload);
  return report;
}

void leave_amendments_open(VerifyReport& report, const std::string& why) {
  report.checks.push_back({"amendments", CheckResult::not_checked,
                           "Where it stands is not known: an amendment that was given with it does "
                           "not hold, " +
                               why + "."});
}

namespace {

// Under a bare key nothing but the key tells whose word an amendment is. Where both stand in a
// keyring, that holds them to one store.
std::optional<Check> foreign_amendment(const VerifyReport& report,
                                       const std::vector<AmendmentSummary>& amendments) {
  if (!report.certificate) return std::nullopt;
  for (const AmendmentSummary& one : amendments) {
    if (one.bare_key == report.certificate->bare_key) continue;
    return Check{"amendments", CheckResult::failed,
                 "Refused: amendment " + std::to_string(one.number) +
                     " is signed by another key than the certificate, and no keyring here says "
                     "that both are of its store. If its keys were rotated, trust its keyring."};
  }
  return std::nullopt;
}

}  // namespace

void amend(VerifyReport& report, std::vector<AmendmentSummary> amendments) {
  std::sort(
      amendments.begin(), amendments.end(),
      [](const AmendmentSummary& a, const AmendmentSummary& b) { return a.number < b.number; });
  const std::optional<Check> foreign = foreign_amendment(report, amendments);
  Check check = foreign ? *foreign : check_amendments(report.statement, amendments);
  if (check.result == CheckResult::failed) {
    report.verified = false;
    report.outcome = Errc::verification_failed;
  }
  report.checks.push_back(std::move(check));
  report.amendments = std::move(amendments);
}

Json checks_json(const std::vector<Check>& checks) {
  Json list = Json::array();
  for (const Check& check : checks) {
    list.push_back({{"name", check.name},
                    {"result", std::string(to_text(check.result))},
                    {"detail", check.detail}});
  }
  return list;
}

Json amendment_json(const AmendmentSummary& is) {
  return {{"certificate", is.certificate},
          {"number", is.number},
          {"kind", domain::to_text(is.kind)},
          {"at", is.at},
          {"by", is.by},
          {"validation", domain::to_text(is.validation)},
          {"residuals_closed", is.closed},
          {"residuals_open", is.open},
          {"outcome", is.outcome},
          {"text", is.sentence}};
}

Json report_json(const VerifyReport& report) {
  Json json{{"verified", report.verified},
            {"signer", report.signer},
            {"checks", checks_json(report.checks)}};
  if (report.verified && report.refusal) {
    json["record"] = "refusal";
    json["outcome"] = std::string(domain::to_text(report.refusal->outcome));
    json["plan"] = report.refusal->plan;
  }
  if (report.verified && report.amendment) {
    json["record"] = "amendment";
    json["amendment"] = amendment_json(*report.amendment);
  }
  if (report.verified && report.certificate && !report.amendments.empty()) {
    Json list = Json::array();
    for (const AmendmentSummary& one : report.amendments) list.push_back(amendment_json(one));
    json["amendments"] = std::move(list);
    json["outcome"] = report.amendments.back().outcome;
  }
  if (!report.verified) json["error"] = std::string(info(report.outcome).name);
  return json;
}

}  // namespace aierase::certificate
