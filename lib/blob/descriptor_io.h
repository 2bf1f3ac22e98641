// Reading and writing the descriptors of strangers without ever waiting inside read or write.
//
// Contract: the flags of a passed descriptor are shared with its owner and stay as they are, so
// every wait happens in poll(2), where a cancellation is seen. Even a pipe that polls ready may
// block the call (others read or write it, too): its bytes go by splice(2) through a pipe of our
// own, which alone is told not to block. Sockets take MSG_DONTWAIT; regular files are read and
// written as they are, and it is the caller's matter to refuse those whose file system may hang.
// The descriptor stays the caller's. A closed peer is Errc::cancelled ("the reader closed its
// end"). The process must ignore SIGPIPE. One thread.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>

#include "base/unique_fd.h"
#include "blob/asset_reader.h"
#include "blob/asset_writer.h"

namespace aierase::blob {

enum class Peer { file, socket, pipe, device };  // at the other end of a descriptor

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

class DescriptorSource final : public ByteSource {
 public:
  DescriptorSource(int fd, const std::atomic<bool>& cancelled, Deadline deadline = {})
      : fd_(fd), cancelled_(cancelled), deadline_(deadline) {}
  // Past the deadline: Errc::invalid_input.
  Result<std::size_t> read(ByteSpan to) override;

 private:
  Result<std::size_t> read_pipe(ByteSpan to);

  int fd_;
  std::optional<Peer> peer_;  // once it was looked at
  const std::atomic<bool>& cancelled_;
  Deadline deadline_;
  UniqueFd own_reading_, own_writing_;
  std::size_t held_ = 0;  // in our own pipe
};

class DescriptorSink final : public ByteSink {
 public:
  DescriptorSink(int fd, const std::atomic<bool>& cancelled) : fd_(fd), cancelled_(cancelled) {}
  Status write(ByteView from) override;
  // What follows goes to another descriptor. Only after writes that succeeded.
  void turn_to(int fd) {
    fd_ = fd;
    peer_.reset();
  }

 private:
  Status write_pipe(ByteView from);
  // Moves what our own pipe holds.
  Status pass_on(std::size_t held);

  int fd_;
  std::optional<Peer> peer_;  // once it was looked at
  const std::atomic<bool>& cancelled_;
  UniqueFd own_reading_, own_writing_;
};

}  // namespace aierase::blob
