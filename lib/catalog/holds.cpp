#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/row.h"

namespace aierase::catalog {
namespace {

domain::Hold read_hold(Row& row) {
  domain::Hold hold;
  hold.id = row.uuid();
  hold.matter = row.text();
  hold.reason = row.text();
  hold.placed_by = row.actor();
  hold.placed = row.time();
  return hold;
}

}  // namespace

Status Transaction::put_hold(const domain::Hold& hold) {
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO hold (uuid, matter, reason, placed_uid, placed_login, placed_audit_uid, placed) "
      "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (uuid) DO UPDATE SET matter = excluded.matter, "
      "reason = excluded.reason, placed_uid = excluded.placed_uid, "
      "placed_login = excluded.placed_login, placed_audit_uid = excluded.placed_audit_uid, "
      "placed = excluded.placed",
      hold.id, hold.matter, hold.reason, ActorColumns{hold.placed_by}, hold.placed));
  RETURN_IF_ERROR(connection_->write(
      "DELETE FROM hold_asset WHERE hold = (SELECT id FROM hold WHERE uuid = ?)", hold.id));
  for (const Uuid& asset : hold.assets) {
    RETURN_IF_ERROR(connection_->write(
        "INSERT INTO hold_asset (asset, hold) SELECT ?1, id FROM hold WHERE uuid = ?2 "
        "ON CONFLICT (asset, hold) DO NOTHING",
        asset, hold.id));
  }
  return {};
}

Status Transaction::lift_hold(const Uuid& hold) {
  ASSIGN_OR_RETURN(
      const std::int64_t changed,
      connection_->write("UPDATE hold SET lifted = 1 WHERE uuid = ? AND lifted = 0", hold));
  if (changed == 0) {
    const std::string text = domain::id_text(domain::IdType::hold, hold);
    return make_error(Errc::not_found, "there is no hold " + text + " in force",
                      "it may have been lifted already", text);
  }
  return {};
}

Result<std::vector<domain::Hold>> ReadView::holds_on(const Uuid& asset) const {
  std::vector<domain::Hold> holds;
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT h.uuid, h.matter, h.reason, h.placed_uid, h.placed_login, "
                           "h.placed_audit_uid, h.placed FROM hold_asset ha "
                           "CROSS JOIN hold h ON h.id = ha.hold "
                           "WHERE ha.asset = ? AND h.lifted = 0 ORDER BY ha.hold"));
  statement.bind(asset);
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "hold");
    domain::Hold hold = read_hold(row);
    RETURN_IF_ERROR(row.finish(domain::IdType::hold, hold.id));
    // A hold may bind a million assets, and who asks for one wants one.
    hold.assets.push_back(asset);
    holds.push_back(std::move(hold));
    return {};
  }));
  return holds;
}

Result<std::optional<domain::Hold>> ReadView::hold(const Uuid& id) const {
  domain::Hold hold;
  {
    ASSIGN_OR_RETURN(Statement statement,
                     connection_->prepare("SELECT uuid, matter, reason, placed_uid, placed_login, "
                                          "placed_audit_uid, placed FROM hold "
                                          "WHERE uuid = ? AND lifted = 0"));
    ASSIGN_OR_RETURN(const bool there, statement.bind(id).step());
    if (!there) return std::optional<domain::Hold>();
    Row row(statement, "hold");
    hold = read_hold(row);
    RETURN_IF_ERROR(row.finish(domain::IdType::hold, id));
  }
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT asset FROM hold_asset INDEXED BY hold_asset_hold WHERE hold = "
                           "(SELECT id FROM hold WHERE uuid = ?) ORDER BY asset"));
  statement.bind(id);
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "hold_asset");
    const Uuid asset = row.uuid();
    RETURN_IF_ERROR(row.finish(domain::IdType::hold, id));
    hold.assets.push_back(asset);
    return {};
  }));
  return std::optional<domain::Hold>(std::move(hold));
}

}  // namespace aierase::catalog
