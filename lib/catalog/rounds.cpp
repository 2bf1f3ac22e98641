// The erase round between TX1 and TX3.
#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/row.h"
#include "catalog/transition_sql.h"

namespace aierase::catalog {
namespace {

// Whether one statement met as many rows as the round has items.
Result<bool> met_all(Connection& connection, const Result<std::int64_t>& changed) {
  if (!changed.ok()) return changed.error();
  ASSIGN_OR_RETURN(Statement statement, connection.prepare("SELECT count(*) FROM round_item"));
  ASSIGN_OR_RETURN(const bool there, statement.step());
  return there && sqlite3_column_int64(statement.handle(), 0) == *changed;
}

// One of them was not in a state that `to` follows.
Error one_is_refused(Connection& connection, domain::AssetState to) {
  Result<Statement> statement = connection.prepare(
      "SELECT a.uuid FROM round_item i CROSS JOIN asset a ON a.id = i.asset "
      "ORDER BY a.state = ? LIMIT 1");
  if (!statement.ok()) return statement.error();
  const Result<bool> there = statement->bind(domain::to_text(to)).step();
  if (!there.ok()) return there.error();
  if (!*there) return make_error(Errc::not_found, "there is no erase round in the catalog");
  Row row(*statement, "asset");
  const Uuid asset = row.uuid();
  return refused(connection, "SELECT state FROM asset WHERE uuid = ?", domain::IdType::asset, asset,
                 to);
}

}  // namespace

Status Transaction::start_round(const EraseRound& round) {
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO round (only_row, state, from_epoch, intent_at) VALUES (1, ?, ?, ?)",
      domain::to_text(round.state), round.from_epoch, round.intent_at));
  for (const RoundItem& item : round.items) {
    RETURN_IF_ERROR(connection_->write("INSERT INTO draft (text) VALUES (?)", item.draft));
    RETURN_IF_ERROR(connection_->write(
        "INSERT INTO round_item (draft, plan, asset, leaf, certificate) "
        "VALUES (?, ?, (SELECT id FROM asset WHERE uuid = ?), ?, ?)",
        connection_->last_row(), item.plan, item.asset, item.leaf, item.certificate));
  }
  return {};
}

Status Transaction::set_round_state(domain::RoundState state) {
  ASSIGN_OR_RETURN(const std::int64_t changed,
                   connection_->write("UPDATE round SET state = ?", domain::to_text(state)));
  if (changed == 0) return make_error(Errc::not_found, "there is no erase round in the catalog");
  return {};
}

Status Transaction::drop_round_item(const Uuid& asset) {
  RETURN_IF_ERROR(
      connection_->write("DELETE FROM draft WHERE id = (SELECT draft FROM round_item WHERE asset = "
                         "(SELECT id FROM asset WHERE uuid = ?))",
                         asset));
  ASSIGN_OR_RETURN(
      const std::int64_t changed,
      connection_->write(
          "DELETE FROM round_item WHERE asset = (SELECT id FROM asset WHERE uuid = ?)", asset));
  if (changed == 0) {
    const std::string text = domain::id_text(domain::IdType::asset, asset);
    return make_error(Errc::not_found, text + " is not in the erase round", {}, text);
  }
  return {};
}

// The state is no way to the rows: a million of them may be in it.
Status Transaction::mark_round_erasing() {
  ASSIGN_OR_RETURN(
      const bool all,
      met_all(*connection_, connection_->write("UPDATE OR FAIL asset SET state = 'erasing' "
                                               "WHERE id IN (SELECT asset FROM round_item) AND " +
                                               may_become(domain::AssetState::erasing, "+state"))));
  if (!all) return one_is_refused(*connection_, domain::AssetState::erasing);
  return {};
}

Status Transaction::mark_round_erased(UtcTime at) {
  ASSIGN_OR_RETURN(
      const bool all,
      met_all(*connection_,
              connection_->write(
                  "UPDATE OR FAIL asset SET state = 'erased', erased_at = ?, leaf = NULL, "
                  "sealed_manifest = NULL, sealed_payload = NULL "
                  "WHERE id IN (SELECT asset FROM round_item) AND " +
                      may_become(domain::AssetState::erased, "+state"),
                  at)));
  if (!all) return one_is_refused(*connection_, domain::AssetState::erased);
  RETURN_IF_ERROR(
      connection_->write("INSERT INTO orphaned (asset) SELECT i.asset FROM round_item i "
                         "WHERE EXISTS (SELECT 1 FROM blob b WHERE b.asset = i.asset)"));
  return {};
}

Status Transaction::end_round() {
  RETURN_IF_ERROR(
      connection_->write("DELETE FROM draft WHERE id IN (SELECT i.draft FROM round_item i WHERE "
                         "NOT EXISTS (SELECT 1 FROM certificate c WHERE c.id = i.draft))"));
  RETURN_IF_ERROR(connection_->write("DELETE FROM round_item"));
  RETURN_IF_ERROR(connection_->write("DELETE FROM round"));
  return {};
}

Result<std::optional<EraseRound>> ReadView::round(Drafts drafts) const {
  EraseRound round;
  {
    ASSIGN_OR_RETURN(Statement statement,
                     connection_->prepare("SELECT state, from_epoch, intent_at FROM round"));
    ASSIGN_OR_RETURN(const bool there, statement.step());
    if (!there) return std::optional<EraseRound>();
    Row row(statement, "round");
    round.state = row.word(domain::parse_round_state);
    round.from_epoch = row.count();
    round.intent_at = row.time();
    RETURN_IF_ERROR(row.finish("1"));
  }
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare(
                       "SELECT i.plan, a.uuid, i.leaf, i.certificate, a.first_epoch, i.draft, "
                       "iif(?, (SELECT d.text FROM draft d WHERE d.id = i.draft), '') "
                       "FROM round_item i CROSS JOIN asset a ON a.id = i.asset ORDER BY i.draft"));
  statement.bind(static_cast<std::int64_t>(drafts == Drafts::read));
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "round_item");
    RoundItem item;
    item.plan = row.uuid();
    item.asset = row.uuid();
    item.leaf = row.number();
    item.certificate = row.uuid();
    item.first_epoch = row.count();
    item.draft_row = row.integer();
    item.draft = row.text();
    RETURN_IF_ERROR(row.finish(domain::IdType::asset, item.asset));
    round.items.push_back(std::move(item));
    return {};
  }));
  return std::optional<EraseRound>(std::move(round));
}

}  // namespace aierase::catalog
