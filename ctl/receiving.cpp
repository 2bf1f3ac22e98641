#include "ctl/receiving.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "base/json.h"
#include "domain/asset.h"

namespace aierase::ctl {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

Error cannot_make(int errno_value, const std::string& shown) {
  if (errno_value == EEXIST) {
    return make_error(Errc::already_exists, quoted(shown) + " exists; nothing is overwritten",
                      "choose another destination", shown);
  }
  if (errno_value == ELOOP || errno_value == ENOTDIR) {
    return make_error(Errc::invalid_input,
                      "a part of " + quoted(shown) + " is a symbolic link or no directory",
                      "choose another destination", shown);
  }
  return errno_error(errno_value, "cannot create " + quoted(shown)).about(shown);
}

}  // namespace

Receiver::Receiver(Receiver&& other) noexcept
    : root_(std::move(other.root_)),
      shown_(std::move(other.shown_)),
      made_root_(std::exchange(other.made_root_, {})),
      made_(std::exchange(other.made_, {})) {}

Receiver::~Receiver() {
  for (auto made = made_.rbegin(); made != made_.rend(); ++made) {
    unlinkat(root_.get(), made->path.c_str(), made->flags);
  }
  if (!made_root_.empty()) rmdir(made_root_.c_str());
}

Result<Receiver> Receiver::open_directory(const std::string& path) {
  const bool made = mkdir(path.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return cannot_make(errno, path);
  UniqueFd root(open(path.c_str(), kDirectory));
  if (!root.valid()) {
    if (errno == ENOTDIR) return cannot_make(EEXIST, path);
    return errno_error(errno, "cannot open the directory " + quoted(path)).about(path);
  }
  Receiver receiver(std::move(root), path);
  if (made) receiver.made_root_ = path;
  return receiver;
}

Result<Receiver> Receiver::open_parent(const std::string& path) {
  const std::string parent = parent_of(path);
  UniqueFd root(open(parent.c_str(), kDirectory));
  if (!root.valid()) {
    return errno_error(errno, "cannot open the directory " + quoted(parent)).about(parent);
  }
  return Receiver(std::move(root), parent);
}

Status Receiver::refuse_existing(const std::vector<std::string>& names) const {
  struct stat status {};
  for (const std::string& name : names) {
    if (fstatat(root_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
      return cannot_make(EEXIST, shown_ + "/" + name);
    }
  }
  return {};
}

Result<UniqueFd> Receiver::folder(const std::string& path) {
  UniqueFd at(fcntl(root_.get(), F_DUPFD_CLOEXEC, 3));
  if (!at.valid()) return errno_error(errno, "cannot open " + quoted(shown_));
  for (std::size_t from = 0; from < path.size();) {
    const std::size_t end = std::min(path.find('/', from), path.size());
    const std::string part = path.substr(from, end - from);
    if (mkdirat(at.get(), part.c_str(), 0700) == 0) {
      made_.push_back({path.substr(0, end), AT_REMOVEDIR});
    } else if (errno != EEXIST) {
      return cannot_make(errno, shown_ + "/" + path.substr(0, end));
    }
    UniqueFd next(openat(at.get(), part.c_str(), kDirectory | O_NOFOLLOW));
    if (!next.valid()) return cannot_make(errno, shown_ + "/" + path.substr(0, end));
    at = std::move(next);
    from = end + 1;
  }
  return at;
}

namespace {

// From this size on a file is written around the page cache, where there is such a way.
constexpr std::uint64_t kWritePastCache = 8 << 20;

int open_new(int folder, const std::string& name, int caching) {
  constexpr int kNewFile = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
  return openat(folder, name.c_str(), kNewFile | caching, 0600);
}

UniqueFd open_new_file(int folder, const std::string& name, std::uint64_t bytes) {
  UniqueFd file(open_new(folder, name, bytes < kWritePastCache ? 0 : O_DIRECT));
  if (file.valid() || errno != EINVAL || bytes < kWritePastCache) return file;
  // Some kernels make the name before they refuse the flag.
  unlinkat(folder, name.c_str(), 0);
  return UniqueFd(open_new(folder, name, 0));
}

}  // namespace

Result<UniqueFd> Receiver::create(const std::string& name, std::uint64_t bytes) {
  // The daemon's word is not enough to write outside the directory.
  RETURN_IF_ERROR(domain::check_file_path(name));
  const std::size_t slash = name.rfind('/');
  const std::string path = slash == std::string::npos ? std::string() : name.substr(0, slash);
  ASSIGN_OR_RETURN(const UniqueFd at, folder(path));
  const std::string last = slash == std::string::npos ? name : name.substr(slash + 1);
  UniqueFd file = open_new_file(at.get(), last, bytes);
  if (!file.valid()) return cannot_make(errno, shown_ + "/" + name);
  made_.push_back({name, 0});
  // Room for all of it, in one piece where there is one; a file system that reserves none finds
  // out while it is written. Its length stays 0: only what is whole has the whole length.
  if (bytes >= kWritePastCache &&
      fallocate(file.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) != 0 &&
      errno == ENOSPC) {
    return errno_error(ENOSPC, "cannot create " + quoted(shown_ + "/" + name) + " of " +
                                   std::to_string(bytes) + " bytes")
        .about(name);
  }
  return file;
}

Status Receiver::keep() {
  if (syncfs(root_.get()) != 0) {
    return errno_error(errno, "cannot bring the files safely onto the disk").about(shown_);
  }
  made_.clear();
  made_root_.clear();
  return {};
}

}  // namespace aierase::ctl
