// The proof inside a bundle that the certificate is in the log: one entry as Sigstore writes it.
//
// Contract: pure. Reading keeps to the form to the letter and does not say that anything holds;
// what it says twice must say the same. Specified in: aierase-certificate(5) BUNDLE; Sigstore
// rekor v2, TransparencyLogEntry.
#pragma once

#include <string>
#include <vector>

#include "base/json_view.h"
#include "base/result.h"
#include "translog/merkle.h"

namespace aierase::certificate {

struct LogEntry {
  std::uint64_t leaf = 0;
  Digest log_id{};  // note_key_id of the key that signed the checkpoint
  translog::Proof hashes;
  std::uint64_t size = 0;  // of the log that the checkpoint is the head of
  Digest root{};
  std::string checkpoint;  // a signed note
  std::string body;        // of the leaf
};

std::string log_entry_json(const LogEntry& entry);
Result<LogEntry> read_log_entry(JsonView json);

}  // namespace aierase::certificate
