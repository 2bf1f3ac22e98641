#include "daemon/store_thread.h"

#include "base/limits.h"
#include "base/log.h"

namespace aierase::daemon {

StoreThread::StoreThread(Loop& loop, std::unique_ptr<StoreSession> session, Listeners listeners)
    : loop_(loop),
      session_(std::move(session)),
      listeners_(std::move(listeners)),
      acts_(limits::kStoreQueue) {}

StoreThread::~StoreThread() {
  stop();
}

void StoreThread::start() {
  thread_ = std::thread(&StoreThread::work, this);
}

void StoreThread::stop() {
  acts_.close();
  if (thread_.joinable()) thread_.join();
  session_->close();
}

Status StoreThread::post(Act act) {
  if (acts_.try_push(act)) return {};
  return make_error(
      Errc::resource_limit,
      "more than " + std::to_string(limits::kStoreQueue) + " calls wait for the store",
      "try again in a moment");
}

void StoreThread::nudge() {
  Act nothing = [](StoreSession&) { return Then(); };
  acts_.try_push(nothing);  // a full queue looks for itself
}

void StoreThread::work() {
  bool more = true;
  for (;;) {
    std::optional<Act> act = more ? acts_.try_pop() : acts_.pop();
    if (act) {
      perform(std::move(*act));
      more = true;
    } else if (acts_.closed()) {
      return;
    } else {
      more = execute_slice();
    }
    report();
  }
}

void StoreThread::perform(Act act) {
  Then then;
  // No exception may end this thread; an act that throws has not answered, and its caller is told
  // by the destructor of what it captured.
  try {
    then = act(*session_);
  } catch (const std::exception& fault) {
    log_error(make_error(Errc::unexpected, fault.what()), "an act on the store failed");
  }
  if (then) loop_.post(std::move(then));
}

bool StoreThread::execute_slice() {
  if (failed_ || !session_->is_open()) return false;
  const Result<lifecycle::Store*> store = session_->store();
  const Result<bool> more = (*store)->execute_due();
  if (more.ok()) return *more;
  log_error(more.error(), "erasing what is due failed; it is tried again");
  return false;
}

void StoreThread::report() {
  if (!session_->is_open()) return;
  const Result<lifecycle::Store*> store = session_->store();
  std::vector<std::string> changes = (*store)->take_changes();
  if (!changes.empty()) {
    loop_.post(
        [this, ids = std::move(changes)]() mutable { listeners_.on_changes(std::move(ids)); });
  }
  if (failed_ || !(*store)->must_stop()) return;
  failed_ = true;
  loop_.post([this] {
    listeners_.on_fatal(make_error(Errc::io, "the disk refused a write of the store",
                                   "see the kernel's log; the next start recovers"));
  });
}

}  // namespace aierase::daemon
