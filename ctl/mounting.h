// A directory with a file system of ours on it, mounted by fusermount3 with the caller's rights.
//
// Contract: mount() leaves a descriptor of /dev/fuse, which somebody has to serve; take_device()
// gives it away, and with its last copy the connection ends. end(), or the end of this process, by
// whatever means, detaches the mount; end() waits for that. What meanwhile lies there instead is
// left alone. One thread; forks, so it must be the only one. See fusermount3(1).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace aierase::ctl {

class Mount {
 public:
  // The absolute path of a directory that can be mounted on.
  static Result<std::string> directory(const std::string& path);
  // `source` stands in the table of mounts.
  static Result<Mount> mount(const std::string& directory, const std::string& source);
  Mount(Mount&& other) noexcept;
  Mount& operator=(Mount&&) = delete;
  ~Mount();

  UniqueFd take_device() { return std::move(device_); }
  // Once the view is served; an error where it is not any more.
  Status wait_until_served() const;
  void end();

 private:
  Mount(std::string directory, UniqueFd device, UniqueFd guard, pid_t guardian)
      : directory_(std::move(directory)),
        device_(std::move(device)),
        guard_(std::move(guard)),
        guardian_(guardian) {}

  std::string directory_;
  UniqueFd device_;
  UniqueFd guard_;  // the guardian detaches the mount when its last copy is closed
  pid_t guardian_ = -1;
};

}  // namespace aierase::ctl
