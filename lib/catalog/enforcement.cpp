// The nightly run: what the last one found, what it erased, and what it reads besides the assets.
#include "catalog/enforcement.h"

#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/row.h"

namespace aierase::catalog {
namespace {

Result<Amount> amount_of(Statement& statement, std::string_view table) {
  ASSIGN_OR_RETURN(const bool there, statement.step());
  Amount amount;
  if (!there) return amount;
  Row row(statement, table);
  amount.items = row.count();
  amount.bytes = row.count();
  RETURN_IF_ERROR(row.finish("sum"));
  return amount;
}

}  // namespace

Result<Enforcement> ReadView::enforcement() const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT started, ended, succeeded, outcome, overdue, certificates, "
                           "swept, swept_policy FROM enforcement WHERE only_row = 1"));
  ASSIGN_OR_RETURN(const bool there, statement.step());
  if (!there) {
    return make_error(Errc::damaged, "the catalog is damaged: table enforcement has no row",
                      "restore catalog and blobs from one backup");
  }
  Row row(statement, "enforcement");
  Enforcement run;
  run.started = row.maybe_time();
  run.ended = row.maybe_time();
  run.succeeded = row.maybe_time();
  run.outcome = row.text();
  run.overdue = row.count();
  run.certificates = row.integer();
  run.swept = row.maybe_time();
  run.swept_policy = row.maybe_digest();
  RETURN_IF_ERROR(row.finish("1"));
  return run;
}

Status Transaction::put_enforcement(const Enforcement& run) {
  RETURN_IF_ERROR(connection_->write(
      "UPDATE enforcement SET started = ?, ended = ?, succeeded = ?, outcome = ?, overdue = ?, "
      "certificates = ?, swept = ?, swept_policy = ? WHERE only_row = 1",
      run.started, run.ended, run.succeeded, run.outcome, run.overdue, run.certificates, run.swept,
      run.swept_policy));
  return {};
}

Status Transaction::count_unattended(UtcTime trusted) {
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO unattended (trusted, items, bytes) SELECT ?, count(*), sum(a.bytes) "
      "FROM round_item r CROSS JOIN plan p ON p.uuid = r.plan CROSS JOIN asset a ON a.id = "
      "r.asset WHERE p.origin = 'enforce' HAVING count(*) > 0",
      trusted));
  return {};
}

Result<Amount> ReadView::erased_unattended(UtcTime since) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT ifnull(sum(items), 0), ifnull(sum(bytes), 0) FROM unattended "
                           "WHERE trusted > ?"));
  return amount_of(statement.bind(since), "unattended");
}

Result<Amount> ReadView::pending_amount(const Uuid& plan) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT count(*), ifnull(sum(i.bytes), 0) FROM plan p "
                           "CROSS JOIN plan_item i INDEXED BY plan_item_waiting ON i.plan = p.id "
                           "WHERE p.uuid = ? AND i.state = 'pending'"));
  return amount_of(statement.bind(plan), "plan_item");
}

Result<std::int64_t> ReadView::last_certificate_number() const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT ifnull(max(id), 0) FROM certificate"));
  ASSIGN_OR_RETURN(const bool there, statement.step());
  if (!there) return std::int64_t{0};
  Row row(statement, "certificate");
  const std::int64_t number = row.integer();
  RETURN_IF_ERROR(row.finish("max"));
  return number;
}

Result<std::uint64_t> ReadView::certificates_after(std::int64_t number) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT count(*) FROM certificate WHERE id > ?"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(number).step());
  if (!there) return std::uint64_t{0};
  Row row(statement, "certificate");
  const std::uint64_t count = row.count();
  RETURN_IF_ERROR(row.finish("count"));
  return count;
}

Result<std::vector<domain::PlanItem>> ReadView::fallen_items(UtcTime after, UtcTime up_to,
                                                             std::size_t limit) const {
  std::vector<domain::PlanItem> items;
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT i.asset, i.name, i.reasons FROM plan p INDEXED BY plan_finished "
                           "CROSS JOIN plan_item i ON i.plan = p.id "
                           "WHERE p.finished > ? AND p.finished <= ? "
                           "AND p.state IN ('partial', 'failed') AND i.state = 'dropped' "
                           "ORDER BY p.finished, i.position LIMIT ?"));
  statement.bind(after, up_to, static_cast<std::uint64_t>(limit));
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "plan_item");
    domain::PlanItem item;
    item.asset = row.uuid();
    item.name = row.name();
    item.reasons = row.reasons();
    item.state = domain::ItemState::dropped;
    RETURN_IF_ERROR(row.finish(domain::IdType::asset, item.asset));
    items.push_back(std::move(item));
    return {};
  }));
  return items;
}

Result<std::optional<Uuid>> ReadView::refused_plan_of(const Uuid& asset, UtcTime since) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(
          "SELECT uuid FROM ("
          "SELECT p.uuid, p.id FROM plan_item i INDEXED BY plan_item_open "
          "CROSS JOIN plan p ON p.id = i.plan "
          "WHERE i.asset = ?1 AND i.state IN ('pending', 'held') "
          "AND p.state = 'rejected' AND p.origin = 'enforce' AND p.finished > ?2 "
          "UNION ALL "
          "SELECT p.uuid, p.id FROM plan_item i INDEXED BY plan_item_dropped "
          "CROSS JOIN plan p ON p.id = i.plan "
          "WHERE i.asset = ?1 AND i.state = 'dropped' "
          "AND json_extract(i.reasons, '$[0].code') = 'cancelled' "
          "AND p.state IN ('cancelled', 'partial') AND p.origin = 'enforce' AND p.finished > ?2"
          ") ORDER BY id DESC LIMIT 1"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(asset, since).step());
  if (!there) return std::optional<Uuid>();
  Row row(statement, "plan");
  std::optional<Uuid> plan = row.uuid();
  RETURN_IF_ERROR(row.finish(domain::IdType::asset, asset));
  return plan;
}

Result<bool> ReadView::has_event(const Uuid& asset, const std::string& action,
                                 const std::string& reason) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare(
                       "SELECT 1 FROM event WHERE asset = (SELECT id FROM asset WHERE uuid = ?) "
                       "AND action = ? AND reason = ? LIMIT 1"));
  return statement.bind(asset, action, reason).step();
}

}  // namespace aierase::catalog
