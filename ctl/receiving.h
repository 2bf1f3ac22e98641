// Where exported content goes: new files below a directory, never through a link, never over
// anything.
//
// Contract: files are created 0600 and directories 0700 with O_EXCL and O_NOFOLLOW, component by
// component; what was made is removed again by the destructor unless keep() was called. keep()
// also syncs the file system, so that an asset may be erased after its export.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace aierase::ctl {

class Receiver {
 public:
  // The directory is made unless it is there already.
  static Result<Receiver> open_directory(const std::string& path);
  // For one file: the directory that holds `path`; relative names are then its last component.
  static Result<Receiver> open_parent(const std::string& path);
  Receiver(Receiver&& other) noexcept;
  Receiver& operator=(Receiver&&) = delete;
  ~Receiver();

  // Errc::already_exists naming the first of `names` that is there.
  Status refuse_existing(const std::vector<std::string>& names) const;
  // A file that will have `bytes` bytes; 0: not known. A large one is opened for direct I/O, so
  // only the daemon writes to it.
  Result<UniqueFd> create(const std::string& name, std::uint64_t bytes = 0);
  Status keep();

 private:
  struct Made {
    std::string path;  // relative to the root
    int flags = 0;     // of unlinkat
  };
  Receiver(UniqueFd root, std::string shown) : root_(std::move(root)), shown_(std::move(shown)) {}
  Result<UniqueFd> folder(const std::string& path);

  UniqueFd root_;
  std::string shown_;
  std::string made_root_;  // absolute path of the directory itself, where it was made here
  std::vector<Made> made_;
};

}  // namespace aierase::ctl
