// What was said of a certificate after it was issued, as a signed statement of its own: in-toto
// Statement v1 with predicate https://aierase.org/amendment/v1, whose subject is the statement of
// the certificate.
//
// Contract: pure and deterministic: equal input, equal bytes; no text of a disposal or a refusal
// becomes an amendment. Amendments of one certificate form a chain: each has its number and the
// SHA-256 of the statement before it, so that one that is left out between two is seen. That none
// came after the last, no amendment shows. Specified in: aierase-certificate(5) AMENDMENTS.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_view.h"
#include "base/result.h"
#include "certificate/check.h"
#include "crypto/signature.h"
#include "domain/amendment.h"

namespace aierase::certificate {

inline constexpr std::string_view kAmendmentPredicateType = "https://aierase.org/amendment/v1";

class AmendmentStatement {
 public:
  static Result<AmendmentStatement> of(const domain::AmendmentRecord& record);
  const std::string& text() const { return text_; }
  Result<crypto::Signature> sign(const crypto::SigningKey& signer) const;

 private:
  explicit AmendmentStatement(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// Where a certificate stands before anybody said anything of it.
Result<domain::AmendedState> state_of_certificate(std::string_view statement);
Result<domain::AmendedState> state_of_certificate(JsonView json, const Digest& statement);

bool is_amendment(JsonView statement);  // by its predicateType
// Does it agree with itself and with its form? The first fault, as a sentence; hostile JSON is an
// answer, never a crash.
std::optional<std::string> amendment_fault(JsonView statement);

// Whose erasure of what an amendment and its certificate speak of: both name the same.
struct AmendedSubject {
  std::string store, asset, plan;  // ids
  std::string plan_digest;
  bool operator==(const AmendedSubject&) const = default;
};
AmendedSubject subject_of_certificate(JsonView statement);

// Of a statement without fault.
struct AmendmentSummary {
  std::string certificate;         // id
  std::string certificate_sha256;  // of its statement, hex
  AmendedSubject of;
  std::uint64_t number = 0;
  std::string previous_sha256;
  std::string statement_sha256;  // its own
  domain::AmendmentKind kind = domain::AmendmentKind::validation;
  domain::Validation validation = domain::Validation::awaiting;
  std::vector<std::string> closed, open;
  std::string at, by, outcome;
  std::string sentence;  // "Accepted by alice at ...: ..."
  std::string bare_key;  // its signer's fingerprint, where that is trusted without a keyring
};
AmendmentSummary summary_of_amendment(JsonView statement, std::string_view text);

// Why it does not follow what was before it, which has the number before its own; empty: it does.
std::string step_fault(const AmendmentSummary& one, const domain::AmendedState& before);
domain::AmendedState state_after(const AmendmentSummary& one);

// Of several of one certificate that were verified each: whether they are its amendments, in order
// and without a gap. `statement`: that of the certificate, verified too. Nothing of it says that
// there are no later ones.
Check check_amendments(std::string_view statement, const std::vector<AmendmentSummary>& amendments);

}  // namespace aierase::certificate
