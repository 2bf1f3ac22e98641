// Verification by anybody: no daemon, no store, no network; names each check and its outcome.
//
// Contract: pure over the given bytes and trust store; hostile input is an answer (failed check),
// never a crash; limits from base/limits.h. `verified` is true only if every check passed and the
// signer is in the trust store. Specified in: aierase-certificate(5) VERIFYING.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/errc.h"
#include "base/json.h"
#include "base/result.h"
#include "crypto/signature.h"

namespace aierase::certificate {

struct TrustedKey {
  std::string file;  // where it was read
  crypto::PublicKey key{};
};

// Every *.pem (Ed25519 SubjectPublicKeyInfo) of a directory; none is an empty store.
struct TrustStore {
  std::vector<TrustedKey> keys;
  static Result<TrustStore> load(Env& env, const std::string& directory);
  // One key; `origin` says for people where it came from.
  static Result<TrustStore> of_key(std::string_view pem, std::string origin);
};

enum class CheckResult { passed, failed, not_checked };
struct Check {
  std::string name;  // "format", "signature", "signer", "statement", "assurance", "residuals"
  CheckResult result = CheckResult::not_checked;
  std::string detail;  // a sentence
};

struct VerifyReport {
  bool verified = false;
  Errc outcome = Errc::verification_failed;  // meaningless when verified; else which exit code
  std::string signer;                        // "SHA256:…" or "UNKNOWN (SHA256:…)"
  std::vector<Check> checks;
  std::string statement;  // the signed bytes, once the signature held
};

VerifyReport verify_bundle(std::string_view bundle, const TrustStore& trust);

// The report as the JSON of `aierase verify` (without schema), and the statement as text for
// people: what was erased, how, when, by whom, with which assurance, which residuals.
Json report_json(const VerifyReport& report);
Result<std::string> statement_text(std::string_view statement);

}  // namespace aierase::certificate
