// What was said of a certificate after it was issued: verdicts, and the signed amendments.
#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/decision_row.h"
#include "catalog/row.h"
#include "catalog/transition_sql.h"

namespace aierase::catalog {
namespace {

const std::string kValidationColumns =
    "certificate, verdict, actor_uid, actor_login, actor_audit_uid, time, reason, remedy, "
    "capacities, amendment, log_index, " +
    kDecisionColumns;
constexpr const char* kAmendments =
    "SELECT certificate, number, kind, issued, residuals, log_index, public_key, signature, "
    "statement FROM amendment ";

Result<std::vector<domain::ValidationAct>> read_validations(Statement& statement) {
  std::vector<domain::ValidationAct> acts;
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "validation");
    domain::ValidationAct act;
    act.certificate = row.uuid();
    act.verdict = row.word(domain::parse_validation);
    act.actor = row.actor();
    act.time = row.time();
    act.reason = row.text();
    act.remedy = row.text();
    act.capacities = row.texts();
    act.amendment = row.maybe_count();
    act.log_index = row.count();
    act.actor.person = read_person(row);
    act.signed_by = read_signed_by(row);
    RETURN_IF_ERROR(row.finish(domain::IdType::certificate, act.certificate));
    acts.push_back(std::move(act));
    return {};
  }));
  return acts;
}

Result<std::vector<AmendmentRow>> read_amendments(Statement& statement) {
  std::vector<AmendmentRow> rows;
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "amendment");
    AmendmentRow amendment;
    amendment.certificate = row.uuid();
    amendment.number = row.count();
    amendment.kind = row.word(domain::parse_amendment_kind);
    amendment.issued = row.time();
    amendment.open = row.texts();
    amendment.log_index = row.count();
    amendment.public_key = row.blob();
    amendment.signature = row.blob();
    amendment.statement = row.text();
    RETURN_IF_ERROR(row.finish(domain::IdType::certificate, amendment.certificate));
    rows.push_back(std::move(amendment));
    return {};
  }));
  return rows;
}

Result<std::optional<AmendmentRow>> first_amendment(Statement& statement) {
  ASSIGN_OR_RETURN(std::vector<AmendmentRow> rows, read_amendments(statement));
  if (rows.empty()) return std::optional<AmendmentRow>();
  return std::optional<AmendmentRow>(std::move(rows.front()));
}

}  // namespace

Result<std::vector<domain::ValidationAct>> ReadView::validations(const Uuid& certificate) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT " + kValidationColumns +
                           " FROM validation WHERE certificate = ? ORDER BY log_index"));
  return read_validations(statement.bind(certificate));
}

Result<std::vector<domain::ValidationAct>> ReadView::unsigned_validations(std::uint64_t leaf,
                                                                          std::size_t limit) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT " + kValidationColumns +
                                        " FROM validation INDEXED BY validation_unsigned WHERE "
                                        "amendment IS NULL AND log_index >= ? ORDER BY log_index "
                                        "LIMIT ?"));
  return read_validations(statement.bind(leaf, static_cast<std::uint64_t>(limit)));
}

Result<std::optional<domain::ValidationAct>> ReadView::validation_at(std::uint64_t leaf) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT " + kValidationColumns +
                                        " FROM validation WHERE log_index = ?"));
  ASSIGN_OR_RETURN(std::vector<domain::ValidationAct> acts, read_validations(statement.bind(leaf)));
  if (acts.empty()) return std::optional<domain::ValidationAct>();
  return std::optional<domain::ValidationAct>(std::move(acts.front()));
}

