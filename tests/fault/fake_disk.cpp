#include "fault/fake_disk.h"

#include "fault/fake_disk_core.h"

namespace aierase::test {
namespace {

class FakeFile final : public File {
 public:
  FakeFile(std::shared_ptr<DiskCore> core, std::shared_ptr<Handle> handle)
      : core_(std::move(core)), handle_(std::move(handle)) {}
  ~FakeFile() override { core_->close(*handle_); }
  FakeFile(const FakeFile&) = delete;
  FakeFile& operator=(const FakeFile&) = delete;

  Status read_at(std::uint64_t offset, ByteSpan to) override {
    ASSIGN_OR_RETURN(const std::size_t got, core_->read(*handle_, offset, to));
    if (got == to.size()) return {};
    return make_error(Errc::damaged, handle_->path + " ends too early", {}, handle_->path);
  }
  Status write_at(std::uint64_t offset, ByteView from) override {
    RETURN_IF_ERROR(check_usable());
    return keep(core_->write(*handle_, offset, from));
  }
  Status sync() override {
    RETURN_IF_ERROR(check_usable());
    return keep(core_->sync(*handle_));
  }
  Status truncate(std::uint64_t size) override {
    RETURN_IF_ERROR(check_usable());
    return keep(core_->truncate(*handle_, size));
  }
  Status allocate(std::uint64_t size) override {
    RETURN_IF_ERROR(check_usable());
    return core_->allocate(*handle_, size);
  }
  Result<FileInfo> info() override { return core_->info(*handle_); }
  Status lock_exclusive() override { return core_->lock(*handle_); }
  Result<std::vector<Extent>> extents() override { return core_->extents(*handle_); }
  Status set_no_dump() override { return {}; }

 private:
  // As PosixFile: an error of a write or sync is final.
  Status check_usable() const {
    if (!failed_) return {};
    return make_error(Errc::io, "an earlier write to " + handle_->path + " failed");
  }
  Status keep(Status status) {
    failed_ = failed_ || (!status.ok() && status.error().code != Errc::invalid_input);
    return status;
  }

  std::shared_ptr<DiskCore> core_;
  std::shared_ptr<Handle> handle_;
  bool failed_ = false;
};

}  // namespace

class FakeDisk::Snapshot {
 public:
  explicit Snapshot(DiskState state) : state_(std::move(state)) {}
  const DiskState& state() const { return state_; }

 private:
  DiskState state_;
};

FakeDisk::FakeDisk(std::uint64_t seed)
    : core_(std::make_shared<DiskCore>(seed)), vfs_(std::make_unique<FakeSqliteVfs>(core_)) {}
FakeDisk::~FakeDisk() = default;

Result<std::unique_ptr<File>> FakeDisk::open(const std::string& path, const OpenHow& how) {
  ASSIGN_OR_RETURN(std::shared_ptr<Handle> handle, core_->open(path, how));
  return std::unique_ptr<File>(std::make_unique<FakeFile>(core_, std::move(handle)));
}
Result<std::optional<FileInfo>> FakeDisk::stat(const std::string& path) {
  return core_->stat(path);
}
Status FakeDisk::make_directory(const std::string& path, unsigned permissions) {
  return core_->make_directory(path, permissions);
}
Result<std::vector<std::string>> FakeDisk::list(const std::string& path) {
  return core_->list(path);
}

Result<bool> FakeDisk::is_empty(const std::string& path) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, list(path));
  return names.empty();
}
Status FakeDisk::rename(const std::string& from, const std::string& to) {
  return core_->rename(from, to, DiskCore::Target::must_be_free);
}

Status FakeDisk::replace(const std::string& from, const std::string& to) {
  return core_->rename(from, to, DiskCore::Target::may_be_taken);
}
Status FakeDisk::unlink(const std::string& path) {
  return core_->unlink(path);
}
Status FakeDisk::remove_directory(const std::string& path) {
  return core_->remove_directory(path);
}
Status FakeDisk::sync_directory(const std::string& path) {
  return core_->sync_directory(path);
}
Result<StorageInfo> FakeDisk::storage(const std::string& path) {
  return core_->storage(path);
}
Result<std::uint64_t> FakeDisk::free_space(const std::string& path) {
  return core_->free_space(path);
}
const char* FakeDisk::sqlite_vfs() const {
  return vfs_->name();
}

