#include "daemon/enforce_job.h"

#include <nlohmann/json.hpp>

#include "daemon/policy_records.h"

namespace aierase::daemon {
namespace {

class EnforceWork final : public JobWork {
 public:
  EnforceWork(Jobs& jobs, std::shared_ptr<JobChannel> channel, lifecycle::EnforceRequest request)
      : jobs_(jobs), channel_(std::move(channel)), request_(std::move(request)) {}
  ~EnforceWork() override {
    if (!begun_) return;
    // The run belongs to the store thread, and goes there.
    const Result<bool> gone = jobs_.store().run<bool>([id = id_](StoreSession& session) {
      session.enforcements().erase(id);
      return Result<bool>(true);
    });
    static_cast<void>(gone.ok());  // otherwise the store is closed, and the run with it
  }

  Result<Json> run() override {
    begun_ = true;
    for (;;) {
      RETURN_IF_ERROR(channel_->check_cancelled());
      ASSIGN_OR_RETURN(const Step step, jobs_.store().run<Step>([this](StoreSession& session) {
        return next(session);
      }));
      if (!step.more) return step.report;
    }
  }

 private:
  struct Step {
    bool more = false;
    Json report;
  };

  Result<Step> next(StoreSession& session) {
    ASSIGN_OR_RETURN(lifecycle::Store * store, session.store());
    std::unique_ptr<lifecycle::EnforceRun>& run = session.enforcements()[id_];
    if (!run) run = std::make_unique<lifecycle::EnforceRun>(*store, request_);
    Step step;
    ASSIGN_OR_RETURN(step.more, run->step());
    if (!step.more) step.report = enforce_json(run->report(), request_);
    return step;
  }

  Jobs& jobs_;
  std::shared_ptr<JobChannel> channel_;
  const lifecycle::EnforceRequest request_;
  const Uuid id_ = Uuid::random();
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<JobWork> make_enforcement(Jobs& jobs, std::shared_ptr<JobChannel> channel,
                                          lifecycle::EnforceRequest request) {
  return std::make_unique<EnforceWork>(jobs, std::move(channel), std::move(request));
}

}  // namespace aierase::daemon
