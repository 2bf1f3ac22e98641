// Proofs about the tree: that a leaf is in it, and that a later tree only adds to an earlier one.
//
// Contract: pure. Proofs are made from the hashes of complete subtrees, whoever keeps them, with
// O(log n) of them; checking needs nothing but the proof, and a proof of another length than index
// and sizes demand is refused. Hashes are ordered from the leaf to the root.
// Specified in: RFC 6962 section 2.1.1 and 2.1.2; RFC 9162 section 2.1.3.2 and 2.1.4.2.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "translog/log.h"

namespace aierase::translog {

using Proof = std::vector<Digest>;

// Where hashes of complete subtrees come from: node (level, index) spans the 2^level leaves from
// index * 2^level on.
class NodeSource {
 public:
  virtual ~NodeSource() = default;
  virtual Result<Digest> node(unsigned level, std::uint64_t index) = 0;
};

// The tree over the first `size` leaves.
Result<domain::LogState> state_at(NodeSource& nodes, std::uint64_t size);
Result<Proof> inclusion_proof(NodeSource& nodes, std::uint64_t index, std::uint64_t size);
Result<Proof> consistency_proof(NodeSource& nodes, std::uint64_t old_size, std::uint64_t size);

// The root that leaf and proof lead to; nothing where the proof has another length.
std::optional<Digest> root_of_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                                        std::span<const Digest> proof);
// How many hashes a proof from so many leaves to so many has; 0 where it needs none.
std::size_t consistency_hashes(std::uint64_t old_size, std::uint64_t size);
bool is_consistent(std::uint64_t old_size, const Digest& old_root, std::uint64_t size,
                   const Digest& root, std::span<const Digest> proof);

}  // namespace aierase::translog
