#include "view/session.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <atomic>
#include <condition_variable>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/log.h"
#include "view/requests.h"

namespace aierase::view {
namespace {

constexpr unsigned kMiscMajor = 10, kFuseMinor = 229;  // Documentation/admin-guide/devices.txt
constexpr std::size_t kWorkers = limits::kLanesPerJob;
constexpr auto kWakeAgain = std::chrono::milliseconds(5);

using Fuse = std::unique_ptr<fuse_session, decltype(&fuse_session_destroy)>;

extern "C" void wake_up(int) {}

void keep_quiet(fuse_log_level, const char* format, va_list arguments) {
  char line[256];
  vsnprintf(line, sizeof line, format, arguments);
  line[strcspn(line, "\n")] = '\0';
  log(LogLevel::debug, std::string("libfuse: ") + line);
}

// What anybody else could send is not looked at by libfuse as if he were a stranger.
Status check_device(int descriptor) {
  struct stat found {};
  if (fstat(descriptor, &found) != 0) return errno_error(errno, "cannot look at the descriptor");
  if (S_ISCHR(found.st_mode) && found.st_rdev == makedev(kMiscMajor, kFuseMinor)) return {};
  return make_error(Errc::invalid_input, "the descriptor is none of /dev/fuse",
                    "mount a descriptor of /dev/fuse, and pass it");
}

Error no_session() {
  return make_error(Errc::unexpected, "libfuse does not serve the view",
                    "the daemon's log at level debug tells why");
}

Error no_thread() {
  return make_error(Errc::resource_limit, "no thread could be started to serve the view",
                    "Run fewer jobs at once, or raise TasksMax= of the unit.");
}

// What this thread has received comes before what others receive: libfuse calls back in the thread
// that hands it the request, and cannot carry this along.
thread_local std::unique_lock<std::mutex>* receiving_here = nullptr;

}  // namespace

struct Session::Impl {
  Impl(Env& env, Content content, blob::Progress& progress)
      : requests(env, std::move(content), progress) {}
  ~Impl();

  Status begin(UniqueFd given);
  bool add_worker();
  bool add_forgetter();
  void serve();
  void forget_when_asked();
  void wake_all();

  Requests requests;
  Fuse fuse{nullptr, &fuse_session_destroy};
  int device = -1;       // libfuse's
  std::mutex receiving;  // reads take their places in the order in which they were received
  std::atomic<bool> stopping{false};
  std::vector<std::thread> workers;
  std::thread forgetter;  // begun with the view: at its end no thread may be had
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t running = 0;  // workers
  enum class Pages { kept, to_forget, forgotten } pages = Pages::kept;
  bool over = false;
};

void Session::Impl::serve() {
  fuse_buf buffer{};
  while (!stopping.load()) {
    std::unique_lock turn(receiving);
    if (stopping.load()) break;
    const int got = fuse_session_receive_buf(fuse.get(), &buffer);
    if (got == -EINTR) continue;
    if (got == -EAGAIN) {  // its owner has made it so
      pollfd wait{device, POLLIN, 0};
      poll(&wait, 1, -1);
      continue;
    }
    if (got <= 0) break;  // unmounted
    receiving_here = &turn;
    fuse_session_process_buf(fuse.get(), &buffer);
  }
  free(buffer.mem);
  const std::lock_guard lock(mutex);
  --running;
  changed.notify_all();
}

// A read of the device ends at a signal; one that comes before the read has begun is lost.
void Session::Impl::wake_all() {
  std::unique_lock lock(mutex);
  while (running > 0) {
    for (std::thread& worker : workers) pthread_kill(worker.native_handle(), SIGURG);
    changed.wait_for(lock, kWakeAgain);
  }
}

bool Session::Impl::add_worker() {
  {
    const std::lock_guard lock(mutex);
    ++running;
  }
  try {
    workers.emplace_back([this] { serve(); });
    return true;
  } catch (const std::system_error&) {
    const std::lock_guard lock(mutex);
    --running;
    return false;
  }
}

bool Session::Impl::add_forgetter() {
  try {
    forgetter = std::thread([this] { forget_when_asked(); });
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void Session::Impl::forget_when_asked() {
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return over || pages == Pages::to_forget; });
    if (pages == Pages::kept) return;
  }
  // Refused for what the kernel has forgotten by itself, and once it is unmounted.
  requests.for_each_opened(
      [this](fuse_ino_t number) { fuse_lowlevel_notify_inval_inode(fuse.get(), number, 0, 0); });
  const std::lock_guard lock(mutex);
  pages = Pages::forgotten;
  changed.notify_all();
}

Status Session::Impl::begin(UniqueFd given) {
  RETURN_IF_ERROR(check_device(given.get()));
  RETURN_IF_ERROR(requests.prepare());
  requests.set_in_line([] { receiving_here->unlock(); });
  char name[] = "aierase";
  char* arguments[] = {name, nullptr};
  fuse_args args = FUSE_ARGS_INIT(1, arguments);
  const fuse_lowlevel_ops& operations = Requests::operations();
  fuse.reset(fuse_session_new(&args, &operations, sizeof operations, &requests));
  fuse_opt_free_args(&args);  // it has made a copy of them in there
  if (!fuse) return no_session();
  const std::string path = "/dev/fd/" + std::to_string(given.get());
  if (fuse_session_mount(fuse.get(), path.c_str()) != 0) return no_session();
  device = given.release();  // closed with the session
  if (!add_forgetter()) return no_thread();
  workers.reserve(kWorkers);
  while (workers.size() < kWorkers && add_worker()) {
  }
  return workers.empty() ? Status(no_thread()) : Status();
}

Session::Impl::~Impl() {
  {
    const std::lock_guard lock(mutex);
    over = true;
    changed.notify_all();
  }
  if (forgetter.joinable()) forgetter.join();
  stopping.store(true);
  wake_all();
  for (std::thread& worker : workers) worker.join();
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

Status Session::prepare_process() {
  struct sigaction action {};
  action.sa_handler = wake_up;
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGURG, &action, nullptr) != 0) return errno_error(errno, "cannot handle SIGURG");
  fuse_set_log_func(keep_quiet);
  return {};
}

Result<std::unique_ptr<Session>> Session::start(Env& env, UniqueFd device, Content content,
                                                blob::Progress& progress) {
  auto impl = std::make_unique<Impl>(env, std::move(content), progress);
  RETURN_IF_ERROR(impl->begin(std::move(device)));
  return std::unique_ptr<Session>(new Session(std::move(impl)));
}

bool Session::ended() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->running == 0;
}

void Session::revoke() {
  impl_->requests.revoke();
}

bool Session::forget_pages(std::chrono::milliseconds patience) {
  std::unique_lock lock(impl_->mutex);
  if (impl_->pages == Impl::Pages::kept) impl_->pages = Impl::Pages::to_forget;
  impl_->changed.notify_all();
  return impl_->changed.wait_for(lock, patience,
                                 [this] { return impl_->pages == Impl::Pages::forgotten; });
}

std::optional<Error> Session::take_fault() {
  return impl_->requests.take_fault();
}

void Session::rest() {
  impl_->requests.rest();
}

}  // namespace aierase::view
