#include "fault/fake_disk_core.h"

#include <unistd.h>

#include <cerrno>

namespace aierase::test {
namespace {

std::uint64_t in_pages(std::uint64_t bytes) {
  return (bytes + FakeContent::kPageBytes - 1) / FakeContent::kPageBytes * FakeContent::kPageBytes;
}
std::uint64_t footprint(const Inode& inode) {
  return in_pages(std::max(inode.now.size(), inode.reserved));
}

Error not_there(const std::string& path) {
  return errno_error(ENOENT, "fake disk: " + path).about(path);
}

Error name_taken(const std::string& path) {
  return make_error(Errc::already_exists, "fake disk: " + path + " exists already", {}, path);
}

bool overlaps(const PendingChange& change, std::uint64_t offset, std::uint64_t size) {
  return change.kind == PendingChange::Kind::resize ||
         (change.at < offset + size && offset < change.at + change.bytes.size());
}

// Locks of a process that is gone hold nothing back.
void forget_locks(Inode& inode) {
  inode.flock_holder = nullptr;
  inode.shared_holders.clear();
  inode.reserved_holder = nullptr;
  inode.exclusive_holder = nullptr;
}

}  // namespace

DiskCore::DiskCore(std::uint64_t seed) : random_(seed) {
  state_.root = std::make_shared<Inode>();
  state_.root->type = FileType::directory;
  state_.root->number = 1;
  state_.root->permissions = 0755;
  state_.root->owner = ::geteuid();
  storage_.filesystem = "ext4";
  storage_.filesystem_uuid = "5f0e1b1c-0000-4000-8000-" + std::to_string(100'000'000'000 + seed);
  storage_.mount_options = "rw,relatime,data=ordered";
  storage_.mount_point = "/";
  storage_.devices = {"vda1 (partition)", "vda (disk)"};
  storage_.stack_allowed = true;
  storage_.device_model = "Fake Disk";
  storage_.device_serial = "FD" + std::to_string(seed);
}

InodePtr DiskCore::find(const std::string& path) const {
  InodePtr at = state_.root;
  std::size_t from = 0;
  while (from < path.size()) {
    std::size_t to = path.find('/', from);
    if (to == std::string::npos) to = path.size();
    const std::string name = path.substr(from, to - from);
    from = to + 1;
    if (name.empty() || name == ".") continue;
    const auto found = at->names.find(name);
    if (found == at->names.end()) return nullptr;
    at = found->second;
  }
  return at;
}

Result<DiskCore::Place> DiskCore::place_of(const std::string& path) const {
  const std::size_t end = path.find_last_not_of('/');
  const std::size_t slash = end == std::string::npos ? end : path.find_last_of('/', end);
  if (end == std::string::npos) return make_error(Errc::invalid_input, "fake disk: no name");
  const std::size_t name_at = slash == std::string::npos ? 0 : slash + 1;
  InodePtr directory = find(path.substr(0, name_at));
  if (!directory || directory->type != FileType::directory) return not_there(path);
  return Place{std::move(directory), path.substr(name_at, end + 1 - name_at)};
}

Status DiskCore::off() const {
  return make_error(
      Errc::io,
      "the fake disk is off" + (stopped_in_ ? ": it stopped in " + to_string(*stopped_in_) : ""));
}

Status DiskCore::after(Turn turn) const {
  return turn == Turn::interrupted ? off() : Status();
}

Status DiskCore::check(const Handle& handle) const {
  if (stopped_in_) return off();
  if (handle.life == life_) return {};
  return make_error(Errc::io, "fake disk: " + handle.path + " was opened in an earlier life");
}

Status DiskCore::check_aligned(const Handle& handle, std::uint64_t offset, ByteView bytes) const {
  if (handle.how.caching != Caching::direct) return {};
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
  if (offset % kDirectAlignment == 0 && bytes.size() % kDirectAlignment == 0 &&
      address % kDirectAlignment == 0) {
    return {};
  }
  return make_error(Errc::invalid_input,
                    "fake disk: direct I/O on " + handle.path + " is not aligned");
}

InodePtr DiskCore::make_inode(FileType type, unsigned permissions) {
  auto inode = std::make_shared<Inode>();
  inode->type = type;
  inode->number = state_.next_inode++;
  inode->permissions = permissions;
  inode->owner = ::geteuid();
  return inode;
}

Status DiskCore::reserve(const Inode& inode, std::uint64_t size, const std::string& path) {
  const std::uint64_t before = footprint(inode);
  const std::uint64_t wanted = std::max(before, in_pages(size));
  if (state_.used + (wanted - before) <= capacity_) return {};
  return errno_error(ENOSPC, "fake disk: " + path).about(path);
}

// Changes what readers see, and notes what a power cut may forget.
void DiskCore::remember(Inode& inode, PendingChange change) {
  const std::uint64_t before = footprint(inode);
  if (change.kind == PendingChange::Kind::write) {
    inode.now.write(change.at, change.bytes);
  } else {
    inode.now.resize(change.at);
    inode.reserved = std::min(inode.reserved, change.at);  // as ext4, xfs and btrfs do
  }
  if (inode.links > 0) state_.used += footprint(inode) - before;
  inode.pending.push_back(std::move(change));
}

// All that is pending goes to the disk. Pages that a failed sync forgot do not: they count as
// clean.
void DiskCore::settle(Inode& inode) {
  if (!inode.forgot_pages) {
    inode.durable = inode.now;
  } else {
    for (const PendingChange& change : inode.pending) {
      if (change.kind == PendingChange::Kind::resize) {
        inode.durable.resize(change.at);
      } else {
        inode.durable.write(change.at, change.bytes);
      }
    }
  }
  inode.pending.clear();
}

Result<std::shared_ptr<Handle>> DiskCore::open(const std::string& path, const OpenHow& how) {
  const std::lock_guard lock(mutex_);
  if (stopped_in_) return off().error();
  ASSIGN_OR_RETURN(const Place place, place_of(path));
  InodePtr inode = find(path);
  const bool create = how.mode == OpenMode::create_new;
  if (create && inode) return name_taken(path);
  if (!create && !inode) return not_there(path);
  if (!create && path == unreadable_) return errno_error(EIO, "fake disk: open " + path);
  if (inode && inode->type == FileType::other) {
    return make_error(Errc::invalid_input, "fake disk: " + path + " is a symbolic link");
  }
  if (how.caching == Caching::direct && direct_ == DirectSupport::refused) {
    return make_error(Errc::invalid_input, "fake disk: no direct I/O on " + path);
  }
  if (create) {
    const Turn turn = take_turn("create", path);
    if (turn == Turn::failed) return errno_error(EIO, "fake disk: create " + path);
    inode = make_inode(FileType::regular, how.permissions);
    place.directory->names[place.name] = inode;
    state_.pending_names.push_back({nullptr, place.directory, {}, place.name, inode});
    if (turn == Turn::interrupted) return off().error();
  }
  auto handle = std::make_shared<Handle>();
  handle->inode = std::move(inode);
  handle->path = path;
  handle->life = life_;
  handle->how = how;
  ++open_;
  return handle;
}

void DiskCore::close(Handle& handle) {
  const std::lock_guard lock(mutex_);
  if (handle.life != life_) return;
  --open_;
  Inode& inode = *handle.inode;
  if (inode.flock_holder == &handle) inode.flock_holder = nullptr;
  if (inode.reserved_holder == &handle) inode.reserved_holder = nullptr;
  if (inode.exclusive_holder == &handle) inode.exclusive_holder = nullptr;
  inode.shared_holders.erase(&handle);
}

Result<std::size_t> DiskCore::read(Handle& handle, std::uint64_t offset, ByteSpan to) {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(check(handle));
  RETURN_IF_ERROR(check_aligned(handle, offset, to));
  read_[handle.path] += to.size();
  return handle.inode->now.read(offset, to);
}

Status DiskCore::write(Handle& handle, std::uint64_t offset, ByteView from) {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(check(handle));
  RETURN_IF_ERROR(check_aligned(handle, offset, from));
  if (handle.how.mode == OpenMode::read_only) {
    return errno_error(EBADF, "fake disk: " + handle.path + " is open for reading only");
  }
  const Turn turn = take_turn("write", handle.path, offset, from.size());
  if (turn == Turn::failed) return errno_error(EIO, "fake disk: write " + handle.path);
  Inode& inode = *handle.inode;
  RETURN_IF_ERROR(reserve(inode, offset + from.size(), handle.path));
  const bool synced = handle.how.durability == Durability::data_synced && turn == Turn::go;
  const bool alone = std::none_of(
      inode.pending.begin(), inode.pending.end(),
      [&](const PendingChange& change) { return overlaps(change, offset, from.size()); });
  remember(inode, {PendingChange::Kind::write, offset, copy_of(from), turn == Turn::interrupted});
  if (synced && alone) {
    inode.durable.write(offset, from);
    inode.pending.pop_back();
  } else if (synced) {
    settle(inode);  // older data of the same range goes to the disk with it, or before it
  }
  return after(turn);
}

Status DiskCore::sync(Handle& handle) {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(check(handle));
  const Turn turn = take_turn("sync", handle.path);
  if (turn == Turn::interrupted) return off();
  if (turn == Turn::failed) return errno_error(EIO, "fake disk: sync " + handle.path);
  Inode& inode = *handle.inode;
  if (fail_sync_in_ != 0 && --fail_sync_in_ == 0) {
    // As Linux does: the pages are clean afterwards, and a second sync would report success.
    const FakeContent seen = inode.now;
    lose_data(inode, Cut::scatter, random_);
    inode.now = seen;
    inode.forgot_pages = true;
    return errno_error(EIO, "fake disk: sync " + handle.path);
  }
  settle(inode);
  return {};
}

Status DiskCore::truncate(Handle& handle, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(check(handle));
  const Turn turn = take_turn("truncate", handle.path, 0, size);
  if (turn == Turn::failed) return errno_error(EIO, "fake disk: truncate " + handle.path);
  remember(*handle.inode, {PendingChange::Kind::resize, size, {}, false});
  return after(turn);
}

Status DiskCore::allocate(Handle& handle, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(check(handle));
  const Turn turn = take_turn("allocate", handle.path, 0, size);
  if (turn == Turn::failed) return errno_error(EIO, "fake disk: allocate " + handle.path);
  Inode& inode = *handle.inode;
  RETURN_IF_ERROR(reserve(inode, size, handle.path));
  const std::uint64_t before = footprint(inode);
  inode.reserved = std::max(inode.reserved, size);
  if (inode.links > 0) state_.used += footprint(inode) - before;
  return after(turn);
}

namespace {
FileInfo info_of(const Inode& inode) {
  FileInfo info;
  info.type = inode.type;
  info.size = inode.now.size();
  info.inode = inode.number;
  info.device = 64769;
  info.links = inode.type == FileType::directory ? 2 : inode.links;
  info.permissions = inode.permissions;
  info.owner = inode.owner;
  return info;
}
}  // namespace

Result<FileInfo> DiskCore::info(Handle& handle) {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(check(handle));
  return info_of(*handle.inode);
}

Status DiskCore::lock(Handle& handle) {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(check(handle));
  Inode& inode = *handle.inode;
  if (inode.lock_life != life_) forget_locks(inode);
  inode.lock_life = life_;
  if (inode.flock_holder != nullptr && inode.flock_holder != &handle) {
    return make_error(Errc::busy, handle.path + " is locked by another process");
  }
  inode.flock_holder = &handle;
  return {};
}

Result<std::vector<Extent>> DiskCore::extents(Handle& handle) {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(check(handle));
  const Inode& inode = *handle.inode;
  if (inode.extents.has_value()) return *inode.extents;
  std::vector<Extent> extents;
  if (footprint(inode) > 0) {
    extents.push_back({0, inode.number << 30, footprint(inode), false});
  }
  return extents;
}

Result<bool> DiskCore::sqlite_lock(Handle& handle, int level) {
  constexpr int kShared = 1, kReserved = 2, kPending = 3, kExclusive = 4;
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(check(handle));
  Inode& inode = *handle.inode;
  if (inode.lock_life != life_) forget_locks(inode);
  inode.lock_life = life_;
  const auto of_others = [&](const void* holder) { return holder != nullptr && holder != &handle; };
  if (level <= handle.sqlite_lock) {
    if (inode.reserved_holder == &handle && level < kReserved) inode.reserved_holder = nullptr;
    if (inode.exclusive_holder == &handle && level < kPending) inode.exclusive_holder = nullptr;
    if (level < kShared) inode.shared_holders.erase(&handle);
    handle.sqlite_lock = level;
    return true;
  }
  if (of_others(inode.exclusive_holder)) return false;
  if (level >= kReserved && of_others(inode.reserved_holder)) return false;
  inode.shared_holders.insert(&handle);
  if (level == kReserved) inode.reserved_holder = &handle;
  if (level >= kPending) inode.exclusive_holder = &handle;
  if (level == kExclusive && inode.shared_holders.size() > 1) {
    handle.sqlite_lock = kPending;
    return false;
  }
  handle.sqlite_lock = level;
  return true;
}

Result<bool> DiskCore::sqlite_reserved(Handle& handle) {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(check(handle));
  const Inode& inode = *handle.inode;
  if (inode.lock_life != life_) return false;
  return inode.reserved_holder != nullptr || inode.exclusive_holder != nullptr;
}

Result<std::optional<FileInfo>> DiskCore::stat(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (stopped_in_) return off().error();
  const InodePtr inode = find(path);
  if (!inode) return std::optional<FileInfo>();
  return std::optional<FileInfo>(info_of(*inode));
}

Status DiskCore::make_directory(const std::string& path, unsigned permissions) {
  const std::lock_guard lock(mutex_);
  if (stopped_in_) return off();
  ASSIGN_OR_RETURN(const Place place, place_of(path));
  if (find(path)) return name_taken(path);
  const Turn turn = take_turn("mkdir", path);
  if (turn == Turn::failed) return errno_error(EIO, "fake disk: mkdir " + path);
  const InodePtr inode = make_inode(FileType::directory, permissions);
  place.directory->names[place.name] = inode;
  state_.pending_names.push_back({nullptr, place.directory, {}, place.name, inode});
  return after(turn);
}

Result<std::vector<std::string>> DiskCore::list(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (stopped_in_) return off().error();
  const InodePtr inode = find(path);
  if (!inode || inode->type != FileType::directory) return not_there(path);
  std::vector<std::string> names;
  for (const auto& entry : inode->names) names.push_back(entry.first);
  return names;
}

Status DiskCore::rename(const std::string& from, const std::string& to, Target kind) {
  const std::lock_guard lock(mutex_);
  if (stopped_in_) return off();
  ASSIGN_OR_RETURN(const Place source, place_of(from));
  ASSIGN_OR_RETURN(const Place target, place_of(to));
  const InodePtr inode = find(from);
  if (!inode) return not_there(from);
  const InodePtr replaced = find(to);
  if (replaced && kind == Target::must_be_free) return name_taken(to);
  const Turn turn = take_turn("rename", from + " -> " + to);
  if (turn == Turn::failed) return errno_error(EIO, "fake disk: rename " + from);
  if (replaced && --replaced->links == 0) state_.used -= footprint(*replaced);
  source.directory->names.erase(source.name);
  target.directory->names[target.name] = inode;
  state_.pending_names.push_back(
      {source.directory, target.directory, source.name, target.name, inode});
  return after(turn);
}

void DiskCore::drop_name(const Place& place) {
  const auto found = place.directory->names.find(place.name);
  const InodePtr inode = found->second;
  state_.pending_names.push_back({place.directory, nullptr, place.name, {}, inode});
  place.directory->names.erase(found);
  if (inode->links > 0 && --inode->links == 0) state_.used -= footprint(*inode);
}

Status DiskCore::unlink(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (stopped_in_) return off();
  ASSIGN_OR_RETURN(const Place place, place_of(path));
  const InodePtr inode = find(path);
  if (!inode) return not_there(path);
  if (inode->type == FileType::directory) return errno_error(EISDIR, "fake disk: " + path);
  const Turn turn = take_turn("unlink", path);
  if (turn == Turn::failed) return errno_error(EIO, "fake disk: unlink " + path);
  drop_name(place);
  return after(turn);
}

Status DiskCore::remove_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (stopped_in_) return off();
  ASSIGN_OR_RETURN(const Place place, place_of(path));
  const InodePtr inode = find(path);
  if (!inode) return not_there(path);
  if (inode->type != FileType::directory) return errno_error(ENOTDIR, "fake disk: " + path);
  if (!inode->names.empty()) return errno_error(ENOTEMPTY, "fake disk: " + path);
  const Turn turn = take_turn("rmdir", path);
  if (turn == Turn::failed) return errno_error(EIO, "fake disk: rmdir " + path);
  drop_name(place);
  return after(turn);
}

Result<StorageInfo> DiskCore::storage(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (stopped_in_) return off().error();
  if (!find(path)) return not_there(path);
  return storage_;
}

Result<std::uint64_t> DiskCore::free_space(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (stopped_in_) return off().error();
  if (!find(path)) return not_there(path);
  return capacity_ - std::min(capacity_, state_.used);
}

}  // namespace aierase::test
