#include "base/unique_fd.h"

#include <unistd.h>

namespace aierase {

void UniqueFd::reset(int fd) noexcept {
  // Linux frees the number even when close(2) is interrupted: never twice.
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

}  // namespace aierase
