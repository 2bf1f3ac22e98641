// What the functional modules hand to the catalog to persist: NodeBatch from keytree, LogBatch
// from translog. They compute; the catalog stores; the lifecycle decides when.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace aierase::domain {

// Level 0 holds leaves, level 4 is the root; index counts nodes of a level from the left.
struct NodeId {
  std::uint8_t level = 0;
  std::uint32_t index = 0;
  friend auto operator<=>(const NodeId&, const NodeId&) = default;
  // Primary key in the catalog: level << 56 | index.
  std::int64_t key() const {
    return (static_cast<std::int64_t>(level) << 56) | static_cast<std::int64_t>(index);
  }
};

struct NodeRow {
  NodeId id;
  std::optional<Bytes> row;  // none: the node is (or was) absent
};

struct NodeBatch {
  std::vector<NodeRow> put;   // new versions
  std::vector<NodeRow> undo;  // what stood there before, in the same order
};

// One leaf of the transparency log. Certificates are public bodies; all other records are hidden
// behind a salted commitment: leaf body = canonical JSON {type, time, commitment}.
struct LogLeaf {
  std::uint64_t index = 0;
  std::string type;  // "erase-intent", "certificate", "approval", "export", ...
  UtcTime time{};
  std::string record;  // canonical JSON, in the database only (a certificate's: its leaf body)
  Bytes salt;          // 32 bytes; empty for certificates
  Digest leaf_hash{};  // RFC 6962: SHA-256(0x00 || body)
};

struct LogState {
  std::uint64_t size = 0;
  std::vector<Digest> frontier;  // roots of the complete subtrees, largest first
  Digest root{};
};

struct LogBatch {
  std::vector<LogLeaf> leaves;
  LogState state;
};

}  // namespace aierase::domain
