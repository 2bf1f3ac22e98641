// What every descent into the key tree shares: the arithmetic of levels, the workspace of locked
// memory, and the step from an entry to the node below it. Not for use outside keytree.
//
// Contract: a Workspace is one allocation per call, divided by with(); a Walk borrows the parts
// and lives inside that callback. The entries of one node per level are open at a time.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "base/secret_bytes.h"
#include "keytree/node.h"
#include "keytree/tree.h"

namespace aierase::keytree {

constexpr unsigned kBitsPerLevel = 6;
static_assert(1U << kBitsPerLevel == kFanOut && 1U << (kBitsPerLevel * kHeight) == kLeaves);

// Which entry of its node at `level` leads to the leaf.
constexpr std::uint32_t slot_of(std::uint32_t leaf, unsigned level) {
  return (leaf >> (kBitsPerLevel * level)) & (kFanOut - 1);
}
// The first leaf below an entry.
constexpr std::uint32_t first_leaf(domain::NodeId id, std::uint32_t entry) {
  return ((id.index << kBitsPerLevel) | entry) << (kBitsPerLevel * id.level);
}
constexpr domain::NodeId child_of(domain::NodeId id, std::uint32_t entry) {
  return {static_cast<std::uint8_t>(id.level - 1U), (id.index << kBitsPerLevel) | entry};
}

inline ByteSpan entry_of(ByteSpan entries, std::uint32_t entry) {
  return entries.subspan(entry * kEntryBytes, kEntryBytes);
}
// Constant time: where the zeros lie in a living key is nobody's business.
bool is_zero_entry(ByteView entry) noexcept;

Status check_leaf(std::uint32_t leaf);

// `Item` has a member `leaf`. Sorted by leaf; a leaf out of range or named twice is refused.
template <typename Item>
Result<std::vector<const Item*>> in_leaf_order(std::span<const Item> items) {
  std::vector<const Item*> sorted;
  sorted.reserve(items.size());
  for (const Item& item : items) {
    RETURN_IF_ERROR(check_leaf(item.leaf));
    sorted.push_back(&item);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const Item* a, const Item* b) { return a->leaf < b->leaf; });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i - 1]->leaf == sorted[i]->leaf) {
      return make_error(Errc::invalid_input,
                        "leaf " + std::to_string(sorted[i]->leaf) + " is named twice in one batch");
    }
  }
  return sorted;
}

// One tree as it stands: opens nodes into the entries of their level.
class Walk {
 public:
  static constexpr std::size_t kMemory = kHeight * kEntriesBytes + 128;
  static_assert(kDerivedBytes <= 128);

  // memory.size() == kMemory, zero-filled.
  Walk(NodeSource& nodes, const Uuid& store, ByteSpan memory)
      : nodes_(nodes), store_(store), memory_(memory) {}

  ByteSpan entries(unsigned level) { return memory_.subspan(level * kEntriesBytes, kEntriesBytes); }
  // Opens the node into entries(level) and returns its row. Absent is Errc::damaged: the caller
  // comes from a non-zero entry.
  Result<Bytes> open(domain::NodeId id, ByteView key);
  // For a zero entry: no node below. Entries become zero; whatever row stands there is returned,
  // so that an undo puts back exactly what was.
  Result<std::optional<Bytes>> open_empty(domain::NodeId id);
  Result<Bytes> seal(domain::NodeId id, ByteView key);

 private:
  ByteSpan derived() { return memory_.subspan(kHeight * kEntriesBytes, kDerivedBytes); }

  NodeSource& nodes_;
  const Uuid& store_;
  ByteSpan memory_;
  crypto::Aead aead_;
};

// body(Walk&, ByteView root) with a workspace that is zeroized when it returns.
template <typename Body>
Status with_walk(NodeSource& nodes, const Uuid& store, const crypto::RootSecret& root,
                 Body&& body) {
  ASSIGN_OR_RETURN(SecretBytes workspace, SecretBytes::zeroed(Walk::kMemory));
  return workspace.fill([&](ByteSpan memory) -> Status {
    Walk walk(nodes, store, memory);
    return root.bytes().reveal([&](ByteView key) -> Status { return body(walk, key); });
  });
}

}  // namespace aierase::keytree
