// The loop: bus, polkit, timers, signals, and whatever other threads hand over to it.
//
// Contract: made and run by the main thread; post() alone may be called from any thread, and what
// was posted runs on the loop in order. SIGTERM, SIGINT and SIGHUP must be blocked before any other
// thread starts (block_signals). An exception out of a posted task ends the process: it is a fault.
#pragma once

#include <chrono>
#include <memory>

#include "base/queue.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "daemon/task.h"

struct sd_event;
struct signalfd_siginfo;
struct sd_event_source;

namespace aierase::daemon {

class Loop {
 public:
  static Status block_signals();
  static Result<std::unique_ptr<Loop>> create();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  sd_event* event() const { return event_; }
  void post(Task<void()> task);

  // What SIGHUP does.
  void on_hangup(Task<void()> task) { on_hangup_ = std::move(task); }
  // Until stop(), SIGTERM or SIGINT; the exit code, 0 after a signal.
  int run();
  void stop(int exit_code);
  // After run(): goes on with what is posted until `done` says so or the time is over.
  template <typename Done>
  bool drain(const Done& done, std::chrono::milliseconds most) {
    const auto deadline = std::chrono::steady_clock::now() + most;
    while (!done()) {
      if (std::chrono::steady_clock::now() >= deadline) return false;
      wait_for_post(std::chrono::milliseconds(100));
      run_posted();
    }
    return true;
  }

 private:
  Loop() : posted_(kCapacity) {}
  static constexpr std::size_t kCapacity = 65'536;
  static int on_hangup_signal(sd_event_source*, const signalfd_siginfo*, void* self) noexcept;
  static int on_posted(sd_event_source*, int, unsigned, void* self) noexcept;
  void run_posted();
  void wait_for_post(std::chrono::milliseconds most) const;

  sd_event* event_ = nullptr;
  UniqueFd wake_;  // eventfd
  BoundedQueue<Task<void()>> posted_;
  Task<void()> on_hangup_;
};

// Runs its task once after each start; wakes nobody in between. Belongs to the loop, which outlives
// it.
class Timer {
 public:
  static Result<std::unique_ptr<Timer>> create(Loop& loop, Task<void()> task);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // What is set to be sooner stays.
  void start_within(std::chrono::seconds time);

 private:
  explicit Timer(Task<void()> task) : task_(std::move(task)) {}
  static int on_time(sd_event_source*, std::uint64_t, void* self) noexcept;

  Task<void()> task_;
  sd_event_source* source_ = nullptr;
};

}  // namespace aierase::daemon
