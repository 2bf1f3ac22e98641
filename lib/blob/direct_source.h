// Reading a file that its owner opened for direct I/O, so that it stays out of the page cache.
//
// Contract: the descriptor, its flags and its offset stay the caller's; bytes come from where the
// offset stands, which must be a multiple of 4,096, to the file's end, also where the file system
// gives less than was asked for. One thread. Memory: one buffer of 1 MiB. Errors as those of
// DescriptorSource.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "blob/asset_writer.h"
#include "blob/layout.h"

namespace aierase::blob {

// A regular file, opened with O_DIRECT.
bool is_for_direct_io(int fd);

class DirectSource final : public ByteSource {
 public:
  static Result<std::unique_ptr<DirectSource>> start(int fd, const std::atomic<bool>& cancelled);
  Result<std::size_t> read(ByteSpan to) override;

 private:
  DirectSource(int fd, const std::atomic<bool>& cancelled, std::uint64_t at, PageBuffer buffer)
      : fd_(fd), cancelled_(cancelled), at_(at), buffer_(std::move(buffer)) {}
  Status fill();
  Result<bool> is_end(std::uint64_t at) const;

  const int fd_;
  const std::atomic<bool>& cancelled_;
  std::uint64_t at_;
  PageBuffer buffer_;
  std::size_t held_ = 0, given_ = 0;
  bool ended_ = false;
};

}  // namespace aierase::blob
