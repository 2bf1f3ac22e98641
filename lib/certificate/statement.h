// The disposal statement: in-toto Statement v1 with predicate https://aierase.org/disposal/v1.
//
// Contract: pure and deterministic: equal input, equal bytes. draft_statement() is made in TX1
// from all that is known before the key goes; complete_statement() adds the evidence in TX3 and
// returns the exact bytes that are signed. Says only what was shown: method and technique are two
// fields, purge is claimed from EA3 up and only for encrypted-from-first-write without export to
// the same medium, "Destroy" never, residuals always. Nothing in it depends on the log position.
// Specified in: aierase-certificate(5) STATEMENT; R38, R39, erasure-design sections 4 and 8.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/disposition.h"

namespace aierase::certificate {

inline constexpr std::string_view kPredicateType = "https://aierase.org/disposal/v1";
inline constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";
inline constexpr std::string_view kPayloadType = "application/vnd.in-toto+json";

Result<std::string> draft_statement(const domain::DispositionRecord& record);

// What TX3 adds, as text: made once for all statements with the same evidence.
class EvidenceText {
 public:
  EvidenceText(const domain::DestructionEvidence& evidence);  // not explicit: it is the same thing
  const domain::StatementEnd& end() const { return end_; }

 private:
  friend Result<std::string> complete_statement(std::string_view draft,
                                                const EvidenceText& evidence);
  bool names_checks_;
  domain::StatementEnd end_;
};
Result<std::string> complete_statement(std::string_view draft, const EvidenceText& evidence);

// What a configuration's subject shows instead of a digest: SHA-256(salt || SHA-256 over its
// sha256sum_lines). Whoever was handed the salt at import can rebuild it; nobody else can guess.
Digest configuration_commitment(const Digest& salt, const std::vector<domain::FileEntry>& files);

// The level that the statement prints: minimum over the epochs, with its sentence.
domain::Level assurance_of(const std::vector<domain::EpochRecord>& epochs);

}  // namespace aierase::certificate
