#include "keytree/tree.h"

#include <algorithm>

#include "domain/ids.h"
#include "keytree/walk.h"

namespace aierase::keytree {
namespace {

// Descends once along the union of the paths, changes the entries of the leaves and seals every
// node on the way back under a fresh key; the root is the caller's. Children come before parents.
template <typename Item, typename Change>
class Rewrite {
 public:
  Rewrite(Walk& walk, Change change) : walk_(walk), change_(std::move(change)) {}

  // Changes what lies below `id`, whose key is `key` (zero entry: there is no node yet). The new
  // entries stand in walk.entries(id.level) afterwards; the old row is in the batch, its new
  // version not yet.
  Status descend(domain::NodeId id, ByteView key, std::span<const Item* const> items) {
    ASSIGN_OR_RETURN(std::optional<Bytes> stood, open(id, key));
    for (std::size_t from = 0; from < items.size();) {
      const std::uint32_t entry = slot_of(items[from]->leaf, id.level);
      std::size_t to = from + 1;
      while (to < items.size() && slot_of(items[to]->leaf, id.level) == entry) ++to;
      const ByteSpan bytes = entry_of(walk_.entries(id.level), entry);
      if (id.level == 0) {
        RETURN_IF_ERROR(change_(*items[from], bytes));
      } else {
        RETURN_IF_ERROR(child(child_of(id, entry), bytes, items.subspan(from, to - from)));
      }
      from = to;
    }
    // Put and undo are in the same order: a node follows its children in both.
    batch_.undo.push_back({id, std::move(stood)});
    return {};
  }

  Status seal(domain::NodeId id, ByteView key) {
    ASSIGN_OR_RETURN(Bytes row, walk_.seal(id, key));
    batch_.put.push_back({id, std::move(row)});
    return {};
  }

  domain::NodeBatch take() { return std::move(batch_); }

 private:
  Result<std::optional<Bytes>> open(domain::NodeId id, ByteView key) {
    if (is_zero_entry(key)) return walk_.open_empty(id);
    ASSIGN_OR_RETURN(Bytes row, walk_.open(id, key));
    return std::optional<Bytes>(std::move(row));
  }

  Status child(domain::NodeId id, ByteSpan entry, std::span<const Item* const> items) {
    RETURN_IF_ERROR(descend(id, entry, items));
    crypto::random_bytes(entry);  // the key of the new version; the old one is forgotten here
    return seal(id, entry);
  }

  Walk& walk_;
  Change change_;
  domain::NodeBatch batch_;
};

template <typename Item, typename Change>
Result<domain::NodeBatch> rewrite(NodeSource& nodes, const Uuid& store,
                                  const crypto::RootSecret& root,
                                  const crypto::RootSecret& new_root, std::span<const Item> items,
                                  Change change) {
  ASSIGN_OR_RETURN(const std::vector<const Item*> sorted, in_leaf_order(items));
  domain::NodeBatch batch;
  Status done = with_walk(nodes, store, root, [&](Walk& walk, ByteView key) -> Status {
    Rewrite<Item, Change> work(walk, std::move(change));
    RETURN_IF_ERROR(work.descend(kRootNode, key, sorted));
    Status sealed = new_root.bytes().reveal(
        [&](ByteView new_key) -> Status { return work.seal(kRootNode, new_key); });
    if (!sealed.ok()) return sealed;
    batch = work.take();
    return {};
  });
  if (!done.ok()) return std::move(done).error();
  return batch;
}

Status insert_leaf(const LeafInsert& insert, ByteSpan entry) {
  if (!is_zero_entry(entry)) {
    return make_error(
        Errc::damaged,
        "leaf " + std::to_string(insert.leaf) +
            " of the key tree holds a key already, although the catalog calls it free",
        "Nothing was changed. Run `aierase check`.", std::to_string(insert.leaf));
  }
  return insert.key->bytes().reveal([&](ByteView key) -> Status {
    std::copy(key.begin(), key.end(), entry.begin());
    return {};
  });
}

// The key found must be the one that the catalog names: else a swapped row kills a stranger.
Status check_kcv(const LeafErase& erase, const Uuid& store, ByteView entry) {
  const std::string asset = domain::id_text(domain::IdType::asset, erase.asset);
  const char* hint = "Nothing was erased. Run `aierase check`.";
  if (is_zero_entry(entry)) {
    return make_error(Errc::damaged,
                      "leaf " + std::to_string(erase.leaf) + " of asset " + asset +
                          " holds no key, although the catalog says that it does",
                      hint, asset);
  }
  ASSIGN_OR_RETURN(const Digest found, crypto::key_check_value(entry, store, erase.asset));
  if (crypto::equal_constant_time(found, erase.kcv)) return {};
  return make_error(Errc::damaged,
                    "the key at leaf " + std::to_string(erase.leaf) + " is not that of asset " +
                        asset + ": its key check value differs",
                    hint, asset);
}

Status check_keys(std::span<const LeafInsert> leaves) {
  for (const LeafInsert& insert : leaves) {
    if (insert.key == nullptr || insert.key->empty() || insert.key->bytes().is_zero()) {
      return make_error(Errc::invalid_input,
                        "leaf " + std::to_string(insert.leaf) + " cannot take an empty key");
    }
  }
  return {};
}

// Two trees side by side along the union of the erased paths.
class Comparison {
 public:
  Comparison(Walk& now, Walk& before) : now_(now), before_(before) {}

