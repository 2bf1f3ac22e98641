// Finding assets: by name, by prefix of an id, by query, page by page.
//
// A page is found by one index, the driver, that is chosen here and not by SQLite: without
// statistics SQLite takes any, and the one over the state of a million active assets is a bad one
// to find a label of three. The other terms carry a unary plus, which keeps their index out of it.
#include <functional>

#include "catalog/asset_row.h"
#include "catalog/cursor.h"
#include "catalog/query_sql.h"
#include "catalog/row.h"

namespace aierase::catalog {
namespace {

// Sources weigh most; a page ends early beyond so many (rows are never cut in half).
constexpr std::size_t kSourcesPerPage = 20'000;

using Bind = std::function<void(Statement&)>;

// Users and persons are asked for by one name: at any time it means one of the two.
std::int64_t is_group(const domain::Custodian& custodian) {
  return custodian.kind == domain::CustodianKind::group ? 1 : 0;
}

// What a name must begin with to match: the pattern up to its first special character.
std::string literal_prefix(std::string_view pattern) {
  return std::string(pattern.substr(0, pattern.find_first_of("*?[")));
}

// The smallest text behind all that begin so; empty where there is none.
std::string behind(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) {
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1U);
  }
  return prefix;
}

Result<std::string> name_of(Connection& connection, std::int64_t id) {
  ASSIGN_OR_RETURN(Statement statement, connection.prepare("SELECT name FROM asset WHERE id = ?"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(id).step());
  if (!there) {
    return make_error(Errc::usage, "the cursor " + std::to_string(id) + " names no asset",
                      "begin the list again without a cursor");
  }
  Row row(statement, "asset");
  std::string name = row.text();
  RETURN_IF_ERROR(row.finish(id));
  return name;
}

// The statement of one query, put together from fixed pieces with its parameters beside it.
class PageQuery {
 public:
  explicit PageQuery(const AssetQuery& query) : query_(query) {}

  void drive(std::int64_t after, const std::string& after_name);
  void restrict();
  Result<Statement> prepare(Connection& connection, std::size_t limit);
  std::string sql() const { return sql_ + order_ + " LIMIT ?"; }

 private:
  void piece(std::string_view text) { sql_ += text; }
  template <typename... Args>
  void piece(std::string_view text, Args... args) {
    sql_ += text;
    binds_.push_back([=](Statement& statement) { statement.bind(args...); });
  }
  bool drive_by_word(std::string_view index, std::string_view column,
                     const std::optional<std::string>& word, std::int64_t after);

  const AssetQuery& query_;
  std::string sql_, order_;
  std::vector<Bind> binds_;
  std::size_t labels_done_ = 0;
  bool custodian_done_ = false;
  std::string_view column_done_;
};

bool PageQuery::drive_by_word(std::string_view index, std::string_view column,
                              const std::optional<std::string>& word, std::int64_t after) {
  if (!word) return false;
  piece("SELECT a.id FROM asset a INDEXED BY ");
  piece(index);
  piece(" WHERE a.");
  piece(column);
  piece(" = ? AND a.id > ?", *word, after);
  column_done_ = column;
  return true;
}

std::optional<std::string> text_of(const std::optional<domain::AssetState>& state) {
  if (!state) return std::nullopt;
  return std::string(domain::to_text(*state));
}

std::optional<std::string> text_of(const std::optional<domain::AssetKind>& kind) {
  if (!kind) return std::nullopt;
  return std::string(domain::to_text(*kind));
}

void PageQuery::drive(std::int64_t after, const std::string& after_name) {
  order_ = " ORDER BY a.id";
  if (query_.name_glob) {
    const std::string prefix = literal_prefix(*query_.name_glob);
    const std::string end = behind(prefix);
    piece("SELECT a.id FROM asset a INDEXED BY asset_name WHERE (a.name, a.id) > (?, ?)",
          after > 0 ? after_name : prefix, after);
    if (!end.empty()) piece(" AND a.name < ?", end);
    order_ = " ORDER BY a.name, a.id";
    return;
  }
  if (!query_.labels.empty()) {
    piece(
        "SELECT a.id FROM label d CROSS JOIN asset a ON a.id = d.asset "
        "WHERE d.key = ? AND d.value = ? AND d.asset > ?",
        query_.labels[0].first, query_.labels[0].second, after);
    order_ = " ORDER BY d.asset";
    labels_done_ = 1;
    return;
  }
  if (query_.custodian) {
    piece(
        "SELECT a.id FROM custodian d INDEXED BY custodian_who "
        "CROSS JOIN asset a ON a.id = d.asset "
        "WHERE (d.kind = 'group') = ? AND d.name = ? AND d.asset > ?",
        is_group(*query_.custodian), query_.custodian->name, after);
    order_ = " ORDER BY d.asset";
    custodian_done_ = true;
    return;
  }
  // Of a million assets nearly all are active or erased, and only then is the class the better
  // index.
  const std::optional<std::string> state = text_of(query_.state);
  const bool rare = state && *state != "active" && *state != "erased";
  if (rare && drive_by_word("asset_state", "state", state, after)) return;
  if (drive_by_word("asset_retention", "retention", query_.retention, after)) return;
  if (drive_by_word("asset_state", "state", state, after)) return;
  if (drive_by_word("asset_kind", "kind", text_of(query_.kind), after)) return;
  piece("SELECT a.id FROM asset a");
  if (!query_.include_erased) piece(" INDEXED BY asset_living");
  piece(" WHERE a.id > ?", after);
  if (!query_.include_erased) piece(" AND a.erased_at IS NULL");
}

void PageQuery::restrict() {
  if (query_.name_glob) piece(" AND name_matches(?, a.name)", *query_.name_glob);
  if (query_.state && column_done_ != "state") piece(" AND +a.state = ?", *text_of(query_.state));
  if (query_.kind && column_done_ != "kind") piece(" AND +a.kind = ?", *text_of(query_.kind));
  if (query_.retention && column_done_ != "retention") {
    piece(" AND +a.retention = ?", *query_.retention);
  }
  if (!query_.include_erased) piece(" AND +a.erased_at IS NULL");
  if (query_.custodian && !custodian_done_) {
    piece(
        " AND EXISTS (SELECT 1 FROM custodian c WHERE c.asset = a.id AND (c.kind = 'group') = ? "
        "AND c.name = ?)",
        is_group(*query_.custodian), query_.custodian->name);
  }
  for (std::size_t i = labels_done_; i < query_.labels.size(); ++i) {
    piece(" AND EXISTS (SELECT 1 FROM label l WHERE l.asset = a.id AND l.key = ? AND l.value = ?)",
          query_.labels[i].first, query_.labels[i].second);
  }
}

Result<Statement> PageQuery::prepare(Connection& connection, std::size_t limit) {
  ASSIGN_OR_RETURN(Statement statement, connection.prepare_once(sql()));
  for (const Bind& bind : binds_) bind(statement);
  statement.bind(static_cast<std::uint64_t>(limit));
  return statement;
}

}  // namespace

