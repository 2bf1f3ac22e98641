// SQLite's writes on the fake disk: https://sqlite.org/vfs.html. As the unix VFS does, the first
// sync of a new journal syncs its directory; the name of a new database is the caller's duty.
#include <sqlite3.h>

#include <atomic>
#include <cstring>

#include "fault/fake_disk_core.h"

namespace aierase::test {
namespace {

struct OpenDatabaseFile {
  std::shared_ptr<DiskCore> core;
  std::shared_ptr<Handle> handle;
  bool delete_on_close = false;
  bool sync_name = false;
};

// The memory is SQLite's; xOpen fills it and xClose empties it.
struct SqliteFile {
  sqlite3_file base;
  OpenDatabaseFile* open;
};

OpenDatabaseFile& opened(sqlite3_file* file) {
  return *reinterpret_cast<SqliteFile*>(file)->open;
}

DiskCore& core_of(sqlite3_vfs* vfs) {
  return **static_cast<std::shared_ptr<DiskCore>*>(vfs->pAppData);
}

int code_of(const Status& status, int io_code) {
  if (status.ok()) return SQLITE_OK;
  return status.error().code == Errc::no_space ? SQLITE_FULL : io_code;
}

std::uint64_t unsigned_of(sqlite3_int64 value) {
  return static_cast<std::uint64_t>(value);
}

int close_file(sqlite3_file* file) noexcept {
  OpenDatabaseFile& data = opened(file);
  data.core->close(*data.handle);
  if (data.delete_on_close) static_cast<void>(data.core->unlink(data.handle->path));
  delete reinterpret_cast<SqliteFile*>(file)->open;
  file->pMethods = nullptr;
  return SQLITE_OK;
}

int read_file_at(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) noexcept {
  OpenDatabaseFile& data = opened(file);
  const ByteSpan bytes(static_cast<std::byte*>(to), static_cast<std::size_t>(size));
  const Result<std::size_t> got = data.core->read(*data.handle, unsigned_of(offset), bytes);
  if (!got.ok()) return SQLITE_IOERR_READ;
  return *got == bytes.size() ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int write_file_at(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) noexcept {
  OpenDatabaseFile& data = opened(file);
  const ByteView bytes(static_cast<const std::byte*>(from), static_cast<std::size_t>(size));
  return code_of(data.core->write(*data.handle, unsigned_of(offset), bytes), SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) noexcept {
  OpenDatabaseFile& data = opened(file);
  return code_of(data.core->truncate(*data.handle, unsigned_of(size)), SQLITE_IOERR_TRUNCATE);
}

int sync_file(sqlite3_file* file, int) noexcept {
  OpenDatabaseFile& data = opened(file);
  const Status synced = data.core->sync(*data.handle);
  if (!synced.ok() || !data.sync_name) return code_of(synced, SQLITE_IOERR_FSYNC);
  data.sync_name = false;
  return code_of(data.core->sync_directory(parent_of(data.handle->path)), SQLITE_IOERR_DIR_FSYNC);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) noexcept {
  OpenDatabaseFile& data = opened(file);
  const Result<FileInfo> info = data.core->info(*data.handle);
  if (!info.ok()) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>(info->size);
  return SQLITE_OK;
}

int lock_file(sqlite3_file* file, int level) noexcept {
  OpenDatabaseFile& data = opened(file);
  if (level <= data.handle->sqlite_lock) return SQLITE_OK;
  const Result<bool> taken = data.core->sqlite_lock(*data.handle, level);
  if (!taken.ok()) return SQLITE_IOERR_LOCK;
  return *taken ? SQLITE_OK : SQLITE_BUSY;
}

int unlock_file(sqlite3_file* file, int level) noexcept {
  OpenDatabaseFile& data = opened(file);
  if (level >= data.handle->sqlite_lock) return SQLITE_OK;
  const Result<bool> released = data.core->sqlite_lock(*data.handle, level);
  return released.ok() ? SQLITE_OK : SQLITE_IOERR_UNLOCK;
}

int check_reserved(sqlite3_file* file, int* out) noexcept {
  OpenDatabaseFile& data = opened(file);
  const Result<bool> reserved = data.core->sqlite_reserved(*data.handle);
  if (!reserved.ok()) return SQLITE_IOERR_CHECKRESERVEDLOCK;
  *out = *reserved ? 1 : 0;
  return SQLITE_OK;
}

// No memory maps here, and whoever asks is told so.
int file_control(sqlite3_file*, int operation, void* argument) noexcept {
  if (operation != SQLITE_FCNTL_MMAP_SIZE) return SQLITE_NOTFOUND;
  *static_cast<sqlite3_int64*>(argument) = 0;
  return SQLITE_OK;
}
int sector_size(sqlite3_file*) noexcept {
  return static_cast<int>(kSectorBytes);
}
// No promise at all: not atomic, not in order, and neighbours of a write may suffer.
int device_characteristics(sqlite3_file*) noexcept {
  return 0;
}

const sqlite3_io_methods kMethods = {1,
                                     close_file,
                                     read_file_at,
                                     write_file_at,
                                     truncate_file,
                                     sync_file,
                                     file_size,
                                     lock_file,
                                     unlock_file,
                                     check_reserved,
                                     file_control,
                                     sector_size,
                                     device_characteristics,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr};

Result<std::shared_ptr<Handle>> open_or_create(DiskCore& core, const std::string& path, int flags,
                                               bool* created) {
  OpenHow how;
  how.mode = (flags & SQLITE_OPEN_READONLY) != 0 ? OpenMode::read_only : OpenMode::read_write;
  ASSIGN_OR_RETURN(const std::optional<FileInfo> there, core.stat(path));
  *created = !there.has_value() && (flags & SQLITE_OPEN_CREATE) != 0;
  if (*created || (flags & SQLITE_OPEN_EXCLUSIVE) != 0) how.mode = OpenMode::create_new;
  return core.open(path, how);
}

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags,
              int* out_flags) noexcept {
  constexpr int kJournals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
  file->pMethods = nullptr;
  DiskCore& core = core_of(vfs);
  const std::string path =
      name != nullptr ? name : "/sqlite-temporary-" + std::to_string(core.random());
  bool created = false;
  Result<std::shared_ptr<Handle>> handle = open_or_create(core, path, flags, &created);
  if (!handle.ok()) return SQLITE_CANTOPEN;
  auto* data = new OpenDatabaseFile;
  data->core = *static_cast<std::shared_ptr<DiskCore>*>(vfs->pAppData);
  data->handle = std::move(handle).value();
  data->delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  data->sync_name = created && (flags & kJournals) != 0;
  reinterpret_cast<SqliteFile*>(file)->open = data;
  file->pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_directory) noexcept {
  DiskCore& core = core_of(vfs);
  const Status removed = core.unlink(name);
  if (!removed.ok()) {
    return removed.error().code == Errc::not_found ? SQLITE_IOERR_DELETE_NOENT
                                                   : SQLITE_IOERR_DELETE;
  }
  if (sync_directory == 0) return SQLITE_OK;
  return code_of(core.sync_directory(parent_of(name)), SQLITE_IOERR_DIR_FSYNC);
}

int access_file(sqlite3_vfs* vfs, const char* name, int flags, int* out) noexcept {
  const Result<std::optional<FileInfo>> there = core_of(vfs).stat(name);
  if (!there.ok()) return SQLITE_IOERR_ACCESS;
  // An empty file counts as absent, as in the unix VFS: an empty journal is no journal.
  const bool empty =
      there->has_value() && (*there)->type == FileType::regular && (*there)->size == 0;
  *out = there->has_value() && !(flags == SQLITE_ACCESS_EXISTS && empty) ? 1 : 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int size, char* out) noexcept {
  const std::string path = name[0] == '/' ? name : std::string("/") + name;
  if (path.size() + 1 > static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
  std::memcpy(out, path.c_str(), path.size() + 1);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int size, char* out) noexcept {
  for (int i = 0; i < size; ++i) out[i] = static_cast<char>(core_of(vfs).random() >> 32 & 0x7f);
  return size;
}
int sleep_not(sqlite3_vfs*, int microseconds) noexcept {
  return microseconds;
}
// Noon of 20 November 2026, as a Julian day.
int current_time(sqlite3_vfs*, double* out) noexcept {
  *out = 2'461'365.0;
  return SQLITE_OK;
}
int last_error(sqlite3_vfs*, int, char*) noexcept {
  return 0;
}

}  // namespace

struct FakeSqliteVfs::Impl {
  std::shared_ptr<DiskCore> core;
  std::string name;
  sqlite3_vfs vfs{};
};

FakeSqliteVfs::FakeSqliteVfs(std::shared_ptr<DiskCore> core) : impl_(std::make_unique<Impl>()) {
  static std::atomic<unsigned> made{0};
  impl_->core = std::move(core);
  impl_->name = "fake-disk-" + std::to_string(++made);
  sqlite3_vfs& vfs = impl_->vfs;
  vfs.iVersion = 1;
  vfs.szOsFile = sizeof(SqliteFile);
  vfs.mxPathname = 4096;
  vfs.zName = impl_->name.c_str();
  vfs.pAppData = &impl_->core;
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  vfs.xAccess = access_file;
  vfs.xFullPathname = full_path;
  vfs.xRandomness = randomness;
  vfs.xSleep = sleep_not;
  vfs.xCurrentTime = current_time;
  vfs.xGetLastError = last_error;
  if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) std::abort();
}

FakeSqliteVfs::~FakeSqliteVfs() {
  sqlite3_vfs_unregister(&impl_->vfs);
}

const char* FakeSqliteVfs::name() const {
  return impl_->name.c_str();
}

}  // namespace aierase::test
