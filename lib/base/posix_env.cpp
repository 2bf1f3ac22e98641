#include <dirent.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>

#include "base/cache_view.h"
#include "base/env.h"
#include "base/unique_fd.h"

namespace aierase {
namespace {

// Extents asked for per FIEMAP call: one page or so of answers.
constexpr std::size_t kExtentsPerCall = 64;
// Beyond this many extents a file is reported as it stands so far; nobody shows more.
constexpr std::size_t kMaxExtents = 1 << 20;

template <typename Call>
auto retry_interrupted(Call&& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// No call of the kernel takes more than 0x7ffff000 bytes; larger spans go in steps that keep
// direct I/O aligned.
constexpr std::size_t kMaxTransfer = 1U << 30;

FileInfo to_info(const struct stat& from) {
  FileInfo to;
  to.type = S_ISREG(from.st_mode)   ? FileType::regular
            : S_ISDIR(from.st_mode) ? FileType::directory
                                    : FileType::other;
  to.size = static_cast<std::uint64_t>(from.st_size);
  to.inode = from.st_ino;
  to.device = from.st_dev;
  to.links = from.st_nlink;
  to.permissions = from.st_mode & 07777U;
  to.owner = from.st_uid;
  return to;
}

Error path_error(int errno_value, std::string_view act, const std::string& path) {
  return errno_error(errno_value, std::string(act) + " " + path).about(path);
}

bool fits_offset(std::uint64_t offset, std::uint64_t size) {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
  return offset <= kMax && size <= kMax - offset;
}

class PosixFile final : public File {
 public:
  PosixFile(UniqueFd fd, std::string path, Caching caching)
      : fd_(std::move(fd)), path_(std::move(path)), caching_(caching) {
    if (caching_ == Caching::as_found) cache_ = CacheView::open(path_, fd_.get());
  }

  Status read_at(std::uint64_t offset, ByteSpan to) override;
  Status write_at(std::uint64_t offset, ByteView from) override;
  Status sync() override;
  Status truncate(std::uint64_t size) override;
  Status allocate(std::uint64_t size) override;
  Result<FileInfo> info() override;
  Status lock_exclusive() override;
  Result<std::vector<Extent>> extents() override;
  Status set_no_dump() override;

 private:
  Status check_range(std::uint64_t offset, const void* data, std::size_t size) const;
  Status check_usable() const;
  // Remembers that a write or a sync failed: the kernel has then dropped dirty pages, and a later
  // sync on this descriptor would report a success that is none.
  Error final_error(int errno_value, std::string_view act);
  bool is_whole_step(std::size_t size) const {
    return caching_ != Caching::direct || size % kDirectAlignment == 0;
  }

  UniqueFd fd_;
  std::string path_;
  Caching caching_;
  std::unique_ptr<CacheView> cache_;
  bool failed_ = false;
};

Status PosixFile::check_range(std::uint64_t offset, const void* data, std::size_t size) const {
  if (!fits_offset(offset, size)) {
    return make_error(Errc::invalid_input, "an offset beyond the end of all files in " + path_);
  }
  if (caching_ != Caching::direct) return {};
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  if (offset % kDirectAlignment == 0 && size % kDirectAlignment == 0 &&
      address % kDirectAlignment == 0) {
    return {};
  }
  return make_error(Errc::invalid_input, "direct I/O on " + path_ +
                                             " needs offset, length and buffer in multiples of " +
                                             std::to_string(kDirectAlignment) + " bytes");
}

Status PosixFile::check_usable() const {
  if (!failed_) return {};
  return make_error(Errc::io, "an earlier write to " + path_ + " failed; it is not tried again",
                    "Close the file, look at the disk, and start anew.", path_);
}

Error PosixFile::final_error(int errno_value, std::string_view act) {
  failed_ = true;
  return path_error(errno_value, act, path_);
}

Status PosixFile::read_at(std::uint64_t offset, ByteSpan to) {
  RETURN_IF_ERROR(check_range(offset, to.data(), to.size()));
  while (!to.empty()) {
    const std::size_t step = std::min(to.size(), kMaxTransfer);
    const int around = cache_ ? cache_->way_around(offset, to.first(step)) : -1;
    const int fd = around >= 0 ? around : fd_.get();
    const ssize_t got =
        retry_interrupted([&] { return ::pread(fd, to.data(), step, static_cast<off_t>(offset)); });
    if (got < 0) return path_error(errno, "cannot read", path_);
    const auto size = static_cast<std::size_t>(got);
    if (size == 0 || (size < to.size() && !is_whole_step(size))) {
      return make_error(Errc::damaged,
                        path_ + " ends at byte " + std::to_string(offset + size) + ", where " +
                            std::to_string(to.size() - size) + " more bytes were expected",
                        {}, path_);
    }
    to = to.subspan(size);
    offset += size;
  }
  return {};
}

Status PosixFile::write_at(std::uint64_t offset, ByteView from) {
  RETURN_IF_ERROR(check_usable());
  RETURN_IF_ERROR(check_range(offset, from.data(), from.size()));
  while (!from.empty()) {
    const std::size_t step = std::min(from.size(), kMaxTransfer);
    const ssize_t put = retry_interrupted(
        [&] { return ::pwrite(fd_.get(), from.data(), step, static_cast<off_t>(offset)); });
    if (put < 0) return final_error(errno, "cannot write to");
    const auto size = static_cast<std::size_t>(put);
    if (size == 0 || (size < from.size() && !is_whole_step(size))) {
      return final_error(EIO, "cannot write to");
    }
    from = from.subspan(size);
    offset += size;
  }
  return {};
}

Status PosixFile::sync() {
  RETURN_IF_ERROR(check_usable());
  if (retry_interrupted([&] { return ::fdatasync(fd_.get()); }) != 0) {
    return final_error(errno, "cannot sync");
  }
  return {};
}

Status PosixFile::truncate(std::uint64_t size) {
  RETURN_IF_ERROR(check_usable());
  if (!fits_offset(size, 0)) return make_error(Errc::invalid_input, "no file is that large");
  if (retry_interrupted([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) != 0) {
    return final_error(errno, "cannot set the size of");
  }
  return {};
}

Status PosixFile::allocate(std::uint64_t size) {
  RETURN_IF_ERROR(check_usable());
  if (size == 0) return {};
  if (!fits_offset(size, 0)) return make_error(Errc::invalid_input, "no file is that large");
  const int result = retry_interrupted(
      [&] { return ::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size)); });
  // A file system without reservation finds out at the write instead.
  if (result == 0 || errno == EOPNOTSUPP || errno == ENOSYS) return {};
  return path_error(errno, "cannot reserve " + std::to_string(size) + " bytes for", path_);
}

Result<FileInfo> PosixFile::info() {
  struct stat found {};
  if (::fstat(fd_.get(), &found) != 0) return path_error(errno, "cannot stat", path_);
  return to_info(found);
}

Status PosixFile::lock_exclusive() {
  if (retry_interrupted([&] { return ::flock(fd_.get(), LOCK_EX | LOCK_NB); }) == 0) return {};
  if (errno == EWOULDBLOCK) {
    return make_error(Errc::busy, path_ + " is locked by another process",
                      "Only one program may use it at a time; stop the other one.", path_);
  }
  return path_error(errno, "cannot lock", path_);
}

Result<std::vector<Extent>> PosixFile::extents() {
  // fiemap ends in a flexible array: the answers follow the question in one buffer.
  std::vector<std::uint64_t> buffer(
      (sizeof(fiemap) + kExtentsPerCall * sizeof(fiemap_extent)) / sizeof(std::uint64_t) + 1);
  std::vector<Extent> extents;
  std::uint64_t from = 0;
  while (extents.size() < kMaxExtents) {
    std::fill(buffer.begin(), buffer.end(), 0);
    auto* map = reinterpret_cast<fiemap*>(buffer.data());
    map->fm_start = from;
    map->fm_length = FIEMAP_MAX_OFFSET - from;
    map->fm_flags = FIEMAP_FLAG_SYNC;
    map->fm_extent_count = kExtentsPerCall;
    if (retry_interrupted([&] { return ::ioctl(fd_.get(), FS_IOC_FIEMAP, map); }) != 0) {
      if (errno == EOPNOTSUPP || errno == ENOTTY || errno == EINVAL || errno == EBADR) break;
      return path_error(errno, "cannot read the extents of", path_);
    }
    if (map->fm_mapped_extents == 0) break;
    const auto* found = reinterpret_cast<const fiemap_extent*>(
        reinterpret_cast<const std::byte*>(buffer.data()) + sizeof(fiemap));
    bool last = false;
    for (std::size_t i = 0; i < map->fm_mapped_extents; ++i) {
      extents.push_back({found[i].fe_logical, found[i].fe_physical, found[i].fe_length,
                         (found[i].fe_flags & FIEMAP_EXTENT_SHARED) != 0});
      last = (found[i].fe_flags & FIEMAP_EXTENT_LAST) != 0;
    }
    if (last) break;
    from = extents.back().logical + extents.back().length;
  }
  return extents;
}

Status PosixFile::set_no_dump() {
  int flags = 0;
  if (::ioctl(fd_.get(), FS_IOC_GETFLAGS, &flags) == 0) {
    flags |= FS_NODUMP_FL;
    // Only a hint to dump(8); a file system without it loses nothing that we promise.
    static_cast<void>(::ioctl(fd_.get(), FS_IOC_SETFLAGS, &flags));
  }
  return {};
}

int open_flags(const OpenHow& how) {
  // O_NONBLOCK: a fifo planted under our name must not stop the daemon; regular files ignore it.
  int flags = O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
  switch (how.mode) {
    case OpenMode::read_only:
      flags |= O_RDONLY;
      break;
    case OpenMode::read_write:
      flags |= O_RDWR;
      break;
    case OpenMode::create_new:
      flags |= O_RDWR | O_CREAT | O_EXCL;
      break;
  }
  if (how.durability == Durability::data_synced) flags |= O_DSYNC;
  if (how.caching == Caching::direct) flags |= O_DIRECT;
  return flags;
}

Error open_error(int errno_value, const std::string& path, const OpenHow& how) {
  if (errno_value == EEXIST) {
    return make_error(Errc::already_exists, path + " exists already", {}, path);
  }
  if (errno_value == ELOOP) {
    return make_error(Errc::invalid_input, path + " is a symbolic link, which is never followed",
                      "Name the file itself.", path);
  }
  if (errno_value == EINVAL && how.caching == Caching::direct) {
    return make_error(Errc::invalid_input,
                      "the file system of " + path + " does not offer direct I/O",
                      "Choose a place on ext4 or xfs.", path);
  }
  return path_error(errno_value, how.mode == OpenMode::create_new ? "cannot create" : "cannot open",
                    path);
}

UniqueFd open_directory(const std::string& path) {
  return UniqueFd(retry_interrupted(
      [&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
}

}  // namespace

Result<std::unique_ptr<File>> PosixEnv::open(const std::string& path, const OpenHow& how) {
  UniqueFd fd(retry_interrupted(
      [&] { return ::open(path.c_str(), open_flags(how), static_cast<mode_t>(how.permissions)); }));
  if (!fd.valid()) return open_error(errno, path, how);
  // What others are to read they can read, whatever the umask.
  const bool shared = how.mode == OpenMode::create_new && (how.permissions & 077) != 0;
  if (shared && ::fchmod(fd.get(), static_cast<mode_t>(how.permissions)) != 0) {
    return path_error(errno, "cannot set the mode of", path);
  }
  auto file = std::make_unique<PosixFile>(std::move(fd), path, how.caching);
  ASSIGN_OR_RETURN(const FileInfo found, file->info());
  if (found.type == FileType::other) {
    return make_error(Errc::invalid_input, path + " is neither a file nor a directory", {}, path);
  }
  return std::unique_ptr<File>(std::move(file));
}

Result<std::optional<FileInfo>> PosixEnv::stat(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0) return std::optional<FileInfo>(to_info(found));
  if (errno == ENOENT || errno == ENOTDIR) return std::optional<FileInfo>();
  return path_error(errno, "cannot stat", path);
}

Status PosixEnv::make_directory(const std::string& path, unsigned permissions) {
  if (::mkdir(path.c_str(), static_cast<mode_t>(permissions)) == 0) {
    if ((permissions & 077) == 0) return {};
    if (::chmod(path.c_str(), static_cast<mode_t>(permissions)) == 0) return {};
    return path_error(errno, "cannot set the mode of", path);
  }
  if (errno == EEXIST) {
    return make_error(Errc::already_exists, path + " exists already", {}, path);
  }
  return path_error(errno, "cannot create the directory", path);
}

namespace {

// Up to so many names, in no order.
Result<std::vector<std::string>> names_in(const std::string& path, std::size_t limit) {
  UniqueFd fd = open_directory(path);
  if (!fd.valid()) return path_error(errno, "cannot open the directory", path);
  const auto close = [](DIR* directory) { ::closedir(directory); };
  const std::unique_ptr<DIR, decltype(close)> directory(::fdopendir(fd.get()), close);
  if (directory == nullptr) return path_error(errno, "cannot open the directory", path);
  static_cast<void>(fd.release());  // closedir closes it
  std::vector<std::string> names;
  errno = 0;
  while (names.size() < limit) {
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return path_error(errno, "cannot read the directory", path);
  return names;
}

}  // namespace

Result<std::vector<std::string>> PosixEnv::list(const std::string& path) {
  ASSIGN_OR_RETURN(std::vector<std::string> names,
                   names_in(path, std::numeric_limits<std::size_t>::max()));
  std::sort(names.begin(), names.end());
  return names;
}

Result<bool> PosixEnv::is_empty(const std::string& path) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, names_in(path, 1));
  return names.empty();
}

Status PosixEnv::rename(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno == EEXIST) return make_error(Errc::already_exists, to + " exists already", {}, to);
  Error error = path_error(errno, "cannot rename " + from + " to", to);
  if (errno == EINVAL)
    error.hint = "The file system may not know RENAME_NOREPLACE; use ext4 or xfs.";
  return error;
}

Status PosixEnv::replace(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  return path_error(errno, "cannot rename " + from + " to", to);
}

Status PosixEnv::unlink(const std::string& path) {
  if (::unlink(path.c_str()) == 0) return {};
  return path_error(errno, "cannot remove", path);
}

Status PosixEnv::remove_directory(const std::string& path) {
  if (::rmdir(path.c_str()) == 0) return {};
  return path_error(errno, "cannot remove the directory", path);
}

Status PosixEnv::sync_directory(const std::string& path) {
  const UniqueFd fd = open_directory(path);
  if (!fd.valid()) return path_error(errno, "cannot open the directory", path);
  if (retry_interrupted([&] { return ::fsync(fd.get()); }) != 0) {
    if (errno == EINVAL) {  // as in /proc: no disk is at fault
      return make_error(Errc::invalid_input, path + " lies on no file system that keeps anything",
                        {}, path);
    }
    return path_error(errno, "cannot sync the directory", path);
  }
  return {};
}

Result<std::uint64_t> PosixEnv::free_space(const std::string& path) {
  struct statvfs found {};
  if (retry_interrupted([&] { return ::statvfs(path.c_str(), &found); }) != 0) {
    return path_error(errno, "cannot ask for the free space of", path);
  }
  return static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
}

}  // namespace aierase