  Status descend(domain::NodeId id, ByteView key_now, ByteView key_before,
                 std::span<const LeafErase* const> items) {
    if (is_zero_entry(key_before)) return damaged_node(id, "was empty before the erase");
    if (is_zero_entry(key_now)) return damaged_node(id, "lost its key in the erase");
    ASSIGN_OR_RETURN(const Bytes row_now, now_.open(id, key_now));
    ASSIGN_OR_RETURN(const Bytes row_before, before_.open(id, key_before));
    std::size_t next = 0;
    for (std::uint32_t entry = 0; entry < kFanOut; ++entry) {
      const ByteView is = entry_of(now_.entries(id.level), entry);
      const ByteView was = entry_of(before_.entries(id.level), entry);
      const std::size_t from = next;
      while (next < items.size() && slot_of(items[next]->leaf, id.level) == entry) ++next;
      RETURN_IF_ERROR(compare(id, entry, is, was, items.subspan(from, next - from)));
    }
    return {};
  }

 private:
  Status compare(domain::NodeId id, std::uint32_t entry, ByteView is, ByteView was,
                 std::span<const LeafErase* const> below) {
    const bool same = crypto::equal_constant_time(is, was);
    if (below.empty()) {
      if (same) return {};
      return damaged_node(
          id, "changed entry " + std::to_string(entry) + ", which no erased leaf lies under");
    }
    if (id.level == 0) {
      if (is_zero_entry(was)) return damaged_node(id, "held no key where one was to be erased");
      if (is_zero_entry(is)) return {};
      return damaged_node(id, "still holds a key at leaf " + std::to_string(below.front()->leaf));
    }
    if (same) {
      return damaged_node(id, "kept the key of its entry " + std::to_string(entry) +
                                  ", under which a leaf was erased");
    }
    return descend(child_of(id, entry), is, was, below);
  }

  Walk& now_;
  Walk& before_;
};

// With `wanted` leaves in order, or every non-empty leaf.
class Visit {
 public:
  Visit(Walk& walk, const LeafVisitor& visit) : walk_(walk), visit_(visit) {}

  Status some(domain::NodeId id, ByteView key, std::span<const std::uint32_t> wanted) {
    ASSIGN_OR_RETURN(const Bytes row, walk_.open(id, key));
    for (std::size_t from = 0; from < wanted.size();) {
      const std::uint32_t entry = slot_of(wanted[from], id.level);
      std::size_t to = from + 1;
      while (to < wanted.size() && slot_of(wanted[to], id.level) == entry) ++to;
      RETURN_IF_ERROR(below(id, entry, wanted.subspan(from, to - from)));
      from = to;
    }
    return {};
  }

  Status all(domain::NodeId id, ByteView key) {
    ASSIGN_OR_RETURN(const Bytes row, walk_.open(id, key));
    for (std::uint32_t entry = 0; entry < kFanOut; ++entry) {
      const ByteView bytes = entry_of(walk_.entries(id.level), entry);
      if (is_zero_entry(bytes)) continue;
      if (id.level == 0) {
        RETURN_IF_ERROR(visit_(first_leaf(id, entry), bytes));
      } else {
        RETURN_IF_ERROR(all(child_of(id, entry), bytes));
      }
    }
    return {};
  }

 private:
  Status below(domain::NodeId id, std::uint32_t entry, std::span<const std::uint32_t> wanted) {
    const ByteView bytes = entry_of(walk_.entries(id.level), entry);
    if (is_zero_entry(bytes)) {
      for (const std::uint32_t leaf : wanted) RETURN_IF_ERROR(visit_(leaf, ByteView()));
      return {};
    }
    if (id.level == 0) return visit_(wanted.front(), bytes);
    return some(child_of(id, entry), bytes, wanted);
  }

