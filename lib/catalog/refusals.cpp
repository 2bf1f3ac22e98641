// Records of plans that ended otherwise than done.
#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/row.h"

namespace aierase::catalog {
namespace {

RefusalHead read_head(Row& row) {
  RefusalHead head;
  head.plan = row.uuid();
  head.outcome = row.word(domain::parse_plan_state);
  head.issued = row.time();
  head.log_index = row.count();
  head.public_key = row.maybe_blob().value_or(Bytes());
  head.signature = row.maybe_blob().value_or(Bytes());
  return head;
}

Result<std::optional<RefusalRow>> read_refusal(Statement& statement) {
  ASSIGN_OR_RETURN(const bool there, statement.step());
  if (!there) return std::optional<RefusalRow>();
  Row row(statement, "refusal");
  RefusalRow refusal;
  static_cast<RefusalHead&>(refusal) = read_head(row);
  refusal.statement = row.text();
  RETURN_IF_ERROR(row.finish(domain::IdType::plan, refusal.plan));
  return std::optional<RefusalRow>(std::move(refusal));
}

std::optional<Bytes> or_null(const Bytes& bytes) {
  return bytes.empty() ? std::nullopt : std::optional<Bytes>(bytes);
}

}  // namespace

Status Transaction::add_refusal(const RefusalRow& row) {
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO refusal (plan, outcome, issued, log_index, public_key, signature, statement) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)",
      row.plan, domain::to_text(row.outcome), row.issued, row.log_index, or_null(row.public_key),
      or_null(row.signature), row.statement));
  return {};
}

Status Transaction::sign_refusal(const RefusalHead& head) {
  ASSIGN_OR_RETURN(const std::int64_t changed,
                   connection_->write("UPDATE refusal SET log_index = ?, public_key = ?, "
                                      "signature = ? WHERE plan = ? AND signature IS NULL",
                                      head.log_index, head.public_key, head.signature, head.plan));
  if (changed == 0) return absent(domain::IdType::plan, head.plan);
  return {};
}

Result<std::optional<RefusalHead>> ReadView::refusal_head(const Uuid& plan) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT plan, outcome, issued, log_index, public_key, "
                                        "signature FROM refusal WHERE plan = ?"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(plan).step());
  if (!there) return std::optional<RefusalHead>();
  Row row(statement, "refusal");
  RefusalHead head = read_head(row);
  RETURN_IF_ERROR(row.finish(domain::IdType::plan, plan));
  return std::optional<RefusalHead>(std::move(head));
}

Result<std::optional<RefusalRow>> ReadView::refusal(const Uuid& plan) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT plan, outcome, issued, log_index, public_key, "
                                        "signature, statement FROM refusal WHERE plan = ?"));
  return read_refusal(statement.bind(plan));
}

Result<std::optional<RefusalRow>> ReadView::refusal_at(std::uint64_t leaf) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT plan, outcome, issued, log_index, public_key, "
                                        "signature, statement FROM refusal WHERE log_index = ?"));
  return read_refusal(statement.bind(leaf));
}

Result<std::vector<Uuid>> ReadView::ends_without_record(std::size_t limit) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT p.uuid FROM plan p INDEXED BY plan_finished WHERE "
                           "p.finished IS NOT NULL AND p.state <> 'done' AND NOT EXISTS "
                           "(SELECT 1 FROM refusal r WHERE r.plan = p.uuid) ORDER BY p.finished "
                           "LIMIT ?"));
  return uuid_rows(statement.bind(static_cast<std::uint64_t>(limit)), "plan");
}

Result<std::vector<Uuid>> ReadView::unsigned_refusals() const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT plan FROM refusal INDEXED BY refusal_unsigned "
                                        "WHERE signature IS NULL ORDER BY id"));
  return uuid_rows(statement, "refusal");
}

}  // namespace aierase::catalog
