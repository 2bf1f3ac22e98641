// Import intents, and the blobs of assets: which file on disk belongs to whom.
#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/row.h"

namespace aierase::catalog {
namespace {

// Whatever a broken row says: the ciphertext of what lives is neither unlinked nor forgotten.
std::string is_erased(const std::string& asset) {
  return "NOT EXISTS (SELECT 1 FROM asset a INDEXED BY asset_living WHERE a.id = " + asset +
         " AND a.erased_at IS NULL)";
}

}  // namespace

Status Transaction::start_import(const ImportIntent& intent) {
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO import (asset, actor_uid, actor_login, actor_audit_uid, started) "
      "VALUES (?, ?, ?, ?, ?)",
      intent.asset, ActorColumns{intent.actor}, intent.started));
  return reserve_blobs(intent.asset, intent.blobs);
}

Status Transaction::reserve_blobs(const Uuid& asset, std::span<const Uuid> blobs) {
  for (const Uuid& blob : blobs) {
    RETURN_IF_ERROR(
        connection_->write("INSERT INTO import_blob (blob, asset) VALUES (?, ?)", blob, asset));
  }
  return {};
}

Status Transaction::end_import(const Uuid& asset) {
  RETURN_IF_ERROR(connection_->write("DELETE FROM import WHERE asset = ?", asset));
  return {};
}

Result<std::vector<ImportIntent>> ReadView::imports() const {
  std::vector<ImportIntent> intents;
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT asset, actor_uid, actor_login, actor_audit_uid, "
                                        "started FROM import ORDER BY started, asset"));
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "import");
    ImportIntent intent;
    intent.asset = row.uuid();
    intent.actor = row.actor();
    intent.started = row.time();
    RETURN_IF_ERROR(row.finish(domain::IdType::asset, intent.asset));
    ASSIGN_OR_RETURN(
        Statement blobs,
        connection_->prepare("SELECT blob FROM import_blob WHERE asset = ? ORDER BY id"));
    ASSIGN_OR_RETURN(intent.blobs, uuid_rows(blobs.bind(intent.asset), "import_blob"));
    intents.push_back(std::move(intent));
    return {};
  }));
  return intents;
}

Result<std::vector<Uuid>> ReadView::blobs(const Uuid& asset) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT b.uuid FROM asset a JOIN blob b ON b.asset = a.id "
                                        "WHERE a.uuid = ? AND a.erased_at IS NULL "
                                        "ORDER BY b.position"));
  return uuid_rows(statement.bind(asset), "blob");
}

Result<std::vector<Uuid>> ReadView::orphan_blobs(std::size_t limit) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT b.uuid FROM orphaned o CROSS JOIN blob b ON b.asset = o.asset "
                           "WHERE " +
                           is_erased("o.asset") + " ORDER BY o.asset, b.position LIMIT ?"));
  return uuid_rows(statement.bind(static_cast<std::uint64_t>(limit)), "blob");
}

Result<std::optional<Uuid>> ReadView::blob_owner(const Uuid& blob) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(
          "SELECT a.uuid FROM blob b JOIN asset a ON a.id = b.asset WHERE b.uuid = ?"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(blob).step());
  if (!there) return std::optional<Uuid>();
  Row row(statement, "asset");
  std::optional<Uuid> owner = row.uuid();
  RETURN_IF_ERROR(row.finish(blob.text()));
  return owner;
}

// An erased asset's blob alone can be forgotten: a living one without its blob would be damage.
Status Transaction::forget_orphans(std::span<const Uuid> blobs) {
  for (const Uuid& blob : blobs) {
    RETURN_IF_ERROR(connection_->write(
        "DELETE FROM blob WHERE uuid = ? AND asset IN (SELECT asset FROM orphaned) AND " +
            is_erased("blob.asset"),
        blob));
  }
  RETURN_IF_ERROR(
      connection_->write("DELETE FROM orphaned WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE "
                         "b.asset = orphaned.asset)"));
  return {};
}

}  // namespace aierase::catalog
