// Step 5 of an erasure: ciphertext whose key is gone leaves the disk.
//
// Contract: used by the thread of the store, for which nobody waits meanwhile: the files are
// unlinked aside of it (StoreSettings::aside), since a file system takes seconds for a large one
// where it also tells the disk what became free. The catalog forgets a file when its unlinking is
// durable. What a process leaves undone the next one finds by the rows of orphans. The destructor
// stops what is under way behind its next file and waits for that, so that it ends under the
// store's lock. What cannot be unlinked keeps nothing else: fault() tells of it. Specified in:
// aierase-architecture(7) ERASURE STEP BY STEP.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/queue.h"
#include "base/result.h"
#include "base/uuid.h"

namespace aierase::lifecycle {

class Core;

// One forgetting of many writes each page of the catalog once.
inline constexpr std::size_t kBlobsAtOnce = 16'384;

// What became of the files of some blobs.
struct Unlinked {
  std::vector<Uuid> gone;     // or not there
  std::optional<Error> kept;  // why one of the others is still there
  Status synced;              // whether that is durable
};
// Whether a file may be without its folder: one that was only reserved has none yet, and one that
// was written has none where its disk is missing.
enum class Folders { may_be_missing, are_there };
// `stop`: looked at behind each file.
Unlinked unlink_files(Env& env, const std::string& blob_directory, const std::vector<Uuid>& blobs,
                      Folders folders, const std::atomic<bool>& stop);

class Unlinking {
 public:
  Unlinking() = default;
  ~Unlinking();
  Unlinking(const Unlinking&) = delete;
  Unlinking& operator=(const Unlinking&) = delete;

  // The ciphertext of so many assets waits, beside what was said before.
  void owe(std::size_t assets) { owed_ += assets; }
  // More waits than is left lying until no plan is due.
  bool is_behind() const;
  // Begins with some files, or completes what was begun; false: nothing can be done now.
  Result<bool> step(Core& core);
  // Why some ciphertext is still there; it is tried again after a while.
  const std::optional<Error>& fault() const { return fault_; }

 private:
  struct Work {
    BoundedQueue<Unlinked> answer{1};
    std::atomic<bool> stop{false};
  };
  Status begin(Core& core);
  Status complete(Core& core, const Unlinked& files);
  void pause(const Core& core, Error why);

  std::size_t owed_ = 0;
  std::size_t at_once_ = kBlobsAtOnce;  // fewer after a forgetting for which there was no room
  std::shared_ptr<Work> under_way_;
  std::optional<Error> fault_;
  std::chrono::seconds paused_until_{};  // since the boot
};

}  // namespace aierase::lifecycle
