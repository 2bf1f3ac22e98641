#include "view/requests.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"

namespace aierase::view {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;      // in one answer to a read
constexpr std::size_t kAskedAtOnce = 256 << 10;  // by the kernel, which cuts larger reads
constexpr std::size_t kFolderBytes = 64 << 10;   // in one answer to a readdir
constexpr double kForLong = 3600;                // seconds: names and sizes never change

int errno_of(const Error& error) {
  switch (error.code) {
    case Errc::erased:
    case Errc::cancelled:
      return ESTALE;
    case Errc::resource_limit:
      return ENOMEM;
    default:
      return EIO;
  }
}

// The wall between libfuse and us: every request is answered, and no exception gets out.
template <typename Act>
void answer(fuse_req_t request, Act act) noexcept {
  try {
    act(*static_cast<Requests*>(fuse_req_userdata(request)));
  } catch (...) {
    fuse_reply_err(request, EIO);
  }
}

void on_init(void*, fuse_conn_info* connection) {
  connection->want =
      connection->capable & (FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ASYNC_DIO);
  connection->max_write = kAskedAtOnce;  // how many pages one request may have, of reads as well
}

}  // namespace

Requests::Requests(Env& env, Content content, blob::Progress& progress)
    : manifest_(std::move(content.manifest)),
      owner_(content.owner),
      group_(content.group),
      time_(content.time),
      streams_(env, std::move(content.where), manifest_.blobs, std::move(content.dek), progress) {}

Status Requests::prepare() {
  ASSIGN_OR_RETURN(tree_, Tree::of(manifest_));
  opened_ = std::make_unique<std::atomic<bool>[]>(tree_.size());
  return {};
}

struct stat Requests::attributes_of(const Node& node) const {
  struct stat found {};
  found.st_ino = node.number;
  found.st_mode = node.file == nullptr ? S_IFDIR | 0500 : S_IFREG | 0400;
  found.st_nlink = node.file == nullptr ? 2 : 1;
  found.st_uid = owner_;
  found.st_gid = group_;
  found.st_blksize = static_cast<blksize_t>(kMostBytes);
  if (node.file != nullptr) {
    found.st_size = static_cast<off_t>(node.file->bytes);
    found.st_blocks = static_cast<blkcnt_t>((node.file->bytes + 511) / 512);
  }
  found.st_mtim.tv_sec =
      std::chrono::duration_cast<std::chrono::seconds>(time_.time_since_epoch()).count();
  found.st_atim = found.st_ctim = found.st_mtim;
  return found;
}

void Requests::lookup(fuse_req_t request, fuse_ino_t folder, const char* name) {
  fuse_entry_param entry{};
  entry.attr_timeout = entry.entry_timeout = kForLong;
  const Node* const node = tree_.find(folder, name);
  if (node != nullptr) {
    entry.ino = node->number;
    entry.attr = attributes_of(*node);
  }  // else number 0: not there, and the kernel may remember that
  fuse_reply_entry(request, &entry);
}

void Requests::getattr(fuse_req_t request, fuse_ino_t number) {
  const Node* const node = tree_.find(number);
  if (node == nullptr) {
    fuse_reply_err(request, ENOENT);
    return;
  }
  const struct stat found = attributes_of(*node);
  fuse_reply_attr(request, &found, kForLong);
}

void Requests::open(fuse_req_t request, fuse_ino_t number, fuse_file_info* info) {
  const Node* const node = tree_.find(number);
  if (node == nullptr || node->file == nullptr) {
    fuse_reply_err(request, node == nullptr ? ENOENT : EISDIR);
  } else if ((info->flags & O_ACCMODE) != O_RDONLY) {
    fuse_reply_err(request, EROFS);
  } else if (revoked_.load(std::memory_order_acquire)) {
    fuse_reply_err(request, ESTALE);
  } else {
    opened_[number - 1].store(true);
    info->keep_cache = 1;
    info->noflush = 1;
    fuse_reply_open(request, info);
  }
}

void Requests::read(fuse_req_t request, fuse_ino_t number, std::size_t size, off_t offset) {
  const Node* const node = tree_.find(number);
  if (node == nullptr || node->file == nullptr || offset < 0) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  // Looked at before the lock, so that whoever wants it alone gets it, and again under it.
  if (revoked_.load(std::memory_order_acquire)) {
    fuse_reply_err(request, ESTALE);
    return;
  }
  const std::shared_lock lock(reading_);
  if (revoked_.load(std::memory_order_acquire)) {
    fuse_reply_err(request, ESTALE);
    return;
  }
  opened_[number - 1].store(true);  // also where it is read without an open
  hand_out(request, *node->file, static_cast<std::uint64_t>(offset), size);
}