std::string query_sql(const AssetQuery& query, std::int64_t after) {
  PageQuery page(query);
  page.drive(after, "");
  page.restrict();
  return page.sql();
}

Result<Page<domain::Asset>> ReadView::assets(const AssetQuery& query, const std::string& cursor,
                                             std::size_t limit) const {
  Page<domain::Asset> page;
  if (limit == 0) {
    page.next = cursor;
    return page;
  }
  ASSIGN_OR_RETURN(const std::int64_t after, after_cursor(cursor));
  std::string after_name;
  if (query.name_glob && after > 0) {
    ASSIGN_OR_RETURN(after_name, name_of(*connection_, after));
  }
  PageQuery page_query(query);
  page_query.drive(after, after_name);
  page_query.restrict();
  std::vector<std::int64_t> numbers;
  {
    // One more than asked for tells whether there is a next page.
    ASSIGN_OR_RETURN(Statement statement, page_query.prepare(*connection_, limit + 1));
    RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
      numbers.push_back(sqlite3_column_int64(current.handle(), 0));
      return {};
    }));
  }
  std::size_t sources = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i == limit || sources > kSourcesPerPage) {
      page.next = std::to_string(numbers[i - 1]);
      break;
    }
    ASSIGN_OR_RETURN(domain::Asset asset, load_asset(*connection_, numbers[i]));
    sources += asset.sources.size();
    page.rows.push_back(std::move(asset));
  }
  return page;
}

Result<std::optional<Uuid>> ReadView::asset_named(const domain::AssetName& name,
                                                  NameScope scope) const {
  const auto first = [&](std::string_view sql) -> Result<std::optional<Uuid>> {
    ASSIGN_OR_RETURN(Statement statement, connection_->prepare(sql));
    ASSIGN_OR_RETURN(const bool there, statement.bind(name.text()).step());
    if (!there) return std::optional<Uuid>();
    Row row(statement, "asset");
    std::optional<Uuid> id = row.uuid();
    RETURN_IF_ERROR(row.finish(name.text()));
    return id;
  };
  Result<std::optional<Uuid>> living =
      first("SELECT uuid FROM asset WHERE name = ? AND erased_at IS NULL");
  if (!living.ok() || *living || scope == NameScope::living) return living;
  // A name is free for a new asset only when the one before is erased: the latest imported is the
  // latest erased.
  return first("SELECT uuid FROM asset WHERE name = ? ORDER BY id DESC LIMIT 1");
}

Result<std::vector<Uuid>> ReadView::ids(domain::IdType type, const domain::UuidRange& range,
                                        std::size_t limit) const {
  std::string_view sql;
  std::string_view table;
  switch (type) {
    case domain::IdType::asset:
      sql = "SELECT uuid FROM asset WHERE uuid BETWEEN ? AND ? ORDER BY uuid LIMIT ?";
      table = "asset";
      break;
    case domain::IdType::plan:
      sql = "SELECT uuid FROM plan WHERE uuid BETWEEN ? AND ? ORDER BY uuid LIMIT ?";
      table = "plan";
      break;
    case domain::IdType::certificate:
      sql = "SELECT uuid FROM certificate WHERE uuid BETWEEN ? AND ? ORDER BY uuid LIMIT ?";
      table = "certificate";
      break;
    case domain::IdType::hold:
      sql = "SELECT uuid FROM hold WHERE uuid BETWEEN ? AND ? ORDER BY uuid LIMIT ?";
      table = "hold";
      break;
    case domain::IdType::job:
      return std::vector<Uuid>();  // jobs live in the daemon's memory
  }
  ASSIGN_OR_RETURN(Statement statement, connection_->prepare(sql));
  statement.bind(range.first, range.last, static_cast<std::uint64_t>(limit));
  return uuid_rows(statement, table);
}

}  // namespace aierase::catalog
