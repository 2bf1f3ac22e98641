#include "blob/descriptor_io.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace aierase::blob {
namespace {

constexpr int kPollMilliseconds = 200;
constexpr int kOwnPipeBytes = 1 << 20;
constexpr unsigned kSplice = SPLICE_F_NONBLOCK | SPLICE_F_MOVE;

// Errc::io means that the store's own disk failed, which stops the daemon: an error at the other
// end of a caller's descriptor must not.
Error peer_error(int errno_value, std::string what) {
  Error error = errno_error(errno_value, std::move(what));
  if (error.code == Errc::io) error.code = Errc::invalid_input;
  return error;
}

Status check_cancelled(const std::atomic<bool>& cancelled) {
  if (!cancelled.load(std::memory_order_relaxed)) return {};
  return make_error(Errc::cancelled, "the job was cancelled");
}

Status wait_for(int fd, short events, const std::atomic<bool>& cancelled,
                const Deadline& deadline = {}) {
  while (true) {
    RETURN_IF_ERROR(check_cancelled(cancelled));
    if (deadline && std::chrono::steady_clock::now() >= *deadline) {
      return make_error(Errc::invalid_input, "nothing came through the descriptor in time",
                        "write into a pipe and close it before the call");
    }
    pollfd waiting{fd, events, 0};
    const int ready = ::poll(&waiting, 1, kPollMilliseconds);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return peer_error(errno, "cannot wait for the descriptor");
  }
}

Result<Peer> peer_of(int fd) {
  struct stat found {};
  if (::fstat(fd, &found) != 0) return peer_error(errno, "cannot look at the descriptor");
  if (S_ISREG(found.st_mode)) return Peer::file;
  if (S_ISFIFO(found.st_mode)) return Peer::pipe;
  return S_ISSOCK(found.st_mode) ? Peer::socket : Peer::device;
}

// poll(2) says of every regular file that it is ready.
Status wait_for_peer(Peer peer, int fd, short events, const std::atomic<bool>& cancelled,
                     const Deadline& deadline = {}) {
  if (peer == Peer::file) return check_cancelled(cancelled);
  return wait_for(fd, events, cancelled, deadline);
}

bool would_block(int errno_value) {
  return errno_value == EAGAIN || errno_value == EWOULDBLOCK || errno_value == EINTR;
}

Status make_own_pipe(UniqueFd& reading, UniqueFd& writing) {
  if (reading.valid()) return {};
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return peer_error(errno, "cannot make a pipe");
  reading.reset(ends[0]);
  writing.reset(ends[1]);
  // Fewer steps; a refusal costs only that.
  static_cast<void>(::fcntl(ends[1], F_SETPIPE_SZ, kOwnPipeBytes));
  return {};
}

Error closed() {
  return make_error(Errc::cancelled, "the reader closed its end");
}

}  // namespace

Result<std::size_t> DescriptorSource::read_pipe(ByteSpan to) {
  RETURN_IF_ERROR(make_own_pipe(own_reading_, own_writing_));
  while (held_ == 0) {
    RETURN_IF_ERROR(wait_for(fd_, POLLIN, cancelled_, deadline_));
    const ssize_t moved = ::splice(fd_, nullptr, own_writing_.get(), nullptr,
                                   std::max<std::size_t>(to.size(), 1), kSplice);
    if (moved == 0) return std::size_t{0};
    if (moved > 0) {
      held_ = static_cast<std::size_t>(moved);
    } else if (!would_block(errno)) {
      return peer_error(errno, "cannot read the source");
    }
  }
  const ssize_t got = ::read(own_reading_.get(), to.data(), std::min(to.size(), held_));
  if (got < 0) return peer_error(errno, "cannot read the source");
  held_ -= static_cast<std::size_t>(got);
  return static_cast<std::size_t>(got);
}

Result<std::size_t> DescriptorSource::read(ByteSpan to) {
  if (!peer_) {
    ASSIGN_OR_RETURN(peer_, peer_of(fd_));
  }
  if (*peer_ == Peer::pipe) return read_pipe(to);
  while (true) {
    RETURN_IF_ERROR(wait_for_peer(*peer_, fd_, POLLIN, cancelled_, deadline_));
    const ssize_t got = *peer_ == Peer::socket ? ::recv(fd_, to.data(), to.size(), MSG_DONTWAIT)
                                               : ::read(fd_, to.data(), to.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (!would_block(errno)) return peer_error(errno, "cannot read the source");
  }
}

Status DescriptorSink::pass_on(std::size_t held) {
  while (held > 0) {
    RETURN_IF_ERROR(wait_for(fd_, POLLOUT, cancelled_));
    const ssize_t moved = ::splice(own_reading_.get(), nullptr, fd_, nullptr, held, kSplice);
    if (moved > 0) {
      held -= static_cast<std::size_t>(moved);
    } else if (moved < 0 && errno == EPIPE) {
      return closed();
    } else if (moved < 0 && !would_block(errno)) {
      return peer_error(errno, "cannot write to the destination");
    }
  }
  return {};
}

Status DescriptorSink::write_pipe(ByteView from) {
  RETURN_IF_ERROR(make_own_pipe(own_reading_, own_writing_));
  while (!from.empty()) {
    const ssize_t put = ::write(own_writing_.get(), from.data(), from.size());
    if (put < 0) return peer_error(errno, "cannot write to the destination");
    RETURN_IF_ERROR(pass_on(static_cast<std::size_t>(put)));
    from = from.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

Status DescriptorSink::write(ByteView from) {
  if (!peer_) {
    ASSIGN_OR_RETURN(peer_, peer_of(fd_));
  }
  if (*peer_ == Peer::pipe) return write_pipe(from);
  while (!from.empty()) {
    RETURN_IF_ERROR(wait_for_peer(*peer_, fd_, POLLOUT, cancelled_));
    const ssize_t put = *peer_ == Peer::socket
                            ? ::send(fd_, from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                            : ::write(fd_, from.data(), from.size());
    if (put >= 0) {
      from = from.subspan(static_cast<std::size_t>(put));
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return closed();
    } else if (!would_block(errno)) {
      return peer_error(errno, "cannot write to the destination");
    }
  }
  return {};
}

}  // namespace aierase::blob