void Requests::hand_out(fuse_req_t request, const domain::FileEntry& file, std::uint64_t offset,
                        std::size_t size) {
  const std::uint64_t rest = offset < file.bytes ? file.bytes - offset : 0;
  const std::uint64_t length = std::min<std::uint64_t>({size, rest, kMostBytes});
  if (length == 0) {
    fuse_reply_buf(request, nullptr, 0);
    return;
  }
  const Status done = send(request, file, offset, length);
  if (done.ok()) return;
  const int answered = errno_of(done.error());
  {
    const std::lock_guard lock(mutex_);
    if (!fault_) fault_ = done.error();
  }
  fuse_reply_err(request, answered);  // last: the request is gone with it
}

// Goes out as it lies with the reader, in one piece, once all of it is there.
Status Requests::send(fuse_req_t request, const domain::FileEntry& file, std::uint64_t offset,
                      std::uint64_t length) {
  ASSIGN_OR_RETURN(Streams::Pinned pinned, streams_.pin(file, offset, length));
  in_line_();
  ASSIGN_OR_RETURN(const std::span<const ByteView> opened, pinned.open());
  std::array<iovec, blob::AssetReader::Stretch::kParts> parts{};
  std::transform(opened.begin(), opened.end(), parts.begin(), [](ByteView part) {
    // What is sent is only read; iovec knows no other kind.
    return iovec{const_cast<std::byte*>(part.data()), part.size()};
  });
  // What fails is a request that its asker has given up.
  fuse_reply_iov(request, parts.data(), static_cast<int>(opened.size()));
  return {};
}

void Requests::readdir(fuse_req_t request, fuse_ino_t number, std::size_t size, off_t offset) {
  const Node* const node = tree_.find(number);
  if (node == nullptr || node->file != nullptr || offset < 0) {
    fuse_reply_err(request, node == nullptr ? ENOENT : ENOTDIR);
    return;
  }
  std::vector<char> list(std::min(size, kFolderBytes));
  std::size_t used = 0;
  const std::uint64_t count = node->entries.size() + 2;
  for (auto next = static_cast<std::uint64_t>(offset); next < count; ++next) {
    const std::string name = next == 0   ? "."
                             : next == 1 ? ".."
                                         : std::string(node->entries[next - 2].first);
    const std::uint64_t target = next == 0   ? node->number
                                 : next == 1 ? node->parent
                                             : node->entries[next - 2].second;
    const struct stat found = attributes_of(*tree_.find(target));
    const std::size_t took = fuse_add_direntry(request, list.data() + used, list.size() - used,
                                               name.c_str(), &found, static_cast<off_t>(next + 1));
    if (took > list.size() - used) break;
    used += took;
  }
  fuse_reply_buf(request, list.data(), used);
}

void Requests::statfs(fuse_req_t request) {
  struct statvfs found {};
  std::uint64_t bytes = 0;
  for (const domain::FileEntry& file : manifest_.files) bytes += file.bytes;
  found.f_bsize = found.f_frsize = 4096;
  found.f_blocks = (bytes + 4095) / 4096;
  found.f_files = tree_.size();
  found.f_namemax = limits::kPathComponentBytes;
  found.f_flag = ST_RDONLY;
  fuse_reply_statfs(request, &found);
}

// ---- around it ----------------------------------------------------------------------------------

void Requests::revoke() {
  revoked_.store(true, std::memory_order_release);
  const std::unique_lock alone(reading_);
  streams_.close();
}

void Requests::for_each_opened(const std::function<void(fuse_ino_t)>& use) const {
  for (std::size_t i = 0; i < tree_.size(); ++i) {
    if (opened_[i].load()) use(i + 1);
  }
}

std::optional<Error> Requests::take_fault() {
  const std::lock_guard lock(mutex_);
  return std::exchange(fault_, std::nullopt);
}

void Requests::rest() {
  const std::shared_lock lock(reading_);
  streams_.rest();
}

const fuse_lowlevel_ops& Requests::operations() {
  static const fuse_lowlevel_ops kOperations = [] {
    fuse_lowlevel_ops ops{};
    ops.init = on_init;
    ops.lookup = [](fuse_req_t request, fuse_ino_t folder, const char* name) {
      answer(request, [&](Requests& self) { self.lookup(request, folder, name); });
    };
    ops.getattr = [](fuse_req_t request, fuse_ino_t number, fuse_file_info*) {
      answer(request, [&](Requests& self) { self.getattr(request, number); });
    };
    ops.open = [](fuse_req_t request, fuse_ino_t number, fuse_file_info* info) {
      answer(request, [&](Requests& self) { self.open(request, number, info); });
    };
    ops.read = [](fuse_req_t request, fuse_ino_t number, std::size_t size, off_t offset,
                  fuse_file_info*) {
      answer(request, [&](Requests& self) { self.read(request, number, size, offset); });
    };
    ops.readdir = [](fuse_req_t request, fuse_ino_t number, std::size_t size, off_t offset,
                     fuse_file_info*) {
      answer(request, [&](Requests& self) { self.readdir(request, number, size, offset); });
    };
    ops.statfs = [](fuse_req_t request, fuse_ino_t) {
      answer(request, [&](Requests& self) { self.statfs(request); });
    };
    return ops;
  }();
  return kOperations;
}

}  // namespace aierase::view
