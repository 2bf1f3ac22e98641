// Assets as rows: put in once, read whole.
#include "catalog/asset_row.h"
#include "catalog/row.h"

namespace aierase::catalog {
namespace {

Status read_custodians(Statement& statement, const Uuid& asset,
                       std::vector<domain::Custodian>& custodians) {
  return each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "custodian");
    domain::Custodian custodian;
    custodian.kind = row.word(parse_custodian_kind);
    custodian.id = row.number();
    custodian.name = row.text();
    RETURN_IF_ERROR(row.finish(domain::IdType::asset, asset));
    custodians.push_back(std::move(custodian));
    return {};
  });
}

Status load_custodians(Connection& connection, std::int64_t id, domain::Asset& asset) {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection.prepare("SELECT kind, id, name FROM custodian WHERE asset = ? ORDER BY position"));
  return read_custodians(statement.bind(id), asset.id, asset.custodians);
}

Status load_labels(Connection& connection, std::int64_t id, domain::Asset& asset) {
  ASSIGN_OR_RETURN(Statement statement,
                   connection.prepare("SELECT key, value FROM label WHERE asset = ?"));
  statement.bind(id);
  return each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "label");
    std::string key = row.text();
    std::string value = row.text();
    RETURN_IF_ERROR(row.finish(domain::IdType::asset, asset.id));
    asset.labels.emplace(std::move(key), std::move(value));
    return {};
  });
}

Status load_sources(Connection& connection, std::int64_t id, domain::Asset& asset) {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection.prepare(
          "SELECT description, filesystem, history, sight, files, bytes, asserted_uid, "
          "asserted_login, asserted_audit_uid, removed_at FROM source "
          "WHERE asset = ? ORDER BY position"));
  statement.bind(id);
  return each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "source");
    domain::Source source;
    source.description = row.text();
    source.filesystem = row.text();
    source.history = row.word(domain::parse_source_history);
    source.sight = row.word(domain::parse_source_sight);
    source.files = row.count();
    source.bytes = row.count();
    source.asserted_by = row.maybe_actor();
    source.removed_at = row.maybe_time();
    RETURN_IF_ERROR(row.finish(domain::IdType::asset, asset.id));
    asset.sources.push_back(std::move(source));
    return {};
  });
}

Result<std::optional<Bytes>> sealed(Statement& statement, const Uuid& asset) {
  ASSIGN_OR_RETURN(const bool there, statement.bind(asset).step());
  if (!there) return std::optional<Bytes>();
  Row row(statement, "asset");
  std::optional<Bytes> bytes = row.maybe_blob();
  RETURN_IF_ERROR(row.finish(domain::IdType::asset, asset));
  return bytes;
}

Status insert_row(Connection& connection, const domain::Asset& asset, ByteView sealed_manifest,
                  ByteView sealed_payload) {
  // Nothing sealed is NULL: a kind without payload has none.
  const auto or_null = [](ByteView bytes) {
    return bytes.empty() ? std::optional<ByteView>() : std::optional<ByteView>(bytes);
  };
  RETURN_IF_ERROR(connection.write(
      "INSERT INTO asset (uuid, name, kind, state, state_reason, bytes, file_count, created, "
      "importer_uid, importer_login, importer_audit_uid, retention, source_history, kcv, leaf, "
      "first_epoch, erased_at, sealed_payload, sealed_manifest) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      asset.id, asset.name.text(), domain::to_text(asset.kind), domain::to_text(asset.state),
      asset.state_reason, asset.bytes, asset.file_count, asset.created,
      ActorColumns{asset.importer}, asset.retention, domain::to_text(asset.source_history),
      asset.kcv, asset.leaf, asset.first_epoch, asset.erased_at, or_null(sealed_payload),
      or_null(sealed_manifest)));
  return {};
}

}  // namespace

std::string_view kind_text(domain::CustodianKind kind) {
  switch (kind) {
    case domain::CustodianKind::user:
      return "user";
    case domain::CustodianKind::group:
      return "group";
    case domain::CustodianKind::person:
      return "person";
  }
  return {};
}

