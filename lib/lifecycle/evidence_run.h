// Gathers what an auditor asks for: the part of the log between two of its signed heads, whole, and
// what was signed and decided in it.
//
// Contract: store thread. step() does some milliseconds of work, and hands out members of the
// section in no order; nothing is handed out that is not in the log of the later head. What a match
// leaves out is named by its leaf. Reads only, but for a head that has to be signed.
// Specified in: aierase-certificate(5) ARCHIVES.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "certificate/archive.h"
#include "lifecycle/store.h"

namespace aierase::lifecycle {

struct EvidenceWish {
  std::optional<UtcTime> from, until;  // both included; none: from the first leaf, to the last
  std::vector<domain::Selector> match;
};

struct EvidenceFile {
  certificate::Member member;
  std::string content;
};
// Its bundle is made away from the store thread.
struct EvidenceRecord {
  certificate::Member member;
  SignedRecord record;
  LogProof proof;
};

class EvidenceRun {
 public:
  EvidenceRun(Store& store, EvidenceWish wish);
  ~EvidenceRun();

  struct Step {
    bool more = true;
    std::vector<EvidenceFile> files;
    std::vector<EvidenceRecord> records;
  };
  Result<Step> step();
  const certificate::SectionName& section() const;  // known once step() handed something out
  std::uint64_t done() const;                       // leaves

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aierase::lifecycle
