// The insides of FakeDisk, shared by its Env face and its SQLite face. Not for tests.
//
// Contract: every public member takes the one lock of the disk. Inodes are kept alive by names,
// durable names and handles. See fake_disk.h for what the model means.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fault/fake_content.h"
#include "fault/fake_disk.h"

namespace aierase::test {

struct Inode;
using InodePtr = std::shared_ptr<Inode>;

// A change of a file that a power cut may forget.
struct PendingChange {
  enum class Kind { write, resize } kind = Kind::write;
  std::uint64_t at = 0;  // offset, or the new size
  Bytes bytes;
  bool interrupted = false;
};

struct Inode {
  FileType type = FileType::regular;
  std::uint64_t number = 0;
  unsigned permissions = 0600;
  std::uint32_t owner = 0;
  std::uint64_t links = 1;
  std::uint64_t reserved = 0;  // by allocate
  FakeContent now, durable;
  bool forgot_pages = false;  // `now` shows data that no later sync will write
  std::vector<PendingChange> pending;
  std::map<std::string, InodePtr> names, durable_names;  // of a directory
  std::optional<std::vector<Extent>> extents;            // when a test says so

  // Held by handles of one life of the process, not by the disk.
  std::uint64_t lock_life = 0;
  const void* flock_holder = nullptr;
  std::set<const void*> shared_holders;
  const void* reserved_holder = nullptr;
  const void* exclusive_holder = nullptr;  // pending or exclusive
};

struct PendingName {
  InodePtr from_directory, to_directory;  // either may be none
  std::string from_name, to_name;
  InodePtr inode;
};

struct DiskState {
  InodePtr root;
  std::vector<PendingName> pending_names;
  std::uint64_t next_inode = 2;
  std::uint64_t used = 0;  // bytes of the files that have a name, in pages
};
DiskState clone(const DiskState& state);

// One open file of one life of the process.
struct Handle {
  InodePtr inode;
  std::string path;
  std::uint64_t life = 0;
  OpenHow how;
  int sqlite_lock = 0;
};

class DiskCore {
 public:
  explicit DiskCore(std::uint64_t seed);

  Result<std::shared_ptr<Handle>> open(const std::string& path, const OpenHow& how);
  void close(Handle& handle);
  // How many bytes lay before the end; the rest is zeros.
  Result<std::size_t> read(Handle& handle, std::uint64_t offset, ByteSpan to);
  Status write(Handle& handle, std::uint64_t offset, ByteView from);
  Status sync(Handle& handle);
  Status truncate(Handle& handle, std::uint64_t size);
  Status allocate(Handle& handle, std::uint64_t size);
  Result<FileInfo> info(Handle& handle);
  Status lock(Handle& handle);
  Result<std::vector<Extent>> extents(Handle& handle);
  // SQLite's five levels; false: somebody else is in the way.
  Result<bool> sqlite_lock(Handle& handle, int level);
  Result<bool> sqlite_reserved(Handle& handle);

  Result<std::optional<FileInfo>> stat(const std::string& path);
  Status make_directory(const std::string& path, unsigned permissions);
  Result<std::vector<std::string>> list(const std::string& path);
  enum class Target { must_be_free, may_be_taken };
  Status rename(const std::string& from, const std::string& to, Target kind);
  Status unlink(const std::string& path);
  Status remove_directory(const std::string& path);
  Status sync_directory(const std::string& path);
  Result<StorageInfo> storage(const std::string& path);
  Result<std::uint64_t> free_space(const std::string& path);
  std::uint64_t random();

  std::uint64_t operations() const;
  std::vector<Operation> log() const;
  void clear_log();
  std::uint64_t bytes_read(const std::string& beginning) const;
  void stop_at(std::uint64_t n);
  bool stopped() const;
  std::string stopped_in() const;
  void fail_sync_at(std::uint64_t n);
  void fail_operation_at(std::uint64_t n);
  void fail_reads_of(std::string path);
  void set_capacity(std::uint64_t bytes);
  void restart();
  void power_cut(Cut cut, std::uint64_t seed);
  DiskState copy_state() const;
  void put_state(const DiskState& state);
  std::uint64_t open_files() const;
  void set_storage(StorageInfo storage);
  void set_direct(DirectSupport support);
  // Runs act(Inode&) on an existing file; aborts when there is none.
  template <typename Act>
  auto with_inode(const std::string& path, Act&& act) const {
    const std::lock_guard lock(mutex_);
    const InodePtr inode = find(path);
    if (!inode) std::abort();
    return act(*inode);
  }
  void add_durable_name(const std::string& path, const InodePtr& inode);
  InodePtr new_inode(FileType type, unsigned permissions);
  InodePtr inode_at(const std::string& path) const;
  bool holds(ByteView needle) const;

 private:
  enum class Turn { go, interrupted, refused, failed };
  struct Place {
    InodePtr directory;
    std::string name;
  };

  InodePtr find(const std::string& path) const;
  Result<Place> place_of(const std::string& path) const;
  Turn take_turn(std::string name, const std::string& path, std::uint64_t offset = 0,
                 std::uint64_t size = 0);
  Status off() const;
  Status after(Turn turn) const;  // the answer of an operation that was carried out
  Status check(const Handle& handle) const;
  Status check_aligned(const Handle& handle, std::uint64_t offset, ByteView bytes) const;
  InodePtr make_inode(FileType type, unsigned permissions);
  Status reserve(const Inode& inode, std::uint64_t size, const std::string& path);
  void remember(Inode& inode, PendingChange change);
  static void settle(Inode& inode);
  void drop_name(const Place& place);
  void make_durable(const PendingName& change);
  void lose_data(Inode& inode, Cut cut, std::mt19937_64& random);
  void end_life();

  mutable std::mutex mutex_;
  DiskState state_;
  std::mt19937_64 random_;
  std::vector<Operation> log_;
  std::map<std::string, std::uint64_t> read_;  // bytes, by path
  std::optional<Operation> stopped_in_;
  std::uint64_t stop_in_ = 0, fail_sync_in_ = 0, fail_in_ = 0;
  std::string unreadable_;
  std::uint64_t life_ = 1;
  std::uint64_t open_ = 0;
  std::uint64_t capacity_ = 1ULL << 40;
  StorageInfo storage_;
  DirectSupport direct_ = DirectSupport::offered;
};

// Registers a VFS of its own for this disk; unregisters when the owner goes.
class FakeSqliteVfs {
 public:
  explicit FakeSqliteVfs(std::shared_ptr<DiskCore> core);
  ~FakeSqliteVfs();
  FakeSqliteVfs(const FakeSqliteVfs&) = delete;
  FakeSqliteVfs& operator=(const FakeSqliteVfs&) = delete;
  const char* name() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aierase::test
