// Whether STORE/log is what the database says that the log is, for `check`: every file that a
// stranger fetches, against the table of leaves.
//
// Contract: store thread; step() looks at some thousand leaves. The head is that which was the last
// when the check began; what is published meanwhile only adds to it. A file that is missing is
// written anew by the publisher, which learns of it here; one that says something else is only
// told. Specified in: aierase-store(5) PUBLISHED LOG; aierase(1) check.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "lifecycle/core.h"
#include "translog/tile.h"

namespace aierase::lifecycle {

class PublishedCheck {
 public:
  enum class Fault { missing, differs };
  using Tell = std::function<void(Fault fault, const std::string& path)>;

  explicit PublishedCheck(Core& core) : core_(core) {}
  Result<bool> step(const Tell& tell);  // false: nothing is left

 private:
  Status compare(const std::string& path, const std::string& full_path, ByteView expected,
                 const Tell& tell);
  Status check_checkpoint(const Tell& tell);
  Status check_bundle(std::span<const domain::LogLeaf> leaves, const Tell& tell);
  translog::TileWriter::Put compare_tile(const Tell& tell);

  Core& core_;
  std::optional<domain::SignedHead> head_;
  translog::TileWriter tree_;
  enum class Found { whole, incomplete } found_ = Found::whole;
};

}  // namespace aierase::lifecycle
