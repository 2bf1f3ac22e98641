#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/cursor.h"
#include "catalog/row.h"

namespace aierase::catalog {
namespace {

// In the order of read_hold(); every query names the table `h`.
std::string select_holds(std::string_view rest) {
  return "SELECT h.uuid, h.matter, h.reason, h.selectors, h.reach, h.placed_uid, h.placed_login, "
         "h.placed_audit_uid, h.placed, h.log_index, h.lifted_uid, h.lifted_login, "
         "h.lifted_audit_uid, h.lifted, h.lift_reason, h.id " +
         std::string(rest);
}
constexpr int kNumberColumn = 15;

domain::Hold read_hold(Row& row) {
  domain::Hold hold;
  hold.id = row.uuid();
  hold.matter = row.text();
  hold.reason = row.text();
  hold.selectors = row.texts();
  hold.reach = row.word(domain::parse_hold_reach);
  hold.placed_by = row.actor();
  hold.placed = row.time();
  hold.log_index = row.count();
  std::optional<domain::Actor> lifter = row.maybe_actor();
  const std::optional<UtcTime> time = row.maybe_time();
  if (!time) return hold;
  domain::Lift lift;
  lift.actor = std::move(lifter).value_or(domain::Actor{});
  lift.time = *time;
  lift.reason = row.text();
  hold.lifted = std::move(lift);
  return hold;
}

Result<std::vector<domain::Hold>> read_holds(Statement& statement) {
  std::vector<domain::Hold> holds;
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "hold");
    domain::Hold hold = read_hold(row);
    RETURN_IF_ERROR(row.finish(domain::IdType::hold, hold.id));
    holds.push_back(std::move(hold));
    return {};
  }));
  return holds;
}

Error not_in_force(const Uuid& hold) {
  const std::string text = domain::id_text(domain::IdType::hold, hold);
  return make_error(Errc::not_found, "there is no hold " + text + " in force",
                    "it may have been lifted already", text);
}

}  // namespace

Status Transaction::insert_hold(const domain::Hold& hold) {
  ASSIGN_OR_RETURN(const std::string selectors, texts_json(hold.selectors));
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO hold (uuid, matter, reason, selectors, reach, placed_uid, placed_login, "
      "placed_audit_uid, placed, log_index) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      hold.id, hold.matter, hold.reason, selectors, domain::to_text(hold.reach),
      ActorColumns{hold.placed_by}, hold.placed, hold.log_index));
  return bind_hold(hold.id, hold.assets);
}

Status Transaction::bind_hold(const Uuid& hold, std::span<const Uuid> assets) {
  for (const Uuid& asset : assets) {
    RETURN_IF_ERROR(connection_->write(
        "INSERT INTO hold_asset (asset, hold) SELECT ?1, id FROM hold WHERE uuid = ?2 "
        "ON CONFLICT (asset, hold) DO NOTHING",
        asset, hold));
  }
  return {};
}

Status Transaction::lift_hold(const Uuid& hold, const domain::Lift& lift) {
  ASSIGN_OR_RETURN(
      const std::int64_t changed,
      connection_->write("UPDATE hold SET lifted_uid = ?, lifted_login = ?, lifted_audit_uid = ?, "
                         "lifted = ?, lift_reason = ? WHERE uuid = ? AND lifted IS NULL",
                         ActorColumns{lift.actor}, lift.time, lift.reason, hold));
  if (changed == 0) return not_in_force(hold);
  return {};
}

Result<std::vector<HeldItem>> ReadView::items_to_requeue() const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(
          "SELECT p.uuid, i.asset FROM plan_item i INDEXED BY plan_item_held "
          "CROSS JOIN plan p ON p.id = i.plan WHERE i.state = 'held' AND NOT EXISTS "
          "(SELECT 1 FROM hold_asset ha JOIN hold h ON h.id = ha.hold "
          "WHERE ha.asset = i.asset AND h.lifted IS NULL) ORDER BY i.plan, i.position"));
  std::vector<HeldItem> items;
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "plan_item");
    HeldItem item;
    item.plan = row.uuid();
    item.asset = row.uuid();
    RETURN_IF_ERROR(row.finish(domain::IdType::plan, item.plan));
    items.push_back(item);
    return {};
  }));
  return items;
}

