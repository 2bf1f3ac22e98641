#include "daemon/observation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdio>

#include "base/json.h"

namespace aierase::daemon {
namespace {

struct Magic {
  unsigned long number;
  const char* name;
};

constexpr Magic kFileSystems[] = {
    {EXT4_SUPER_MAGIC, "ext4"},
    {XFS_SUPER_MAGIC, "xfs"},
    {BTRFS_SUPER_MAGIC, "btrfs"},
    {TMPFS_MAGIC, "tmpfs"},
    {RAMFS_MAGIC, "ramfs"},
    {NFS_SUPER_MAGIC, "nfs"},
    {OVERLAYFS_SUPER_MAGIC, "overlay"},
    {FUSE_SUPER_MAGIC, "fuse"},
    {CIFS_SUPER_MAGIC, "cifs"},
    {SMB2_SUPER_MAGIC, "smb"},
    {F2FS_SUPER_MAGIC, "f2fs"},
    {0x2FC12FC1, "zfs"},
    {HUGETLBFS_MAGIC, "hugetlbfs"},
    {MSDOS_SUPER_MAGIC, "vfat"},
    {SQUASHFS_MAGIC, "squashfs"},
    {ISOFS_SUPER_MAGIC, "iso9660"},
};

std::string filesystem_of(int descriptor, unsigned long& magic) {
  struct statfs where {};
  if (fstatfs(descriptor, &where) != 0) return "unknown";
  magic = static_cast<unsigned long>(where.f_type);
  for (const Magic& row : kFileSystems) {
    if (row.number == magic) return row.name;
  }
  char text[32];
  snprintf(text, sizeof text, "0x%lx", magic);
  return text;
}

Status check_direction(int descriptor, const std::string& path, Direction direction) {
  const int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0) return errno_error(errno, "cannot look at the descriptor of " + quoted(path));
  const int mode = flags & O_ACCMODE;
  const bool usable =
      (flags & O_PATH) == 0 && mode != (direction == Direction::read ? O_WRONLY : O_RDONLY);
  if (usable) return {};
  return make_error(Errc::invalid_input,
                    "the descriptor of " + quoted(path) + " is not open for " +
                        (direction == Direction::read ? "reading" : "writing"),
                    {}, path);
}

void note_content(const struct stat& status, Observation& seen) {
  seen.size = static_cast<std::uint64_t>(status.st_size);
  seen.changed_seconds = status.st_mtim.tv_sec;
  seen.changed_nanoseconds = status.st_mtim.tv_nsec;
}

// /dev/null, /dev/zero and /dev/full. A terminal may block its writer for as long as its reader
// likes, and the writer here holds a key.
bool never_blocks(dev_t device) {
  return major(device) == 1 && (minor(device) == 3 || minor(device) == 5 || minor(device) == 7);
}

}  // namespace

Result<Observation> observe(int descriptor, const std::string& path, Direction direction) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) {
    return errno_error(errno, "cannot look at the descriptor of " + quoted(path));
  }
  RETURN_IF_ERROR(check_direction(descriptor, path, direction));
  Observation seen;
  seen.device = status.st_dev;
  switch (status.st_mode & S_IFMT) {
    case S_IFIFO:
      seen.filesystem = "pipe";
      return seen;
    case S_IFSOCK:
      seen.filesystem = "socket";
      return seen;
    case S_IFREG: {
      unsigned long magic = 0;
      seen.filesystem = filesystem_of(descriptor, magic);
      if (direction == Direction::write && magic == FUSE_SUPER_MAGIC) {
        return make_error(Errc::invalid_input,
                          quoted(path) +
                              " lies on a file system in user space (FUSE), and its "
                              "program could hold up an erasure",
                          "write through a pipe: aierase export ... - | cat >FILE", path);
      }
      seen.on_disk = magic != TMPFS_MAGIC && magic != RAMFS_MAGIC && magic != HUGETLBFS_MAGIC;
      note_content(status, seen);
      return seen;
    }
    case S_IFDIR:
      return make_error(Errc::invalid_input, quoted(path) + " is a directory",
                        "pass the files in it", path);
    default:
      break;
  }
  if (direction == Direction::write && S_ISCHR(status.st_mode) && never_blocks(status.st_rdev)) {
    seen.filesystem = "device";
    return seen;
  }
  return make_error(Errc::invalid_input, quoted(path) + " is a device",
                    "copy its content through a pipe", path);
}

Status check_unchanged(int descriptor, const std::string& path, const Observation& before) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) {
    return errno_error(errno, "cannot look at the descriptor of " + quoted(path));
  }
  Observation now;
  if (S_ISREG(status.st_mode)) note_content(status, now);
  if (now.size == before.size && now.changed_seconds == before.changed_seconds &&
      now.changed_nanoseconds == before.changed_nanoseconds) {
    return {};
  }
  return make_error(Errc::invalid_input, quoted(path) + " was changed while it was read",
                    "import it again when nobody writes to it", path);
}

domain::ExportMedium medium_of(const Observation& observation, std::uint64_t store_device) {
  if (observation.filesystem == "pipe" || observation.filesystem == "socket" ||
      observation.filesystem == "device") {
    return domain::ExportMedium::stream;
  }
  return observation.device == store_device ? domain::ExportMedium::same_medium
                                            : domain::ExportMedium::other_medium;
}

}  // namespace aierase::daemon
