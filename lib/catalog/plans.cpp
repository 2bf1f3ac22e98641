// Plans, read.
#include "catalog/plan_row.h"

#include "catalog/catalog.h"
#include "catalog/cursor.h"
#include "catalog/decision_row.h"
#include "catalog/row.h"
#include "catalog/standing_row.h"

namespace aierase::catalog {
namespace {

// Of a page of plans; it ends early beyond so many (a plan is never cut in half).
constexpr std::size_t kItemsPerPage = 20'000;

domain::PlanItem read_item(Row& row) {
  domain::PlanItem item;
  item.asset = row.uuid();
  item.name = row.name();
  item.kcv = row.digest();
  item.verdict = row.word(domain::parse_verdict);
  item.reasons = row.reasons();
  item.state = row.word(domain::parse_item_state);
  item.certificate = row.maybe_uuid();
  return item;
}

Result<std::vector<domain::PlanItem>> read_items(Statement& statement, const Uuid& plan) {
  std::vector<domain::PlanItem> items;
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "plan_item");
    domain::PlanItem item = read_item(row);
    RETURN_IF_ERROR(row.finish(domain::IdType::plan, plan));
    items.push_back(std::move(item));
    return {};
  }));
  return items;
}

Status load_edges(Connection& connection, std::int64_t id, domain::Plan& plan) {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection.prepare(
          "SELECT child, relation, parent FROM plan_edge WHERE plan = ? ORDER BY position"));
  statement.bind(id);
  return each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "plan_edge");
    domain::LineageEdge edge;
    edge.child = row.uuid();
    edge.relation = row.word(domain::parse_relation);
    edge.parent = row.uuid();
    RETURN_IF_ERROR(row.finish(domain::IdType::plan, plan.id));
    plan.edges.push_back(edge);
    return {};
  });
}

Status load_kept(Connection& connection, std::int64_t id, domain::Plan& plan) {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection.prepare("SELECT asset, reason FROM plan_kept WHERE plan = ? ORDER BY position"));
  statement.bind(id);
  return each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "plan_kept");
    domain::KeptDependant kept;
    kept.asset = row.uuid();
    kept.reason = row.text();
    RETURN_IF_ERROR(row.finish(domain::IdType::plan, plan.id));
    plan.kept.push_back(std::move(kept));
    return {};
  });
}

Status load_approvals(Connection& connection, std::int64_t id, domain::Plan& plan) {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection.prepare("SELECT decision, actor_uid, actor_login, actor_audit_uid, time, reason, "
                         "capacities, log_index, due, " +
                         kDecisionColumns + ", standing FROM approval WHERE plan = ? ORDER BY id"));
  statement.bind(id);
  return each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "approval");
    domain::Approval approval;
    approval.plan = plan.id;
    approval.decision = row.word(domain::parse_decision);
    approval.actor = row.actor();
    approval.time = row.time();
    approval.reason = row.text();
    approval.capacities = row.texts();
    approval.log_index = row.count();
    approval.due = row.maybe_time();
    approval.actor.person = read_person(row);
    approval.signed_by = read_signed_by(row);
    const std::optional<Uuid> standing = row.maybe_uuid();
    RETURN_IF_ERROR(row.finish(domain::IdType::plan, plan.id));
    if (standing) {
      ASSIGN_OR_RETURN(approval.standing, standing_use(connection, *standing));
    }
    plan.approvals.push_back(std::move(approval));
    return {};
  });
}

// All but items and edges.
Result<domain::Plan> load_head(Connection& connection, std::int64_t id) {
  domain::Plan plan;
  {
    ASSIGN_OR_RETURN(
        Statement statement,
        connection.prepare(
            "SELECT uuid, state, requester_uid, requester_login, "
            "requester_audit_uid, reason, ticket, created, expires, due, finished, "
            "digest, policy, origin, timing, below_floor, brake, brake_log_index FROM plan "
            "WHERE id = ?"));
    ASSIGN_OR_RETURN(const bool there, statement.bind(id).step());
    if (!there) {
      return make_error(Errc::damaged, "the catalog is damaged: table plan has no row " +
                                           std::to_string(id) + " though an index names it");
    }
    Row row(statement, "plan");
    plan.id = row.uuid();
    plan.state = row.word(domain::parse_plan_state);
    plan.requester = row.actor();
    plan.reason = row.text();
    plan.ticket = row.text();
    plan.created = row.time();
    plan.expires = row.time();
    plan.due = row.maybe_time();
    plan.finished = row.maybe_time();
    plan.digest = row.digest();
    plan.policy = row.digest();
    plan.origin = row.word(domain::parse_plan_origin);
    plan.timing = row.word(domain::parse_timing);
    plan.below_floor = row.text();
    plan.brake = row.text();
    plan.brake_log_index = row.count();
    RETURN_IF_ERROR(row.finish(domain::IdType::plan, plan.id));
  }
  RETURN_IF_ERROR(load_kept(connection, id, plan));
  RETURN_IF_ERROR(load_approvals(connection, id, plan));
  return plan;
}

