#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/row.h"

namespace aierase::catalog {
namespace {

Result<domain::LogLeaf> read_leaf(const Statement& statement) {
  Row row(statement, "log_leaf");
  domain::LogLeaf leaf;
  leaf.index = row.count();
  leaf.leaf_hash = row.digest();
  leaf.type = row.text();
  leaf.time = row.time();
  leaf.salt = row.blob();
  leaf.record = row.text();
  RETURN_IF_ERROR(row.finish(static_cast<std::int64_t>(leaf.index)));
  return leaf;
}

Result<std::vector<domain::LogLeaf>> read_leaves(Statement& statement) {
  std::vector<domain::LogLeaf> leaves;
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    ASSIGN_OR_RETURN(domain::LogLeaf leaf, read_leaf(current));
    leaves.push_back(std::move(leaf));
    return {};
  }));
  return leaves;
}

}  // namespace

Status Transaction::append_log(std::span<const domain::LogLeaf> leaves) {
  for (const domain::LogLeaf& leaf : leaves) {
    RETURN_IF_ERROR(connection_->write(
        "INSERT INTO log_leaf (id, leaf_hash, type, time, salt, record) VALUES (?, ?, ?, ?, ?, ?)",
        leaf.index, leaf.leaf_hash, leaf.type, leaf.time, leaf.salt, leaf.record));
  }
  return {};
}

Result<std::optional<domain::LogLeaf>> ReadView::log_leaf(std::uint64_t index) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(
          "SELECT id, leaf_hash, type, time, salt, record FROM log_leaf WHERE id = ?"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(index).step());
  if (!there) return std::optional<domain::LogLeaf>();
  ASSIGN_OR_RETURN(domain::LogLeaf leaf, read_leaf(statement));
  return std::optional<domain::LogLeaf>(std::move(leaf));
}

Result<std::vector<domain::LogLeaf>> ReadView::hold_leaves(std::uint64_t from,
                                                           std::size_t limit) const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare(
          "SELECT id, leaf_hash, type, time, salt, record FROM log_leaf INDEXED BY log_leaf_hold "
          "WHERE type IN ('hold-placed', 'hold-lifted') AND id >= ? ORDER BY id LIMIT ?"));
  return read_leaves(statement.bind(from, static_cast<std::uint64_t>(limit)));
}

Result<std::vector<domain::LogLeaf>> ReadView::standing_end_leaves() const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT id, leaf_hash, type, time, salt, record "
                                        "FROM log_leaf INDEXED BY log_leaf_standing "
                                        "WHERE type = 'standing-ended' ORDER BY id"));
  return read_leaves(statement);
}

Result<std::optional<domain::LogLeaf>> ReadView::policy_leaf() const {
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT id, leaf_hash, type, time, salt, record FROM log_leaf "
                           "INDEXED BY log_leaf_policy WHERE type = 'policy-loaded' "
                           "ORDER BY id DESC LIMIT 1"));
  ASSIGN_OR_RETURN(const bool there, statement.step());
  if (!there) return std::optional<domain::LogLeaf>();
  ASSIGN_OR_RETURN(domain::LogLeaf leaf, read_leaf(statement));
  return std::optional<domain::LogLeaf>(std::move(leaf));
}

Result<std::vector<domain::LogLeaf>> ReadView::log_leaves(std::uint64_t from,
                                                          std::size_t limit) const {
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT id, leaf_hash, type, time, salt, record FROM "
                                        "log_leaf WHERE id >= ? ORDER BY id LIMIT ?"));
  statement.bind(from, static_cast<std::uint64_t>(limit));
  std::vector<domain::LogLeaf> leaves;
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    ASSIGN_OR_RETURN(domain::LogLeaf leaf, read_leaf(current));
    if (leaf.index != from + leaves.size()) {
      return make_error(Errc::damaged,
                        "leaf " + std::to_string(from + leaves.size()) + " of the log is missing",
                        "put an undamaged copy of the current database back");
    }
    leaves.push_back(std::move(leaf));
    return {};
  }));
  return leaves;
}

// A gap would shift every hash behind it and go unnoticed until a proof fails: it is damage.
Result<std::vector<Digest>> ReadView::log_hashes(std::uint64_t from, std::size_t limit) const {
  std::vector<Digest> hashes;
  ASSIGN_OR_RETURN(
      Statement statement,
      connection_->prepare("SELECT id, leaf_hash FROM log_leaf WHERE id >= ? ORDER BY id LIMIT ?"));
  statement.bind(from, static_cast<std::uint64_t>(limit));
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "log_leaf");
    const std::uint64_t index = row.count();
    if (index != from + hashes.size()) row.fail("leaves a gap behind the leaf before it");
    const Digest hash = row.digest();
    RETURN_IF_ERROR(row.finish(static_cast<std::int64_t>(index)));
    hashes.push_back(hash);
    return {};
  }));
  return hashes;
}

}  // namespace aierase::catalog
