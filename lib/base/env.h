// The file system seam: every byte that the store, the slot and the blobs put on a disk goes
// through an Env, so that a test can forget what was not synced, tear a sector or refuse a call.
//
// Contract: calls are synchronous and may be made from any thread, but one File is used by one
// thread at a time. Paths are absolute or relative to the working directory, and are never
// followed through a symbolic link in their last component. sync() is fdatasync(2) plus whatever
// size metadata is needed to read the data back; a new name is durable only after
// sync_directory() on its parent. An error from any write or sync is final for that File: never
// retry on the same descriptor. Offsets and sizes in bytes.
// Direct files (OpenHow::direct): buffer, offset and length are multiples of kDirectAlignment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace aierase {

inline constexpr std::size_t kDirectAlignment = 4096;

enum class OpenMode { read_only, read_write, create_new /* O_EXCL, read and write */ };
enum class Durability { buffered, data_synced /* O_DSYNC: durable when write_at returns */ };
// as_found, for reading: what lies in the page cache is taken from there, the rest goes around it
// as far as buffer, offset and length allow, so that reading much pushes nothing out.
enum class Caching { page_cache, direct /* O_DIRECT */, as_found };

struct OpenHow {
  OpenMode mode = OpenMode::read_only;
  Durability durability = Durability::buffered;
  Caching caching = Caching::page_cache;
  unsigned permissions = 0600;  // of a created file; for group and others whatever the umask
};

enum class FileType { regular, directory, other };

struct FileInfo {
  FileType type = FileType::other;
  std::uint64_t size = 0;
  std::uint64_t inode = 0;
  std::uint64_t device = 0;
  std::uint64_t links = 0;
  unsigned permissions = 0;
  std::uint32_t owner = 0;
};

// What lies under a path, as far as the system tells; feeds the assurance level of a file slot.
struct StorageInfo {
  std::string filesystem;       // "ext4", "xfs", "btrfs", "overlay", "tmpfs", ... or "unknown"
  std::string filesystem_uuid;  // empty where there is none
  std::string mount_options;    // as in /proc/self/mountinfo, super options included
  std::string mount_point;
  std::vector<std::string>
      devices;  // the stack from the mount source down: "dm-0 (crypt)", "sda2 (partition)"
  bool stack_allowed = false;  // only partitions, whole disks, linear and crypt targets
  // What is written passes through a journal of the file system, which keeps copies: ext4 with
  // data=journal as mount option or default of the file system, or chattr +j on the file itself.
  bool data_journalled = false;
  bool rotational = false;
  std::string device_model;  // manufacturer and model where the kernel knows them
  std::string device_serial;
  std::string virtual_machine;  // as systemd-detect-virt says it; empty on bare metal
};

struct Extent {
  std::uint64_t logical = 0, physical = 0, length = 0;
  bool shared = false;
  friend bool operator==(const Extent&, const Extent&) = default;
};

class File {
 public:
  virtual ~File() = default;
  // Reads exactly `to.size()` bytes; a short file is Errc::damaged.
  virtual Status read_at(std::uint64_t offset, ByteSpan to) = 0;
  virtual Status write_at(std::uint64_t offset, ByteView from) = 0;
  virtual Status sync() = 0;
  virtual Status truncate(std::uint64_t size) = 0;
  // Reserves blocks without changing what a reader sees beyond the size (fallocate).
  virtual Status allocate(std::uint64_t size) = 0;
  virtual Result<FileInfo> info() = 0;
  // flock(2) LOCK_EX|LOCK_NB, held until the File is closed. Taken elsewhere: Errc::busy.
  virtual Status lock_exclusive() = 0;
  virtual Result<std::vector<Extent>> extents() = 0;  // FIEMAP; empty where unsupported
  virtual Status set_no_dump() = 0;                   // FS_NODUMP_FL; a refusal is not an error
};

class Env {
 public:
  virtual ~Env() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, const OpenHow& how) = 0;
  virtual Result<std::optional<FileInfo>> stat(
      const std::string& path) = 0;  // lstat; nothing there: nullopt
  virtual Status make_directory(const std::string& path,
                                unsigned permissions) = 0;  // exists: already_exists
  virtual Result<std::vector<std::string>> list(
      const std::string& path) = 0;                            // names, sorted, without . and ..
  virtual Result<bool> is_empty(const std::string& path) = 0;  // a directory, however large
  virtual Status rename(const std::string& from, const std::string& to) = 0;  // RENAME_NOREPLACE
  // Takes the place of a file `to`, too: at no moment is there none, or half of one.
  virtual Status replace(const std::string& from, const std::string& to) = 0;
  virtual Status unlink(const std::string& path) = 0;
  virtual Status remove_directory(const std::string& path) = 0;
  virtual Status sync_directory(const std::string& path) = 0;
  virtual Result<StorageInfo> storage(const std::string& path) = 0;
  virtual Result<std::uint64_t> free_space(const std::string& path) = 0;
  // Name of the SQLite VFS that writes through the same disk ("unix" on a real one).
  virtual const char* sqlite_vfs() const = 0;
};

// The real file system. Stateless: one instance serves the process.
class PosixEnv final : public Env {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, const OpenHow& how) override;
  Result<std::optional<FileInfo>> stat(const std::string& path) override;
  Status make_directory(const std::string& path, unsigned permissions) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<bool> is_empty(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status replace(const std::string& from, const std::string& to) override;
  Status unlink(const std::string& path) override;
  Status remove_directory(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<StorageInfo> storage(const std::string& path) override;
  Result<std::uint64_t> free_space(const std::string& path) override;
  const char* sqlite_vfs() const override { return "unix"; }
};

// Whole small files, through the seam.
Result<Bytes> read_file(Env& env, const std::string& path, std::size_t limit);
// Creates `path` (it must not exist) with `permissions`, writes, syncs file and parent directory.
Status write_new_file(Env& env, const std::string& path, ByteView content, unsigned permissions);
std::string parent_of(const std::string& path);
std::string base_name(const std::string& path);  // what stands behind the last slash

}  // namespace aierase
