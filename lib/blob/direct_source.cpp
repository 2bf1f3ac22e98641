#include "blob/direct_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/env.h"

namespace aierase::blob {
namespace {

constexpr std::size_t kReadBytes = 1 << 20;

// Errc::io means that the store's own disk failed, which stops the daemon.
Error cannot_read(int errno_value) {
  Error error = errno_error(errno_value, "cannot read the source");
  if (error.code == Errc::io) error.code = Errc::invalid_input;
  return error;
}

Error part_of_block() {
  return make_error(Errc::invalid_input, "the source gave only a part of a block",
                    "open it without O_DIRECT");
}

}  // namespace

bool is_for_direct_io(int fd) {
  struct stat found {};
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_DIRECT) != 0 && ::fstat(fd, &found) == 0 &&
         S_ISREG(found.st_mode);
}

Result<std::unique_ptr<DirectSource>> DirectSource::start(int fd,
                                                          const std::atomic<bool>& cancelled) {
  const off_t begin = ::lseek(fd, 0, SEEK_CUR);
  if (begin < 0) return cannot_read(errno);
  if (begin % static_cast<off_t>(kDirectAlignment) != 0) {
    return make_error(Errc::invalid_input,
                      "a descriptor for direct I/O stands at byte " + std::to_string(begin) +
                          ", which is no multiple of " + std::to_string(kDirectAlignment),
                      "open it without O_DIRECT");
  }
  ASSIGN_OR_RETURN(PageBuffer buffer, PageBuffer::make(kReadBytes));
  return std::unique_ptr<DirectSource>(
      new DirectSource(fd, cancelled, static_cast<std::uint64_t>(begin), std::move(buffer)));
}

Status DirectSource::fill() {
  const ByteSpan whole = buffer_.first(kReadBytes);
  while (true) {
    if (cancelled_.load(std::memory_order_relaxed)) {
      return make_error(Errc::cancelled, "the job was cancelled");
    }
    const ssize_t got = ::pread(fd_, whole.data(), whole.size(), static_cast<off_t>(at_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(errno);
    held_ = static_cast<std::size_t>(got);
    given_ = 0;
    const std::size_t part = held_ % kDirectAlignment;
    ended_ = held_ == 0;
    if (part != 0) {
      ASSIGN_OR_RETURN(ended_, is_end(at_ + held_));
      if (!ended_) held_ -= part;
      if (held_ == 0) return part_of_block();
    }
    at_ += held_;
    return {};
  }
}

// The end of a file leaves a piece that is no whole number of blocks, and from there on nothing can
// be read that way; but a file system may give less than was asked for anywhere.
Result<bool> DirectSource::is_end(std::uint64_t at) const {
  struct stat found {};
  if (::fstat(fd_, &found) != 0) return cannot_read(errno);
  return at >= static_cast<std::uint64_t>(found.st_size);
}

Result<std::size_t> DirectSource::read(ByteSpan to) {
  if (given_ == held_ && !ended_) RETURN_IF_ERROR(fill());
  const std::size_t size = std::min(to.size(), held_ - given_);
  const ByteView from = buffer_.view(held_).subspan(given_, size);
  std::copy(from.begin(), from.end(), to.begin());
  given_ += size;
  return size;
}

}  // namespace aierase::blob
