#include "catalog/catalog.h"
#include "catalog/connection.h"
#include "catalog/row.h"

namespace aierase::catalog {
namespace {

constexpr std::uint8_t kHighestLevel = 4;

domain::NodeId node_id(Row& row) {
  const std::int64_t key = row.integer();
  domain::NodeId id;
  id.level = static_cast<std::uint8_t>(key >> 56);
  id.index = static_cast<std::uint32_t>(key);
  if (id.level > kHighestLevel || id.key() != key) row.fail("is not the id of a node");
  return id;
}

}  // namespace

Result<std::optional<Bytes>> ReadView::node(domain::NodeId id) const {
  ASSIGN_OR_RETURN(Statement statement, connection_->prepare("SELECT node FROM node WHERE id = ?"));
  ASSIGN_OR_RETURN(const bool there, statement.bind(id.key()).step());
  if (!there) return std::optional<Bytes>();
  Row row(statement, "node");
  std::optional<Bytes> node = row.blob();
  RETURN_IF_ERROR(row.finish(id.key()));
  return node;
}

Result<std::vector<domain::NodeRow>> ReadView::undo_nodes() const {
  std::vector<domain::NodeRow> rows;
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT id, node FROM undo_node ORDER BY position"));
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "undo_node");
    domain::NodeRow node;
    node.id = node_id(row);
    node.row = row.maybe_blob();
    RETURN_IF_ERROR(row.finish(node.id.key()));
    rows.push_back(std::move(node));
    return {};
  }));
  return rows;
}

Result<std::vector<domain::NodeId>> ReadView::node_ids(std::optional<domain::NodeId> after,
                                                       std::size_t limit) const {
  std::vector<domain::NodeId> ids;
  ASSIGN_OR_RETURN(Statement statement,
                   connection_->prepare("SELECT id FROM node WHERE id > ? ORDER BY id LIMIT ?"));
  statement.bind(after ? after->key() : std::int64_t{-1}, static_cast<std::uint64_t>(limit));
  RETURN_IF_ERROR(each_row(statement, [&](const Statement& current) -> Status {
    Row row(current, "node");
    const domain::NodeId id = node_id(row);
    RETURN_IF_ERROR(row.finish(id.key()));
    ids.push_back(id);
    return {};
  }));
  return ids;
}

Status Transaction::put_nodes(std::span<const domain::NodeRow> rows) {
  for (const domain::NodeRow& row : rows) {
    if (row.row) {
      RETURN_IF_ERROR(
          connection_->write("INSERT INTO node (id, node) VALUES (?, ?) "
                             "ON CONFLICT (id) DO UPDATE SET node = excluded.node",
                             row.id.key(), *row.row));
    } else {
      RETURN_IF_ERROR(connection_->write("DELETE FROM node WHERE id = ?", row.id.key()));
    }
  }
  return {};
}

Status Transaction::put_undo(std::span<const domain::NodeRow> rows) {
  for (const domain::NodeRow& row : rows) {
    RETURN_IF_ERROR(connection_->write("INSERT INTO undo_node (id, node) VALUES (?, ?)",
                                       row.id.key(), row.row));
  }
  return {};
}

Status Transaction::clear_undo() {
  RETURN_IF_ERROR(connection_->write("DELETE FROM undo_node"));
  return {};
}

}  // namespace aierase::catalog
