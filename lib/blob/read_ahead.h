// Segments of blobs on their way from the disk to plaintext, several at once.
//
// Contract: all functions are called by one thread, the owner. get() gives one segment whose tag
// held; those behind it, up to `last`, are begun as far as there is room, so that reading forward
// finds them opened. Nothing beyond `last` is ever read. A single segment is opened by the owner
// itself; threads begin with the first longer run, and what they have not begun when its turn comes
// the owner opens. The last kGiven that get() gave stay until the next call. Whoever reads forward
// in up to kOpenBlobs blobs by turns has each segment read once: where each of them stands is kept,
// and they share what is opened ahead. Memory: up to kMostSegments segments of 1 MiB, each opened
// in its place. The destructor drops what was not begun and joins.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/env.h"
#include "base/limits.h"
#include "base/queue.h"
#include "base/result.h"
#include "blob/layout.h"
#include "crypto/floe.h"
#include "domain/asset.h"

namespace aierase::blob {

// In the order of the manifest the packs of all lanes of the import come by turns, and a large file
// between them; a mounted model is read from a few places at once.
inline constexpr std::size_t kOpenBlobs = limits::kLanesPerJob + 1;
inline constexpr std::size_t kMostAhead = 2 * limits::kLanesPerJob + 2;  // with the one given out
inline constexpr std::size_t kGiven = 3;  // a stretch of 1 MiB lies in no more segments
inline constexpr std::size_t kMostSegments = kMostAhead + kOpenBlobs - 1 + kGiven - 1;

// A blob that was found to be whole in length and header; holds its keys.
struct OpenBlob {
  OpenBlob(const domain::BlobEntry& of, std::string at, std::unique_ptr<File> on_disk,
           crypto::FloeDecryptor opener);

  const domain::BlobEntry* entry;
  std::string path;
  // A File is used by one thread at a time, so each opens its own; the first is the owner's.
  std::array<std::unique_ptr<File>, 1 + limits::kLanesPerJob> files;
  crypto::FloeDecryptor decryptor;
};

struct Fetched {
  std::shared_ptr<OpenBlob> blob;  // none: free
  std::uint64_t number = 0;
  std::size_t bytes = 0;
  PageBuffer segment;
  Status status;
  std::atomic<bool> taken{false};  // by whoever opens it, or does without
  bool ready = false;
  std::uint64_t last_use = 0;  // or begin

  ByteView content() const { return whole().subspan(crypto::kFloePlaintextOffset, bytes); }
  ByteView tag() const { return whole().last(crypto::kGcmTagBytes); }

 private:
  ByteView whole() const { return segment.view(bytes + crypto::kFloeSegmentOverhead); }
};

class ReadAhead {
 public:
  explicit ReadAhead(Env& env) : env_(env) {}
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  ~ReadAhead();

  // Errc::damaged names the blob's file and the segment.
  Result<const Fetched*> get(const std::shared_ptr<OpenBlob>& blob, std::uint64_t number,
                             std::uint64_t last);
  void forget();  // whatever was read is read anew

 private:
  // Where a blob is read, and how far it will be.
  struct Place {
    const OpenBlob* blob;
    std::uint64_t number, last;
    std::uint64_t at;  // segments begun before its last use
  };
  enum class Standing { spare, current, ahead };

  Status start_threads();
  Fetched* find(const OpenBlob& blob, std::uint64_t number);
  void move_to(const OpenBlob& blob, std::uint64_t number, std::uint64_t last);
  bool is_going_on(const Place& place) const;
  Standing standing(const Fetched& fetch) const;
  std::size_t window() const;
  std::size_t share() const;
  bool may_open_ahead() const;
  Fetched& room();
  Status begin(Fetched& fetch, const std::shared_ptr<OpenBlob>& blob, std::uint64_t number);
  void await(Fetched& fetch);
  void release(Fetched& fetch);
  bool was_given(const Fetched& fetch) const;
  void run(std::size_t lane);
  Status open(Fetched& fetch, std::size_t lane, crypto::Aead& aead);

  Env& env_;
  std::vector<std::unique_ptr<Fetched>> fetches_;
  std::vector<Place> places_;                       // most recently used first
  std::array<const Fetched*, kGiven - 1> given_{};  // most recently given first
  std::uint64_t uses_ = 0, begun_ = 0;
  crypto::Aead aead_;  // the owner's
  BoundedQueue<Fetched*> wanted_{kMostSegments};
  BoundedQueue<Fetched*> done_{kMostSegments};
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace aierase::blob
