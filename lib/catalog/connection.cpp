#include "catalog/connection.h"

#include <cerrno>

namespace aierase::catalog {
namespace {

constexpr int kLookasideBytes = 4096;
constexpr int kLookasidePieces = 128;

Errc errc_of(int code, int system_errno) {
  const bool disk_full = system_errno == ENOSPC || system_errno == EDQUOT;
  switch (code & 0xff) {
    case SQLITE_FULL:
      return Errc::no_space;
    case SQLITE_IOERR:
      if (code == SQLITE_IOERR_WRITE && disk_full) return Errc::no_space;
      if (code == SQLITE_IOERR_NOMEM) return Errc::resource_limit;
      if (code == SQLITE_IOERR_CORRUPTFS || code == SQLITE_IOERR_DATA) return Errc::damaged;
      return Errc::io;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return Errc::damaged;
    case SQLITE_CANTOPEN:
      if (disk_full) return Errc::no_space;
      if (system_errno == ENOENT) return Errc::not_found;
      if (system_errno == EACCES || system_errno == EPERM) return Errc::access_denied;
      return Errc::io;
    case SQLITE_READONLY:
      if (code == SQLITE_READONLY_DBMOVED) return Errc::damaged;
      return Errc::access_denied;
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Errc::access_denied;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Errc::busy;
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return Errc::resource_limit;
    case SQLITE_INTERRUPT:
      return Errc::cancelled;
    case SQLITE_CONSTRAINT:
      if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
          code == SQLITE_CONSTRAINT_ROWID) {
        return Errc::already_exists;
      }
      if (code == SQLITE_CONSTRAINT_FOREIGNKEY) return Errc::not_found;
      return Errc::invalid_input;
    default:
      return Errc::unexpected;
  }
}

std::string_view hint_of(Errc code) {
  switch (code) {
    case Errc::no_space:
      return "make room on the file system of the store and try again";
    case Errc::io:
      return "look for disk errors in the kernel log; the daemon recovers when it starts again";
    case Errc::damaged:
      return "nothing was changed; restore catalog and blobs from one backup";
    case Errc::busy:
      return "another process has the catalog open; only one daemon may serve a store";
    case Errc::access_denied:
      return "the catalog must be writable by the daemon's user";
    default:
      return {};
  }
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, const char* vfs) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                    SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, vfs);
  if (handle == nullptr) {
    return make_error(Errc::resource_limit, "there is no memory to open the catalog " + path);
  }
  std::unique_ptr<Connection> connection(new Connection(handle, path));
  if (code != SQLITE_OK) return connection->error(code);
  // The frames of our triggers do not fit into the small pieces that SQLite keeps by itself. A
  // refusal costs time only.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_LOOKASIDE, nullptr, kLookasideBytes, kLookasidePieces);
  return connection;
}

Connection::~Connection() {
  if (in_transaction()) rollback();
  for (auto& entry : cache_) sqlite3_finalize(entry.second.handle);
  sqlite3_close_v2(handle_);
}

Error Connection::error(int code) const {
  if (code == SQLITE_READONLY_DBMOVED) {
    return make_error(
        Errc::damaged, "the database " + path_ + " was moved or replaced under the daemon",
        "stop the daemon, put the database back where it was, and start it again", path_);
  }
  const int system_errno = sqlite3_system_errno(handle_);
  const Errc errc = errc_of(code, system_errno);
  std::string message = "the catalog " + path_ + ": ";
  // The handle's own sentence is richer, where it is about this code.
  const bool about_this = (sqlite3_extended_errcode(handle_) & 0xff) == (code & 0xff);
  message += about_this ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  return make_error(errc, std::move(message), std::string(hint_of(errc)), path_);
}

Result<sqlite3_stmt*> Connection::compile(std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) return error(code);
  return handle;
}

Result<Statement> Connection::prepare(std::string_view sql) {
  const auto found = cache_.find(sql);
  if (found != cache_.end() && !found->second.in_use) return Statement(*this, found->second);
  ASSIGN_OR_RETURN(sqlite3_stmt* const handle, compile(sql));
  // Used inside itself: the second use gets one of its own.
  if (found != cache_.end()) return Statement(*this, handle);
  Prepared& kept = cache_[std::string(sql)];
  kept.handle = handle;
  return Statement(*this, kept);
}

Result<Statement> Connection::prepare_once(const std::string& sql) {
  ASSIGN_OR_RETURN(sqlite3_stmt* const handle, compile(sql));
  return Statement(*this, handle);
}

Status Connection::require_transaction() const {
  if (failed_) return *failed_;
  if (in_transaction()) return {};
  return make_error(Errc::unexpected, "a write to the catalog outside of a transaction");
}

Result<std::int64_t> Connection::finish_write(Statement& statement) {
  const Result<bool> stepped = statement.step();
  if (!stepped.ok()) {
    failed_ = stepped.error();
    return stepped.error();
  }
  return static_cast<std::int64_t>(sqlite3_changes64(handle_));
}

// SQLite itself asks only when it makes a journal, and ours stays. What was written would be lost
// with this process.
Status Connection::require_unmoved() const {
  int moved = 0;
  const int asked = sqlite3_file_control(handle_, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (asked != SQLITE_OK || moved == 0) return {};
  return error(SQLITE_READONLY_DBMOVED);
}

Status Connection::begin() {
  if (in_transaction()) {
    return make_error(Errc::unexpected, "a transaction on the catalog is open already");
  }
  failed_.reset();
  RETURN_IF_ERROR(require_unmoved());
  ASSIGN_OR_RETURN(Statement statement, prepare("BEGIN IMMEDIATE"));
  const Result<bool> begun = statement.step();
  if (!begun.ok()) return begun.error();
  return {};
}

Status Connection::commit() {
  Status status = require_transaction();
  if (status.ok()) {
    const Result<Statement> prepared = prepare("COMMIT");
    if (!prepared.ok()) {
      status = prepared.error();
    } else if (const int code = sqlite3_step(prepared->handle()); code != SQLITE_DONE) {
      status = error(code);
    }
  }
  if (!status.ok()) rollback();
  return status;
}

void Connection::rollback() noexcept {
  failed_.reset();
  // SQLite has rolled back by itself after some errors. When rolling back fails, the journal is
  // still hot, and the next open plays it back.
  if (in_transaction()) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

Status Connection::execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error(code);
  return {};
}

Result<std::string> Connection::single_text(const char* sql) {
  ASSIGN_OR_RETURN(Statement statement, prepare_once(sql));
  ASSIGN_OR_RETURN(const bool there, statement.step());
  if (!there) return std::string();
  const void* text = sqlite3_column_text(statement.handle(), 0);
  return std::string(text == nullptr ? "" : static_cast<const char*>(text));
}

}  // namespace aierase::catalog
