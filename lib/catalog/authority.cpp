// The store's public keys, and the heads of the log that they signed.
#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/row.h"

namespace aierase::catalog {
namespace {

constexpr const char* kHeadColumns = "SELECT id, root, time, checkpoint FROM signed_head ";

Result<std::optional<domain::SignedHead>> read_head(Statement& statement) {
  ASSIGN_OR_RETURN(const bool there, statement.step());
  if (!there) return std::optional<domain::SignedHead>();
  Row row(statement, "signed_head");
  domain::SignedHead head;
  head.size = row.count();
  head.root = row.digest();
  head.signed_at = row.time();
  head.checkpoint = row.text();
  RETURN_IF_ERROR(row.finish(static_cast<std::int64_t>(head.size)));
  return std::optional<domain::SignedHead>(std::move(head));
}

}  // namespace

Result<std::optional<domain::SignedHead>> ReadView::last_signed_head() const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare(std::string(kHeadColumns) + "ORDER BY id DESC LIMIT 1"));
  return read_head(statement);
}

Result<std::optional<domain::SignedHead>> ReadView::first_head_with(std::uint64_t leaf) const {
  ASSIGN_OR_RETURN(Statement statement, connection_->prepare(std::string(kHeadColumns) +
                                                             "WHERE id > ? ORDER BY id LIMIT 1"));
  return read_head(statement.bind(leaf));
}

Result<std::optional<domain::SignedHead>> ReadView::last_head_before(UtcTime moment) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(std::string(kHeadColumns) + "WHERE time < ? ORDER BY id DESC LIMIT 1"));
  return read_head(statement.bind(moment));
}

Result<std::optional<domain::SignedHead>> ReadView::first_head_after(UtcTime moment) const {
  ASSIGN_OR_RETURN(Statement statement, connection_->prepare(std::string(kHeadColumns) +
                                                             "WHERE time > ? ORDER BY id LIMIT 1"));
  return read_head(statement.bind(moment));
}

Result<std::vector<domain::AuthorityKey>> ReadView::authority_keys() const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(
          "SELECT purpose, public_key, since, first_leaf FROM authority_key ORDER BY id"));
  std::vector<domain::AuthorityKey> keys;
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "authority_key");
    domain::AuthorityKey key;
    key.purpose = row.word(domain::parse_key_purpose);
    key.public_key = row.digest();
    key.since = row.time();
    key.first_leaf = row.count();
    RETURN_IF_ERROR(row.finish(static_cast<std::int64_t>(keys.size())));
    keys.push_back(key);
    return {};
  }));
  return keys;
}

Result<bool> ReadView::has_certificate_from(std::uint64_t leaf) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT 1 FROM certificate WHERE log_index >= ?1 "
                                        "UNION ALL SELECT 1 FROM refusal WHERE log_index >= ?1 "
                                        "AND signature IS NOT NULL UNION ALL SELECT 1 FROM "
                                        "amendment WHERE log_index >= ?1 LIMIT 1"));
  return statement.bind(leaf).step();
}

Status Transaction::add_signed_head(const domain::SignedHead& head) {
  RETURN_IF_ERROR(
      connection_->write("INSERT INTO signed_head (id, root, time, checkpoint) VALUES (?, ?, ?, ?)",
                         head.size, head.root, head.signed_at, head.checkpoint));
  return {};
}

Status Transaction::add_authority_key(const domain::AuthorityKey& key) {
  RETURN_IF_ERROR(connection_->write(
      "INSERT INTO authority_key (purpose, public_key, since, first_leaf) VALUES (?, ?, ?, ?)",
      domain::to_text(key.purpose), key.public_key, key.since, key.first_leaf));
  return {};
}

}  // namespace aierase::catalog
