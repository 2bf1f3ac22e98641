// What is known about a root slot: where it lies, what may have copied it, how far that reaches.
// Contract: values. Levels: erasure-design section 4; aierase-store(5) ROOT SLOT.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "domain/states.h"

namespace aierase::domain {

struct SlotAssurance {
  Level level = Level::ea0;
  std::string kind;    // "file"
  std::string reason;  // one sentence: why this level and no better
  std::string path;
  std::string filesystem;  // "ext4"
  std::string device;      // "vda1 (partition) on vda", as far as known
  std::string device_model, device_serial;
  std::vector<std::string> may_have_copied;  // what could hold a copy, in words
  std::string next_level;                    // the way to the next level, for doctor
};

// The catalog's epoch table: one row per epoch that ever was current.
struct EpochRecord {
  std::uint64_t epoch = 0;
  UtcTime started{};
  SlotAssurance assurance;
};

// What a TPM signed of its NV memory: TPMS_ATTEST, and ECDSA over its SHA-256 in DER.
struct TpmStatement {
  Bytes statement, signature;
};

// For a stranger: the zeroed slot and the counter, bound to the intents of the round.
struct TpmEvidence {
  Bytes key;                      // attestation key, SubjectPublicKeyInfo in DER
  Bytes endorsement_certificate;  // X.509 in DER; empty where none can be read
  TpmStatement slot, counter;
};

// What the slot read-back showed when a slot was destroyed.
struct SlotEvidence {
  std::string kind;         // "file"
  std::uint64_t epoch = 0;  // whose secret died
  UtcTime verified_zero_at{};
  std::vector<std::string> checks;  // "copy 1 of 2 at offset 4096 read back as zeros with O_DIRECT"
  std::optional<TpmEvidence> tpm;   // of a slot in a TPM
};

}  // namespace aierase::domain
