#include "catalog/catalog.h"

#include <string_view>
#include <utility>

#include "catalog/connection.h"
#include "catalog/journal.h"
#include "catalog/row.h"
#include "catalog/schema.h"
#include "catalog/state_row.h"

namespace aierase::catalog {
namespace {

constexpr std::uint32_t kApplicationId = 0x41494552;  // "AIER"
constexpr std::string_view kMagic{"SQLite format 3\0", 16};
constexpr std::size_t kHeaderBytes = 100;  // of a SQLite file: user_version at 60, id at 68

// What the triggers have counted, against the rows themselves.
constexpr const char* kWrongTallies =
    "WITH counted (what, rows, bytes) AS ("
    " SELECT 'asset ' || state, count(*), sum(bytes) FROM asset GROUP BY state UNION ALL"
    " SELECT 'plan ' || state, count(*), 0 FROM plan GROUP BY state UNION ALL"
    " SELECT 'certificate ' || validation, count(*), 0 FROM certificate GROUP BY validation) "
    "SELECT t.what FROM tally t LEFT JOIN counted c ON c.what = t.what "
    "WHERE t.rows <> coalesce(c.rows, 0) OR t.bytes <> coalesce(c.bytes, 0)";

Error not_ours(const std::string& path) {
  return make_error(Errc::damaged, path + " is not a catalog of aierase",
                    "nothing was touched; restore the store from a backup", path);
}

Error too_new(const std::string& path, std::int64_t format) {
  return make_error(Errc::newer_format,
                    "the catalog " + path + " has format " + std::to_string(format) +
                        "; this version knows formats up to " + std::to_string(kFormat),
                    "nothing was touched; install the version that wrote it, or a later one", path);
}

// Looks at the file before SQLite may write to it. The File is closed again before SQLite opens
// the same file: closing it later would drop SQLite's locks.
Status peek(Env& env, const std::string& path) {
  ASSIGN_OR_RETURN(const std::optional<FileInfo> info, env.stat(path));
  if (!info) {
    return make_error(Errc::not_found, "there is no catalog at " + path,
                      "the store may not be mounted, or not be initialised", path);
  }
  if (info->type != FileType::regular || info->links != 1) {
    return make_error(Errc::damaged, path + " is not a plain file with one link",
                      "nothing was touched; look who has replaced or linked it", path);
  }
  // A first page that was torn by a power cut is mended from the journal.
  ASSIGN_OR_RETURN(const bool is_mended, journal_waits(env, path));
  Bytes header(kHeaderBytes);
  if (info->size < kHeaderBytes) return is_mended ? Status() : Status(not_ours(path));
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<File> file, env.open(path, OpenHow{}));
    RETURN_IF_ERROR(file->read_at(0, header));
  }
  const ByteView view = header;
  const bool ours = as_text(view.first(kMagic.size())) == kMagic &&
                    get_be32(view.subspan(68, 4)) == kApplicationId;
  if (!ours) return is_mended ? Status() : Status(not_ours(path));
  const std::int64_t format = static_cast<std::int32_t>(get_be32(view.subspan(60, 4)));
  if (format > kFormat) return too_new(path, format);
  return {};
}

Status check_format(Connection& connection) {
  ASSIGN_OR_RETURN(const std::string id, connection.single_text("PRAGMA application_id"));
  if (id != std::to_string(kApplicationId)) return not_ours(connection.path());
  ASSIGN_OR_RETURN(Statement statement, connection.prepare_once("PRAGMA user_version"));
  ASSIGN_OR_RETURN(const bool there, statement.step());
  const std::int64_t format = there ? sqlite3_column_int64(statement.handle(), 0) : 0;
  if (format > kFormat) return too_new(connection.path(), format);
  if (format != kFormat) return not_ours(connection.path());
  return {};
}

Result<std::string> schema_text(Connection& connection) {
  std::string text;
  ASSIGN_OR_RETURN(Statement statement,
                   connection.prepare_once("SELECT type, name, tbl_name, coalesce(sql, '') "
                                           "FROM sqlite_schema ORDER BY type, name"));
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& row) -> Status {
    for (int column = 0; column < 4; ++column) {
      const void* value = sqlite3_column_text(row.handle(), column);
      text += value == nullptr ? "" : static_cast<const char*>(value);
      text += '\n';
    }
    return {};
  }));
  return text;
}

// As SQLite writes our schema down.
Result<std::string> expected_schema_text() {
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> fresh, Connection::open(":memory:", nullptr));
  RETURN_IF_ERROR(fresh->execute(kSchema0001));
  return schema_text(*fresh);
}

// A trigger that somebody added, or an index that somebody dropped, would change what our
// statements do: the schema must be ours to the letter.
Status check_schema(Connection& connection) {
  // Half of what opening takes, and the same for every catalog of this process.
  static const Result<std::string> expected = expected_schema_text();
  if (!expected.ok()) return expected.error();
  ASSIGN_OR_RETURN(const std::string found, schema_text(connection));
  if (found == *expected) return {};
  return make_error(Errc::damaged,
                    "the tables, indexes or triggers of the catalog " + connection.path() +
                        " are not those of format " + std::to_string(kFormat),
                    "nothing was touched; another program has changed it: restore a backup",
                    connection.path());
}

