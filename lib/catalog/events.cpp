// Events and exports: what people did, and what left the store.
#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/row.h"

namespace aierase::catalog {
namespace {

// Of an event about an asset, which the table knows by its row.
std::optional<Uuid> asset_in(const std::string& subject) {
  const std::optional<domain::IdPrefix> id = domain::parse_id(subject);
  if (!id || id->type != domain::IdType::asset) return std::nullopt;
  return id->whole;
}

}  // namespace

Status Transaction::add_event(const Event& event) {
  const std::optional<Uuid> asset = asset_in(event.subject);
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO event (time, actor_uid, actor_login, actor_audit_uid, action, asset, subject, "
      "from_state, to_state, reason) "
      "VALUES (?, ?, ?, ?, ?, (SELECT id FROM asset WHERE uuid = ?), ?, ?, ?, ?)",
      event.time, ActorColumns{event.actor}, event.action, asset,
      asset ? std::string_view() : event.subject, event.from, event.to, event.reason));
  return {};
}

Result<std::vector<Event>> ReadView::events(const std::string& subject, std::size_t limit) const {
  std::vector<Event> events;
  constexpr std::string_view kOfAsset =
      "SELECT id, time, actor_uid, actor_login, actor_audit_uid, action, from_state, to_state, "
      "reason FROM event WHERE asset = (SELECT id FROM asset WHERE uuid = ?) "
      "ORDER BY id DESC LIMIT ?";
  constexpr std::string_view kOfOther =
      "SELECT id, time, actor_uid, actor_login, actor_audit_uid, action, from_state, to_state, "
      "reason FROM event WHERE subject = ? AND asset IS NULL ORDER BY id DESC LIMIT ?";
  const std::optional<Uuid> asset = asset_in(subject);
  ASSIGN_OR_RETURN(Statement statement, connection_->prepare(asset ? kOfAsset : kOfOther));
  if (asset) {
    statement.bind(*asset, static_cast<std::uint64_t>(limit));
  } else {
    statement.bind(subject, static_cast<std::uint64_t>(limit));
  }
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "event");
    const std::int64_t id = row.integer();
    Event event;
    event.time = row.time();
    event.actor = row.actor();
    event.action = row.text();
    event.subject = subject;
    event.from = row.text();
    event.to = row.text();
    event.reason = row.text();
    RETURN_IF_ERROR(row.finish(id));
    events.push_back(std::move(event));
    return {};
  }));
  return events;
}

Status Transaction::add_export(const domain::ExportRecord& record) {
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO export (asset, time, actor_uid, actor_login, actor_audit_uid, kind, medium, "
      "scope, destination) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      record.asset, record.time, ActorColumns{record.actor}, domain::to_text(record.kind),
      domain::to_text(record.medium), record.scope, record.destination));
  return {};
}

Result<std::vector<domain::ExportRecord>> ReadView::exports(const Uuid& asset) const {
  std::vector<domain::ExportRecord> records;
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT id, asset, time, actor_uid, actor_login, actor_audit_uid, kind, "
                           "medium, scope, destination FROM export WHERE asset = ? ORDER BY id"));
  statement.bind(asset);
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "export");
    const std::int64_t id = row.integer();
    domain::ExportRecord record;
    record.asset = row.uuid();
    record.time = row.time();
    record.actor = row.actor();
    record.kind = row.word(domain::parse_export_kind);
    record.medium = row.word(domain::parse_export_medium);
    record.scope = row.text();
    record.destination = row.text();
    RETURN_IF_ERROR(row.finish(id));
    records.push_back(std::move(record));
    return {};
  }));
  return records;
}

}  // namespace aierase::catalog
