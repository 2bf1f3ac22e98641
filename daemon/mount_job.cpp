#include "daemon/mount_job.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/log.h"
#include "daemon/accounts.h"
#include "domain/ids.h"
#include "view/session.h"

namespace aierase::daemon {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{50};
constexpr int kLooksPerRest = 200;  // ten seconds
// Less than an erase waits for leases: whoever keeps pages locked delays it, and no more.
constexpr milliseconds kPagesMayTake{5000};

class MountWork final : public JobWork {
 public:
  MountWork(Jobs& jobs, std::shared_ptr<JobChannel> channel, lifecycle::MountRequest request)
      : jobs_(jobs), channel_(std::move(channel)), request_(std::move(request)) {}

  Result<Json> run() override {
    std::optional<JobFile> device = channel_->next();
    if (!device) {
      RETURN_IF_ERROR(channel_->check_cancelled());
      return make_error(Errc::usage, "nothing was mounted: no descriptor was passed",
                        "pass the one of /dev/fuse with AddFiles");
    }
    if (device->path != "device") {
      return make_error(Errc::usage, "a mount takes no " + quoted(device->path),
                        "pass the descriptor of /dev/fuse as \"device\"");
    }
    RETURN_IF_ERROR(begin(std::move(device->file)));
    const End end = serve();
    stop();
    return result_of(end);
  }

 private:
  enum class End { unmounted, revoked, cancelled };

  Status begin(UniqueFd device) {
    ASSIGN_OR_RETURN(
        ticket_,
        jobs_.store().run<lifecycle::MountTicket>(
            [request = request_](StoreSession& session) mutable -> Result<lifecycle::MountTicket> {
              ASSIGN_OR_RETURN(lifecycle::Store * store, session.store());
              return store->begin_mount(std::move(request));
            }));
    const std::optional<Account> account = account_of(request_.holder.actor.uid);
    view::Content content{ticket_.reader,
                          std::move(ticket_.manifest),
                          ticket_.lease.take_dek(),
                          request_.holder.actor.uid,
                          account ? account->group : 0,
                          ticket_.asset.created};
    ASSIGN_OR_RETURN(view_, view::Session::start(jobs_.env(), std::move(device), std::move(content),
                                                 channel_->progress));
    return {};
  }

  End serve() {
    for (int look = 1;; ++look) {
      if (ticket_.lease.revoked()) return End::revoked;
      if (cancelled()) return End::cancelled;
      if (view_->ended()) return End::unmounted;
      if (const std::optional<Error> fault = view_->take_fault()) {
        log_error(*fault, "a read of a mounted view failed",
                  {{"AIERASE_SUBJECT", subject()},
                   {"AIERASE_UID", std::to_string(request_.holder.actor.uid)}});
      }
      if (look % kLooksPerRest == 0) view_->rest();
      std::this_thread::sleep_for(kLookEvery);
    }
  }

  bool cancelled() const { return channel_->progress.cancelled.load(); }

  // The lease ends when neither key nor pages are left; whoever keeps pages locked does not keep
  // it open, but he keeps this thread.
  void stop() {
    view_->revoke();
    view_->forget_pages(kPagesMayTake);
    ticket_.lease = lifecycle::KeyLease();
    const Result<bool> noted =
        jobs_.store().run<bool>([asset = request_.asset](StoreSession& session) -> Result<bool> {
          ASSIGN_OR_RETURN(lifecycle::Store * store, session.store());
          RETURN_IF_ERROR(store->end_mount(asset));
          return true;
        });
    if (!noted.ok()) log_error(noted.error(), "the end of a mount could not be noted");
    view_.reset();
  }

  Result<Json> result_of(End end) const {
    if (end == End::cancelled) return make_error(Errc::cancelled, "the view was unmounted");
    if (end == End::revoked) {
      return make_error(Errc::wrong_state,
                        ticket_.asset.name.text() +
                            " was retired or suspended while it was mounted; the mount has ended",
                        "aierase show tells its state", subject());
    }
    return Json{{"asset", subject()},
                {"name", ticket_.asset.name.text()},
                {"bytes", channel_->progress.bytes.load()}};
  }

  std::string subject() const { return domain::id_text(domain::IdType::asset, request_.asset); }

  Jobs& jobs_;
  std::shared_ptr<JobChannel> channel_;
  lifecycle::MountRequest request_;
  lifecycle::MountTicket ticket_;  // outlives the view
  std::unique_ptr<view::Session> view_;
};

}  // namespace

std::unique_ptr<JobWork> make_mount(Jobs& jobs, std::shared_ptr<JobChannel> channel,
                                    lifecycle::MountRequest request) {
  return std::make_unique<MountWork>(jobs, std::move(channel), std::move(request));
}

}  // namespace aierase::daemon
