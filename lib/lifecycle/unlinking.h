// Step 5 of an erasure: ciphertext whose key is gone leaves the disk.
//
// Contract: used by the thread of the store, for which nobody waits meanwhile: the files are
// unlinked aside of it (StoreSettings::aside), since a file system takes seconds for a large one
// where it also tells the disk what became free. The catalog forgets a file when its unlinking is
// durable. What a process leaves undone the next one finds by the rows of orphans. The destructor
// waits for what is under way, so that it ends under the store's lock.
// Specified in: aierase-architecture(7) ERASURE STEP BY STEP.
#pragma once

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

// What became of the files of some blobs.
struct Unlinked {
  std::vector<Uuid> gone;     // or never there
  std::optional<Error> kept;  // why one of the others is still there
  Status synced;              // whether that is durable
};
Unlinked unlink_files(Env& env, const std::string& blob_directory, const std::vector<Uuid>& blobs);

class Unlinking {
 public:
  Unlinking() = default;
  ~Unlinking();
  Unlinking(const Unlinking&) = delete;
  Unlinking& operator=(const Unlinking&) = delete;

  // The ciphertext of so many assets waits, beside what was said before.
  void owe(std::size_t assets) { owed_ += assets; }
  // More waits than is left lying while plans go on.
  bool is_behind() const;
  // Begins with some files, or completes what was begun; false: nothing can be done now. After an
  // error the rest waits a while.
  Result<bool> step(Core& core);

 private:
  using Answer = BoundedQueue<Unlinked>;
  Status begin(Core& core);
  Status complete(Core& core, const Unlinked& files);

  std::size_t owed_ = 0;
  std::shared_ptr<Answer> under_way_;
  std::chrono::seconds paused_until_{};  // since the boot
};

}  // namespace aierase::lifecycle
