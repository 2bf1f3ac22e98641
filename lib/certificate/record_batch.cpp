#include "certificate/record_batch.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace aierase::certificate {
namespace {

constexpr std::size_t kSummaryBytes = limits::kAssetNameBytes + 500;
constexpr std::size_t kSentenceBytes = 8 * limits::kReasonBytes;

std::string first_fault(const VerifyReport& report) {
  for (const Check& check : report.checks) {
    if (check.result == CheckResult::failed) return check.name + ": " + check.detail;
  }
  return "it could not be verified";
}

// Rows of them are kept.
bool is_short(const CertificateSummary& is) {
  return is.id.size() + is.asset.size() + is.name.size() + is.kind.size() + is.assurance.size() +
             is.plan.size() + is.erased_at.size() <=
         kSummaryBytes;
}

bool is_short(const AmendmentSummary& is) {
  return is.by.size() + is.sentence.size() <= kSentenceBytes;
}

bool is_expected(Part part, const VerifyReport& report) {
  switch (part) {
    case Part::certificate:
      return report.certificate.has_value();
    case Part::amendment:
      return report.amendment.has_value();
    default:
      return report.refusal.has_value();
  }
}

void verify_one(BatchedRecord& record, const TrustStore& trust, HeadCache& heads) {
  VerifyReport report = verify_bundle(record.content, trust, &heads);
  record.content.clear();
  if (!report.verified) {
    record.fault = first_fault(report);
    return;
  }
  record.logged = report.logged;
  if (!is_expected(record.member.part, report)) {
    record.fault = "it is not what its folder says";
    return;
  }
  if (report.certificate && !is_short(*report.certificate)) {
    record.fault = "what it names is too long";
    return;
  }
  if (report.amendment && !is_short(*report.amendment)) {
    record.fault = "what it says of itself is too long";
    return;
  }
  const std::string& id = report.certificate ? report.certificate->id
                          : report.amendment ? report.amendment->certificate
                                             : report.refusal->plan;
  if (id != record.member.id) record.fault = "it is of " + quoted(id);
  record.amendment = std::move(report.amendment);
  record.certificate = std::move(report.certificate);
  record.refusal = std::move(report.refusal);
}

}  // namespace

BatchVerifier::~BatchVerifier() {
  wait();
}

void BatchVerifier::begin(std::vector<BatchedRecord> batch, const TrustStore& trust) {
  batch_ = std::move(batch);
  next_ = 0;
  for (std::size_t i = 0; i < std::min(heads_.size(), batch_.size()); ++i) {
    threads_.emplace_back([this, &trust, &heads = heads_[i]] {
      for (std::size_t at = next_++; at < batch_.size(); at = next_++) {
        verify_one(batch_[at], trust, heads);
      }
    });
  }
}

std::vector<BatchedRecord> BatchVerifier::wait() {
  for (std::thread& one : threads_) one.join();
  threads_.clear();
  return std::exchange(batch_, {});
}

}  // namespace aierase::certificate