Result<domain::Plan> load_plan(Connection& connection, std::int64_t id) {
  ASSIGN_OR_RETURN(domain::Plan plan, load_head(connection, id));
  {
    ASSIGN_OR_RETURN(
        Statement statement,
        connection.prepare("SELECT asset, name, kcv, verdict, reasons, state, certificate "
                           "FROM plan_item WHERE plan = ? ORDER BY position"));
    ASSIGN_OR_RETURN(plan.items, read_items(statement.bind(id), plan.id));
  }
  RETURN_IF_ERROR(load_edges(connection, id, plan));
  return plan;
}

template <typename Load>
Result<std::optional<domain::Plan>> find_plan(Connection& connection, const Uuid& plan, Load load) {
  const Result<std::int64_t> id = plan_row_number(connection, plan);
  if (!id.ok()) {
    if (id.error().code == Errc::not_found) return std::optional<domain::Plan>();
    return id.error();
  }
  ASSIGN_OR_RETURN(domain::Plan found, load(connection, *id));
  return std::optional<domain::Plan>(std::move(found));
}

}  // namespace

Result<std::int64_t> plan_row_number(Connection& connection, const Uuid& plan) {
  ASSIGN_OR_RETURN(Statement statement, connection.prepare("SELECT id FROM plan WHERE uuid = ?"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(plan).step());
  if (!there) return absent(domain::IdType::plan, plan);
  return sqlite3_column_int64(statement.handle(), 0);
}

Result<std::optional<domain::Plan>> ReadView::plan(const Uuid& id) const {
  return find_plan(*connection_, id, load_plan);
}

Result<std::optional<domain::Plan>> ReadView::plan_head(const Uuid& id) const {
  return find_plan(*connection_, id, load_head);
}

Result<std::vector<domain::PlanItem>> ReadView::pending_items(const Uuid& plan,
                                                              std::size_t limit) const {
  ASSIGN_OR_RETURN(const std::int64_t id, plan_row_number(*connection_, plan));
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(
          "SELECT asset, name, kcv, verdict, reasons, state, certificate FROM plan_item "
          "INDEXED BY plan_item_waiting WHERE plan = ? AND state = 'pending' "
          "ORDER BY position LIMIT ?"));
  return read_items(statement.bind(id, static_cast<std::uint64_t>(limit)), plan);
}

Result<Page<domain::Plan>> ReadView::plans(std::optional<domain::PlanState> state,
                                           const std::string& cursor, std::size_t limit) const {
  Page<domain::Plan> page;
  if (limit == 0) {
    page.next = cursor;
    return page;
  }
  ASSIGN_OR_RETURN(const std::int64_t before, before_cursor(cursor));
  std::vector<std::int64_t> numbers;
  {
    ASSIGN_OR_RETURN(
        Statement statement,
        connection_->prepare(
            state ? "SELECT id FROM plan WHERE id < ? AND state = ? ORDER BY id DESC LIMIT ?"
                  : "SELECT id FROM plan WHERE id < ? ORDER BY id DESC LIMIT ?"));
    statement.bind(before);
    if (state) statement.bind(domain::to_text(*state));
    statement.bind(static_cast<std::uint64_t>(limit + 1));
    RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
      numbers.push_back(sqlite3_column_int64(current.handle(), 0));
      return {};
    }));
  }
  std::size_t items = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i == limit || items > kItemsPerPage) {
      page.next = std::to_string(numbers[i - 1]);
      break;
    }
    ASSIGN_OR_RETURN(domain::Plan plan, load_plan(*connection_, numbers[i]));
    items += plan.items.size();
    page.rows.push_back(std::move(plan));
  }
  return page;
}

