#include "catalog/statement.h"

#include <limits>

#include "catalog/connection.h"

namespace aierase::catalog {

Statement::~Statement() {
  if (handle_ == nullptr) return;
  if (cached_ == nullptr) {
    sqlite3_finalize(handle_);
    return;
  }
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
  cached_->in_use = false;
}

Result<bool> Statement::step() {
  if (failure_ != SQLITE_OK) return connection_->error(failure_);
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(handle_);
    return false;
  }
  Error error = connection_->error(code);
  sqlite3_reset(handle_);
  return error;
}

void Statement::put(std::int64_t value) {
  check(sqlite3_bind_int64(handle_, ++next_, value));
}

void Statement::put(std::uint64_t value) {
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    ++next_;
    check(SQLITE_TOOBIG);
    return;
  }
  put(static_cast<std::int64_t>(value));
}

void Statement::put(std::string_view value) {
  const char* text = value.data() == nullptr ? "" : value.data();
  check(sqlite3_bind_text64(handle_, ++next_, text, value.size(), keep_, SQLITE_UTF8));
}

void Statement::put(ByteView value) {
  ++next_;
  // A null pointer would bind NULL, and no bytes are not the same as nothing.
  if (value.empty()) {
    check(sqlite3_bind_zeroblob(handle_, next_, 0));
  } else {
    check(sqlite3_bind_blob64(handle_, next_, value.data(), value.size(), keep_));
  }
}

}  // namespace aierase::catalog
