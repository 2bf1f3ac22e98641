// One prepared statement in use: bound parameters in, one row at a time out.
//
// Contract: borrowed from the Connection's cache or owned (made once); the destructor resets it,
// so that no statement holds the database between two calls. bind() copies text and blobs and
// remembers its first failure, which step() reports. Columns are read through Row (row.h).
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "domain/people.h"

namespace aierase::catalog {

class Connection;

// A statement kept for its next use.
struct Prepared {
  sqlite3_stmt* handle = nullptr;
  bool in_use = false;
};

// What an Actor takes three columns for: uid, login, audit login uid.
struct ActorColumns {
  const domain::Actor& actor;
};

class Statement {
 public:
  Statement(Connection& connection, Prepared& cached) noexcept
      : connection_(&connection), cached_(&cached), handle_(cached.handle) {
    cached_->in_use = true;
  }
  Statement(Connection& connection, sqlite3_stmt* owned) noexcept
      : connection_(&connection), handle_(owned) {}
  Statement(Statement&& other) noexcept
      : connection_(other.connection_),
        cached_(std::exchange(other.cached_, nullptr)),
        handle_(std::exchange(other.handle_, nullptr)),
        keep_(other.keep_),
        next_(other.next_),
        failure_(other.failure_) {}
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // To the next parameters, in order.
  template <typename... Args>
  Statement& bind(const Args&... args) {
    (put(args), ...);
    return *this;
  }
  // The same without copies: texts and blobs must stay as they are until the statement is gone.
  template <typename... Args>
  Statement& bind_borrowed(const Args&... args) {
    keep_ = SQLITE_STATIC;
    return bind(args...);
  }
  // Whether there is a row. After a failure or the last row the statement is reset.
  Result<bool> step();

  sqlite3_stmt* handle() const { return handle_; }

 private:
  void put(std::int64_t value);
  void put(std::uint64_t value);
  void put(std::uint32_t value) { put(static_cast<std::int64_t>(value)); }
  void put(std::string_view value);
  void put(const std::string& value) { put(std::string_view(value)); }
  void put(const char* value) { put(std::string_view(value)); }
  void put(ByteView value);
  void put(const Bytes& value) { put(ByteView(value)); }
  void put(const Digest& value) { put(ByteView(value)); }
  void put(const Uuid& value) { put(value.view()); }
  void put(UtcTime value) { put(static_cast<std::int64_t>(to_unix(value))); }
  void put(std::nullopt_t) { check(sqlite3_bind_null(handle_, ++next_)); }
  void put(const ActorColumns& value) {
    bind(value.actor.uid, value.actor.login, value.actor.audit_login_uid);
  }
  template <typename T>
  void put(const std::optional<T>& value) {
    if (value) {
      put(*value);
    } else {
      put(std::nullopt);
    }
  }
  void check(int code) {
    if (code != SQLITE_OK && failure_ == SQLITE_OK) failure_ = code;
  }

  Connection* connection_;
  Prepared* cached_ = nullptr;
  sqlite3_stmt* handle_ = nullptr;
  sqlite3_destructor_type keep_ = SQLITE_TRANSIENT;
  int next_ = 0;
  int failure_ = SQLITE_OK;
};

// Calls `use` for every row that is left.
template <typename Use>
Status each_row(Statement& statement, Use&& use) {
  while (true) {
    ASSIGN_OR_RETURN(const bool there, statement.step());
    if (!there) return {};
    RETURN_IF_ERROR(use(statement));
  }
}

}  // namespace aierase::catalog
