// Verifies many bundles with all cores, while the caller reads the next ones.
//
// Contract: one batch at a time. From begin() to wait() the batch belongs to the threads, and the
// trust store must stay as it is; the caches of heads belong to one thread each.
// Specified in: aierase-certificate(5) ARCHIVES.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <thread>
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
  ~BatchVerifier();
  BatchVerifier(const BatchVerifier&) = delete;
  BatchVerifier& operator=(const BatchVerifier&) = delete;

  // What was begun before was waited for.
  void begin(std::vector<BatchedRecord> batch, const TrustStore& trust);
  // The batch, with what became of each; empty where none was begun.
  std::vector<BatchedRecord> wait();

 private:
  std::vector<HeadCache> heads_;  // one for each thread
  std::vector<BatchedRecord> batch_;
  std::atomic<std::size_t> next_{0};  // of the batch, that nobody looks at yet
  std::vector<std::thread> threads_;
};

}  // namespace aierase::certificate
