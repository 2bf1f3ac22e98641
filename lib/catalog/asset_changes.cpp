// What may change of an asset once it is in: state, labels, custodians, class, sources, its end.
#include "catalog/asset_row.h"
#include "catalog/row.h"
#include "catalog/transition_sql.h"

namespace aierase::catalog {
namespace {

// For updates that must meet the one row of that asset.
Status must_meet(const Result<std::int64_t>& changed, const Uuid& asset) {
  if (!changed.ok()) return changed.error();
  if (*changed == 0) return absent(domain::IdType::asset, asset);
  return {};
}

Error refused_for(Connection& connection, const Uuid& asset, domain::AssetState to) {
  return refused(connection, "SELECT state FROM asset WHERE uuid = ?", domain::IdType::asset, asset,
                 to);
}

}  // namespace

Status Transaction::set_asset_state(const Uuid& asset, domain::AssetState state,
                                    const std::string& reason) {
  ASSIGN_OR_RETURN(
      const std::int64_t changed,
      connection_->write("UPDATE OR FAIL asset SET state = ?, state_reason = ? WHERE uuid = ? "
                         "AND " +
                             may_become(state),
                         domain::to_text(state), reason, asset));
  if (changed == 0) return refused_for(*connection_, asset, state);
  return {};
}

Status Transaction::put_label(const Uuid& asset, const std::string& key, const std::string& value) {
  ASSIGN_OR_RETURN(const std::int64_t id, asset_row_number(*connection_, asset));
  RETURN_IF_ERROR(
      connection_->write("INSERT INTO label (asset, key, value) VALUES (?, ?, ?) "
                         "ON CONFLICT (asset, key) DO UPDATE SET value = excluded.value",
                         id, key, value));
  return {};
}

Status Transaction::remove_label(const Uuid& asset, const std::string& key) {
  ASSIGN_OR_RETURN(const std::int64_t id, asset_row_number(*connection_, asset));
  RETURN_IF_ERROR(connection_->write("DELETE FROM label WHERE asset = ? AND key = ?", id, key));
  return {};
}

Status Transaction::put_custodians(const Uuid& asset,
                                   std::span<const domain::Custodian> custodians) {
  ASSIGN_OR_RETURN(const std::int64_t id, asset_row_number(*connection_, asset));
  RETURN_IF_ERROR(connection_->write("DELETE FROM custodian WHERE asset = ?", id));
  return insert_custodians(*connection_, id, custodians);
}

Status Transaction::put_retention(const Uuid& asset, const std::string& retention) {
  return must_meet(
      connection_->write("UPDATE asset SET retention = ? WHERE uuid = ?", retention, asset), asset);
}

Status Transaction::add_sources(const Uuid& asset, std::span<const domain::Source> sources,
                                domain::SourceHistory worst) {
  ASSIGN_OR_RETURN(const std::int64_t id, asset_row_number(*connection_, asset));
  std::uint64_t position = 0;
  {
    ASSIGN_OR_RETURN(
        Statement statement,
        connection_->prepare("SELECT ifnull(max(position) + 1, 0) FROM source WHERE asset = ?"));
    ASSIGN_OR_RETURN(const bool there, statement.bind(id).step());
    if (!there) return make_error(Errc::unexpected, "an aggregate without a row");
    Row row(statement, "source");
    position = row.count();
    RETURN_IF_ERROR(row.finish(domain::IdType::asset, asset));
  }
  RETURN_IF_ERROR(insert_sources(*connection_, id, position, sources));
  RETURN_IF_ERROR(connection_->write("UPDATE asset SET source_history = ? WHERE id = ?",
                                     domain::to_text(worst), id));
  return {};
}

Status Transaction::mark_source_removed(const Uuid& asset, const std::string& description,
                                        UtcTime at) {
  ASSIGN_OR_RETURN(const std::int64_t id, asset_row_number(*connection_, asset));
  ASSIGN_OR_RETURN(
      const std::int64_t changed,
      connection_->write("UPDATE source SET removed_at = ? WHERE asset = ? AND description = ?", at,
                         id, description));
  if (changed == 0) {
    return make_error(Errc::not_found,
                      domain::id_text(domain::IdType::asset, asset) + " was not imported from \"" +
                          description + "\"",
                      {}, domain::id_text(domain::IdType::asset, asset));
  }
  return {};
}

}  // namespace aierase::catalog
