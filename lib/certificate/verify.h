// Verification by anybody: no daemon, no store, no network; names each check and its outcome.
//
// Contract: pure over the given bytes and trust store; hostile input is an answer (failed check),
// never a crash; limits from base/limits.h. `verified` is true only if every check passed and the
// signer is in the trust store. Specified in: aierase-certificate(5) VERIFYING.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/errc.h"
#include "base/json.h"
#include "base/result.h"
#include "certificate/amendment.h"
#include "certificate/check.h"
#include "certificate/log_entry.h"
#include "certificate/refusal.h"
#include "certificate/trust_store.h"

namespace aierase::certificate {

// Of a statement without fault, for those who list many.
struct CertificateSummary {
  std::string id, asset, name, kind, assurance, plan;
  std::string manifest_sha256;  // empty where its kind has none
  std::string erased_at;        // verified_zero_at
  std::string statement_sha256;
  AmendedSubject of{};
  domain::AmendedState start{};  // before anybody said anything of it
  std::string bare_key{};  // its signer's fingerprint, where that is trusted without a keyring
};

// The place in the log that the proof of a bundle leads to.
struct LoggedAt {
  std::uint64_t leaf = 0;
  Digest hash{};
};

struct VerifyReport {
  bool verified = false;
  Errc outcome = Errc::verification_failed;  // meaningless when verified; else which exit code
  std::string signer;                        // "SHA256:…" or "UNKNOWN (SHA256:…)"
  std::vector<Check> checks;
  std::string statement;                  // the signed bytes, once the signature held
  std::optional<RefusalSummary> refusal;  // what it is where it is no certificate but a refusal
  std::optional<CertificateSummary> certificate;
  std::optional<AmendmentSummary> amendment;  // what it is where it amends a certificate
  std::vector<AmendmentSummary> amendments;   // of a certificate: those that amend() was given
  std::optional<LoggedAt> logged;             // where the proof leads to the head in the bundle
};

// What an authority of time stamps is asked with: the digest of the signature, and nothing else.
Result<Bytes> timestamp_request_for(std::string_view bundle);
// The bundle with one time stamp more: the response of an authority over its signature.
Result<std::string> with_timestamp(std::string_view bundle, ByteView response);
// The log entry in a bundle, unchecked; Errc::not_found where it carries none.
Result<LogEntry> log_entry_of_bundle(std::string_view bundle);

class HeadCache;  // certificate/log_check.h; for many bundles of one log
VerifyReport verify_bundle(std::string_view bundle, const TrustStore& trust,
                           HeadCache* heads = nullptr);

// Into the report of a certificate what becomes of it with its amendments, of which each was
// verified for itself; in any order.
void amend(VerifyReport& report, std::vector<AmendmentSummary> amendments);
// Where one of them does not hold: what the others make of the certificate says nothing then.
void leave_amendments_open(VerifyReport& report, const std::string& why);

// The report as the JSON of `aierase verify` (without schema), and the statement as text for
// people: what was erased, how, when, by whom, with which assurance, which residuals.
Json report_json(const VerifyReport& report);
Json amendment_json(const AmendmentSummary& amendment);
Json checks_json(const std::vector<Check>& checks);
Result<std::string> statement_text(std::string_view statement);

}  // namespace aierase::certificate
