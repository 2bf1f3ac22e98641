// Whether a section of an archive holds what it says, and all of it.
//
// Contract: members are given one after the other, in their order; each is gone when add() returns,
// but for two batches of a few megabytes: one is verified by all cores while the other fills. What
// is kept is a row for each record and 32 bytes for each leaf. Hostile members are faults, never an
// end: the report names the first of them and counts all. Where no key of the store is trusted,
// everything is held against the keys in the section itself, and the report says that nobody
// vouches for them.
// Specified in: aierase-certificate(5) ARCHIVES.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "certificate/archive.h"
#include "certificate/check.h"
#include "certificate/continuity.h"
#include "certificate/section_records.h"
#include "certificate/verify.h"

namespace aierase::certificate {

struct ArchivedCertificate {
  std::uint64_t leaf = 0;
  CertificateSummary summary;
};
struct ArchivedRefusal {
  std::uint64_t leaf = 0;
  RefusalSummary summary;
};

struct ArchivedAmendment {
  std::uint64_t leaf = 0;
  AmendmentSummary summary;
};

struct SectionReport {
  SectionFacts facts;
  // Integrity: each thing is what it says. Completeness: nothing is missing.
  std::vector<Check> integrity, completeness;
  enum class Signer { trusted, unknown } signer = Signer::unknown;
  // Of the signer and of the log key in force, "SHA256:..."; empty where there is none.
  std::string fingerprint, log_fingerprint;
  std::vector<ArchivedCertificate> certificates;
  std::vector<ArchivedRefusal> refusals;
  std::vector<ArchivedAmendment> amendments;
  std::vector<ArchivedRecord> records;
  std::uint64_t left_out = 0;  // of what was signed among the leaves
};
bool holds(const std::vector<Check>& checks);  // none failed

// Who reads. What is pointed to outlives the check.
struct ArchiveReader {
  const TrustStore* trust = nullptr;
  unsigned threads = 1;
  Continuity* history = nullptr;  // what the reader kept of some log, or none
  HeadsSeen* heads = nullptr;     // of the archives before this one, or none
};

class SectionCheck {
 public:
  explicit SectionCheck(const SectionName& name, const ArchiveReader& reader);
  ~SectionCheck();
  SectionCheck(const SectionCheck&) = delete;
  SectionCheck& operator=(const SectionCheck&) = delete;

  void add(const Member& member, std::string content);
  SectionReport finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aierase::certificate
