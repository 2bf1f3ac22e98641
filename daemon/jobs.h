// Long work as objects on the bus: one path per job, for the connection that started it alone.
//
// Contract: Job and Jobs belong to the loop. A job's own thread reaches back only through
// Jobs::ended() and Jobs::consumed(). A job goes away when it is released or its client vanishes;
// if it still runs it is cancelled first, and goes when its thread has ended. An import that is
// cancelled leaves nothing. Specified in: org.aierase1(5).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"
#include "base/queue.h"
#include "base/result.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "base/uuid.h"
#include "blob/asset_writer.h"
#include "bus/handles.h"
#include "daemon/audit_post.h"
#include "daemon/caller.h"
#include "daemon/loop.h"
#include "daemon/places.h"
#include "daemon/store_thread.h"

struct sd_bus_track;

namespace aierase::daemon {

struct JobFile {
  std::string path;  // in the asset, or "key"
  UniqueFd file;
};

enum class JobState { collecting, running, done, failed, cancelled };
std::string_view to_text(JobState state) noexcept;

class Jobs;

// What runs on the job's thread.
class JobWork {
 public:
  virtual ~JobWork() = default;
  // Errc::cancelled becomes the state cancelled, every other error failed.
  virtual Result<Json> run() = 0;
  // Called where run() never began or threw; must not wait.
  virtual void undo() {}
};

// Shared between the loop and the job's thread.
struct JobChannel {
  // Files accepted but not begun: one call's worth may wait, and one more is in the loop's hands.
  BoundedQueue<JobFile> files{256};
  blob::Progress progress;
  std::atomic<std::uint64_t> total_bytes{0};  // 0: unknown
  std::atomic<std::uint64_t> begun{0};
  std::atomic<bool> loop_waits{false};
  Task<void()> on_consumed;  // called by the thread while the loop waits
  // The next file; nothing once the client has committed or cancelled.
  std::optional<JobFile> next();
  Status check_cancelled() const;
};

enum class Takes { files, nothing };

class Job {
 public:
  Job(Jobs& jobs, const Uuid& id, std::string operation, Caller caller, Takes takes, JobKind kind);
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  JobChannel& channel() { return *channel_; }
  std::shared_ptr<JobChannel> shared_channel() { return channel_; }
  void start(std::unique_ptr<JobWork> work);
  // The call that started it is over when the job is.
  void audit_at_end(std::uint64_t call, domain::AuditRow row);
  // A call upon the job itself that was refused; the others are part of the call that started it.
  void audit_refusal(sd_bus_message* call, const Error& error);

  const Uuid& id() const { return id_; }
  const std::string& path() const { return path_; }
  const Caller& caller() const { return caller_; }
  bool has_ended() const { return state_ > JobState::running; }
  Place place() const;

  // Methods of the bus interface.
  Status add_files(sd_bus_message* call);
  Status commit();
  void cancel();
  void release();  // gone when the loop comes round, cancelled if it still runs
  Status append_property(std::string_view name, sd_bus_message* reply) const;

  void abandon();  // cancelled, and gone as soon as it has ended
  bool is_abandoned() const { return abandoned_; }
  void end(Result<Json> result);
  void answer_waiting();
  Status track_client();

 private:
  static int on_client_gone(sd_bus_track*, void* self) noexcept;
  Status why_closed() const;
  std::uint64_t rate() const;       // bytes a second on average, 0: none yet
  std::uint64_t time_left() const;  // seconds; UINT64_MAX: not known

  Jobs& jobs_;
  const Uuid id_;
  const std::string path_;
  const std::string operation_;
  const Caller caller_;
  const Takes takes_;
  const JobKind kind_;
  const UtcTime started_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  JobState state_;
  bool abandoned_ = false;
  std::shared_ptr<JobChannel> channel_;
  std::uint64_t accepted_ = 0;
  bus::MessagePtr waiting_;             // an AddFiles that is answered when there is room
  std::shared_ptr<const Json> result_;  // of a job that is done
  std::optional<Error> error_;
  struct Audited {
    std::uint64_t call = 0;
    domain::AuditRow row;
  };
  std::optional<Audited> audited_;
  bus::TrackPtr track_;
  std::thread thread_;
};

class Jobs {
 public:
  Jobs(Loop& loop, sd_bus* bus, StoreThread& store, AuditPost& audit, Env& env,
       std::uint64_t store_device)
      : loop_(loop),
        bus_(bus),
        store_(store),
        audit_(audit),
        env_(env),
        store_device_(store_device) {}
  ~Jobs();

  Status check_room(std::uint32_t uid, JobKind kind) const;
  // Refused where the client has gone or there are too many.
  Result<Job*> create(std::string operation, const Caller& caller, Takes takes, JobKind kind);
  Job* find(const Uuid& id);
  Job* find_path(std::string_view path);
  void remove(const Uuid& id);  // asked for by its client

  // From any thread.
  void ended(const Uuid& id, Result<Json> result);
  void consumed(const Uuid& id);

  void cancel_all();
  bool all_ended() const;

  Loop& loop() { return loop_; }
  sd_bus* bus() { return bus_; }
  StoreThread& store() { return store_; }
  AuditPost& audit() { return audit_; }
  Env& env() { return env_; }
  std::uint64_t store_device() const { return store_device_; }

 private:
  Loop& loop_;
  sd_bus* bus_;
  StoreThread& store_;
  AuditPost& audit_;
  Env& env_;
  const std::uint64_t store_device_;
  std::map<Uuid, std::unique_ptr<Job>> jobs_;
};

}  // namespace aierase::daemon
