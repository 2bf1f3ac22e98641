// The audit: rows are added and read; there is no statement that changes or removes one.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/row.h"

namespace aierase::catalog {
namespace {

Result<std::string> subjects_json(const std::vector<domain::AuditSubject>& subjects) {
  Json list = Json::array();
  for (const domain::AuditSubject& subject : subjects) {
    list.push_back({{"id", subject.id}, {"name", subject.name}});
  }
  return dump_canonical(list);
}

std::vector<domain::AuditSubject> read_subjects(Row& row) {
  std::vector<domain::AuditSubject> subjects;
  const Result<Json> list = parse_json(row.text());
  if (!list.ok() || !list->is_array()) {
    row.fail("is not a list of subjects");
    return subjects;
  }
  for (const Json& one : *list) {
    const bool whole = one.is_object() && one.value("id", Json()).is_string() &&
                       one.value("name", Json()).is_string();
    if (!whole) {
      row.fail("has something else among its subjects");
      return subjects;
    }
    subjects.push_back({one["id"].get<std::string>(), one["name"].get<std::string>()});
  }
  return subjects;
}

domain::AuditRow read_row(Row& row) {
  domain::AuditRow result;
  result.number = row.integer();
  if (const std::optional<std::uint64_t> begun = row.maybe_count()) {
    result.begun = static_cast<std::int64_t>(*begun);
  }
  result.time = row.time();
  result.last = row.time();
  result.calls = row.count();
  result.actor = row.actor();
  result.action = row.text();
  result.method = row.text();
  result.subjects = read_subjects(row);
  result.outcome = row.text();
  result.detail = row.text();
  const std::optional<std::uint64_t> days = row.maybe_count();
  const std::optional<UtcTime> moment = row.maybe_time();
  if (days && moment) {
    result.notice = domain::NoticeTold{static_cast<std::uint32_t>(*days), *moment};
  }
  return result;
}

}  // namespace

Result<std::int64_t> Transaction::add_audit(const domain::AuditRow& row) {
  ASSIGN_OR_RETURN(const std::string subjects, subjects_json(row.subjects));
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO audit (begun, time, last_time, calls, actor_uid, actor_login, actor_audit_uid, "
      "action, method, subjects, outcome, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      row.begun, row.time, row.last, row.calls, ActorColumns{row.actor}, row.action, row.method,
      subjects, row.outcome, row.detail));
  return static_cast<std::int64_t>(sqlite3_last_insert_rowid(connection_->handle()));
}

// What does not apply is NULL. A call that has ended is told by its last row alone.
Result<std::vector<domain::AuditRow>> ReadView::audit_rows(const AuditQuery& query,
                                                           std::int64_t after,
                                                           std::int64_t up_to) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(
          "SELECT id, begun, time, last_time, calls, actor_uid, actor_login, actor_audit_uid, "
          "action, method, subjects, outcome, detail, n.days, n.moment FROM audit a "
          "LEFT JOIN notice n ON n.audit = a.id WHERE id > ?1 AND id <= ?2 "
          "AND (?3 IS NULL OR last_time >= ?3) AND (?4 IS NULL OR time <= ?4) "
          "AND (?5 IS NULL OR actor_uid = ?5) AND (?6 IS NULL OR actor_login = ?6) "
          "AND (?7 IS NULL OR outcome = ?7) AND (?8 IS NULL OR action = ?8) "
          "AND NOT EXISTS (SELECT 1 FROM audit e INDEXED BY audit_begun WHERE e.begun = a.id) "
          "ORDER BY id"));
  statement.bind(after, up_to, query.since, query.until, query.uid, query.login, query.outcome,
                 query.action);
  std::vector<domain::AuditRow> rows;
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "audit");
    domain::AuditRow found = read_row(row);
    RETURN_IF_ERROR(row.finish(found.number));
    rows.push_back(std::move(found));
    return {};
  }));
  return rows;
}

// None is ever removed, so the last number is their count.
Result<std::int64_t> ReadView::last_audit() const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT coalesce(max(id), 0) FROM audit"));
  ASSIGN_OR_RETURN(const bool there, statement.step());
  if (!there) return std::int64_t{0};
  Row row(statement, "audit");
  const std::int64_t last = row.integer();
  RETURN_IF_ERROR(row.finish("max"));
  return last;
}

Result<bool> ReadView::hold_binds(const Uuid& hold, const Uuid& asset) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT 1 FROM hold_asset WHERE asset = ? AND hold = "
                                        "(SELECT id FROM hold WHERE uuid = ?)"));
  return statement.bind(asset, hold).step();
}

}  // namespace aierase::catalog
