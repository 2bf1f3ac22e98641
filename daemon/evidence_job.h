// The job that writes a section of an archive of evidence, and the bundle around one record.
//
// Contract: rows and proofs are read on the store thread a slice at a time; bundles are made on the
// job's thread. Specified in: org.aierase1(5) Certificate.Bundle, Certificate.Export.
#pragma once

#include <memory>
#include <string>

#include "daemon/jobs.h"
#include "lifecycle/evidence_run.h"

namespace aierase::daemon {

// Deterministic: what was signed, and the proof that it is in the log.
Result<std::string> bundle_of(const lifecycle::SignedRecord& record,
                              const lifecycle::LogProof& proof);

// Writes each member, behind a line with its name and its size, into the descriptor.
std::unique_ptr<JobWork> make_evidence(Jobs& jobs, std::shared_ptr<JobChannel> channel,
                                       lifecycle::EvidenceWish wish, UniqueFd file);

}  // namespace aierase::daemon