Status write_first_rows(Connection& connection, const StoreState& state) {
  RETURN_IF_ERROR(connection.begin());
  RETURN_IF_ERROR(connection.execute(kSchema0001));
  RETURN_IF_ERROR(
      connection.execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str()));
  RETURN_IF_ERROR(connection.execute(("PRAGMA user_version = " + std::to_string(kFormat)).c_str()));
  RETURN_IF_ERROR(insert_state(connection, state));
  return connection.commit();
}

Result<std::unique_ptr<Connection>> create_file(Env& env, const std::string& path,
                                                const StoreState& state) {
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection,
                   Connection::open(path, env.sqlite_vfs()));
  RETURN_IF_ERROR(apply_settings(*connection));
  RETURN_IF_ERROR(define_functions(*connection));
  RETURN_IF_ERROR(write_first_rows(*connection, state));
  RETURN_IF_ERROR(env.sync_directory(parent_of(path)));
  return connection;
}

}  // namespace

struct Catalog::Impl {
  explicit Impl(std::unique_ptr<Connection> opened)
      : connection(std::move(opened)), view(*connection) {}
  std::unique_ptr<Connection> connection;
  ReadView view;
};

Catalog::Catalog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Catalog::~Catalog() = default;

Result<std::unique_ptr<Catalog>> Catalog::create(Env& env, const std::string& path,
                                                 const StoreState& state) {
  {
    // SQLite can neither refuse an existing file nor choose its permissions.
    OpenHow how;
    how.mode = OpenMode::create_new;
    ASSIGN_OR_RETURN(const std::unique_ptr<File> file, env.open(path, how));
  }
  Result<std::unique_ptr<Connection>> connection = create_file(env, path, state);
  if (!connection.ok()) {
    // The connection is closed. What cannot be removed now is in the way of the next attempt,
    // which then names it.
    const Status file_gone = env.unlink(path);
    const Status journal_gone = env.unlink(path + "-journal");
    static_cast<void>(file_gone);
    static_cast<void>(journal_gone);
    return std::move(connection).error();
  }
  return std::unique_ptr<Catalog>(
      new Catalog(std::make_unique<Impl>(std::move(connection).value())));
}

Result<std::unique_ptr<Catalog>> Catalog::open(Env& env, const std::string& path) {
  RETURN_IF_ERROR(peek(env, path));
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection,
                   Connection::open(path, env.sqlite_vfs()));
  RETURN_IF_ERROR(apply_settings(*connection));
  RETURN_IF_ERROR(define_functions(*connection));
  RETURN_IF_ERROR(check_format(*connection));
  RETURN_IF_ERROR(check_schema(*connection));
  // Takes the lock that a reader alone would not hold against other writers.
  RETURN_IF_ERROR(connection->execute("BEGIN EXCLUSIVE; COMMIT"));
  return std::unique_ptr<Catalog>(new Catalog(std::make_unique<Impl>(std::move(connection))));
}

const ReadView& Catalog::read() const {
  return impl_->view;
}

Result<Transaction> Catalog::begin() {
  RETURN_IF_ERROR(impl_->connection->begin());
  return Transaction(*impl_->connection);
}

Status Catalog::drop_page_cache() {
  Connection& connection = *impl_->connection;
  if (connection.in_transaction()) {
    return make_error(Errc::unexpected,
                      "the page cache of the catalog cannot be dropped in a transaction");
  }
  const int code = sqlite3_db_release_memory(connection.handle());
  if (code != SQLITE_OK) return connection.error(code);
  return {};
}

Result<std::vector<std::string>> Catalog::integrity_check() {
  std::vector<std::string> findings;
  Connection& connection = *impl_->connection;
  {
    ASSIGN_OR_RETURN(Statement statement, connection.prepare_once("PRAGMA integrity_check"));
    RETURN_IF_ERROR(each_row(statement, [&](const Statement& row) -> Status {
      const void* text = sqlite3_column_text(row.handle(), 0);
      const std::string_view line = text == nullptr ? "" : static_cast<const char*>(text);
      if (line != "ok") findings.emplace_back(line);
      return {};
    }));
  }
  {
    ASSIGN_OR_RETURN(Statement statement, connection.prepare_once("PRAGMA foreign_key_check"));
    RETURN_IF_ERROR(each_row(statement, [&](const Statement& row) -> Status {
      const void* table = sqlite3_column_text(row.handle(), 0);
      const void* parent = sqlite3_column_text(row.handle(), 2);
      findings.push_back(
          std::string("a row of table ") +
          (table == nullptr ? "?" : static_cast<const char*>(table)) + " names a row of table " +
          (parent == nullptr ? "?" : static_cast<const char*>(parent)) + " that is not there");
      return {};
    }));
  }
  ASSIGN_OR_RETURN(Statement statement, connection.prepare_once(kWrongTallies));
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& row) -> Status {
    const void* what = sqlite3_column_text(row.handle(), 0);
    findings.push_back("the tally of " +
                       std::string(what == nullptr ? "?" : static_cast<const char*>(what)) +
                       " is not the number of rows");
    return {};
  }));
  return findings;
}

Transaction::Transaction(Connection& connection) : ReadView(connection) {}

Transaction::Transaction(Transaction&& other) noexcept
    : ReadView(*other.connection_), open_(std::exchange(other.open_, false)) {}

Transaction::~Transaction() {
  if (open_) connection_->rollback();
}

Status Transaction::commit() {
  if (!open_) return make_error(Errc::unexpected, "a transaction on the catalog ended twice");
  open_ = false;
  return connection_->commit();
}

}  // namespace aierase::catalog