std::uint64_t FakeDisk::operations() const {
  return core_->operations();
}
std::vector<Operation> FakeDisk::log() const {
  return core_->log();
}
void FakeDisk::clear_log() {
  core_->clear_log();
}
std::uint64_t FakeDisk::bytes_read(const std::string& beginning) const {
  return core_->bytes_read(beginning);
}
void FakeDisk::stop_at(std::uint64_t n) {
  core_->stop_at(n);
}
bool FakeDisk::stopped() const {
  return core_->stopped();
}
std::string FakeDisk::stopped_in() const {
  return core_->stopped_in();
}
void FakeDisk::fail_sync_at(std::uint64_t n) {
  core_->fail_sync_at(n);
}
void FakeDisk::fail_operation_at(std::uint64_t n) {
  core_->fail_operation_at(n);
}
void FakeDisk::fail_reads_of(std::string path) {
  core_->fail_reads_of(std::move(path));
}
void FakeDisk::set_capacity(std::uint64_t bytes) {
  core_->set_capacity(bytes);
}
void FakeDisk::restart() {
  core_->restart();
}
void FakeDisk::power_cut(Cut cut, std::uint64_t seed) {
  core_->power_cut(cut, seed);
}
std::shared_ptr<const FakeDisk::Snapshot> FakeDisk::snapshot() const {
  return std::make_shared<Snapshot>(core_->copy_state());
}
void FakeDisk::restore(const Snapshot& snapshot) {
  core_->put_state(snapshot.state());
}
std::uint64_t FakeDisk::open_files() const {
  return core_->open_files();
}
void FakeDisk::set_storage(StorageInfo storage) {
  core_->set_storage(std::move(storage));
}
void FakeDisk::set_direct(DirectSupport support) {
  core_->set_direct(support);
}

void FakeDisk::add_symbolic_link(const std::string& path) {
  core_->add_durable_name(path, core_->new_inode(FileType::other, 0777));
}
void FakeDisk::add_hard_link(const std::string& from, const std::string& to) {
  core_->with_inode(from, [](Inode& inode) { ++inode.links; });
  core_->add_durable_name(to, core_->inode_at(from));
}
void FakeDisk::copy_file(const std::string& from, const std::string& to) {
  const InodePtr copy = core_->new_inode(FileType::regular, 0600);
  core_->with_inode(from, [&](Inode& inode) {
    copy->now = copy->durable = inode.now;
    copy->permissions = inode.permissions;
    copy->owner = inode.owner;
  });
  core_->add_durable_name(to, copy);
}
void FakeDisk::set_permissions(const std::string& path, unsigned permissions) {
  core_->with_inode(path, [&](Inode& inode) { inode.permissions = permissions; });
}
void FakeDisk::set_owner(const std::string& path, std::uint32_t owner) {
  core_->with_inode(path, [&](Inode& inode) { inode.owner = owner; });
}
void FakeDisk::set_extents(const std::string& path, std::vector<Extent> extents) {
  core_->with_inode(path, [&](Inode& inode) { inode.extents = std::move(extents); });
}
void FakeDisk::poke(const std::string& path, std::uint64_t offset, ByteView bytes) {
  core_->with_inode(path, [&](Inode& inode) {
    inode.now.write(offset, bytes);
    inode.durable.write(offset, bytes);
  });
}
Bytes FakeDisk::content(const std::string& path) const {
  return core_->with_inode(path, [](const Inode& inode) { return inode.now.all(); });
}
Bytes FakeDisk::durable_content(const std::string& path) const {
  return core_->with_inode(path, [](const Inode& inode) { return inode.durable.all(); });
}
bool FakeDisk::holds(ByteView needle) const {
  return core_->holds(needle);
}

}  // namespace aierase::test