std::optional<domain::CustodianKind> parse_custodian_kind(std::string_view text) {
  if (text == "user") return domain::CustodianKind::user;
  if (text == "group") return domain::CustodianKind::group;
  if (text == "person") return domain::CustodianKind::person;
  return std::nullopt;
}

Status insert_sources(Connection& connection, std::int64_t id, std::uint64_t position,
                      std::span<const domain::Source> sources) {
  for (const domain::Source& source : sources) {
    std::optional<std::uint32_t> uid, audit_uid;
    std::optional<std::string> login;
    if (source.asserted_by) {
      uid = source.asserted_by->uid;
      login = source.asserted_by->login;
      audit_uid = source.asserted_by->audit_login_uid;
    }
    RETURN_IF_ERROR(connection.write(
        "INSERT INTO source (asset, position, description, filesystem, history, sight, files, "
        "bytes, asserted_uid, asserted_login, asserted_audit_uid, removed_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        id, position++, source.description, source.filesystem, domain::to_text(source.history),
        domain::to_text(source.sight), source.files, source.bytes, uid, login, audit_uid,
        source.removed_at));
  }
  return {};
}

Result<std::int64_t> asset_row_number(Connection& connection, const Uuid& asset) {
  ASSIGN_OR_RETURN(Statement statement, connection.prepare("SELECT id FROM asset WHERE uuid = ?"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(asset).step());
  if (!there) return absent(domain::IdType::asset, asset);
  return sqlite3_column_int64(statement.handle(), 0);
}

Status insert_custodians(Connection& connection, std::int64_t id,
                         std::span<const domain::Custodian> custodians) {
  std::uint64_t position = 0;
  for (const domain::Custodian& custodian : custodians) {
    // Named twice is named once.
    RETURN_IF_ERROR(connection.write(
        "INSERT INTO custodian (asset, position, kind, id, name) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (asset, kind, id, name) DO NOTHING",
        id, position++, kind_text(custodian.kind), custodian.id, custodian.name));
  }
  return {};
}

namespace {

// Of the row that the statement is at: its number, then the columns as both callers name them.
Status read_asset_row(const Statement& statement, std::int64_t& id, domain::Asset& asset) {
  Row row(statement, "asset");
  id = row.integer();
  asset.id = row.uuid();
  asset.name = row.name();
  asset.kind = row.word(domain::parse_asset_kind);
  asset.state = row.word(domain::parse_asset_state);
  asset.state_reason = row.text();
  asset.bytes = row.count();
  asset.file_count = row.count();
  asset.created = row.time();
  asset.importer = row.actor();
  asset.retention = row.text();
  asset.source_history = row.word(domain::parse_source_history);
  asset.kcv = row.digest();
  asset.leaf = row.maybe_number();
  asset.first_epoch = row.count();
  asset.erased_at = row.maybe_time();
  return row.finish(domain::IdType::asset, asset.id);
}

Result<domain::Asset> load_rest(Connection& connection, const Statement& statement) {
  domain::Asset asset;
  std::int64_t id = 0;
  RETURN_IF_ERROR(read_asset_row(statement, id, asset));
  RETURN_IF_ERROR(load_custodians(connection, id, asset));
  RETURN_IF_ERROR(load_labels(connection, id, asset));
  RETURN_IF_ERROR(load_sources(connection, id, asset));
  return asset;
}

}  // namespace

Result<domain::Asset> load_asset(Connection& connection, std::int64_t id) {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection.prepare("SELECT id, uuid, name, kind, state, state_reason, bytes, file_count, "
                         "created, importer_uid, importer_login, importer_audit_uid, retention, "
                         "source_history, kcv, leaf, first_epoch, erased_at "
                         "FROM asset WHERE id = ?"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(id).step());
  if (there) return load_rest(connection, statement);
  return make_error(Errc::damaged,
                    "the catalog is damaged: table asset has no row " + std::to_string(id) +
                        " though an index names it",
                    "run `aierase check`, and restore catalog and blobs from one backup");
}

Result<std::optional<domain::Asset>> ReadView::asset(const Uuid& id) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT id, uuid, name, kind, state, state_reason, bytes, file_count, "
                           "created, importer_uid, importer_login, importer_audit_uid, retention, "
                           "source_history, kcv, leaf, first_epoch, erased_at "
                           "FROM asset WHERE uuid = ?"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(id).step());
  if (!there) return std::optional<domain::Asset>();
  ASSIGN_OR_RETURN(domain::Asset asset, load_rest(*connection_, statement));
  return std::optional<domain::Asset>(std::move(asset));
}

