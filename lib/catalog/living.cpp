// Assets as sweeps see them: all that live, those that were changed, those whose time has come.
#include <sqlite3.h>

#include "base/limits.h"
#include "catalog/asset_row.h"
#include "catalog/row.h"

namespace aierase::catalog {
namespace {

// The rows of a table that belong to one asset after the other, read beside a scan of the assets.
class Follower {
 public:
  explicit Follower(Statement statement) : statement_(std::move(statement)) {}

  // Whether the row that current() is at belongs to the asset; rows of earlier ones are left
  // behind.
  Result<bool> is_at(std::int64_t asset) {
    while (!ended_ && (!begun_ || sqlite3_column_int64(statement_.handle(), 0) < asset)) {
      RETURN_IF_ERROR(next());
    }
    return !ended_ && sqlite3_column_int64(statement_.handle(), 0) == asset;
  }
  const Statement& current() const { return statement_; }
  Status next() {
    begun_ = true;
    ASSIGN_OR_RETURN(const bool there, statement_.step());
    ended_ = !there;
    return {};
  }

 private:
  Statement statement_;
  bool begun_ = false;
  bool ended_ = false;
};

Status read_labels(Follower& follower, std::int64_t id, domain::Asset& asset) {
  while (true) {
    ASSIGN_OR_RETURN(const bool mine, follower.is_at(id));
    if (!mine) return {};
    Row row(follower.current(), "label");
    row.integer();
    std::string key = row.text();
    std::string value = row.text();
    RETURN_IF_ERROR(row.finish(domain::IdType::asset, asset.id));
    asset.labels.emplace(std::move(key), std::move(value));
    RETURN_IF_ERROR(follower.next());
  }
}

Status read_custodians(Follower& follower, std::int64_t id, domain::Asset& asset) {
  while (true) {
    ASSIGN_OR_RETURN(const bool mine, follower.is_at(id));
    if (!mine) return {};
    Row row(follower.current(), "custodian");
    row.integer();
    domain::Custodian custodian;
    custodian.kind = row.word(parse_custodian_kind);
    custodian.id = row.number();
    custodian.name = row.text();
    RETURN_IF_ERROR(row.finish(domain::IdType::asset, asset.id));
    asset.custodians.push_back(std::move(custodian));
    RETURN_IF_ERROR(follower.next());
  }
}

// Of the row that the statement is at; labels and custodians follow.
Status read_living(const Statement& current, Looked& looked) {
  Row row(current, "asset");
  looked.row = row.integer();
  looked.asset.id = row.uuid();
  looked.asset.name = row.name();
  looked.asset.kind = row.word(domain::parse_asset_kind);
  looked.asset.state = row.word(domain::parse_asset_state);
  looked.asset.created = row.time();
  looked.asset.retention = row.text();
  looked.asset.bytes = row.count();
  looked.moment = row.maybe_time();
  return row.finish(domain::IdType::asset, looked.asset.id);
}

// Assets found one by one, each with all that belongs to it.
Result<std::vector<Looked>> load_looked(Connection& connection, const std::vector<Look>& found) {
  std::vector<Looked> page;
  for (const Look& one : found) {
    Result<domain::Asset> asset = load_asset(connection, one.row);
    if (asset.ok()) {
      page.push_back({one.row, std::move(asset).value(), one.moment, std::nullopt});
    } else if (asset.error().code == Errc::damaged) {
      page.push_back({one.row, {}, one.moment, asset.error()});
    } else {
      return std::move(asset).error();
    }
  }
  return page;
}

Result<std::vector<Look>> read_looks(Statement& statement) {
  std::vector<Look> found;
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "look");
    Look one;
    one.row = row.integer();
    one.moment = row.maybe_time();
    RETURN_IF_ERROR(row.finish(one.row));
    found.push_back(one);
    return {};
  }));
  return found;
}

}  // namespace

