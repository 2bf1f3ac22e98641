// Verification of whatever a reader holds of a log: a certificate, a proof, a checkpoint, or the
// log itself as a directory of files.
//
// Contract: pure over the given bytes; hostile input is an answer. `from` is what the reader kept,
// or nullptr. Specified in: aierase-certificate(5) VERIFYING.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "certificate/continuity.h"
#include "certificate/verify.h"

namespace aierase::certificate {

// Any of the files; what it is shows in its first bytes.
VerifyReport verify_evidence(std::string_view content, const TrustStore& trust,
                             const Continuity* from);
// The checkpoint in such a file, if there is one; nobody has looked at its signature.
std::optional<std::string> checkpoint_in(std::string_view content);
// What a file adds to a history: the size of its head is wanted, and a consistency proof may link
// it.
void learn(std::string_view content, Continuity& continuity);

// The log as STORE/log or a copy of it has it: every leaf, tile and root is gone through.
using ReadLogFile = std::function<Result<Bytes>(const std::string& path, std::size_t limit)>;
VerifyReport verify_log(const ReadLogFile& read, const TrustStore& trust, Continuity* from);

}  // namespace aierase::certificate
