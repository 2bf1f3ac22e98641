#include "ctl/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

namespace aierase::ctl {
namespace {

bool is_regular_file(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

// Written by the handler, so it can be neither a member nor on the stack.
volatile sig_atomic_t signalled = 0;
int pipe_ends[2] = {-1, -1};

void on_signal(int) {
  const int saved = errno;
  signalled = 1;
  const char byte = 0;
  if (write(pipe_ends[1], &byte, 1) < 0) {
    // The pipe is full of earlier signals: the reader knows already.
  }
  errno = saved;
}

}  // namespace

Status Interrupt::install() {
  if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0)
    return errno_error(errno, "cannot make a pipe");
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  action.sa_flags = 0;
  sigaction(SIGPIPE, &action, nullptr);
  return {};
}

int Interrupt::descriptor() {
  return pipe_ends[0];
}

bool Interrupt::asked() {
  return signalled != 0;
}

Error interrupted() {
  return make_error(Errc::cancelled, "interrupted: the job was cancelled and nothing was kept");
}

Error reader_left() {
  return make_error(Errc::cancelled, "whoever reads the pipe has closed it");
}

Status wait_until(int descriptor, Ready what) {
  pollfd waits[2] = {{descriptor, static_cast<short>(what == Ready::read ? POLLIN : POLLOUT), 0},
                     {Interrupt::descriptor(), POLLIN, 0}};
  for (;;) {
    if (Interrupt::asked()) return interrupted();
    const int ready = poll(waits, Interrupt::descriptor() < 0 ? 1 : 2, -1);
    if (ready < 0 && errno != EINTR) return errno_error(errno, "cannot wait for input or output");
    if (ready > 0 && waits[0].revents != 0) return {};
  }
}

Status write_fully(int descriptor, const char* data, std::size_t size) {
  // A blocking pipe takes at least PIPE_BUF when poll says so, and may block beyond it.
  const bool may_block =
      (fcntl(descriptor, F_GETFL) & O_NONBLOCK) == 0 && !is_regular_file(descriptor);
  while (size > 0) {
    RETURN_IF_ERROR(wait_until(descriptor, Ready::write));
    const ssize_t written = write(descriptor, data, may_block && size > 4096 ? 4096 : size);
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written < 0 && errno == EPIPE) return reader_left();
    if (written < 0) return errno_error(errno, "cannot write");
    data += written;
    size -= static_cast<std::size_t>(written);
  }
  return {};
}

}  // namespace aierase::ctl
