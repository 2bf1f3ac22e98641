// Plans, written: the plan at its request, then states, items and acts of people.
#include "catalog/catalog.h"
#include "catalog/decision_row.h"
#include "catalog/plan_row.h"
#include "catalog/row.h"
#include "catalog/transition_sql.h"

namespace aierase::catalog {
namespace {

Status insert_items(Connection& connection, std::int64_t id, const domain::Plan& plan) {
  std::uint64_t position = 0;
  for (const domain::PlanItem& item : plan.items) {
    ASSIGN_OR_RETURN(const std::string reasons, reasons_json(item.reasons));
    RETURN_IF_ERROR(connection.write(
        "INSERT INTO plan_item (plan, position, asset, name, kcv, verdict, reasons, state, "
        "certificate, bytes) VALUES (?, ?, ?3, ?, ?, ?, ?, ?, ?, "
        "ifnull((SELECT bytes FROM asset WHERE uuid = ?3), 0))",
        id, position++, item.asset, item.name.text(), item.kcv, domain::to_text(item.verdict),
        reasons, domain::to_text(item.state), item.certificate));
  }
  return {};
}

Status insert_edges(Connection& connection, std::int64_t id, const domain::Plan& plan) {
  std::uint64_t position = 0;
  for (const domain::LineageEdge& edge : plan.edges) {
    RETURN_IF_ERROR(connection.write(
        "INSERT INTO plan_edge (plan, position, child, relation, parent) VALUES (?, ?, ?, ?, ?)",
        id, position++, edge.child, domain::to_text(edge.relation), edge.parent));
  }
  position = 0;
  for (const domain::KeptDependant& kept : plan.kept) {
    RETURN_IF_ERROR(connection.write(
        "INSERT INTO plan_kept (plan, position, asset, reason) VALUES (?, ?, ?, ?)", id, position++,
        kept.asset, kept.reason));
  }
  return {};
}

// Why no item took its new state.
Error item_refused(Connection& connection, const Uuid& plan, const domain::PlanItem& item) {
  const Result<std::int64_t> number = plan_row_number(connection, plan);
  if (!number.ok()) return number.error();
  Result<Statement> statement =
      connection.prepare("SELECT state FROM plan_item WHERE plan = ? AND asset = ?");
  if (!statement.ok()) return std::move(statement).error();
  const Result<bool> there = statement->bind(*number, item.asset).step();
  if (!there.ok()) return there.error();
  const std::string text = domain::id_text(domain::IdType::plan, plan);
  const std::string asset = domain::id_text(domain::IdType::asset, item.asset);
  if (!*there) {
    return make_error(Errc::not_found, text + " does not name " + asset,
                      "nothing may come into a plan after its request", text);
  }
  Row row(*statement, "plan_item");
  return make_error(Errc::wrong_state,
                    asset + " is " + row.text() + " in " + text + " and cannot become " +
                        std::string(domain::to_text(item.state)),
                    "`aierase show " + text + "` tells more", text);
}

}  // namespace

Status Transaction::insert_plan(const domain::Plan& plan) {
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO plan (uuid, state, requester_uid, requester_login, requester_audit_uid, reason, "
      "ticket, created, expires, due, finished, digest, policy, origin, timing, "
      "below_floor, brake, brake_log_index) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      plan.id, domain::to_text(plan.state), ActorColumns{plan.requester}, plan.reason, plan.ticket,
      plan.created, plan.expires, plan.due, plan.finished, plan.digest, plan.policy,
      domain::to_text(plan.origin), domain::to_text(plan.timing), plan.below_floor, plan.brake,
      plan.brake_log_index));
  const std::int64_t id = sqlite3_last_insert_rowid(connection_->handle());
  RETURN_IF_ERROR(insert_items(*connection_, id, plan));
  RETURN_IF_ERROR(insert_edges(*connection_, id, plan));
  for (const domain::Approval& approval : plan.approvals) {
    RETURN_IF_ERROR(add_approval(approval));
  }
  return {};
}

