// A disk in memory that can lose power: what was not synced is forgotten, sectors tear, calls fail.
//
// Contract: everything is deterministic from the seed and the order of calls. All calls may come
// from any thread. Buffered writes, sizes and names are pending until sync(), a data_synced write
// or sync_directory() makes them durable; a process that dies (restart) loses nothing but its
// handles and locks, a power cut loses what is pending. Each mutating call of Env, of File and of
// the SQLite VFS is one operation; stop_at(n) stops the disk in the middle of the n-th: its effect
// is pending, and from then on every call is Errc::io until restart() or power_cut().
// Handles of before a restart, power cut or restore are dead: every use is Errc::io. Destroy the
// objects of the old process before restarting, as the kernel would.
// What is not modelled: two names for one directory, access times, sparse files' free space.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/env.h"

namespace aierase::test {

inline constexpr std::size_t kSectorBytes = 512;

enum class Cut {
  lose_all,  // nothing pending survives
  keep_all,  // everything pending survives: the write cache had it all
  scatter,   // each pending sector, size change and name survives or not, by the seed
  tear,      // as scatter, and one sector of the interrupted write is half old, half new
};

enum class DirectSupport { offered, refused };

struct Operation {
  std::string name;  // "write", "sync", "rename", ...
  std::string path;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};
std::string to_string(const Operation& operation);

class DiskCore;
class FakeSqliteVfs;

class FakeDisk final : public Env {
 public:
  // Everything on the disk, durable and pending; cheap to take and to put back.
  class Snapshot;

  explicit FakeDisk(std::uint64_t seed = 1);
  ~FakeDisk() override;
  FakeDisk(const FakeDisk&) = delete;
  FakeDisk& operator=(const FakeDisk&) = delete;

  // Env.
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
  const char* sqlite_vfs() const override;

  // Operations since the disk was made, or since clear_log().
  std::uint64_t operations() const;
  std::vector<Operation> log() const;
  void clear_log();

  // Bytes read so far from files whose path begins so.
  std::uint64_t bytes_read(const std::string& beginning) const;

  // Faults. n counts from the next operation on, from 1; 0 takes the order back.
  void stop_at(std::uint64_t n);
  bool stopped() const;
  std::string stopped_in() const;      // the operation it stopped in, for messages
  void fail_sync_at(std::uint64_t n);  // EIO of the n-th sync; its data is partly lost for good
  void fail_operation_at(std::uint64_t n);  // EIO without effect; the disk goes on
  void fail_reads_of(std::string path);     // EIO when it is opened; an empty one takes that back
  void set_capacity(std::uint64_t bytes);   // beyond it writes are Errc::no_space

  // What happens between two lives of a process.
  void restart();
  void power_cut(Cut cut, std::uint64_t seed);
  std::shared_ptr<const Snapshot> snapshot() const;
  void restore(const Snapshot& snapshot);
  std::uint64_t open_files() const;  // handles that are alive

  // The machine around it. Default: ext4, data=ordered, on vda1, direct I/O offered.
  void set_storage(StorageInfo storage);
  void set_direct(DirectSupport support);

  // Acts of others on the machine, durable at once and not counted. The path must exist.
  void add_symbolic_link(const std::string& path);
  void add_hard_link(const std::string& from, const std::string& to);
  void copy_file(const std::string& from, const std::string& to);  // another inode, other extents
  void set_permissions(const std::string& path, unsigned permissions);
  void set_owner(const std::string& path, std::uint32_t owner);
  void set_extents(const std::string& path, std::vector<Extent> extents);
  void poke(const std::string& path, std::uint64_t offset, ByteView bytes);
  Bytes content(const std::string& path) const;          // as a reader sees it
  Bytes durable_content(const std::string& path) const;  // as it would be after Cut::lose_all
  // Whether the bytes stand in any file, in what is durable or pending.
  bool holds(ByteView needle) const;

 private:
  std::shared_ptr<DiskCore> core_;
  std::unique_ptr<FakeSqliteVfs> vfs_;
};

}  // namespace aierase::test
