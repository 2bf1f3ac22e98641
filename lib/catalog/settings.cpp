#include <array>

#include "catalog/connection.h"
#include "domain/ids.h"

namespace aierase::catalog {
namespace {

struct Pragma {
  const char* set;
  const char* ask;
  const char* answer;
};

// page_size first: it must be known before the first page is written. locking_mode before
// anything is read: the lock is then held from the first read on.
constexpr std::array<Pragma, 12> kPragmas{{
    {"PRAGMA page_size = 8192", "PRAGMA page_size", "8192"},
    {"PRAGMA locking_mode = EXCLUSIVE", "PRAGMA locking_mode", "exclusive"},
    {"PRAGMA trusted_schema = OFF", "PRAGMA trusted_schema", "0"},
    {"PRAGMA mmap_size = 0", "PRAGMA mmap_size", "0"},
    {"PRAGMA temp_store = MEMORY", "PRAGMA temp_store", "2"},
    // The next commit writes over the journal of the last: a file that is made anew each time costs
    // its blocks each time. 32 MiB: more than the journal of a round of 1,024 among a million
    // assets.
    {"PRAGMA journal_mode = PERSIST", "PRAGMA journal_mode", "persist"},
    {"PRAGMA journal_size_limit = 33554432", "PRAGMA journal_size_limit", "33554432"},
    {"PRAGMA synchronous = EXTRA", "PRAGMA synchronous", "3"},
    {"PRAGMA secure_delete = ON", "PRAGMA secure_delete", "1"},
    {"PRAGMA foreign_keys = ON", "PRAGMA foreign_keys", "1"},
    // 96 MiB: what a round of 1,024 among a million assets changes. With less, pages are written
    // before their commit, each time with a sync. The daemon stays below 256 MiB with it.
    {"PRAGMA cache_size = -98304", "PRAGMA cache_size", "-98304"},
    // Broken cells of a page are found when it is read, not when they are used.
    {"PRAGMA cell_size_check = ON", "PRAGMA cell_size_check", "1"},
}};

struct Switch {
  int option;
  int value;
};

// DEFENSIVE: no SQL can write to the schema behind SQLite's back or turn the journal off.
constexpr std::array<Switch, 6> kSwitches{{
    {SQLITE_DBCONFIG_DEFENSIVE, 1},
    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    {SQLITE_DBCONFIG_DQS_DML, 0},
    {SQLITE_DBCONFIG_DQS_DDL, 0},
    {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
}};

std::string_view text_of(sqlite3_value* value) {
  const void* text = sqlite3_value_text(value);
  if (text == nullptr) return {};
  return {static_cast<const char*>(text), static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

// A pattern without ':' means base names, too: "llama" finds "llama:1" and "llama:2".
void name_matches(sqlite3_context* context, int /*count: two*/, sqlite3_value** values) {
  const std::string_view pattern = text_of(values[0]);
  const std::string_view name = text_of(values[1]);
  bool matches = domain::glob_match(pattern, name);
  if (!matches && pattern.find(':') == std::string_view::npos) {
    matches = domain::glob_match(pattern, name.substr(0, name.find(':')));
  }
  sqlite3_result_int(context, matches ? 1 : 0);
}

}  // namespace

Status apply_settings(Connection& connection) {
  for (const Switch& one : kSwitches) {
    int now = -1;
    const int code = sqlite3_db_config(connection.handle(), one.option, one.value, &now);
    if (code != SQLITE_OK) return connection.error(code);
    if (now != one.value) {
      return make_error(
          Errc::unexpected,
          "SQLite refused its setting " + std::to_string(one.option) + " on " + connection.path());
    }
  }
  for (const Pragma& pragma : kPragmas) RETURN_IF_ERROR(connection.execute(pragma.set));
  for (const Pragma& pragma : kPragmas) {
    ASSIGN_OR_RETURN(const std::string answer, connection.single_text(pragma.ask));
    if (answer == pragma.answer) continue;
    // Of all these only the page size belongs to the file.
    const bool of_file = std::string_view(pragma.ask) == "PRAGMA page_size";
    return make_error(of_file ? Errc::damaged : Errc::unexpected,
                      "the catalog " + connection.path() + ": " + pragma.set +
                          " did not take effect, it is \"" + answer + "\"",
                      of_file ? "another program has rewritten the file; restore it from a backup"
                              : "use the SQLite of the distribution");
  }
  return {};
}

Status define_functions(Connection& connection) {
  const int code =
      sqlite3_create_function_v2(connection.handle(), "name_matches", 2,
                                 SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                                 name_matches, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return connection.error(code);
  return {};
}

}  // namespace aierase::catalog
