// The transparency log as functions: leaves, RFC 6962 hashes, and the state after an append.
//
// Contract: pure but for the fresh salts; persists nothing, returns a LogBatch. A certificate's
// leaf body is public and passed in; every other record is hidden behind SHA-256(salt || record),
// and its body is the canonical JSON {"commitment":hex,"time":RFC 3339,"type":text}.
// Specified in: aierase-store(5) LOG; RFC 6962 section 2.1.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/batches.h"

namespace aierase::translog {

enum class Visibility { committed, published };

struct LogRecord {
  std::string type;
  UtcTime time{};
  std::string record;  // canonical JSON; a published one is the leaf body itself
  Visibility visibility = Visibility::committed;
};

Digest leaf_hash(ByteView body);
Digest node_hash(const Digest& left, const Digest& right);
Digest empty_root();

// The body of a leaf that commits to its record.
Result<std::string> committed_body(const std::string& type, UtcTime time, ByteView salt,
                                   std::string_view record);
// The body whose leaf_hash stands in the tree; damaged if the leaf's salt and hash disagree.
Result<std::string> leaf_body(const domain::LogLeaf& leaf);

// Appends in order; index of the first is `before.size`.
Result<domain::LogBatch> append(const domain::LogState& before, std::span<const LogRecord> records);

// The state of a log from its leaf hashes, for `check`: compared with the stored one.
domain::LogState replay(std::span<const Digest> leaf_hashes);
// Adds a leaf and joins the subtrees that became complete; the root stays as it was: state_of()
// makes that of many at once.
void push(domain::LogState& state, const Digest& leaf);
domain::LogState extended(const domain::LogState& before, const Digest& leaf);

// The state of a log of `size` leaves that has these complete subtrees, largest first.
domain::LogState state_of(std::uint64_t size, std::vector<Digest> frontier);

// Frontier as bytes for the catalog and back: 32 bytes per subtree; size must fit.
Bytes encode_frontier(const domain::LogState& state);
Result<domain::LogState> decode_frontier(std::uint64_t size, ByteView frontier);

}  // namespace aierase::translog