  Walk& walk_;
  const LeafVisitor& visit_;
};

}  // namespace

Result<domain::NodeBatch> create(const Uuid& store, const crypto::RootSecret& root) {
  class Nothing final : public NodeSource {
    Result<std::optional<Bytes>> read(domain::NodeId) override { return std::optional<Bytes>(); }
  };
  Nothing nothing;
  domain::NodeBatch batch;
  Status done = with_walk(nothing, store, root, [&](Walk& walk, ByteView key) -> Status {
    ASSIGN_OR_RETURN(Bytes row, walk.seal(kRootNode, key));
    batch.put.push_back({kRootNode, std::move(row)});
    batch.undo.push_back({kRootNode, std::nullopt});
    return {};
  });
  if (!done.ok()) return std::move(done).error();
  return batch;
}

Result<domain::NodeBatch> insert(NodeSource& nodes, const Uuid& store,
                                 const crypto::RootSecret& root,
                                 std::span<const LeafInsert> leaves) {
  RETURN_IF_ERROR(check_keys(leaves));
  return rewrite(nodes, store, root, root, leaves, insert_leaf);
}

Result<domain::NodeBatch> erase(NodeSource& nodes, const Uuid& store,
                                const crypto::RootSecret& old_root,
                                const crypto::RootSecret& new_root,
                                std::span<const LeafErase> leaves) {
  // A batch is handed out whole or not at all, so comparing on the way down is in time.
  return rewrite(nodes, store, old_root, new_root, leaves,
                 [&store](const LeafErase& erased, ByteSpan entry) -> Status {
                   RETURN_IF_ERROR(check_kcv(erased, store, entry));
                   zeroize(entry);
                   return {};
                 });
}

Status verify_erased(NodeSource& now, NodeSource& before, const Uuid& store,
                     const crypto::RootSecret& old_root, const crypto::RootSecret& new_root,
                     std::span<const LeafErase> leaves) {
  ASSIGN_OR_RETURN(const std::vector<const LeafErase*> sorted, in_leaf_order(leaves));
  return with_walk(now, store, new_root, [&](Walk& walk_now, ByteView new_key) -> Status {
    return with_walk(before, store, old_root, [&](Walk& walk_before, ByteView old_key) -> Status {
      return Comparison(walk_now, walk_before).descend(kRootNode, new_key, old_key, sorted);
    });
  });
}

Result<crypto::Dek> read_leaf(NodeSource& nodes, const Uuid& store, const crypto::RootSecret& root,
                              std::uint32_t leaf) {
  crypto::Dek dek;
  const auto keep = [&dek](std::uint32_t, ByteView key) -> Status {
    if (key.empty()) return {};
    ASSIGN_OR_RETURN(SecretBytes bytes, SecretBytes::copy_of(key));
    ASSIGN_OR_RETURN(dek, crypto::Dek::adopt(std::move(bytes)));
    return {};
  };
  RETURN_IF_ERROR(visit_leaves(nodes, store, root, std::span(&leaf, 1), keep));
  if (dek.empty()) {
    return make_error(Errc::not_found, "leaf " + std::to_string(leaf) + " holds no key", {},
                      std::to_string(leaf));
  }
  return dek;
}

Status visit_leaves(NodeSource& nodes, const Uuid& store, const crypto::RootSecret& root,
                    std::span<const std::uint32_t> leaves, const LeafVisitor& visit) {
  std::vector<std::uint32_t> wanted(leaves.begin(), leaves.end());
  for (const std::uint32_t leaf : wanted) RETURN_IF_ERROR(check_leaf(leaf));
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  return with_walk(nodes, store, root, [&](Walk& walk, ByteView key) -> Status {
    return Visit(walk, visit).some(kRootNode, key, wanted);
  });
}

Status visit_all(NodeSource& nodes, const Uuid& store, const crypto::RootSecret& root,
                 const LeafVisitor& visit) {
  return with_walk(nodes, store, root, [&](Walk& walk, ByteView key) -> Status {
    return Visit(walk, visit).all(kRootNode, key);
  });
}

Result<bool> opens_root(ByteView root_row, const Uuid& store, const crypto::RootSecret& root) {
  RETURN_IF_ERROR(check_header(root_row, store, kRootNode));
  ASSIGN_OR_RETURN(SecretBytes workspace, SecretBytes::zeroed(kDerivedBytes + kEntriesBytes));
  return workspace.fill([&](ByteSpan memory) -> Result<bool> {
    const ByteSpan derived = memory.first(kDerivedBytes);
    return root.bytes().reveal([&](ByteView key) -> Result<bool> {
      ASSIGN_OR_RETURN(const bool commits, commits_to(root_row, key, derived));
      if (!commits) return false;
      crypto::Aead aead;
      RETURN_IF_ERROR(
          open_node(aead, store, kRootNode, key, root_row, derived, memory.subspan(kDerivedBytes)));
      return true;
    });
  });
}

}  // namespace aierase::keytree
