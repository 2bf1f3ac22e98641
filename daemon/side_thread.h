// The thread for what takes long and needs nothing of the store: the unlinking of ciphertext.
//
// Contract: works run in order, one at a time. What was handed over is done before the destructor
// returns.
#pragma once

#include <functional>
#include <thread>

#include "base/queue.h"
#include "daemon/loop.h"
#include "daemon/task.h"

namespace aierase::daemon {

class SideThread {
 public:
  explicit SideThread(Loop& loop);
  ~SideThread();
  SideThread(const SideThread&) = delete;
  SideThread& operator=(const SideThread&) = delete;

  // From any thread; waits while several others wait.
  void run(std::function<void()> work);
  // On the loop, behind each work; to be set and taken back there.
  void on_done(Task<void()> then) { on_done_ = std::move(then); }

 private:
  void work();

  Loop& loop_;
  BoundedQueue<std::function<void()>> works_;
  Task<void()> on_done_;
  std::thread thread_;
};

}  // namespace aierase::daemon
