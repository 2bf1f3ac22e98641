// Writing a file that its owner opened for direct I/O: around the page cache, several pieces at a
// time.
//
// Contract: the descriptor and its flags stay the caller's; bytes go to where its offset stands,
// which must be a multiple of 4,096, and onwards; a descriptor that appends is refused. What was
// written is there when finish() returns; the file then ends behind the last byte (the last piece
// is written padded, and cut), and the offset stands there. Until everything else is written the
// file is shorter than `expected` would make it, and so it is after a power cut; what was not
// finished has its length of before, unless that was exceeded by what was not expected. Durability
// is the caller's, by fsync(2). One thread; kThreads more until the destructor, which drops what
// was not begun. Memory: kPieces of 1 MiB. Errors as those of DescriptorSink.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/queue.h"
#include "blob/asset_reader.h"
#include "blob/layout.h"

namespace aierase::blob {

class DirectSink final : public ByteSink {
 public:
  // `expected`: how many bytes will come, as far as known.
  static Result<std::unique_ptr<DirectSink>> start(int fd, std::uint64_t expected,
                                                   const std::atomic<bool>& cancelled);
  DirectSink(const DirectSink&) = delete;
  DirectSink& operator=(const DirectSink&) = delete;
  ~DirectSink() override;

  Status write(ByteView from) override;
  Status finish();

 private:
  static constexpr std::size_t kThreads = 4, kPieces = 6;

  struct Piece {
    PageBuffer buffer;
    std::size_t bytes = 0;
    std::uint64_t at = 0;
    Status status;
  };

  DirectSink(int fd, const std::atomic<bool>& cancelled, std::uint64_t begin)
      : fd_(fd), cancelled_(cancelled), begin_(begin) {}
  void make_room(std::uint64_t expected);
  Status next_piece();
  Status take_back();
  void submit();
  void run();
  Status put(const Piece& piece) const;

  const int fd_;
  const std::atomic<bool>& cancelled_;
  const std::uint64_t begin_;
  std::uint64_t done_bytes_ = 0;         // handed to the writing threads
  std::optional<std::uint64_t> before_;  // the file's length, where it was made longer
  std::array<Piece, kPieces> pieces_;
  std::vector<Piece*> free_;
  Piece* filling_ = nullptr;
  std::size_t outstanding_ = 0;
  BoundedQueue<Piece*> to_write_{kPieces};
  BoundedQueue<Piece*> written_{kPieces};
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace aierase::blob
