// Counting, stopping, forgetting: what makes the fake disk worse than a real one.
#include <algorithm>
#include <map>

#include "fault/fake_disk_core.h"

namespace aierase::test {
namespace {

bool coin(std::mt19937_64& random) {
  return (random() >> 32 & 1U) != 0;
}

bool survives(Cut cut, std::mt19937_64& random) {
  if (cut == Cut::lose_all) return false;
  return cut == Cut::keep_all || coin(random);
}

struct Piece {
  std::uint64_t at;
  ByteView bytes;
};

// Cuts a write at the sectors of the disk.
std::vector<Piece> sectors_of(const PendingChange& change) {
  std::vector<Piece> pieces;
  const ByteView bytes(change.bytes);
  for (std::size_t from = 0; from < bytes.size();) {
    const std::uint64_t at = change.at + from;
    const std::size_t length =
        std::min<std::size_t>(bytes.size() - from, kSectorBytes - at % kSectorBytes);
    pieces.push_back({at, bytes.subspan(from, length)});
    from += length;
  }
  return pieces;
}

void keep_some(FakeContent& durable, const PendingChange& change, Cut cut,
               std::mt19937_64& random) {
  if (change.kind == PendingChange::Kind::resize) {
    if (coin(random)) durable.resize(change.at);
    return;
  }
  const std::vector<Piece> pieces = sectors_of(change);
  if (pieces.empty()) return;
  const bool tear = cut == Cut::tear && change.interrupted;
  const std::size_t torn = tear ? random() % pieces.size() : pieces.size();
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    if (i == torn) {
      durable.write(piece.at, piece.bytes.first(random() % (piece.bytes.size() + 1)));
    } else if (coin(random)) {
      durable.write(piece.at, piece.bytes);
    }
  }
}

using Twins = std::map<const Inode*, InodePtr>;

InodePtr clone_inode(const InodePtr& from, Twins& twins) {
  if (!from) return nullptr;
  InodePtr& to = twins[from.get()];
  if (to) return to;
  to = std::make_shared<Inode>();
  const InodePtr made = to;  // `to` may move when the map grows in another way one day
  made->type = from->type;
  made->number = from->number;
  made->permissions = from->permissions;
  made->owner = from->owner;
  made->links = from->links;
  made->reserved = from->reserved;
  made->now = from->now;
  made->durable = from->durable;
  made->forgot_pages = from->forgot_pages;
  made->pending = from->pending;
  made->extents = from->extents;
  for (const auto& entry : from->names) made->names[entry.first] = clone_inode(entry.second, twins);
  for (const auto& entry : from->durable_names) {
    made->durable_names[entry.first] = clone_inode(entry.second, twins);
  }
  return made;
}

std::uint64_t pages_of(const Inode& inode) {
  const std::uint64_t bytes = std::max(inode.now.size(), inode.reserved);
  return (bytes + FakeContent::kPageBytes - 1) / FakeContent::kPageBytes * FakeContent::kPageBytes;
}

bool contains(ByteView bytes, ByteView needle) {
  return std::search(bytes.begin(), bytes.end(), needle.begin(), needle.end()) != bytes.end();
}

void collect(const InodePtr& inode, std::set<InodePtr>& found) {
  if (!inode || !found.insert(inode).second) return;
  for (const auto& entry : inode->names) collect(entry.second, found);
  for (const auto& entry : inode->durable_names) collect(entry.second, found);
}

}  // namespace

std::string to_string(const Operation& operation) {
  std::string text = operation.name + " " + operation.path;
  if (operation.size > 0 || operation.name == "write") {
    text += " at " + std::to_string(operation.offset) + ", " + std::to_string(operation.size) +
            " bytes";
  }
  return text;
}

DiskState clone(const DiskState& state) {
  Twins twins;
  DiskState copy;
  copy.root = clone_inode(state.root, twins);
  for (const PendingName& change : state.pending_names) {
    copy.pending_names.push_back({clone_inode(change.from_directory, twins),
                                  clone_inode(change.to_directory, twins), change.from_name,
                                  change.to_name, clone_inode(change.inode, twins)});
  }
  copy.next_inode = state.next_inode;
  copy.used = state.used;
  return copy;
}

DiskCore::Turn DiskCore::take_turn(std::string name, const std::string& path, std::uint64_t offset,
                                   std::uint64_t size) {
  log_.push_back({std::move(name), path, offset, size});
  if (stop_in_ != 0 && --stop_in_ == 0) {
    stopped_in_ = log_.back();
    return Turn::interrupted;
  }
  if (fail_in_ != 0 && --fail_in_ == 0) return Turn::failed;
  return Turn::go;
}

void DiskCore::make_durable(const PendingName& change) {
  if (change.from_directory) {
    auto& names = change.from_directory->durable_names;
    const auto found = names.find(change.from_name);
    if (found != names.end() && found->second == change.inode) names.erase(found);
  }
  if (change.to_directory) change.to_directory->durable_names[change.to_name] = change.inode;
}

