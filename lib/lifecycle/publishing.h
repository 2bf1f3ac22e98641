// The log in public: its files in STORE/log and its signed heads, and proofs out of them.
//
// Contract: a head is signed only over leaves that are durable, only if it continues the last one
// that was signed, and leaves the process only after it is durable itself. Files that are missing
// are written anew from the database; files that say something else stop the publication, and
// nothing else. Specified in: aierase-store(5) PUBLISHED LOG.
#pragma once

#include <optional>
#include <vector>

#include "lifecycle/core.h"
#include "lifecycle/log_files.h"

namespace aierase::lifecycle {

enum class Progress { more, done };

class Publisher {
 public:
  explicit Publisher(Core& core) : core_(core), files_(core.env(), directory_of(core)) {}
  static std::string directory_of(const Core& core) { return core.settings.directory + "/log"; }

  // Some thousand leaves; `done` once the head of all that is durable is signed and public. A
  // failure is kept for doctor until a publication comes to its end.
  Result<Progress> slice();

  // Hashes that lead from the leaf to the root of `head`, held against it. Nothing: files are
  // missing, and each further question writes a slice of them, until they are there.
  Result<std::optional<translog::Proof>> inclusion(std::uint64_t leaf,
                                                   const domain::SignedHead& head);
  Result<std::optional<translog::Proof>> consistency(std::uint64_t old_size,
                                                     const domain::SignedHead& head);

  // The complete subtrees of the log as it was at the earlier head.
  Result<std::optional<std::vector<Digest>>> subtrees(const domain::SignedHead& earlier,
                                                      const domain::SignedHead& head);

  // A certificate waits for its proof: whether to publish without being asked.
  void certificate_added() { wanted_ = true; }
  // The nightly run wants all of it, and no pause.
  void insist() {
    wanted_ = true;
    again_at_ = {};
  }
  // Files were found missing: all are gone through once.
  void write_missing();
  // One slice of what is wanted; after a failure it pauses.
  Progress keep_up();
  const std::optional<Error>& fault() const { return fault_; }
  Status start();  // what an earlier process left undone

 private:
  Status open_tree(const std::optional<domain::SignedHead>& last);
  Status add_leaves(const catalog::StoreState& state,
                    const std::optional<domain::SignedHead>& last);
  Status add_bundle(std::span<const domain::LogLeaf> leaves,
                    const std::optional<domain::SignedHead>& last);
  Status show(const domain::SignedHead& head);
  Status sign_head(const catalog::StoreState& state);
  Result<Progress> next_slice();
  Result<Progress> write_again(const domain::SignedHead& last);
  template <typename Make>
  Result<std::optional<translog::Proof>> prove(const domain::SignedHead& head, Make make);
  translog::TileWriter::Put put_tile();

  Core& core_;
  LogFiles files_;
  std::optional<translog::TileWriter> tree_;  // as far as it is written
  std::vector<std::string> filled_;           // tiles and bundles that became full
  // Files that a proof did not find or believe: all are gone through once, from the first leaf on.
  enum class Files { believed, doubted, written_again } state_of_files_ = Files::believed;
  bool wanted_ = false;
  std::optional<Error> fault_;
  std::chrono::seconds again_at_{};  // since the boot
};

}  // namespace aierase::lifecycle
