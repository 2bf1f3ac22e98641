// Descriptors of strangers: their flags are shared with their owner and stay as they are, so every
// wait happens in poll(2), where a cancellation is seen, and never inside read or write.
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "blob/asset_reader.h"
#include "blob/asset_writer.h"

namespace aierase::blob {
namespace {

constexpr int kPollMilliseconds = 200;
// A pipe that polls writable takes this much without blocking (pipe(7)); a larger write would wait
// for the reader where no cancellation is seen.
constexpr std::size_t kPipeStep = PIPE_BUF;

// Errc::io means that the store's own disk failed, which stops the daemon: an error at the other
// end of a caller's descriptor must not.
Error peer_error(int errno_value, std::string what) {
  Error error = errno_error(errno_value, std::move(what));
  if (error.code == Errc::io) error.code = Errc::invalid_input;
  return error;
}

Status wait_for(int fd, short events, const std::atomic<bool>& cancelled) {
  while (true) {
    if (cancelled.load(std::memory_order_relaxed)) {
      return make_error(Errc::cancelled, "the job was cancelled");
    }
    pollfd waiting{fd, events, 0};
    const int ready = ::poll(&waiting, 1, kPollMilliseconds);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return peer_error(errno, "cannot wait for the descriptor");
  }
}

enum class Peer { file, socket, pipe };

Result<Peer> peer_of(int fd) {
  struct stat found {};
  if (::fstat(fd, &found) != 0) return peer_error(errno, "cannot look at the destination");
  if (S_ISREG(found.st_mode) || S_ISBLK(found.st_mode)) return Peer::file;
  return S_ISSOCK(found.st_mode) ? Peer::socket : Peer::pipe;
}

ssize_t write_some(int fd, Peer peer, ByteView from) {
  switch (peer) {
    case Peer::file:
      return ::write(fd, from.data(), from.size());
    case Peer::socket:
      return ::send(fd, from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    case Peer::pipe:
      break;
  }
  return ::write(fd, from.data(), std::min(from.size(), kPipeStep));
}

bool would_block(int errno_value) {
  return errno_value == EAGAIN || errno_value == EWOULDBLOCK || errno_value == EINTR;
}

}  // namespace

Result<std::size_t> DescriptorSource::read(ByteSpan to) {
  while (true) {
    RETURN_IF_ERROR(wait_for(fd_, POLLIN, cancelled_));
    const ssize_t got = ::read(fd_, to.data(), to.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (!would_block(errno)) return peer_error(errno, "cannot read the source");
  }
}

Status DescriptorSink::write(ByteView from) {
  ASSIGN_OR_RETURN(const Peer peer, peer_of(fd_));
  while (!from.empty()) {
    RETURN_IF_ERROR(wait_for(fd_, POLLOUT, cancelled_));
    const ssize_t put = write_some(fd_, peer, from);
    if (put >= 0) {
      from = from.subspan(static_cast<std::size_t>(put));
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return make_error(Errc::cancelled, "the reader closed its end");
    } else if (!would_block(errno)) {
      return peer_error(errno, "cannot write to the destination");
    }
  }
  return {};
}

}  // namespace aierase::blob
