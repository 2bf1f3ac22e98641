#include "daemon/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "bus/handles.h"

namespace aierase::daemon {
namespace {

constexpr int kSignals[] = {SIGTERM, SIGINT, SIGHUP};

Status checked(int result, const char* what) {
  if (result >= 0) return {};
  return bus::bus_error(result, what);
}

std::uint64_t microseconds(std::chrono::seconds period) {
  return static_cast<std::uint64_t>(std::chrono::microseconds(period).count());
}

}  // namespace

Status Loop::block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kSignals) sigaddset(&set, number);
  if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) {
    return errno_error(errno, "cannot block signals");
  }
  // A reader of an export may close its end: that is an error of that job alone.
  signal(SIGPIPE, SIG_IGN);
  return {};
}

Result<std::unique_ptr<Loop>> Loop::create() {
  std::unique_ptr<Loop> loop(new Loop());
  RETURN_IF_ERROR(checked(sd_event_new(&loop->event_), "cannot make the event loop"));
  // Without a handler the signal ends the loop, with the userdata as exit code: 0.
  for (const int number : {SIGTERM, SIGINT}) {
    RETURN_IF_ERROR(checked(sd_event_add_signal(loop->event_, nullptr, number, nullptr, nullptr),
                            "cannot watch for signals"));
  }
  RETURN_IF_ERROR(checked(
      sd_event_add_signal(loop->event_, nullptr, SIGHUP, &Loop::on_hangup_signal, loop.get()),
      "cannot watch for signals"));
  loop->wake_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!loop->wake_.valid()) return errno_error(errno, "cannot make an eventfd");
  RETURN_IF_ERROR(checked(sd_event_add_io(loop->event_, nullptr, loop->wake_.get(), EPOLLIN,
                                          &Loop::on_posted, loop.get()),
                          "cannot watch the eventfd"));
  return loop;
}

Loop::~Loop() {
  sd_event_unref(event_);
}

void Loop::post(Task<void()> task) {
  if (!posted_.push(std::move(task))) return;
  const std::uint64_t one = 1;
  // EAGAIN means that the counter is full: the loop has been woken often enough.
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
}

int Loop::on_hangup_signal(sd_event_source*, const signalfd_siginfo*, void* self) noexcept {
  Loop& loop = *static_cast<Loop*>(self);
  if (loop.on_hangup_) loop.on_hangup_();
  return 0;
}

int Loop::on_posted(sd_event_source*, int, unsigned, void* self) noexcept {
  static_cast<Loop*>(self)->run_posted();
  return 0;
}

void Loop::run_posted() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(wake_.get(), &count, sizeof count);
  while (std::optional<Task<void()>> task = posted_.try_pop()) (*task)();
}

void Loop::wait_for_post(std::chrono::milliseconds most) const {
  pollfd wait{wake_.get(), POLLIN, 0};
  poll(&wait, 1, static_cast<int>(most.count()));
}

int Loop::run() {
  const int code = sd_event_loop(event_);
  if (code >= 0) return code;
  log_error(bus::bus_error(code, "the event loop broke"), "cannot go on");
  return 1;
}

void Loop::stop(int exit_code) {
  sd_event_exit(event_, exit_code);
}

Result<std::unique_ptr<Timer>> Timer::create(Loop& loop, Task<void()> task) {
  std::unique_ptr<Timer> timer(new Timer(std::move(task)));
  RETURN_IF_ERROR(checked(sd_event_add_time(loop.event(), &timer->source_, CLOCK_BOOTTIME, 0, 0,
                                            &Timer::on_time, timer.get()),
                          "cannot make a timer"));
  RETURN_IF_ERROR(
      checked(sd_event_source_set_enabled(timer->source_, SD_EVENT_OFF), "cannot make a timer"));
  return timer;
}

Timer::~Timer() {
  sd_event_source_disable_unref(source_);
}

void Timer::start_within(std::chrono::seconds time) {
  std::uint64_t now = 0, set = 0;
  int enabled = SD_EVENT_OFF;
  sd_event_now(sd_event_source_get_event(source_), CLOCK_BOOTTIME, &now);
  sd_event_source_get_enabled(source_, &enabled);
  sd_event_source_get_time(source_, &set);
  if (enabled != SD_EVENT_OFF && set <= now + microseconds(time)) return;
  sd_event_source_set_time(source_, now + microseconds(time));
  sd_event_source_set_enabled(source_, SD_EVENT_ONESHOT);
}

int Timer::on_time(sd_event_source*, std::uint64_t, void* self) noexcept {
  static_cast<Timer*>(self)->task_();
  return 0;
}

}  // namespace aierase::daemon