Result<std::optional<AssetHead>> ReadView::asset_head(const Uuid& id) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT name, state, first_epoch FROM asset WHERE uuid = ?"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(id).step());
  if (!there) return std::optional<AssetHead>();
  Row row(statement, "asset");
  AssetHead head;
  head.name = row.name();
  head.state = row.word(domain::parse_asset_state);
  head.first_epoch = row.count();
  RETURN_IF_ERROR(row.finish(domain::IdType::asset, id));
  return std::optional<AssetHead>(std::move(head));
}

Result<std::vector<domain::Custodian>> ReadView::custodians(const Uuid& asset) const {
  std::vector<domain::Custodian> custodians;
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare(
                       "SELECT kind, id, name FROM custodian "
                       "WHERE asset = (SELECT id FROM asset WHERE uuid = ?) ORDER BY position"));
  RETURN_IF_ERROR(read_custodians(statement.bind(asset), asset, custodians));
  return custodians;
}

Result<std::optional<Bytes>> ReadView::sealed_manifest(const Uuid& asset) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT sealed_manifest FROM asset WHERE uuid = ?"));
  return sealed(statement, asset);
}

Result<std::optional<Bytes>> ReadView::sealed_payload(const Uuid& asset) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT sealed_payload FROM asset WHERE uuid = ?"));
  return sealed(statement, asset);
}

Result<std::vector<domain::LineageEdge>> ReadView::lineage(const Uuid& asset) const {
  std::vector<domain::LineageEdge> edges;
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT child, relation, parent FROM lineage WHERE child = ?1 "
                           "UNION ALL SELECT child, relation, parent FROM lineage "
                           "WHERE parent = ?1 AND child <> ?1"));
  statement.bind(asset);
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "lineage");
    domain::LineageEdge edge;
    edge.child = row.uuid();
    edge.relation = row.word(domain::parse_relation);
    edge.parent = row.uuid();
    RETURN_IF_ERROR(row.finish(domain::IdType::asset, edge.child));
    edges.push_back(edge);
    return {};
  }));
  return edges;
}

Status Transaction::insert_asset(const domain::Asset& asset, ByteView sealed_manifest,
                                 ByteView sealed_payload, std::span<const Uuid> blobs,
                                 std::span<const domain::LineageEdge> edges) {
  RETURN_IF_ERROR(insert_row(*connection_, asset, sealed_manifest, sealed_payload));
  const std::int64_t id = sqlite3_last_insert_rowid(connection_->handle());
  RETURN_IF_ERROR(insert_custodians(*connection_, id, asset.custodians));
  RETURN_IF_ERROR(insert_sources(*connection_, id, 0, asset.sources));
  for (const auto& label : asset.labels) {
    RETURN_IF_ERROR(connection_->write("INSERT INTO label (asset, key, value) VALUES (?, ?, ?)", id,
                                       label.first, label.second));
  }
  std::uint64_t position = 0;
  for (const Uuid& blob : blobs) {
    RETURN_IF_ERROR(connection_->write("INSERT INTO blob (uuid, asset, position) VALUES (?, ?, ?)",
                                       blob, id, position++));
  }
  for (const domain::LineageEdge& edge : edges) {
    RETURN_IF_ERROR(
        connection_->write("INSERT INTO lineage (child, relation, parent) VALUES (?, ?, ?)",
                           edge.child, domain::to_text(edge.relation), edge.parent));
  }
  return {};
}

}  // namespace aierase::catalog
