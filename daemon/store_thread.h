// The one thread that touches the store, and the way to it.
//
// Contract: post() is for the loop and never waits; run() is for job threads and waits for the
// act. Acts run in order; between acts the thread executes what is due, one slice at a time. After
// the store saw an I/O error nothing more is started and `on_fatal` is posted to the loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/queue.h"
#include "base/result.h"
#include "daemon/audit_post.h"
#include "daemon/loop.h"
#include "daemon/store_session.h"
#include "daemon/task.h"

namespace aierase::daemon {

// What was thrown, as the error that a caller is told: `what` went wrong, and by what.
Error fault_error(const std::exception& fault, const std::string& what);

class StoreThread {
 public:
  using Then = Task<void()>;  // runs on the loop afterwards; may be empty
  using Act = Task<Then(StoreSession&)>;
  // Whether a plan waits for people or its time, or the store for its TPM; then nudge() is worth
  // calling often.
  enum class Waiting { nothing, something };
  struct Listeners {  // called on the loop
    std::function<void(std::vector<std::string>)> on_changes;
    std::function<void(std::vector<std::int64_t>)> on_notices;  // numbers in the audit
    std::function<void(Waiting)> on_looked;                     // after nudge()
    std::function<void()> on_audit_waits;
    std::function<void(Error)> on_fatal;
  };

  // `audit` must outlive it.
  StoreThread(Loop& loop, std::unique_ptr<StoreSession> session, AuditPost& audit,
              Listeners listeners);
  ~StoreThread();
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;

  // The session is used by the caller's thread before this and by the store thread after it.
  StoreSession& session_before_start() { return *session_; }
  void start();
  // What was posted is done first, then the store is closed. Safe to call twice.
  void stop();

  Status post(Act act);  // Errc::resource_limit while too many wait
  void nudge();          // looks for what is due
  // Grows with everything that the thread has done; a nudge alone makes it grow.
  std::uint64_t progress() const { return progress_.load(); }
  void flush_audit();  // what waits there becomes durable

  template <typename T>
  Result<T> run(Task<Result<T>(StoreSession&)> act) {
    auto answer = std::make_shared<BoundedQueue<Result<T>>>(1);
    const bool taken = acts_.push([answer, call = std::move(act)](StoreSession& session) mutable {
      // Whatever the act throws, the job waits for an answer.
      try {
        answer->push(call(session));
      } catch (const std::exception& fault) {
        answer->push(fault_error(fault, "the act failed"));
      }
      return Then();
    });
    if (!taken) return make_error(Errc::cancelled, "the daemon is ending");
    return std::move(*answer->pop());  // nobody closes that queue
  }

 private:
  void work();
  void perform(Act act);
  bool execute_slice();  // true: there is more to do at once
  void report();
  void report_changes(std::vector<std::string> changes);
  void report_notices(lifecycle::Store& store);
  void write_last_audit();

  Loop& loop_;
  std::unique_ptr<StoreSession> session_;
  AuditPost& audit_;
  Listeners listeners_;
  BoundedQueue<Act> acts_;
  bool failed_ = false;
  std::atomic<std::uint64_t> progress_{0};
  std::thread thread_;
};

}  // namespace aierase::daemon
