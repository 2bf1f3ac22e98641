// Whether a checkpoint is of a log that the reader trusts, and a certificate in it.
//
// Contract: pure; hostile input is an answer. Without a trusted key of the log everything is looked
// at but the signature, and the result is not_checked. Specified in: aierase-certificate(5)
// VERIFYING; C2SP tlog-checkpoint; RFC 9162 section 2.1.3.2.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "certificate/check.h"
#include "certificate/continuity.h"
#include "certificate/log_entry.h"
#include "certificate/trust_store.h"
#include "translog/note.h"

namespace aierase::certificate {

struct HeadFinding {
  Check check;  // "checkpoint"
  // Of a head that was read, whoever signed it.
  std::optional<translog::Checkpoint> head;
  bool known_log = false;        // a key of the log is trusted here
  std::optional<Digest> key_id;  // of the one that signed
};
HeadFinding check_head(std::string_view note, const TrustStore& trust);
HeadOf head_of(const HeadFinding& finding);
// With what the reader kept. A head that does not hold is nobody's word: it is not compared.
Check compare_head(const HeadFinding& finding, const Continuity& kept);

// Findings about heads that many files share; of one thread and one trust store.
class HeadCache {
 public:
  const HeadFinding& look(const std::string& note, const TrustStore& trust);

 private:
  std::map<std::string, HeadFinding> known_;
};

// The entry against what the bundle says: the leaf is this signature over this statement, the proof
// leads to the root of the checkpoint, and the log has signed it: where the signer stands in a
// keyring, the log of that store.
Check check_log_entry(const LogEntry& entry, const std::string& expected_body,
                      const TrustedKey& signer, const TrustStore& trust,
                      HeadCache* heads = nullptr);

}  // namespace aierase::certificate
