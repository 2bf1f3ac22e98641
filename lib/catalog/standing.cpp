// What people approved in advance, and what ended it.
#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/cursor.h"
#include "catalog/decision_row.h"
#include "catalog/row.h"
#include "catalog/standing_row.h"

namespace aierase::catalog {
namespace {

const std::string kColumns =
    "SELECT id, uuid, class, rules, given, valid_from, valid_until, log_index, actor_uid, "
    "actor_login, actor_audit_uid, " +
    kDecisionColumns + " FROM standing_approval ";

struct Numbered {
  std::int64_t number = 0;
  domain::StandingApproval approval;
};

Result<std::vector<Numbered>> read_rows(Statement& statement) {
  std::vector<Numbered> rows;
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "standing_approval");
    Numbered one;
    one.number = row.integer();
    domain::StandingUse& terms = one.approval.terms;
    terms.id = row.uuid();
    terms.retention_class = row.text();
    terms.rules = row.digest();
    terms.given = row.time();
    terms.from = row.time();
    terms.until = row.time();
    terms.log_index = row.count();
    one.approval.actor = row.actor();
    one.approval.actor.person = read_person(row);
    one.approval.signed_by = read_signed_by(row);
    RETURN_IF_ERROR(row.finish(one.number));
    rows.push_back(std::move(one));
    return {};
  }));
  return rows;
}

Status read_end(Connection& connection, Numbered& one) {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection.prepare("SELECT cause, actor_uid, actor_login, actor_audit_uid, time, reason, "
                         "log_index, " +
                         kDecisionColumns + " FROM standing_end WHERE standing = ?"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(one.number).step());
  if (!there) return {};
  Row row(statement, "standing_end");
  domain::StandingEnd end;
  end.cause = row.word(domain::parse_standing_cause);
  end.actor = row.actor();
  end.time = row.time();
  end.reason = row.text();
  end.log_index = row.count();
  end.actor.person = read_person(row);
  end.signed_by = read_signed_by(row);
  RETURN_IF_ERROR(row.finish(one.number));
  one.approval.end = std::move(end);
  return {};
}

Result<std::vector<Numbered>> read_whole(Connection& connection, Statement statement) {
  ASSIGN_OR_RETURN(std::vector<Numbered> rows, read_rows(statement));
  for (Numbered& one : rows) RETURN_IF_ERROR(read_end(connection, one));
  return rows;
}

}  // namespace

Result<domain::StandingUse> standing_use(Connection& connection, const Uuid& id) {
  ASSIGN_OR_RETURN(Statement statement, connection.prepare(kColumns + "WHERE uuid = ?"));
  ASSIGN_OR_RETURN(std::vector<Numbered> rows, read_rows(statement.bind(id)));
  if (!rows.empty()) return std::move(rows.front().approval.terms);
  return make_error(Errc::damaged,
                    "the catalog is damaged: a plan names a standing approval that is not there");
}

Result<std::optional<domain::StandingApproval>> ReadView::standing_approval(const Uuid& id) const {
  ASSIGN_OR_RETURN(Statement statement, connection_->prepare(kColumns + "WHERE uuid = ?"));
  statement.bind(id);
  ASSIGN_OR_RETURN(std::vector<Numbered> rows, read_whole(*connection_, std::move(statement)));
  if (rows.empty()) return std::optional<domain::StandingApproval>();
  return std::optional(std::move(rows.front().approval));
}

Result<Page<domain::StandingApproval>> ReadView::standing_approvals(const std::string& cursor,
                                                                    std::size_t limit) const {
  Page<domain::StandingApproval> page;
  if (limit == 0) {
    page.next = cursor;
    return page;
  }
  ASSIGN_OR_RETURN(const std::int64_t before, before_cursor(cursor));
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare(kColumns + "WHERE id < ? ORDER BY id DESC LIMIT ?"));
  statement.bind(before, static_cast<std::uint64_t>(limit + 1));
  ASSIGN_OR_RETURN(std::vector<Numbered> rows, read_whole(*connection_, std::move(statement)));
  for (Numbered& one : rows) {
    if (page.rows.size() == limit) {
      page.next = std::to_string(rows[limit - 1].number);
      break;
    }
    page.rows.push_back(std::move(one.approval));
  }
  return page;
}

Result<std::vector<domain::StandingApproval>> ReadView::standing_approvals_beyond(
    UtcTime moment) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(kColumns + "INDEXED BY standing_approval_until WHERE valid_until > ? "
                                      "AND id NOT IN (SELECT standing FROM standing_end) "
                                      "ORDER BY id"));
  statement.bind(moment);
  ASSIGN_OR_RETURN(std::vector<Numbered> rows, read_rows(statement));
  std::vector<domain::StandingApproval> approvals;
  approvals.reserve(rows.size());
  for (Numbered& one : rows) approvals.push_back(std::move(one.approval));
  return approvals;
}

Result<std::vector<Uuid>> ReadView::plans_by_standing() const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT DISTINCT p.uuid FROM plan p INDEXED BY plan_state "
                           "CROSS JOIN approval a INDEXED BY approval_standing ON a.plan = p.id "
                           "WHERE p.state IN ('approved', 'running') AND a.standing IS NOT NULL"));
  return uuid_rows(statement, "plan");
}

Status Transaction::add_standing_approval(const domain::StandingApproval& approval) {
  const domain::StandingUse& terms = approval.terms;
  ASSIGN_OR_RETURN(const DecisionColumns by,
                   DecisionColumns::of(approval.actor, approval.signed_by));
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO standing_approval (uuid, class, rules, given, valid_from, valid_until, "
      "log_index, actor_uid, actor_login, actor_audit_uid, " +
          kDecisionColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      terms.id, terms.retention_class, terms.rules, terms.given, terms.from, terms.until,
      terms.log_index, ActorColumns{approval.actor}, by.person, by.text, by.signature, by.key,
      by.carrier_uid, by.carrier_login, by.carrier_audit_uid));
  return {};
}

Status Transaction::end_standing_approval(const Uuid& id, const domain::StandingEnd& end) {
  ASSIGN_OR_RETURN(const DecisionColumns by, DecisionColumns::of(end.actor, end.signed_by));
  ASSIGN_OR_RETURN(
      const std::int64_t changed,
      connection_->write(
          "INSERT INTO standing_end (standing, cause, actor_uid, actor_login, actor_audit_uid, "
          "time, reason, log_index, " +
              kDecisionColumns +
              ") SELECT id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM standing_approval "
              "WHERE uuid = ?",
          domain::to_text(end.cause), ActorColumns{end.actor}, end.time, end.reason, end.log_index,
          by.person, by.text, by.signature, by.key, by.carrier_uid, by.carrier_login,
          by.carrier_audit_uid, id));
  if (changed == 1) return {};
  return make_error(Errc::not_found, "there is no standing approval " + id.text());
}

}  // namespace aierase::catalog
