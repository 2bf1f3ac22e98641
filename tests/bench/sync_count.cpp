#include "bench/sync_count.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

namespace {

std::atomic<std::uint64_t> counted{0};

}  // namespace

// In place of libc's, for this program and every library in it.
extern "C" int fdatasync(int fd) {
  counted.fetch_add(1, std::memory_order_relaxed);
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}
extern "C" int fsync(int fd) {
  counted.fetch_add(1, std::memory_order_relaxed);
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace aierase::bench {
namespace {

class DataSyncedFile final : public File {
 public:
  explicit DataSyncedFile(std::unique_ptr<File> real) : real_(std::move(real)) {}
  Status read_at(std::uint64_t offset, ByteSpan to) override { return real_->read_at(offset, to); }
  Status write_at(std::uint64_t offset, ByteView from) override {
    counted.fetch_add(1, std::memory_order_relaxed);
    return real_->write_at(offset, from);
  }
  Status sync() override { return real_->sync(); }
  Status truncate(std::uint64_t size) override { return real_->truncate(size); }
  Status allocate(std::uint64_t size) override { return real_->allocate(size); }
  Result<FileInfo> info() override { return real_->info(); }
  Status lock_exclusive() override { return real_->lock_exclusive(); }
  Result<std::vector<Extent>> extents() override { return real_->extents(); }
  Status set_no_dump() override { return real_->set_no_dump(); }

 private:
  std::unique_ptr<File> real_;
};

}  // namespace

std::uint64_t syncs() {
  return counted.load(std::memory_order_relaxed);
}

Result<std::unique_ptr<File>> CountingEnv::open(const std::string& path, const OpenHow& how) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, real_.open(path, how));
  if (how.durability != Durability::data_synced) return file;
  return std::unique_ptr<File>(std::make_unique<DataSyncedFile>(std::move(file)));
}
Result<std::optional<FileInfo>> CountingEnv::stat(const std::string& path) {
  return real_.stat(path);
}
Status CountingEnv::make_directory(const std::string& path, unsigned permissions) {
  return real_.make_directory(path, permissions);
}
Result<std::vector<std::string>> CountingEnv::list(const std::string& path) {
  return real_.list(path);
}
Status CountingEnv::rename(const std::string& from, const std::string& to) {
  return real_.rename(from, to);
}
Status CountingEnv::replace(const std::string& from, const std::string& to) {
  return real_.replace(from, to);
}
Status CountingEnv::unlink(const std::string& path) {
  return real_.unlink(path);
}
Status CountingEnv::remove_directory(const std::string& path) {
  return real_.remove_directory(path);
}
Status CountingEnv::sync_directory(const std::string& path) {
  return real_.sync_directory(path);
}
Result<StorageInfo> CountingEnv::storage(const std::string& path) {
  return real_.storage(path);
}
Result<std::uint64_t> CountingEnv::free_space(const std::string& path) {
  return real_.free_space(path);
}

}  // namespace aierase::bench
