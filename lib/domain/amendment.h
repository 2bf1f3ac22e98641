// What was said of a certificate after it was issued: a verdict, evidence from outside, or that the
// same content was erased again.
//
// Contract: values; filled by lifecycle in the transaction that records what was said, rendered by
// certificate. Nothing of a certificate changes by it. Specified in: aierase-certificate(5)
// AMENDMENTS.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/plan.h"

namespace aierase::domain {

// What the person named who brought it; the store keeps no byte of the file itself.
struct EvidenceFile {
  std::string name;
  Digest sha256{};
  std::uint64_t bytes = 0;
  std::string media_type;
};

// The certificate of the later erasure.
struct ErasedAgain {
  Uuid certificate;
  Digest statement_sha256{};
};

// Where a certificate stands with all that was said of it so far.
struct AmendedState {
  std::uint64_t number = 0;  // of the last amendment; 0: there is none
  Digest last_sha256{};      // of its statement, or of the certificate's
  Validation validation = Validation::awaiting;
  std::vector<std::string> open;  // codes of residuals, in order, each once
};

struct AmendmentRecord {
  Uuid store;
  std::string host;
  std::string machine_id_digest;
  std::string tool_version, tool_build;
  Uuid certificate;
  Digest certificate_sha256{};  // of its statement
  Uuid asset;
  AssetName asset_name;
  Uuid plan;
  Digest plan_digest{};
  AmendedState before;
  AmendmentKind kind = AmendmentKind::validation;
  Validation validation = Validation::awaiting;  // with this one
  std::vector<std::string> closed;               // codes of residuals, in order, each once
  Actor actor;
  UtcTime time{};
  std::string reason, remedy;
  std::vector<std::string> capacities;  // as Approval's
  std::optional<SignedBy> signed_by;
  std::optional<SignedText> signed_text;
  std::optional<EvidenceFile> evidence;
  std::optional<ErasedAgain> again;
};

// Accepted, and no residual is open.
constexpr bool is_final(Validation validation, std::size_t open) {
  return validation == Validation::accepted && open == 0;
}

}  // namespace aierase::domain
