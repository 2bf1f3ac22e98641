// The columns of one row, read in order and checked: the border where bytes from disk become
// values.
//
// Contract: reads columns from the left; the first column that is not what it should be (wrong
// type, wrong length, unknown word, number out of range) makes finish() Errc::damaged with table,
// key and column. Values read after that are empty. Lives no longer than the row.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "catalog/statement.h"
#include "domain/ids.h"
#include "domain/people.h"
#include "domain/plan.h"

namespace aierase::catalog {

class Row {
 public:
  Row(const Statement& statement, std::string_view table)
      : handle_(statement.handle()), table_(table) {}

  std::int64_t integer();
  std::uint64_t count();   // not negative
  std::uint32_t number();  // 32 bits
  std::string text();
  Bytes blob();
  Uuid uuid();
  Digest digest();
  UtcTime time() { return from_unix(integer()); }
  domain::Actor actor();  // three columns
  domain::AssetName name();
  std::vector<std::string> texts();       // JSON array of strings
  std::vector<domain::Reason> reasons();  // JSON array of {"code", "text"}

  // NULL: nullopt.
  std::optional<std::string> maybe_text() {
    return maybe([&] { return text(); });
  }
  std::optional<Digest> maybe_digest() {
    return maybe([&] { return digest(); });
  }
  std::optional<Bytes> maybe_blob() {
    return maybe([&] { return blob(); });
  }
  std::optional<Uuid> maybe_uuid() {
    return maybe([&] { return uuid(); });
  }
  std::optional<UtcTime> maybe_time() {
    return maybe([&] { return time(); });
  }
  std::optional<std::uint32_t> maybe_number() {
    return maybe([&] { return number(); });
  }
  std::optional<std::uint64_t> maybe_count() {
    return maybe([&] { return count(); });
  }
  std::optional<domain::Actor> maybe_actor();

  template <typename Parse>
  auto word(Parse parse) {
    const auto value = parse(text_view());
    if (!value) fail("holds an unknown word");
    using Word = typename decltype(parse(std::string_view{}))::value_type;
    return value.value_or(Word{});
  }
  // For checks of the caller's own on the column just read.
  void fail(std::string_view what);

  Status finish(std::string_view key) const;
  Status finish(std::int64_t key) const { return finish(std::to_string(key)); }
  Status finish(domain::IdType type, const Uuid& key) const {
    return fault_.empty() ? Status() : finish(domain::id_text(type, key));
  }

 private:
  template <typename Read>
  auto maybe(Read read) -> std::optional<decltype(read())> {
    if (sqlite3_column_type(handle_, next_) == SQLITE_NULL) {
      ++next_;
      return std::nullopt;
    }
    return read();
  }
  bool is(int type);  // advances to the next column
  std::string_view text_view();
  ByteView blob_view();

  sqlite3_stmt* handle_;
  std::string_view table_;
  int next_ = 0;  // column to be read next
  std::string fault_;
};

// The JSON columns.
Result<std::string> texts_json(const std::vector<std::string>& texts);
Result<std::string> reasons_json(const std::vector<domain::Reason>& reasons);

// All rows of a statement with one uuid column. `key` names the row where one is refused; without
// it, the uuid does.
Result<std::vector<Uuid>> uuid_rows(Statement& statement, std::string_view table,
                                    std::string_view key = {});

// "no plan p-... in the catalog"
Error absent(domain::IdType type, const Uuid& id);

}  // namespace aierase::catalog
