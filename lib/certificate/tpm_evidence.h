// What a TPM signed of an erased root slot, on a certificate: written, and checked for a stranger.
//
// Contract: pure. The check believes nothing but the TPM's key: that it is a TPM's, and of which
// maker, only its endorsement certificate and an authority's protocol with that TPM can show.
// Specified in: aierase-certificate(5) EVIDENCE OF A TPM; TPM 2.0 Library, part 2, TPMS_ATTEST.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json_view.h"
#include "base/result.h"
#include "domain/disposition.h"

namespace aierase::certificate {

// One line for one asset of a round: what was going to be destroyed, and by whose word.
struct Intent {
  Uuid store;
  Uuid asset;
  Digest kcv{};
  Uuid plan;
  Digest plan_digest{};
  std::uint64_t epoch = 0;
};
std::string intent_text(const Intent& intent);

// The tree over the intents of a round, as in RFC 6962; each hash is made once.
class IntentTree {
 public:
  explicit IntentTree(std::vector<Digest> leaves);  // at least one
  // From a leaf to the root.
  std::vector<domain::IntentStep> steps(std::size_t leaf) const;

 private:
  std::vector<std::vector<Digest>> levels_;  // a last one without neighbour goes up as it is
};

// The member `tpm` of a statement's evidence, canonical JSON.
std::string tpm_part(const domain::TpmEvidence& evidence, const domain::IntentPath& intent);

// The parts of a TPM's statement about an NV index that matter here.
struct NvStatement {
  Bytes bound_to;
  Bytes name;  // of the index, as the TPM makes it
  Bytes contents;
};
// Errc::invalid_input unless the bytes are one such statement of a TPM, and nothing more.
Result<NvStatement> parse_nv_statement(ByteView bytes);

// What a TPM calls the NV indexes of a store, once they are written: a digest over number,
// attributes and size.
struct NvNames {
  Bytes slot;  // of the parity of the epoch
  Bytes counter;
};
NvNames nv_names(const Uuid& store, std::uint64_t epoch);

// Why the evidence of a predicate does not hold; nothing where it does, or none is needed: a slot
// in a TPM needs it, and so does whatever claims EA3 or EA4. What kind of slot died is told by
// root_slots, not by the evidence itself.
std::optional<std::string> fault_of_tpm_evidence(JsonView predicate);

}  // namespace aierase::certificate
