#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace aierase {
namespace {

std::string errno_text(int errno_value) {
  // strerror(3) may share its buffer between threads; this one returns constant text.
  const char* text = strerrordesc_np(errno_value);
  return text != nullptr ? std::string(text) : "error " + std::to_string(errno_value);
}

}  // namespace

Error errno_error(int errno_value, std::string what) {
  std::string message = std::move(what);
  message += ": ";
  message += errno_text(errno_value);
  switch (errno_value) {
    case ENOSPC:
    case EDQUOT:
      return make_error(Errc::no_space, std::move(message),
                        "Make room on that file system, or raise the quota, and try again.");
    case ENOENT:
      return make_error(Errc::not_found, std::move(message));
    case EACCES:
    case EPERM:
      return make_error(Errc::access_denied, std::move(message),
                        "Check owner, mode and mount options of the path.");
    default:
      return make_error(Errc::io, std::move(message));
  }
}

}  // namespace aierase
