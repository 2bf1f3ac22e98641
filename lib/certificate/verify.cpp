#include "certificate/verify.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/limits.h"
#include "certificate/bundle.h"
#include "certificate/statement.h"
#include "certificate/statement_check.h"

namespace aierase::certificate {
namespace {

constexpr std::string_view kBundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";
constexpr std::size_t kPemBytes = 4096;
constexpr std::size_t kFingerprintDigits = 64;
constexpr JsonLimits kBundleLimits{limits::kCertificateBytes, 16, 10'000};
constexpr JsonLimits kStatementLimits{limits::kCertificateBytes, 32};

struct Parsed {
  std::string payload;
  crypto::Signature signature{};
  std::string hint;
  bool has_log_entry = false;
  bool has_timestamp = false;
};

Error malformed(std::string why) {
  return make_error(Errc::invalid_input, std::move(why));
}

// An object with all of `needed`, and beyond them nothing but `allowed`.
Status check_members(const Json& value, std::string_view what,
                     std::initializer_list<std::string_view> needed,
                     std::initializer_list<std::string_view> allowed = {}) {
  if (!value.is_object()) return malformed(std::string(what) + " is missing or no object");
  for (const std::string_view key : needed) {
    if (!value.contains(std::string(key))) {
      return malformed(std::string(what) + " lacks " + std::string(key));
    }
  }
  for (const auto& [key, unused] : value.items()) {
    const std::string_view name = key;
    const auto is_name = [&](std::string_view other) { return other == name; };
    if (std::none_of(needed.begin(), needed.end(), is_name) &&
        std::none_of(allowed.begin(), allowed.end(), is_name)) {
      return malformed(std::string(what) + " has the unknown member " + quoted(name));
    }
  }
  return {};
}

Result<std::string> text_member(const Json& object, const char* key) {
  const Json& value = object[key];
  if (!value.is_string()) return malformed(std::string(key) + " is no text");
  return value.get<std::string>();
}

Status expect_text(const Json& object, const char* key, std::string_view expected) {
  ASSIGN_OR_RETURN(const std::string text, text_member(object, key));
  if (text == expected) return {};
  return malformed(std::string(key) + " is " + quoted(text) + ", not " + std::string(expected));
}

Result<Bytes> base64_member(const Json& object, const char* key) {
  ASSIGN_OR_RETURN(const std::string text, text_member(object, key));
  std::optional<Bytes> bytes = from_base64(text);
  if (!bytes) return malformed(std::string(key) + " is not base64");
  return std::move(*bytes);
}

bool is_fingerprint(std::string_view text) {
  return text.size() == kFingerprintDigits && from_hex(text).has_value();
}

Status read_material(const Json& material, Parsed& parsed) {
  RETURN_IF_ERROR(check_members(material, "verificationMaterial", {"publicKey"},
                                {"tlogEntries", "timestampVerificationData"}));
  RETURN_IF_ERROR(check_members(material["publicKey"], "publicKey", {"hint"}));
  ASSIGN_OR_RETURN(parsed.hint, text_member(material["publicKey"], "hint"));
  if (!is_fingerprint(parsed.hint)) return malformed("the key hint is no SHA-256 in hex");
  if (const auto entries = material.find("tlogEntries"); entries != material.end()) {
    if (!entries->is_array()) return malformed("tlogEntries is no list");
    parsed.has_log_entry = !entries->empty();
  }
  parsed.has_timestamp = material.contains("timestampVerificationData");
  return {};
}

Status read_envelope(const Json& envelope, Parsed& parsed) {
  RETURN_IF_ERROR(
      check_members(envelope, "dsseEnvelope", {"payload", "payloadType", "signatures"}));
  RETURN_IF_ERROR(expect_text(envelope, "payloadType", kPayloadType));
  ASSIGN_OR_RETURN(const Bytes payload, base64_member(envelope, "payload"));
  parsed.payload = as_text(payload);
  const Json& signatures = envelope["signatures"];
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
  ASSIGN_OR_RETURN(const Json json, parse_json(bundle, kBundleLimits));
  RETURN_IF_ERROR(
      check_members(json, "the bundle", {"mediaType", "verificationMaterial", "dsseEnvelope"}));
  RETURN_IF_ERROR(expect_text(json, "mediaType", kBundleType));
  Parsed parsed;
  RETURN_IF_ERROR(read_material(json["verificationMaterial"], parsed));
  RETURN_IF_ERROR(read_envelope(json["dsseEnvelope"], parsed));
  return parsed;
}

const TrustedKey* find_key(const TrustStore& trust, std::string_view hint) {
  const auto found = std::find_if(trust.keys.begin(), trust.keys.end(),
                                  [&](const auto& trusted) { return key_id(trusted.key) == hint; });
  return found == trust.keys.end() ? nullptr : &*found;
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

CheckResult check_signature(const Parsed& parsed, const TrustedKey* trusted, VerifyReport& report) {
  if (trusted == nullptr) {
    report.signer = "UNKNOWN (SHA256:" + parsed.hint + ")";
    add(report, "signer", CheckResult::failed,
        "No trusted key has the fingerprint that the file names, SHA256:" + parsed.hint + ".");
    add(report, "signature", CheckResult::not_checked,
        "Not checked: no trusted key has this fingerprint, so nothing shows who wrote this.");
    return CheckResult::not_checked;
  }
  report.signer = "SHA256:" + parsed.hint;
  add(report, "signer", CheckResult::passed, "The key is trusted here: " + trusted->file);
  const std::string encoded = pre_authentication_encoding(kPayloadType, parsed.payload);
  if (crypto::verify_signature(trusted->key, as_bytes(encoded), parsed.signature)) {
    add(report, "signature", CheckResult::passed, "The Ed25519 signature holds.");
    return CheckResult::passed;
  }
  add(report, "signature", CheckResult::failed,
      "The signature does not hold: statement or signature were changed.");
  return CheckResult::failed;
}

void check_content(const Parsed& parsed, VerifyReport& report) {
  const Result<Json> json = parse_json(parsed.payload, kStatementLimits);
  if (!json.ok()) {
    add(report, "statement", CheckResult::failed, "Refused: " + json.error().message + ".");
    add(report, "residuals", CheckResult::not_checked, "The statement could not be read.");
    add(report, "assurance", CheckResult::not_checked, "The statement could not be read.");
    return;
  }
  StatementFindings findings = check_statement(*json);
  add_verdict(report, "statement", findings.statement_fault,
              "It has the form of a disposal statement and agrees with itself.");
  add_verdict(report, "residuals", findings.residuals_fault, std::move(findings.residuals));
  // Hostile text may stand in the claim: it is shown only once the statement is known to be sound
  // in form, and the caller escapes what it prints.
  const bool sound = !findings.statement_fault;
  add(report, "assurance", sound ? CheckResult::passed : CheckResult::not_checked,
      sound ? std::move(findings.assurance) : "The statement was refused.");
}

void add_log(const Parsed& parsed, VerifyReport& report) {
  std::string detail = parsed.has_log_entry
                           ? "This bundle carries a log entry, which this version does not check."
                           : "This bundle carries no log entry.";
  if (parsed.has_timestamp) detail += " Its time stamps were not checked.";
  add(report, "log", CheckResult::not_checked, std::move(detail));
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

Result<TrustStore> TrustStore::load(Env& env, const std::string& directory) {
  TrustStore store;
  ASSIGN_OR_RETURN(const std::optional<FileInfo> info, env.stat(directory));
  if (!info) return store;
  ASSIGN_OR_RETURN(const std::vector<std::string> names, env.list(directory));
  for (const std::string& name : names) {
    constexpr std::string_view kSuffix = ".pem";
    if (name.size() <= kSuffix.size() ||
        name.compare(name.size() - kSuffix.size(), kSuffix.size(), kSuffix) != 0) {
      continue;
    }
    const std::string path = directory + "/" + name;
    Result<Bytes> pem = read_file(env, path, kPemBytes);
    if (!pem.ok()) return std::move(pem).error().in("trusted key " + path);
    Result<crypto::PublicKey> key = crypto::parse_public_key_pem(as_text(*pem));
    if (!key.ok()) return std::move(key).error().in("trusted key " + path).about(path);
    store.keys.push_back({path, *key});
  }
  return store;
}

Result<TrustStore> TrustStore::of_key(std::string_view pem, std::string origin) {
  ASSIGN_OR_RETURN(const crypto::PublicKey key, crypto::parse_public_key_pem(pem));
  TrustStore store;
  store.keys.push_back({std::move(origin), key});
  return store;
}

VerifyReport verify_bundle(std::string_view bundle, const TrustStore& trust) {
  Result<Parsed> parsed = parse_bundle(bundle);
  if (!parsed.ok()) return not_a_bundle(parsed.error());
  VerifyReport report;
  add(report, "format", CheckResult::passed, "A Sigstore bundle v0.3 with one signature.");
  const TrustedKey* trusted = find_key(trust, parsed->hint);
  const CheckResult signature = check_signature(*parsed, trusted, report);
  check_content(*parsed, report);
  add_log(*parsed, report);
  const bool rest_passed = only_the_signer_failed(report);
  report.verified = rest_passed && signature == CheckResult::passed;
  report.outcome =
      rest_passed && trusted == nullptr ? Errc::signer_unknown : Errc::verification_failed;
  if (signature == CheckResult::passed) report.statement = std::move(parsed->payload);
  return report;
}

Json report_json(const VerifyReport& report) {
  Json checks = Json::array();
  for (const Check& check : report.checks) {
    checks.push_back({{"name", check.name},
                      {"result", std::string(to_text(check.result))},
                      {"detail", check.detail}});
  }
  Json json{
      {"verified", report.verified}, {"signer", report.signer}, {"checks", std::move(checks)}};
  if (!report.verified) json["error"] = std::string(info(report.outcome).name);
  return json;
}

}  // namespace aierase::certificate
