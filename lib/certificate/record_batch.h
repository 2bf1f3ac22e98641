// Verifies many bundles with all cores.
//
// Contract: nothing outlives a call but the cache of heads, which belongs to one thread each.
// Specified in: aierase-certificate(5) ARCHIVES.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "certificate/archive.h"
#include "certificate/log_check.h"
#include "certificate/verify.h"

namespace aierase::certificate {

struct BatchedRecord {
  Member member;
  std::string content;
  // What became of it; `fault` is empty where it holds.
  std::string fault;
  std::optional<CertificateSummary> certificate;
  std::optional<RefusalSummary> refusal;
  std::optional<AmendmentSummary> amendment;
  std::optional<LoggedAt> logged;
};

class BatchVerifier {
 public:
  explicit BatchVerifier(unsigned threads) : heads_(threads == 0 ? 1 : threads) {}
  void verify(std::vector<BatchedRecord>& batch, const TrustStore& trust);

 private:
  std::vector<HeadCache> heads_;  // one for each thread
};

}  // namespace aierase::certificate
