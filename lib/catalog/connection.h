// RAII over the one sqlite3*: settings, statement cache, errors, the open transaction.
//
// Contract: used by one thread at a time. open() leaves the settings of erasure-design section 6
// in force, each read back. Errors of SQLite become Errc: disk full no_space, any other failed
// read or write io, broken pages damaged, a second process busy. After a failed write in a
// transaction that transaction can only be rolled back, since half of an act may be in it. So
// nobody needs one statement undone by itself: those that fire triggers or may meet many rows say
// OR FAIL, and SQLite keeps no copy of each page that they change.
#pragma once

#include <sqlite3.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "catalog/statement.h"

namespace aierase::catalog {

class Connection {
 public:
  // The file exists (it may be empty). `vfs` names SQLite's way to the disk.
  static Result<std::unique_ptr<Connection>> open(const std::string& path, const char* vfs);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Cached under its text: for SQL that is written out in our code, of which there is an end.
  Result<Statement> prepare(std::string_view sql);
  // Not cached: for SQL that is put together (never from anybody's text).
  Result<Statement> prepare_once(const std::string& sql);

  // One writing statement inside the open transaction; returns the number of rows it changed.
  template <typename... Args>
  Result<std::int64_t> write(std::string_view sql, const Args&... args) {
    RETURN_IF_ERROR(require_transaction());
    ASSIGN_OR_RETURN(Statement statement, prepare(sql));
    statement.bind_borrowed(args...);  // they outlive the statement, which ends here
    return finish_write(statement);
  }

  Status begin();   // IMMEDIATE
  Status commit();  // an error: rolled back
  void rollback() noexcept;
  bool in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

  // Statements without parameters or rows; also several, separated by ';'.
  Status execute(const char* sql);
  Result<std::string> single_text(const char* sql);  // first column of the first row, as text

  std::int64_t last_row() const { return sqlite3_last_insert_rowid(handle_); }
  Error error(int code) const;
  sqlite3* handle() const { return handle_; }
  const std::string& path() const { return path_; }

 private:
  Connection(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  Result<sqlite3_stmt*> compile(std::string_view sql);
  Status require_transaction() const;
  Status require_unmoved() const;
  Result<std::int64_t> finish_write(Statement& statement);

  sqlite3* handle_;
  std::string path_;
  struct TextHash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  // Addresses of the values are handed out: they stay where they are when the table grows.
  std::unordered_map<std::string, Prepared, TextHash, std::equal_to<>> cache_;
  std::optional<Error> failed_;  // first failed write of the open transaction
};

// settings.cpp: pragmas and switches of the connection, set and read back.
Status apply_settings(Connection& connection);
// The SQL function name_matches(pattern, name): domain::glob_match over base or whole name.
Status define_functions(Connection& connection);

}  // namespace aierase::catalog