Result<std::vector<Looked>> ReadView::living_page(std::int64_t after, std::size_t limit) const {
  // Not through the index of what lives: the rows would be looked up one by one.
  ASSIGN_OR_RETURN(
      Statement assets,
      connection_->prepare("SELECT a.id, a.uuid, a.name, a.kind, a.state, a.created, a.retention, "
                           "a.bytes, k.moment FROM asset a NOT INDEXED "
                           "LEFT JOIN look k ON k.asset = a.id "
                           "WHERE a.erased_at IS NULL AND a.id > ? ORDER BY a.id LIMIT ?"));
  ASSIGN_OR_RETURN(Statement labels,
                   connection_->prepare("SELECT asset, key, value FROM label WHERE asset > ? "
                                        "ORDER BY asset, key"));
  ASSIGN_OR_RETURN(Statement custodians,
                   connection_->prepare("SELECT asset, kind, id, name FROM custodian "
                                        "WHERE asset > ? ORDER BY asset, position"));
  assets.bind(after, static_cast<std::uint64_t>(limit));
  labels.bind(after);
  custodians.bind(after);
  Follower labels_of(std::move(labels));
  Follower custodians_of(std::move(custodians));
  std::vector<Looked> page;
  RETURN_IF_ERROR(each_row(assets, [&](const Statement& current) -> Status {
    Looked looked;
    Status read = read_living(current, looked);
    if (read.ok()) read = read_labels(labels_of, looked.row, looked.asset);
    if (read.ok()) read = read_custodians(custodians_of, looked.row, looked.asset);
    if (!read.ok() && read.error().code != Errc::damaged) return read;
    if (!read.ok()) looked.unreadable = read.error();
    page.push_back(std::move(looked));
    return {};
  }));
  return page;
}

Status ReadView::visit_living(const std::function<Status(const domain::Asset&)>& visit) const {
  std::int64_t after = 0;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<Looked> page, living_page(after, limits::kPageRows));
    for (const Looked& looked : page) {
      if (looked.unreadable) return *looked.unreadable;
      RETURN_IF_ERROR(visit(looked.asset));
    }
    if (page.size() < limits::kPageRows) return {};
    after = page.back().row;
  }
}

Result<std::vector<Looked>> ReadView::changed_page(std::int64_t after, std::size_t limit) const {
  std::vector<Look> found;
  {
    ASSIGN_OR_RETURN(Statement statement,
                     connection_->prepare("SELECT c.asset, k.moment FROM look_again c "
                                          "LEFT JOIN look k ON k.asset = c.asset "
                                          "WHERE c.asset > ? ORDER BY c.asset LIMIT ?"));
    statement.bind(after, static_cast<std::uint64_t>(limit));
    ASSIGN_OR_RETURN(found, read_looks(statement));
  }
  return load_looked(*connection_, found);
}

Result<std::vector<Looked>> ReadView::due_page(UtcTime by, const LookCursor& after,
                                               std::size_t limit) const {
  std::vector<Look> found;
  {
    ASSIGN_OR_RETURN(Statement statement,
                     connection_->prepare("SELECT asset, moment FROM look INDEXED BY look_moment "
                                          "WHERE (moment, asset) > (?, ?) AND moment <= ? "
                                          "ORDER BY moment, asset LIMIT ?"));
    statement.bind(after.moment, after.row, by, static_cast<std::uint64_t>(limit));
    ASSIGN_OR_RETURN(found, read_looks(statement));
  }
  return load_looked(*connection_, found);
}

Status Transaction::begin_sweep() {
  RETURN_IF_ERROR(connection_->write("DELETE FROM look_again"));
  RETURN_IF_ERROR(connection_->write("UPDATE enforcement SET swept = NULL, swept_policy = NULL"));
  return {};
}

Status Transaction::put_looks(std::span<const Look> looks) {
  for (const Look& look : looks) {
    if (look.moment) {
      RETURN_IF_ERROR(
          connection_->write("INSERT INTO look (asset, moment) VALUES (?, ?) "
                             "ON CONFLICT (asset) DO UPDATE SET moment = excluded.moment",
                             look.row, *look.moment));
    } else {
      RETURN_IF_ERROR(connection_->write("DELETE FROM look WHERE asset = ?", look.row));
    }
  }
  return {};
}

Status Transaction::forget_changes(std::span<const Look> looked) {
  for (const Look& one : looked) {
    RETURN_IF_ERROR(connection_->write("DELETE FROM look_again WHERE asset = ?", one.row));
  }
  return {};
}

}  // namespace aierase::catalog