Result<std::vector<domain::Hold>> ReadView::holds_on(const Uuid& asset) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare(
                       select_holds("FROM hold_asset ha CROSS JOIN hold h ON h.id = ha.hold "
                                    "WHERE ha.asset = ? AND h.lifted IS NULL ORDER BY ha.hold")));
  ASSIGN_OR_RETURN(std::vector<domain::Hold> holds, read_holds(statement.bind(asset)));
  // A hold may bind a million assets, and who asks for one wants one.
  for (domain::Hold& hold : holds) hold.assets.push_back(asset);
  return holds;
}

Result<bool> ReadView::is_round_held() const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT 1 FROM round_item i CROSS JOIN asset a ON a.id = i.asset "
                           "CROSS JOIN hold_asset ha ON ha.asset = a.uuid "
                           "CROSS JOIN hold h ON h.id = ha.hold WHERE h.lifted IS NULL LIMIT 1"));
  return statement.step();
}

Result<std::vector<domain::Hold>> ReadView::holds_in_force() const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(select_holds(
          "FROM hold h INDEXED BY hold_in_force WHERE h.lifted IS NULL ORDER BY h.id")));
  return read_holds(statement);
}

Result<std::optional<domain::Hold>> ReadView::hold(const Uuid& id) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare(select_holds("FROM hold h WHERE h.uuid = ?")));
  ASSIGN_OR_RETURN(std::vector<domain::Hold> found, read_holds(statement.bind(id)));
  if (found.empty()) return std::optional<domain::Hold>();
  return std::optional<domain::Hold>(std::move(found.front()));
}

Result<Page<domain::Hold>> ReadView::holds(const std::string& cursor, std::size_t limit) const {
  Page<domain::Hold> page;
  if (limit == 0) {
    page.next = cursor;
    return page;
  }
  ASSIGN_OR_RETURN(const std::int64_t before, before_cursor(cursor));
  std::vector<std::int64_t> numbers;
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(select_holds("FROM hold h WHERE h.id < ? ORDER BY h.id DESC LIMIT ?")));
  statement.bind(before, static_cast<std::uint64_t>(limit + 1));
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "hold");
    domain::Hold hold = read_hold(row);
    RETURN_IF_ERROR(row.finish(domain::IdType::hold, hold.id));
    numbers.push_back(sqlite3_column_int64(current.handle(), kNumberColumn));
    page.rows.push_back(std::move(hold));
    return {};
  }));
  if (page.rows.size() > limit) {
    page.rows.pop_back();
    page.next = std::to_string(numbers[limit - 1]);
  }
  return page;
}

Result<std::uint64_t> ReadView::bound_count(const Uuid& hold) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT count(*) FROM hold_asset INDEXED BY hold_asset_hold "
                           "WHERE hold = (SELECT id FROM hold WHERE uuid = ?)"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(hold).step());
  if (!there) return std::uint64_t{0};
  Row row(statement, "hold_asset");
  const std::uint64_t count = row.count();
  RETURN_IF_ERROR(row.finish(domain::IdType::hold, hold));
  return count;
}

Result<std::vector<Uuid>> ReadView::bound_assets(const Uuid& hold, std::optional<Uuid> after,
                                                 std::size_t limit) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT asset FROM hold_asset INDEXED BY hold_asset_hold "
                                        "WHERE hold = (SELECT id FROM hold WHERE uuid = ?1) "
                                        "AND (?2 IS NULL OR asset > ?2) ORDER BY asset LIMIT ?3"));
  statement.bind(hold, after, static_cast<std::uint64_t>(limit));
  return uuid_rows(statement, "hold_asset", domain::id_text(domain::IdType::hold, hold));
}

}  // namespace aierase::catalog
