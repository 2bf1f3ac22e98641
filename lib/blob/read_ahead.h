// Which segments of blobs are opened, and when: several at once, ahead of who reads forward.
//
// Contract: all functions are called by one thread at a time, the owner. claim() gives a pin on
// one segment, which whoever has it opens, in whatever thread; those behind it, up to `last`, are
// begun as far as there is room, so that reading forward finds them opened. Nothing beyond `last`
// is ever read. Threads begin with the first longer run. There are up to kMostPinned pins at a
// time; they end before the ReadAhead does. Whoever reads forward in up to kOpenBlobs blobs by
// turns has each segment read once: where each of them stands is kept, and they share what is
// opened ahead. Memory: up to kMostSegments segments of 256 KiB, each opened in its place. The
// destructor drops what was not begun and joins.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "base/env.h"
#include "base/limits.h"
#include "base/queue.h"
#include "base/result.h"
#include "blob/fetch.h"
#include "blob/layout.h"

namespace aierase::blob {

// In the order of the manifest the packs of all lanes of the import come by turns, and a large file
// between them; a mounted model is read from a few places at once.
inline constexpr std::size_t kOpenBlobs = limits::kLanesPerJob + 1;
inline constexpr std::size_t kSegmentsAhead =
    2 * kRunSegments;  // of each thread, and for who reads
inline constexpr std::size_t kMostAhead = kSegmentsAhead * (limits::kLanesPerJob + 1);
inline constexpr std::size_t kMostPinned = 6 * limits::kLanesPerJob;  // 1 MiB lies in up to 6
inline constexpr std::size_t kMostSegments = kMostAhead + kOpenBlobs - 1 + kMostPinned;

class ReadAhead {
 public:
  explicit ReadAhead(Env& env) : env_(env) {}
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  ~ReadAhead();

  Result<Pin> claim(const std::shared_ptr<OpenBlob>& blob, std::uint64_t number,
                    std::uint64_t last);
  void forget();  // whatever was read is read anew; without pins

 private:
  // Where a blob is read, and how far it will be.
  struct Place {
    const OpenBlob* blob;
    std::uint64_t number, last;
    std::uint64_t at;  // segments begun before its last use
  };
  struct Kept {
    Fetch fetch;
    std::uint64_t last_use = 0;  // or begin
  };
  enum class Standing { spare, current, ahead };

  Status start_threads();
  Kept* find(const OpenBlob& blob, std::uint64_t number);
  void move_to(const OpenBlob& blob, std::uint64_t number, std::uint64_t last);
  bool is_going_on(const Place& place) const;
  Standing standing(const Fetch& fetch) const;
  std::size_t window() const;
  std::size_t share() const;
  bool may_open_ahead() const;
  Kept* room();
  Result<Kept*> begin(const std::shared_ptr<OpenBlob>& blob, std::uint64_t number);
  void run();

  Env& env_;
  std::vector<std::unique_ptr<Kept>> kept_;
  std::vector<Place> places_;  // most recently used first
  std::uint64_t uses_ = 0, begun_ = 0;
  BoundedQueue<Fetch*> wanted_{kMostSegments};
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace aierase::blob
