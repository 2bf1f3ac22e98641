// Proofs as files that people keep: an inclusion proof with its checkpoint, and a consistency proof
// with the checkpoint that it leads to.
//
// Contract: pure, form to the letter, with limits; the checkpoint stays text and is checked by
// whoever trusts a key. Specified in: C2SP tlog-proof; C2SP tlog-witness, the body of
// add-checkpoint; aierase-certificate(5) PROOFS.
#pragma once

#include <string>
#include <string_view>

#include "translog/merkle.h"

namespace aierase::translog {

inline constexpr std::string_view kProofHeader = "c2sp.org/tlog-proof@v1\n";

struct InclusionFile {
  std::uint64_t index = 0;
  Proof proof;
  std::string checkpoint;  // a signed note
  Bytes extra;             // what the leaf is made from; not authenticated by itself
};
std::string format_inclusion(const InclusionFile& file);
Result<InclusionFile> parse_inclusion(std::string_view text);

struct ConsistencyFile {
  std::uint64_t old_size = 0;
  Proof proof;
  std::string checkpoint;  // a signed note, of the later log
};
std::string format_consistency(const ConsistencyFile& file);
Result<ConsistencyFile> parse_consistency(std::string_view text);

}  // namespace aierase::translog