Status DiskCore::sync_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (stopped_in_) return off();
  const InodePtr directory = find(path);
  if (!directory || directory->type != FileType::directory) {
    return make_error(Errc::not_found, "fake disk: no directory " + path, {}, path);
  }
  const Turn turn = take_turn("sync_directory", path);
  if (turn == Turn::interrupted) return off();
  const bool failed = fail_sync_in_ != 0 && --fail_sync_in_ == 0;
  if (failed || turn == Turn::failed) {
    return make_error(Errc::io, "fake disk: cannot sync the directory " + path, {}, path);
  }
  std::vector<PendingName> left;
  for (PendingName& change : state_.pending_names) {
    if (change.from_directory == directory || change.to_directory == directory) {
      make_durable(change);
    } else {
      left.push_back(std::move(change));
    }
  }
  state_.pending_names = std::move(left);
  return {};
}

// Afterwards `durable` and `now` are what the disk holds, and nothing is pending.
void DiskCore::lose_data(Inode& inode, Cut cut, std::mt19937_64& random) {
  if (cut == Cut::keep_all) settle(inode);
  if (cut == Cut::scatter || cut == Cut::tear) {
    for (const PendingChange& change : inode.pending) {
      keep_some(inode.durable, change, cut, random);
    }
  }
  inode.now = inode.durable;
  inode.forgot_pages = false;
  inode.pending.clear();
}

void DiskCore::end_life() {
  ++life_;
  open_ = 0;
  stopped_in_.reset();
  stop_in_ = fail_sync_in_ = fail_in_ = 0;
}

void DiskCore::restart() {
  const std::lock_guard lock(mutex_);
  end_life();
}

void DiskCore::power_cut(Cut cut, std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  std::mt19937_64 random(seed);
  for (const PendingName& change : state_.pending_names) {
    if (survives(cut, random)) make_durable(change);
  }
  state_.pending_names.clear();
  state_.used = 0;
  std::set<const Inode*> seen;
  std::vector<InodePtr> todo{state_.root};
  while (!todo.empty()) {
    const InodePtr inode = todo.back();
    todo.pop_back();
    if (!seen.insert(inode.get()).second) {
      if (inode->type != FileType::directory) ++inode->links;
      continue;
    }
    inode->links = 1;
    inode->names = inode->durable_names;
    for (const auto& entry : inode->names) todo.push_back(entry.second);
    if (inode->type == FileType::regular) lose_data(*inode, cut, random);
    state_.used += pages_of(*inode);
  }
  end_life();
}

DiskState DiskCore::copy_state() const {
  const std::lock_guard lock(mutex_);
  return clone(state_);
}

void DiskCore::put_state(const DiskState& state) {
  const std::lock_guard lock(mutex_);
  state_ = clone(state);
  end_life();
}

bool DiskCore::holds(ByteView needle) const {
  const std::lock_guard lock(mutex_);
  std::set<InodePtr> inodes;
  collect(state_.root, inodes);
  for (const PendingName& change : state_.pending_names) collect(change.inode, inodes);
  for (const InodePtr& inode : inodes) {
    if (contains(inode->now.all(), needle) || contains(inode->durable.all(), needle)) return true;
    for (const PendingChange& change : inode->pending) {
      if (contains(change.bytes, needle)) return true;
    }
  }
  return false;
}

InodePtr DiskCore::new_inode(FileType type, unsigned permissions) {
  const std::lock_guard lock(mutex_);
  return make_inode(type, permissions);
}

InodePtr DiskCore::inode_at(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return find(path);
}

void DiskCore::add_durable_name(const std::string& path, const InodePtr& inode) {
  const std::lock_guard lock(mutex_);
  const Result<Place> place = place_of(path);
  if (!place.ok() || find(path)) std::abort();
  place->directory->names[place->name] = inode;
  place->directory->durable_names[place->name] = inode;
  state_.used += pages_of(*inode);
}

std::uint64_t DiskCore::random() {
  const std::lock_guard lock(mutex_);
  return random_();
}
std::uint64_t DiskCore::operations() const {
  const std::lock_guard lock(mutex_);
  return log_.size();
}
std::vector<Operation> DiskCore::log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}
void DiskCore::clear_log() {
  const std::lock_guard lock(mutex_);
  log_.clear();
}
std::uint64_t DiskCore::bytes_read(const std::string& beginning) const {
  const std::lock_guard lock(mutex_);
  std::uint64_t bytes = 0;
  for (const auto& [path, read] : read_) bytes += path.starts_with(beginning) ? read : 0;
  return bytes;
}
void DiskCore::stop_at(std::uint64_t n) {
  const std::lock_guard lock(mutex_);
  stop_in_ = n;
}
bool DiskCore::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_in_.has_value();
}
std::string DiskCore::stopped_in() const {
  const std::lock_guard lock(mutex_);
  return stopped_in_ ? to_string(*stopped_in_) : std::string();
}
void DiskCore::fail_sync_at(std::uint64_t n) {
  const std::lock_guard lock(mutex_);
  fail_sync_in_ = n;
}
void DiskCore::fail_operation_at(std::uint64_t n) {
  const std::lock_guard lock(mutex_);
  fail_in_ = n;
}
void DiskCore::fail_reads_of(std::string path) {
  const std::lock_guard lock(mutex_);
  unreadable_ = std::move(path);
}
void DiskCore::set_capacity(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  capacity_ = bytes;
}
std::uint64_t DiskCore::open_files() const {
  const std::lock_guard lock(mutex_);
  return open_;
}
void DiskCore::set_storage(StorageInfo storage) {
  const std::lock_guard lock(mutex_);
  storage_ = std::move(storage);
}
void DiskCore::set_direct(DirectSupport support) {
  const std::lock_guard lock(mutex_);
  direct_ = support;
}

}  // namespace aierase::test
