#include "ctl/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "base/env.h"
#include "base/limits.h"
#include "domain/asset.h"

namespace aierase::ctl {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};
struct FreeText {
  void operator()(char* text) const { free(text); }
};

Error refused(std::string message, std::string hint, const std::string& path) {
  return make_error(Errc::invalid_input, std::move(message), std::move(hint), path);
}

Error cannot(const std::string& what, const std::string& path, int errno_value) {
  if (errno_value == ENAMETOOLONG) {
    return refused("the path " + quoted(path) + " has " + std::to_string(path.size()) +
                       " bytes; the limit is " + std::to_string(limits::kPathBytes) +
                       ", and 255 for each part of it",
                   "change into a directory nearer to the file, or rename it", path);
  }
  Error error = errno_error(errno_value, "cannot " + what + " " + quoted(path)).about(path);
  if (error.code == Errc::not_found) return std::move(error).with_hint("check the spelling");
  if (error.code == Errc::access_denied) {
    return std::move(error).with_hint("files are read with your own rights: ask their owner");
  }
  return error;
}

std::string absolute(const std::string& path) {
  const std::unique_ptr<char, FreeText> real(realpath(path.c_str(), nullptr));
  return real ? std::string(real.get()) : path;
}

const char* kind_word(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "not a regular file";
}

class Walker {
 public:
  explicit Walker(Access access) : access_(access) {}

  Result<Found> run(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      RETURN_IF_ERROR(argument(path, paths.size() == 1 ? Prefix::none : Prefix::base_name));
    }
    std::sort(found_.files.begin(), found_.files.end(),
              [](const FoundFile& a, const FoundFile& b) { return a.name < b.name; });
    RETURN_IF_ERROR(refuse_doubles());
    return std::move(found_);
  }

 private:
  enum class Prefix { none, base_name };
  // Where a name stands. From the directory that was opened: the kernel would walk each path anew.
  struct Place {
    int directory;
    const char* name;
  };

  Status argument(const std::string& path, Prefix prefix) {
    struct stat given {};
    if (lstat(path.c_str(), &given) != 0) return cannot("read", path, errno);
    struct stat status = given;
    if (S_ISLNK(given.st_mode) && stat(path.c_str(), &status) != 0) return dangling(path, errno);
    if (!S_ISDIR(status.st_mode)) {
      // A link that was given keeps the place and the name it was given by.
      const std::string name = path.substr(path.rfind('/') + 1);
      const std::string folder = absolute(parent_of(path));
      found_.arguments.push_back(folder + (folder == "/" ? "" : "/") + name);
      return entry({AT_FDCWD, path.c_str()}, path, name, given);
    }
    found_.arguments.push_back(absolute(path));
    const std::string& place = found_.arguments.back();
    const std::string base = place.substr(place.rfind('/') + 1);
    const std::size_t before = found_.files.size();
    RETURN_IF_ERROR(directory(path, prefix == Prefix::none ? std::string() : base + "/"));
    if (found_.files.size() > before) return {};
    return refused("the directory " + quoted(path) + " has no files", "name one that has", path);
  }

  Status directory(const std::string& root, const std::string& root_name) {
    std::vector<std::pair<std::string, std::string>> pending{{root, root_name}};
    while (!pending.empty()) {
      const auto [path, name] = pending.back();
      pending.pop_back();
      const std::unique_ptr<DIR, CloseDirectory> stream(opendir(path.c_str()));
      if (!stream) return cannot("read the directory", path, errno);
      const std::string slash = path.back() == '/' ? "" : "/";
      for (;;) {
        errno = 0;
        const dirent* item = readdir(stream.get());
        if (item == nullptr) break;
        const std::string word = item->d_name;
        if (word == "." || word == "..") continue;
        struct stat status {};
        const std::string below = path + slash + word;
        if (below.size() >= PATH_MAX) return cannot("read", below, ENAMETOOLONG);  // when opened
        const Place place{dirfd(stream.get()), item->d_name};
        if (fstatat(place.directory, place.name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
          return cannot("read", below, errno);
        }
        if (S_ISDIR(status.st_mode)) {
          RETURN_IF_ERROR(named(name + word, below));
          pending.emplace_back(below, name + word + "/");
        } else {
          RETURN_IF_ERROR(entry(place, below, name + word, status));
        }
      }
      if (errno != 0) return cannot("read the directory", path, errno);
    }
    return {};
  }

  static Status named(const std::string& name, const std::string& path) {
    Status checked = domain::check_file_path(name);
    if (!checked.ok()) return std::move(checked).error().about(path);
    return {};
  }

  static Error dangling(const std::string& path, int errno_value) {
    if (errno_value == ELOOP) {
      return refused("the symbolic link " + quoted(path) + " leads in a circle",
                     "remove it, or name the files one by one", path);
    }
    if (errno_value != ENOENT && errno_value != ENOTDIR) {
      return cannot("follow the symbolic link", path, errno_value);
    }
    return refused("the symbolic link " + quoted(path) + " leads to nothing",
                   "complete the download or remove the link", path);
  }

  // `status` is what stands there itself, be it a link.
  Status entry(const Place& place, const std::string& path, const std::string& name,
               struct stat status) {
    RETURN_IF_ERROR(named(name, path));
    FoundFile file;
    if (S_ISLNK(status.st_mode)) {
      if (fstatat(place.directory, place.name, &status, 0) != 0) return dangling(path, errno);
      file.reached = Reached::through_link;
      file.target = absolute(path);
      if (S_ISDIR(status.st_mode)) {
        return refused("the symbolic link " + quoted(path) + " leads to a directory (" +
                           quoted(file.target) + "), and those are not followed inside a directory",
                       "name that directory as an argument of its own, or remove the link", path);
      }
    }
    if (!S_ISREG(status.st_mode)) {
      return refused(quoted(path) + " is " + kind_word(status.st_mode) +
                         "; only regular files can be imported",
                     "leave it out, or pipe its content: ... | aierase import NAME -", path);
    }
    if (access_ == Access::asked && faccessat(place.directory, place.name, R_OK, AT_EACCESS) != 0) {
      return cannot("read", path, errno);
    }
    file.name = name;
    file.path = path;
    file.identity = identity_of(status);
    file.argument = found_.arguments.size() - 1;
    file.names = status.st_nlink;
    return keep(std::move(file));
  }

  Status keep(FoundFile file) {
    if (file.identity.size > limits::kFileBytes) {
      return make_error(Errc::resource_limit,
                        quoted(file.path) + " has " + std::to_string(file.identity.size) +
                            " bytes; the limit is " + std::to_string(limits::kFileBytes),
                        "split it", file.path);
    }
    if (found_.files.size() >= limits::kFilesPerAsset) {
      return make_error(Errc::resource_limit,
                        "more than " + std::to_string(limits::kFilesPerAsset) +
                            " files; an asset has no more than that",
                        "import parts of it under names of their own", file.path);
    }
    found_.bytes += file.identity.size;
    found_.files.push_back(std::move(file));
    return {};
  }

  Status refuse_doubles() const {
    for (std::size_t i = 1; i < found_.files.size(); ++i) {
      const FoundFile& a = found_.files[i - 1];
      const FoundFile& b = found_.files[i];
      if (a.name != b.name) continue;
      if (a.path == b.path || (a.identity == b.identity && absolute(a.path) == absolute(b.path))) {
        return refused(quoted(a.path) + " is named twice", "name it once", b.path);
      }
      return refused(quoted(a.path) + " and " + quoted(b.path) + " would both be called " +
                         quoted(a.name) + " in the asset",
                     "import the directory that holds both", b.path);
    }
    return {};
  }

  const Access access_;
  Found found_;
};

}  // namespace

