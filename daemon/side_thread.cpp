#include "daemon/side_thread.h"

namespace aierase::daemon {
namespace {

constexpr std::size_t kWorksWaiting = 4;

}  // namespace

SideThread::SideThread(Loop& loop)
    : loop_(loop), works_(kWorksWaiting), thread_(&SideThread::work, this) {}

SideThread::~SideThread() {
  works_.close();
  thread_.join();
}

void SideThread::run(std::function<void()> work) {
  works_.push(std::move(work));
}

void SideThread::work() {
  while (std::optional<std::function<void()>> work = works_.pop()) {
    (*work)();
    work.reset();  // what it holds may be waited for
    loop_.post([this] {
      if (on_done_) on_done_();
    });
  }
}

}  // namespace aierase::daemon
