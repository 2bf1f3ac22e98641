#include "daemon/store_jobs.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "blob/asset_reader.h"
#include "blob/descriptor_io.h"
#include "daemon/evidence_job.h"
#include "daemon/observation.h"
#include "daemon/pace.h"
#include "daemon/records.h"
#include "domain/ids.h"

namespace aierase::daemon {
namespace {

class CheckWork final : public JobWork {
 public:
  CheckWork(Jobs& jobs, std::shared_ptr<JobChannel> channel, CheckOrder order)
      : jobs_(jobs), channel_(std::move(channel)), order_(std::move(order)) {
    if (order_.max_rate > 0) pace_.emplace(order_.max_rate);
  }
  ~CheckWork() override {
    if (!begun_) return;
    // The run belongs to the store thread, and goes there.
    const Result<bool> gone = jobs_.store().run<bool>([id = id_](StoreSession& session) {
      session.checks().erase(id);
      return Result<bool>(true);
    });
    static_cast<void>(gone.ok());  // otherwise the store is closed, and the run with it
  }

  Result<Json> run() override {
    begun_ = true;
    for (;;) {
      RETURN_IF_ERROR(channel_->check_cancelled());
      const Pace::Moment begun = std::chrono::steady_clock::now();
      ASSIGN_OR_RETURN(const Step step, jobs_.store().run<Step>([this](StoreSession& session) {
        return next(session);
      }));
      const std::uint64_t further = step.bytes - channel_->progress.bytes.exchange(step.bytes);
      channel_->progress.files.store(step.assets);
      if (step.more) {
        // Cancelling closes the job's queue of files, which ends the wait.
        if (pace_) channel_->files.wait_closed(pace_->after(begun, further));
        continue;
      }
      Json result{{"findings", step.findings}, {"assets", step.assets}, {"bytes", step.bytes}};
      if (step.omitted > 0) result["findings_omitted"] = step.omitted;
      return result;
    }
  }

 private:
  struct Step {
    bool more = false;
    std::uint64_t bytes = 0;
    std::uint64_t assets = 0;
    Json findings;
    std::uint64_t omitted = 0;
  };

  Result<Step> next(StoreSession& session) {
    ASSIGN_OR_RETURN(lifecycle::Store * store, session.store());
    std::unique_ptr<lifecycle::CheckRun>& run = session.checks()[id_];
    if (!run) run = std::make_unique<lifecycle::CheckRun>(*store, order_.assets, order_.depth);
    Step step;
    ASSIGN_OR_RETURN(step.more, run->step());
    step.bytes = run->bytes();
    step.assets = run->assets();
    if (!step.more) {
      step.findings = findings_json(run->findings());
      step.omitted = run->findings().size() - step.findings.size();
    }
    return step;
  }

  Jobs& jobs_;
  std::shared_ptr<JobChannel> channel_;
  const CheckOrder order_;
  std::optional<Pace> pace_;  // none: as fast as it goes
  const Uuid id_ = Uuid::random();
  bool begun_ = false;
};

class CertificateWork final : public JobWork {
 public:
  CertificateWork(std::shared_ptr<JobChannel> channel, lifecycle::SignedRecord record,
                  lifecycle::LogProof proof, UniqueFd file)
      : channel_(std::move(channel)),
        record_(std::move(record)),
        proof_(std::move(proof)),
        file_(std::move(file)) {}

  Result<Json> run() override {
    return std::visit([this](const auto& row) { return write(row); }, record_);
  }

 private:
  static std::string id_of(const catalog::CertificateRow& row) {
    return domain::id_text(domain::IdType::certificate, row.id);
  }
  static std::string id_of(const catalog::RefusalRow& row) {
    return domain::id_text(domain::IdType::plan, row.plan);
  }
  static std::string id_of(const catalog::AmendmentRow& row) {
    return domain::id_text(domain::IdType::certificate, row.certificate);
  }
  static Json json_of(const catalog::AmendmentRow& row) { return amendment_row(row); }
  static Json json_of(const catalog::CertificateRow& row) { return certificate_row(row); }
  static Json json_of(const catalog::RefusalRow& row) { return refusal_json(row); }

  template <typename Row>
  Result<Json> write(const Row& row) {
    const Result<Observation> seen = observe(file_.get(), id_of(row), Direction::write);
    if (!seen.ok()) return seen.error();
    ASSIGN_OR_RETURN(const std::string bundle, bundle_of(record_, proof_));
    blob::DescriptorSink sink(file_.get(), channel_->progress.cancelled);
    RETURN_IF_ERROR(sink.write(as_bytes(bundle)));
    channel_->progress.bytes.store(bundle.size());
    Json result = json_of(row);
    result["bytes"] = bundle.size();
    return result;
  }

  std::shared_ptr<JobChannel> channel_;
  lifecycle::SignedRecord record_;
  lifecycle::LogProof proof_;
  UniqueFd file_;
};

}  // namespace

std::unique_ptr<JobWork> make_check(Jobs& jobs, std::shared_ptr<JobChannel> channel,
                                    CheckOrder order) {
  return std::make_unique<CheckWork>(jobs, std::move(channel), std::move(order));
}

std::unique_ptr<JobWork> make_certificate_export(std::shared_ptr<JobChannel> channel,
                                                 lifecycle::SignedRecord record,
                                                 lifecycle::LogProof proof, UniqueFd file) {
  return std::make_unique<CertificateWork>(std::move(channel), std::move(record), std::move(proof),
                                           std::move(file));
}

}  // namespace aierase::daemon