FileIdentity identity_of(const struct stat& status) {
  return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino),
          static_cast<std::uint64_t>(status.st_size), status.st_mtim.tv_sec,
          status.st_mtim.tv_nsec};
}

std::vector<FoundSource> Found::sources() const {
  std::vector<FoundSource> result;
  for (const std::string& argument : arguments) result.push_back({argument, 0, 0});
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;  // device and inode
  for (const FoundFile& file : files) {
    if (file.reached == Reached::through_link) continue;
    seen.emplace(file.identity.device, file.identity.inode);
    result[file.argument].files += 1;
    result[file.argument].bytes += file.identity.size;
  }
  std::map<std::string, std::size_t> places;  // index into result
  for (std::size_t i = 0; i < result.size(); ++i) places.emplace(result[i].description, i);
  for (const FoundFile& file : files) {
    if (file.reached == Reached::directly) continue;
    if (!seen.emplace(file.identity.device, file.identity.inode).second) continue;
    const std::string place = parent_of(file.target);
    const auto known = places.emplace(place, result.size());
    if (known.second) result.push_back({place, 0, 0});
    FoundSource& source = result[known.first->second];
    source.files += 1;
    source.bytes += file.identity.size;
  }
  return result;
}

Result<Found> walk(const std::vector<std::string>& paths, Access access) {
  return Walker(access).run(paths);
}

Result<UniqueFd> open_found(const FoundFile& file) {
  // O_NONBLOCK: a named pipe that took the file's place must not hang us.
  UniqueFd descriptor(
      open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
                                  (file.reached == Reached::directly ? O_NOFOLLOW : 0)));
  if (!descriptor.valid()) return cannot("read", file.path, errno);
  struct stat status {};
  if (fstat(descriptor.get(), &status) != 0) return cannot("read", file.path, errno);
  if (!S_ISREG(status.st_mode) || identity_of(status) != file.identity) {
    return refused(quoted(file.path) + " changed while the import was under way",
                   "stop what writes there, then import again; nothing was kept", file.path);
  }
  return descriptor;
}

Status same_as_before(const Found& before, const Found& now) {
  const std::string hint = "stop what writes there, then import again; nothing was kept";
  std::size_t i = 0;
  for (; i < before.files.size() && i < now.files.size(); ++i) {
    if (before.files[i] == now.files[i]) continue;
    const FoundFile& a = before.files[i];
    const FoundFile& b = now.files[i];
    if (a.name == b.name)
      return refused(quoted(a.path) + " changed while it was read", hint, a.path);
    if (a.name < b.name)
      return refused(quoted(a.path) + " vanished while the import was under way", hint, a.path);
    return refused(quoted(b.path) + " appeared while the import was under way", hint, b.path);
  }
  if (i < before.files.size()) {
    return refused(quoted(before.files[i].path) + " vanished while the import was under way", hint,
                   before.files[i].path);
  }
  if (i < now.files.size()) {
    return refused(quoted(now.files[i].path) + " appeared while the import was under way", hint,
                   now.files[i].path);
  }
  return {};
}

}  // namespace aierase::ctl
