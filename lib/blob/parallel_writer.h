// Several files of one import at once: lanes that each read, hash, seal and write one file.
//
// Contract: add_file() and finish() are called by one thread, the owner; paths are checked there,
// each by itself and against the others: none comes twice, none lies below another file.
// A lane is a thread with an AssetWriter of its own, begun when the others have enough to do, so
// that a small import costs one lane and one pack. add_file() waits while too much lies ahead of
// the lanes and returns before the source is read; sources are read, and die, in lanes. The first
// failure ends the import: `on_failure` is called once, by a lane's thread, and must see to it that
// sources which wait for somebody stop waiting (Progress::cancelled) and that the owner comes back;
// add_file() and finish() then report it. finish() gives files in the order in which they were
// added and returns when everything is durable. What an unfinished or failed import wrote is
// unlinked by the destructor. Memory: that of an AssetWriter for each lane.
// Specified in: aierase-store(5) BLOBS; man/decisions/0010-threads-for-content.md.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/queue.h"
#include "base/result.h"
#include "blob/asset_writer.h"

namespace aierase::blob {

// As many as there are cores, up to where memory says stop.
std::size_t lanes_of_this_machine();

class ParallelWriter {
 public:
  using MakeWriter = std::function<Result<AssetWriter>()>;  // called by any lane

  ParallelWriter(Env& env, std::string blob_directory, std::size_t lanes, MakeWriter make,
                 std::function<void()> on_failure);
  ParallelWriter(const ParallelWriter&) = delete;
  ParallelWriter& operator=(const ParallelWriter&) = delete;
  ~ParallelWriter();

  Status add_file(std::string path, std::unique_ptr<ByteSource> source);
  Result<domain::Manifest> finish();

 private:
  struct Item {
    std::size_t order = 0;
    std::string path;
    std::unique_ptr<ByteSource> source;
    std::uint64_t expected = 0;
  };
  struct Lane {
    std::vector<std::size_t> orders;  // of the files in `manifest`
    domain::Manifest manifest;
    std::thread thread;
  };

  Status check_new_path(const std::string& path);
  Status ensure_lanes();
  void run(Lane& lane);
  Status work(Lane& lane);
  void fail(Error error);
  void join();
  Error first_failure();
  Result<domain::Manifest> merged();

  Env& env_;
  const std::string blob_directory_;
  const std::size_t most_lanes_;
  const MakeWriter make_;
  const std::function<void()> on_failure_;
  std::set<std::string, std::less<>> paths_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  BoundedQueue<Item> items_;
  BoundedQueue<Error> failures_;
  std::atomic<bool> failed_{false};
  std::atomic<std::uint64_t> ahead_{0};  // bytes added and not yet read, as far as known
  bool finished_ = false;
};

}  // namespace aierase::blob
