// The threads of one import: a hash thread and two threads that seal and write, fed with runs of
// segments of plaintext by the thread that reads.
//
// Contract: all functions are called by one thread, the owner. free_run() hands out an empty
// run or none; the owner fills it and submits it; both kinds of thread look at it, and it comes
// back through wait() in two completions, after which it is free again. Nothing waits on anything
// but wait(), which may be called while outstanding() > 0. The queues have room for every run,
// so no thread ever blocks on a full one. The destructor drops what was not begun and joins.
// Memory: kRuns plaintext and kSealLanes ciphertext buffers of 1 MiB each, made at the start.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "base/queue.h"
#include "base/result.h"
#include "blob/blob_file.h"
#include "blob/layout.h"

namespace aierase::blob {

inline constexpr std::size_t kRuns = 6;
inline constexpr std::size_t kBuffers = kRuns + kSealLanes;

// Files of a pack and a large file come interleaved, each with a hash of its own under way.
enum class Lane { pack, own };

// A stretch of one file's bytes inside a run.
struct Piece {
  std::size_t file = 0;  // index in the manifest
  std::size_t bytes = 0;
  bool ends_file = false;
};

// Segments of a blob that follow one another: kRunSegments of them, or fewer at its end.
struct Run {
  PageBuffer buffer;
  std::size_t bytes = 0;
  std::vector<Piece> pieces;  // in order, together `bytes` long
  BlobFile* blob = nullptr;
  std::size_t blob_index = 0;                               // the owner's name for it
  std::uint64_t first = 0;                                  // segment
  BlobFile::Position position = BlobFile::Position::inner;  // of the last one
  Lane lane = Lane::pack;
  unsigned pending = 0;  // completions to come
};

struct FileDigest {
  std::size_t file = 0;
  Digest sha256{};
};

enum class Work { hash, seal };

struct Completion {
  Run* run = nullptr;
  Work work = Work::hash;
  Status status;
  std::vector<FileDigest> digests;  // Work::hash: of the files that ended in the run
  std::vector<SegmentTag> tags;     // Work::seal
};

class Pipeline {
 public:
  static Result<std::unique_ptr<Pipeline>> start();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline();

  Run* free_run();  // null: wait() first
  void submit(Run& run);
  std::size_t outstanding() const { return outstanding_; }  // completions to come
  Completion wait();

 private:
  Pipeline() = default;
  void hash_runs();
  void seal_runs(std::size_t lane);

  std::vector<Run> runs_;
  std::vector<Run*> free_;
  std::size_t outstanding_ = 0;
  std::array<PageBuffer, kSealLanes> sealed_;
  BoundedQueue<Run*> to_hash_{kRuns};
  BoundedQueue<Run*> to_seal_{kRuns};
  BoundedQueue<Completion> done_{2 * kRuns};
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace aierase::blob
