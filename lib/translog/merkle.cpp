#include "translog/merkle.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace aierase::translog {
namespace {

// The root over leaves [begin, end), where begin is a multiple of every power of two that the
// definition splits at.
Result<Digest> range_root(NodeSource& nodes, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t count = end - begin;
  if (std::has_single_bit(count)) {
    const auto level = static_cast<unsigned>(std::countr_zero(count));
    return nodes.node(level, begin >> level);
  }
  const std::uint64_t split = begin + std::bit_floor(count);
  ASSIGN_OR_RETURN(const Digest left, range_root(nodes, begin, split));
  ASSIGN_OR_RETURN(const Digest right, range_root(nodes, split, end));
  return node_hash(left, right);
}

// Where RFC 6962 splits a range that is no single leaf.
std::uint64_t split_of(std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t count = end - begin;
  const std::uint64_t floor = std::bit_floor(count);
  return begin + (floor == count ? floor / 2 : floor);
}

Error outside(const std::string& what) {
  return make_error(Errc::not_found, what);
}

}  // namespace

Result<domain::LogState> state_at(NodeSource& nodes, std::uint64_t size) {
  std::vector<Digest> frontier;
  std::uint64_t begin = 0;
  for (std::uint64_t left = size; left != 0;) {
    const std::uint64_t part = std::bit_floor(left);
    ASSIGN_OR_RETURN(const Digest root, range_root(nodes, begin, begin + part));
    frontier.push_back(root);
    begin += part;
    left -= part;
  }
  return state_of(size, std::move(frontier));
}

Result<Proof> inclusion_proof(NodeSource& nodes, std::uint64_t index, std::uint64_t size) {
  if (index >= size) {
    return outside("leaf " + std::to_string(index) + " is not in a log of " + std::to_string(size) +
                   " leaves");
  }
  Proof proof;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (end - begin > 1) {
    const std::uint64_t split = split_of(begin, end);
    const bool left = index < split;
    ASSIGN_OR_RETURN(const Digest sibling,
                     left ? range_root(nodes, split, end) : range_root(nodes, begin, split));
    proof.push_back(sibling);
    (left ? end : begin) = split;
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

Result<Proof> consistency_proof(NodeSource& nodes, std::uint64_t old_size, std::uint64_t size) {
  if (old_size > size) {
    return outside("a log of " + std::to_string(size) + " leaves has none of " +
                   std::to_string(old_size) + " in it");
  }
  Proof proof;
  if (old_size == 0 || old_size == size) return proof;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  // Whether the range still ends where the old tree ends and begins where it begins: its root is
  // known to whoever knows the old tree.
  bool known = true;
  while (end != old_size) {
    const std::uint64_t split = split_of(begin, end);
    if (old_size <= split) {
      ASSIGN_OR_RETURN(const Digest right, range_root(nodes, split, end));
      proof.push_back(right);
      end = split;
    } else {
      ASSIGN_OR_RETURN(const Digest left, range_root(nodes, begin, split));
      proof.push_back(left);
      begin = split;
      known = false;
    }
  }
  if (!known) {
    ASSIGN_OR_RETURN(const Digest last, range_root(nodes, begin, end));
    proof.push_back(last);
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

std::optional<Digest> root_of_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                                        std::span<const Digest> proof) {
  if (index >= size) return std::nullopt;
  std::uint64_t at = index;
  std::uint64_t last = size - 1;
  Digest root = leaf;
  for (const Digest& sibling : proof) {
    if (last == 0) return std::nullopt;
    if ((at & 1) != 0 || at == last) {
      root = node_hash(sibling, root);
      while ((at & 1) == 0 && at != 0) {
        at >>= 1;
        last >>= 1;
      }
    } else {
      root = node_hash(root, sibling);
    }
    at >>= 1;
    last >>= 1;
  }
  if (last != 0) return std::nullopt;
  return root;
}

std::size_t consistency_hashes(std::uint64_t old_size, std::uint64_t size) {
  if (old_size == 0 || old_size >= size) return 0;
  std::uint64_t at = old_size - 1;
  std::uint64_t last = size - 1;
  for (; (at & 1) != 0; at >>= 1) last >>= 1;
  std::size_t hashes = std::has_single_bit(old_size) ? 0 : 1;
  for (; last != 0; at >>= 1, last >>= 1, ++hashes) {
    if (at != last) continue;
    for (; (at & 1) == 0 && at != 0; at >>= 1) last >>= 1;
  }
  return hashes;
}

bool is_consistent(std::uint64_t old_size, const Digest& old_root, std::uint64_t size,
                   const Digest& root, std::span<const Digest> proof) {
  if (old_size > size) return false;
  if (old_size == size) return proof.empty() && old_root == root;
  if (old_size == 0) return proof.empty() && old_root == empty_root();
  // The old tree is a complete subtree of the new one: its root begins the proof.
  const bool whole = std::has_single_bit(old_size);
  if (!whole && proof.empty()) return false;
  std::uint64_t at = old_size - 1;
  std::uint64_t last = size - 1;
  while ((at & 1) != 0) {
    at >>= 1;
    last >>= 1;
  }
  Digest before = whole ? old_root : proof.front();
  Digest after = before;
  for (const Digest& sibling : proof.subspan(whole ? 0 : 1)) {
    if (last == 0) return false;
    if ((at & 1) != 0 || at == last) {
      before = node_hash(sibling, before);
      after = node_hash(sibling, after);
      while ((at & 1) == 0 && at != 0) {
        at >>= 1;
        last >>= 1;
      }
    } else {
      after = node_hash(after, sibling);
    }
    at >>= 1;
    last >>= 1;
  }
  return last == 0 && before == old_root && after == root;
}

}  // namespace aierase::translog