Status Transaction::set_plan_state(const Uuid& plan, domain::PlanState state,
                                   std::optional<UtcTime> due, std::optional<UtcTime> finished) {
  ASSIGN_OR_RETURN(
      const std::int64_t changed,
      connection_->write("UPDATE plan SET state = ?, due = ?, finished = ? WHERE uuid = ? AND " +
                             may_become(state),
                         domain::to_text(state), due, finished, plan));
  if (changed == 0) {
    return refused(*connection_, "SELECT state FROM plan WHERE uuid = ?", domain::IdType::plan,
                   plan, state);
  }
  return {};
}

Status Transaction::put_brake(const Uuid& plan, const std::string& why, std::uint64_t log_index) {
  ASSIGN_OR_RETURN(const std::int64_t changed,
                   connection_->write("UPDATE plan SET brake = ?, brake_log_index = ?, due = NULL "
                                      "WHERE uuid = ?",
                                      why, log_index, plan));
  if (changed == 0) return absent(domain::IdType::plan, plan);
  return {};
}

Status Transaction::reopen_plan(const Uuid& plan, UtcTime expires) {
  ASSIGN_OR_RETURN(
      const std::int64_t changed,
      connection_->write("UPDATE plan SET state = 'requested', due = NULL, expires = ? "
                         "WHERE uuid = ? AND " +
                             may_become(domain::PlanState::requested),
                         expires, plan));
  if (changed == 0) {
    return refused(*connection_, "SELECT state FROM plan WHERE uuid = ?", domain::IdType::plan,
                   plan, domain::PlanState::requested);
  }
  return {};
}

Status Transaction::put_item(const Uuid& plan, const domain::PlanItem& item) {
  ASSIGN_OR_RETURN(const std::string reasons, reasons_json(item.reasons));
  ASSIGN_OR_RETURN(
      const std::int64_t changed,
      connection_->write("UPDATE plan_item SET verdict = ?, reasons = ?, state = ?, "
                         "certificate = ? WHERE plan = (SELECT id FROM plan WHERE uuid = ?) "
                         "AND asset = ? AND " +
                             may_become(item.state),
                         domain::to_text(item.verdict), reasons, domain::to_text(item.state),
                         item.certificate, plan, item.asset));
  if (changed == 0) return item_refused(*connection_, plan, item);
  return {};
}

Status Transaction::count_attempted_use(const Uuid& plan, const domain::AttemptedUse& use) {
  ASSIGN_OR_RETURN(const std::int64_t id, plan_row_number(*connection_, plan));
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO attempted_use (plan, asset, count, last, actor_uid, actor_login, "
      "actor_audit_uid) VALUES (?, ?, 1, ?, ?, ?, ?) ON CONFLICT (plan, asset) DO UPDATE SET "
      "count = count + 1, last = excluded.last, actor_uid = excluded.actor_uid, "
      "actor_login = excluded.actor_login, actor_audit_uid = excluded.actor_audit_uid",
      id, use.asset, use.last, ActorColumns{use.by}));
  return {};
}

Status Transaction::add_approval(const domain::Approval& approval) {
  ASSIGN_OR_RETURN(const std::int64_t id, plan_row_number(*connection_, approval.plan));
  ASSIGN_OR_RETURN(const std::string capacities, texts_json(approval.capacities));
  ASSIGN_OR_RETURN(const DecisionColumns by,
                   DecisionColumns::of(approval.actor, approval.signed_by));
  std::optional<Uuid> standing;
  if (approval.standing) standing = approval.standing->id;
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO approval (plan, decision, actor_uid, actor_login, actor_audit_uid, time, "
      "reason, capacities, log_index, due, " +
          kDecisionColumns +
          ", standing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id, domain::to_text(approval.decision), ActorColumns{approval.actor}, approval.time,
      approval.reason, capacities, approval.log_index, approval.due, by.person, by.text,
      by.signature, by.key, by.carrier_uid, by.carrier_login, by.carrier_audit_uid, standing));
  return {};
}

}  // namespace aierase::catalog
