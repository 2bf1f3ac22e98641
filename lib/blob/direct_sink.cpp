#include "blob/direct_sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/env.h"

namespace aierase::blob {
namespace {

constexpr std::size_t kPieceBytes = 1 << 20;

// Errc::io means that the store's own disk failed, which stops the daemon.
Error cannot_write(int errno_value) {
  Error error = errno_error(errno_value, "cannot write to the destination");
  if (error.code == Errc::io) error.code = Errc::invalid_input;
  return error;
}

std::size_t padded(std::size_t bytes) {
  return (bytes + kDirectAlignment - 1) / kDirectAlignment * kDirectAlignment;
}

}  // namespace

Result<std::unique_ptr<DirectSink>> DirectSink::start(int fd, std::uint64_t expected,
                                                      const std::atomic<bool>& cancelled) {
  const off_t begin = ::lseek(fd, 0, SEEK_CUR);
  if (begin < 0) return cannot_write(errno);
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) return cannot_write(errno);
  if ((flags & O_APPEND) != 0) {
    return make_error(Errc::invalid_input,
                      "a descriptor for direct I/O is open for appending, and its pieces would not "
                      "come to lie where they belong",
                      "open it without O_APPEND, or without O_DIRECT");
  }
  if (begin % static_cast<off_t>(kDirectAlignment) != 0) {
    return make_error(Errc::invalid_input,
                      "a descriptor for direct I/O stands at byte " + std::to_string(begin) +
                          ", which is no multiple of " + std::to_string(kDirectAlignment),
                      "open it without O_DIRECT");
  }
  std::unique_ptr<DirectSink> sink(
      new DirectSink(fd, cancelled, static_cast<std::uint64_t>(begin)));
  for (Piece& piece : sink->pieces_) {
    ASSIGN_OR_RETURN(piece.buffer, PageBuffer::make(kPieceBytes));
    sink->free_.push_back(&piece);
  }
  DirectSink* const self = sink.get();
  try {
    for (std::size_t i = 0; i < kThreads; ++i) self->threads_.emplace_back([self] { self->run(); });
  } catch (const std::system_error&) {
    return make_error(Errc::resource_limit, "no thread could be started for the export",
                      "Run fewer jobs at once, or raise TasksMax= of the unit.");
  }
  sink->make_room(expected);
  return sink;
}

// Pieces that make a file longer are written one by one; within it they go side by side. The last
// one makes it longer all the same, and comes last. What is refused here is heard at the writes.
void DirectSink::make_room(std::uint64_t expected) {
  struct stat found {};
  if (expected <= kPieceBytes || ::fstat(fd_, &found) != 0) return;
  const auto before = static_cast<std::uint64_t>(found.st_size);
  const std::uint64_t room = begin_ + (expected - 1) / kPieceBytes * kPieceBytes;
  if (room <= before || ::ftruncate(fd_, static_cast<off_t>(room)) != 0) return;
  before_ = before;
}

DirectSink::~DirectSink() {
  stopping_.store(true);
  to_write_.close();
  for (std::thread& thread : threads_) thread.join();
  // Nothing can be done about a refusal here: the export has failed already.
  if (before_) static_cast<void>(::ftruncate(fd_, static_cast<off_t>(*before_)) < 0);
}

Status DirectSink::put(const Piece& piece) const {
  const ByteView whole = piece.buffer.view(padded(piece.bytes));
  std::size_t at = 0;
  while (at < whole.size()) {
    const ssize_t put =
        ::pwrite(fd_, whole.data() + at, whole.size() - at, static_cast<off_t>(piece.at + at));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return cannot_write(errno);
    if (put == 0 || static_cast<std::size_t>(put) % kDirectAlignment != 0) {
      return make_error(Errc::invalid_input, "the destination took only a part of a piece",
                        "open it without O_DIRECT");
    }
    at += static_cast<std::size_t>(put);
  }
  return {};
}

void DirectSink::run() {
  while (std::optional<Piece*> piece = to_write_.pop()) {
    if (stopping_.load(std::memory_order_relaxed)) continue;
    (*piece)->status = put(**piece);
    written_.push(*piece);
  }
}

Status DirectSink::take_back() {
  Piece* const piece = *written_.pop();
  --outstanding_;
  free_.push_back(piece);
  return std::move(piece->status);
}

Status DirectSink::next_piece() {
  if (cancelled_.load(std::memory_order_relaxed)) {
    return make_error(Errc::cancelled, "the job was cancelled");
  }
  while (free_.empty()) RETURN_IF_ERROR(take_back());
  filling_ = free_.back();
  free_.pop_back();
  filling_->bytes = 0;
  filling_->status = Status();
  filling_->at = begin_ + done_bytes_;
  return {};
}

void DirectSink::submit() {
  Piece& piece = *std::exchange(filling_, nullptr);
  const ByteSpan padding = piece.buffer.first(padded(piece.bytes)).subspan(piece.bytes);
  std::fill(padding.begin(), padding.end(), std::byte{0});
  done_bytes_ += piece.bytes;
  ++outstanding_;
  to_write_.push(&piece);
}

Status DirectSink::write(ByteView from) {
  while (!from.empty()) {
    if (filling_ != nullptr && filling_->bytes == kPieceBytes) submit();
    if (filling_ == nullptr) RETURN_IF_ERROR(next_piece());
    const std::size_t step = std::min(kPieceBytes - filling_->bytes, from.size());
    const ByteSpan to = filling_->buffer.first(filling_->bytes + step).subspan(filling_->bytes);
    std::copy_n(from.begin(), step, to.begin());
    filling_->bytes += step;
    from = from.subspan(step);
  }
  return {};
}

Status DirectSink::finish() {
  while (outstanding_ > 0) RETURN_IF_ERROR(take_back());
  if (filling_ != nullptr) {
    submit();
    RETURN_IF_ERROR(take_back());
  }
  const auto end = static_cast<off_t>(begin_ + done_bytes_);
  if (::ftruncate(fd_, end) != 0) return cannot_write(errno);
  before_.reset();
  if (::lseek(fd_, end, SEEK_SET) < 0) return cannot_write(errno);  // as write(2) leaves it
  return {};
}

}  // namespace aierase::blob