Status Transaction::add_validation(const domain::ValidationAct& act) {
  ASSIGN_OR_RETURN(const std::int64_t changed,
                   connection_->write("UPDATE certificate SET validation = ? WHERE uuid = ? AND " +
                                          may_become(act.verdict, "validation"),
                                      domain::to_text(act.verdict), act.certificate));
  if (changed == 0) {
    return refused(*connection_, "SELECT validation FROM certificate WHERE uuid = ?",
                   domain::IdType::certificate, act.certificate, act.verdict);
  }
  ASSIGN_OR_RETURN(const std::string capacities, texts_json(act.capacities));
  ASSIGN_OR_RETURN(const DecisionColumns by, DecisionColumns::of(act.actor, act.signed_by));
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO validation (" + kValidationColumns +
          ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      act.certificate, domain::to_text(act.verdict), ActorColumns{act.actor}, act.time, act.reason,
      act.remedy, capacities, act.amendment, act.log_index, by.person, by.text, by.signature,
      by.key, by.carrier_uid, by.carrier_login, by.carrier_audit_uid));
  return {};
}

Status Transaction::sign_validation(std::uint64_t log_index, std::uint64_t amendment) {
  ASSIGN_OR_RETURN(const std::int64_t changed,
                   connection_->write("UPDATE validation SET amendment = ? WHERE log_index = ? AND "
                                      "amendment IS NULL",
                                      amendment, log_index));
  if (changed == 1) return {};
  return make_error(Errc::not_found, "there is no verdict that waits for its signature");
}

Result<std::vector<AmendmentRow>> ReadView::amendments(const Uuid& certificate) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(std::string(kAmendments) + "WHERE certificate = ? ORDER BY number"));
  return read_amendments(statement.bind(certificate));
}

Result<std::optional<AmendmentRow>> ReadView::last_amendment(const Uuid& certificate) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare(std::string(kAmendments) +
                                        "WHERE certificate = ? ORDER BY number DESC LIMIT 1"));
  return first_amendment(statement.bind(certificate));
}

Result<std::optional<AmendmentRow>> ReadView::amendment(const Uuid& of,
                                                        std::uint64_t number) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(std::string(kAmendments) + "WHERE certificate = ? AND number = ?"));
  return first_amendment(statement.bind(of, number));
}

Result<std::optional<AmendmentRow>> ReadView::amendment_at(std::uint64_t leaf) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare(std::string(kAmendments) + "WHERE log_index = ?"));
  return first_amendment(statement.bind(leaf));
}

Result<bool> ReadView::said_without_row(std::uint64_t leaf) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(
          "SELECT 1 FROM log_leaf l INDEXED BY log_leaf_said WHERE l.type IN ('amendment', "
          "'validation', 'validation-unsigned') AND l.id >= ? AND NOT EXISTS (SELECT 1 FROM "
          "amendment WHERE log_index = l.id) AND NOT EXISTS (SELECT 1 FROM validation WHERE "
          "log_index = l.id) LIMIT 1"));
  return statement.bind(leaf).step();
}

Result<std::optional<std::string>> ReadView::unlogged_rows() const {
  constexpr std::pair<const char*, const char*> kTables[] = {
      {"certificate", "'certificate'"},
      {"refusal", "'refusal', 'refusal-unsigned'"},
      {"validation", "'validation', 'validation-unsigned'"},
      {"amendment", "'amendment'"}};
  for (const auto& [table, types] : kTables) {
    ASSIGN_OR_RETURN(Statement statement,
                     connection_->prepare("SELECT 1 FROM " + std::string(table) +
                                          " r WHERE NOT EXISTS (SELECT 1 FROM log_leaf WHERE id = "
                                          "r.log_index AND type IN (" +
                                          types + ")) LIMIT 1"));
    ASSIGN_OR_RETURN(const bool there, statement.step());
    if (there) return std::optional<std::string>(table);
  }
  return std::optional<std::string>();
}

Status Transaction::add_amendment(const AmendmentRow& row) {
  ASSIGN_OR_RETURN(const std::string residuals, texts_json(row.open));
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO amendment (certificate, number, kind, issued, residuals, log_index, public_key, "
      "signature, statement) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      row.certificate, row.number, domain::to_text(row.kind), row.issued, residuals, row.log_index,
      row.public_key, row.signature, row.statement));
  return {};
}

}  // namespace aierase::catalog