Result<std::vector<Uuid>> ReadView::plan_assets(const Uuid& plan, std::optional<Uuid> after,
                                                std::size_t limit) const {
  ASSIGN_OR_RETURN(const std::int64_t id, plan_row_number(*connection_, plan));
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT asset FROM plan_item WHERE plan = ? "
                                        "AND asset > coalesce(?, x'') ORDER BY asset LIMIT ?"));
  statement.bind(id, after, static_cast<std::uint64_t>(limit));
  return uuid_rows(statement, "plan_item", domain::id_text(domain::IdType::plan, plan));
}

Result<std::size_t> ReadView::item_count(const Uuid& plan) const {
  ASSIGN_OR_RETURN(const std::int64_t id, plan_row_number(*connection_, plan));
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT count(*) FROM plan_item WHERE plan = ?"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(id).step());
  if (!there) return std::size_t{0};
  Row row(statement, "plan_item");
  const std::uint32_t count = row.number();
  RETURN_IF_ERROR(row.finish(domain::IdType::plan, plan));
  return std::size_t{count};
}

Result<bool> ReadView::plan_names(const Uuid& plan, const Uuid& asset) const {
  ASSIGN_OR_RETURN(const std::int64_t id, plan_row_number(*connection_, plan));
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT 1 FROM plan_item WHERE plan = ?1 AND asset = ?2 "
                           "UNION ALL SELECT 1 FROM plan_kept WHERE plan = ?1 AND asset = ?2"));
  return statement.bind(id, asset).step();
}

Result<std::optional<Uuid>> ReadView::open_plan_of(const Uuid& asset) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(
          "SELECT p.uuid FROM plan_item i INDEXED BY plan_item_open "
          "CROSS JOIN plan p ON p.id = i.plan WHERE i.asset = ? AND i.state IN ('pending', 'held') "
          "AND (p.state = 'requested' OR p.state = 'approved' OR p.state = 'running') "
          "ORDER BY i.plan DESC LIMIT 1"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(asset).step());
  if (!there) return std::optional<Uuid>();
  Row row(statement, "plan");
  std::optional<Uuid> plan = row.uuid();
  RETURN_IF_ERROR(row.finish(domain::IdType::asset, asset));
  return plan;
}

Result<std::vector<domain::AttemptedUse>> ReadView::attempted_uses(const Uuid& plan) const {
  ASSIGN_OR_RETURN(const std::int64_t id, plan_row_number(*connection_, plan));
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT asset, count, last, actor_uid, actor_login, actor_audit_uid "
                           "FROM attempted_use WHERE plan = ? ORDER BY asset"));
  statement.bind(id);
  std::vector<domain::AttemptedUse> uses;
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "attempted_use");
    domain::AttemptedUse use;
    use.asset = row.uuid();
    use.count = row.count();
    use.last = row.time();
    use.by = row.actor();
    RETURN_IF_ERROR(row.finish(domain::IdType::plan, plan));
    uses.push_back(std::move(use));
    return {};
  }));
  return uses;
}

Result<std::vector<Uuid>> ReadView::plans_in(domain::PlanState state) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT uuid FROM plan WHERE state = ? ORDER BY id"));
  return uuid_rows(statement.bind(domain::to_text(state)), "plan");
}

Result<std::vector<Uuid>> ReadView::due_plans(UtcTime by) const {
  std::vector<Uuid> plans;
  // What has begun goes on first.
  for (const domain::PlanState state : {domain::PlanState::running, domain::PlanState::approved}) {
    ASSIGN_OR_RETURN(Statement statement,
                     connection_->prepare("SELECT uuid FROM plan INDEXED BY plan_due "
                                          "WHERE state = ? AND due IS NOT NULL AND due <= ? "
                                          "ORDER BY id"));
    ASSIGN_OR_RETURN(const std::vector<Uuid> of_state,
                     uuid_rows(statement.bind(domain::to_text(state), by), "plan"));
    plans.insert(plans.end(), of_state.begin(), of_state.end());
  }
  return plans;
}

Result<bool> ReadView::has_held_items(const Uuid& plan) const {
  ASSIGN_OR_RETURN(const std::int64_t id, plan_row_number(*connection_, plan));
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT 1 FROM plan_item INDEXED BY plan_item_held "
                                        "WHERE plan = ? AND state = 'held' LIMIT 1"));
  return statement.bind(id).step();
}

}  // namespace aierase::catalog
