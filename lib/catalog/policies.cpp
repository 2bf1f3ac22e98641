// Policies that came into force, and the dates of events that retention counts from.
#include <sqlite3.h>

#include <limits>

#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/row.h"

namespace aierase::catalog {
namespace {

Result<std::vector<domain::PolicyFile>> read_files(Connection& connection, std::int64_t policy) {
  std::vector<domain::PolicyFile> files;
  ASSIGN_OR_RETURN(
      Statement statement,
      connection.prepare("SELECT name, text FROM policy_file WHERE policy = ? ORDER BY position"));
  RETURN_IF_ERROR(each_row(statement.bind(policy), [&](const Statement& current) -> Status {
    Row row(current, "policy_file");
    domain::PolicyFile file;
    file.name = row.text();
    file.text = row.text();
    RETURN_IF_ERROR(row.finish(policy));
    files.push_back(std::move(file));
    return {};
  }));
  return files;
}

}  // namespace

Status Transaction::add_policy(const domain::LoadedPolicy& policy) {
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO policy_set (version, loaded, actor_uid, actor_login, actor_audit_uid, reason, "
      "log_index) VALUES (?, ?, ?, ?, ?, ?, ?)",
      policy.version, policy.loaded, ActorColumns{policy.actor}, policy.reason, policy.log_index));
  const std::int64_t id = sqlite3_last_insert_rowid(connection_->handle());
  std::uint64_t position = 0;
  for (const domain::PolicyFile& file : policy.files) {
    RETURN_IF_ERROR(connection_->write(
        "INSERT INTO policy_file (policy, position, name, text) VALUES (?, ?, ?, ?)", id,
        position++, file.name, file.text));
  }
  return {};
}

Result<std::optional<domain::LoadedPolicy>> ReadView::policy_in_force() const {
  return policy_before(static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
}

Result<std::optional<domain::LoadedPolicy>> ReadView::policy_before(std::uint64_t leaf) const {
  domain::LoadedPolicy policy;
  std::int64_t id = 0;
  {
    ASSIGN_OR_RETURN(
        Statement statement,
        connection_->prepare("SELECT id, version, loaded, actor_uid, actor_login, actor_audit_uid, "
                             "reason, log_index FROM policy_set WHERE log_index < ? "
                             "ORDER BY id DESC LIMIT 1"));
    ASSIGN_OR_RETURN(const bool there, statement.bind(leaf).step());
    if (!there) return std::optional<domain::LoadedPolicy>();
    Row row(statement, "policy_set");
    id = row.integer();
    policy.version = row.digest();
    policy.loaded = row.time();
    policy.actor = row.actor();
    policy.reason = row.text();
    policy.log_index = row.count();
    RETURN_IF_ERROR(row.finish(id));
  }
  ASSIGN_OR_RETURN(policy.files, read_files(*connection_, id));
  return std::optional<domain::LoadedPolicy>(std::move(policy));
}

namespace {

std::optional<UtcTime>& date_of(domain::AssetEvent event, RetentionDates& dates) {
  switch (event) {
    case domain::AssetEvent::retired:
      return dates.retired;
    case domain::AssetEvent::placed_on_market:
      return dates.placed_on_market;
    case domain::AssetEvent::mounted:
      break;
  }
  return dates.last_mount;
}

}  // namespace

Status Transaction::put_event(const Uuid& asset, domain::AssetEvent event, UtcTime at) {
  RETURN_IF_ERROR(
      connection_->write("INSERT INTO asset_event (asset, name, time) VALUES (?, ?, ?) "
                         "ON CONFLICT (asset, name) DO UPDATE SET time = excluded.time",
                         asset, domain::to_text(event), at));
  return {};
}

Result<RetentionDates> ReadView::retention_dates(const Uuid& asset) const {
  RetentionDates dates;
  {
    ASSIGN_OR_RETURN(Statement statement,
                     connection_->prepare("SELECT name, time FROM asset_event WHERE asset = ?"));
    RETURN_IF_ERROR(each_row(statement.bind(asset), [&](const Statement& current) -> Status {
      Row row(current, "asset_event");
      const domain::AssetEvent event = row.word(domain::parse_asset_event);
      const UtcTime at = row.time();
      RETURN_IF_ERROR(row.finish(domain::IdType::asset, asset));
      date_of(event, dates) = at;
      return {};
    }));
  }
  {
    ASSIGN_OR_RETURN(
        Statement statement,
        connection_->prepare("SELECT count(*), max(time) FROM export WHERE asset = ?"));
    ASSIGN_OR_RETURN(const bool there, statement.bind(asset).step());
    if (there) {
      Row row(statement, "export");
      dates.exports = row.count();
      dates.last_export = row.maybe_time();
      RETURN_IF_ERROR(row.finish(domain::IdType::asset, asset));
    }
  }
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT min(a.created) FROM lineage l JOIN asset a ON a.uuid = l.child "
                           "WHERE l.parent = ? AND l.relation = 'supersedes'"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(asset).step());
  if (there) {
    Row row(statement, "lineage");
    dates.superseded = row.maybe_time();
    RETURN_IF_ERROR(row.finish(domain::IdType::asset, asset));
  }
  return dates;
}

Result<std::vector<Uuid>> ReadView::versions_of(const domain::AssetName& name,
                                                std::size_t limit) const {
  const std::string stem(name.base());
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT uuid FROM asset INDEXED BY asset_living_name "
                                        "WHERE erased_at IS NULL AND (name = ? OR "
                                        "(name > ? AND name < ?)) LIMIT ?"));
  statement.bind(stem, stem + ":", stem + ";", static_cast<std::uint64_t>(limit));
  return uuid_rows(statement, "asset", stem);
}

}  // namespace aierase::catalog
