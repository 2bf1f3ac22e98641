// Calls on their way from the loop into the audit: noted where they end, written by the store
// thread.
//
// Contract: ended() is for the loop and never waits; all else is for the store thread. What the
// queue between the two has no room for is gathered on the loop, so that callers cannot fill the
// memory while the store is slow. What is noted before an act is posted is collected before that
// act runs. Specified in: aierase-store(5) AUDIT.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "base/queue.h"
#include "base/result.h"
#include "daemon/task.h"
#include "domain/audit.h"
#include "lifecycle/audit_trail.h"
#include "lifecycle/store.h"

namespace aierase::daemon {

class AuditPost {
 public:
  explicit AuditPost(const Clock& clock) : clock_(clock), inbox_(2 * limits::kAuditWaitingRows) {}

  static constexpr std::uint64_t kNeverBegan = 0;  // calls count from 1

  UtcTime now() const { return clock_.now(); }
  // `call` as it was begun on the store thread, or kNeverBegan; `outcome` is ok, or the error that
  // was answered.
  void ended(std::uint64_t call, domain::AuditRow row, const Status& outcome);
  // Called on the loop when something ended, and has to be flushed sooner or later.
  void on_waiting(Task<void()> task) { on_waiting_ = std::move(task); }
  bool waits() const { return waits_.load(); }
  // Whether something has to be flushed sooner or later; moves on what was put off.
  bool wants_flush();

  lifecycle::AuditTrail& trail() { return trail_; }
  void collect();
  // Makes `part` durable. Says it in the log when that begins to fail, and when it ends.
  void flush(lifecycle::Store& store, lifecycle::AuditTrail::Part part);
  // One slice of what the daemon does by itself. `changes` are the ids that it touched.
  void begin_slice();
  void end_slice(const Status& outcome, const std::vector<std::string>& changes);

 private:
  struct Ended {
    std::uint64_t call = kNeverBegan;
    domain::AuditRow row;
  };
  void put_off(Ended ended);
  void move_on();

  const Clock& clock_;
  BoundedQueue<Ended> inbox_;
  std::atomic<bool> waits_{false};
  Task<void()> on_waiting_;
  // Of the loop: what found the inbox full. Of calls that began there are no more than the store
  // thread took on.
  std::vector<Ended> put_off_;
  lifecycle::AuditTrail gathered_;
  // Of the store thread.
  lifecycle::AuditTrail trail_;
  domain::AuditRow slice_;
  bool failing_ = false;
};

}  // namespace aierase::daemon
