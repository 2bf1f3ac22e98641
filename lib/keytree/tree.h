// The key tree: who holds the root secret reaches every leaf; who holds only dead roots reaches
// none that was erased under them.
//
// Contract: functional. Nodes are read through NodeSource, results come back as a NodeBatch, and
// nothing is persisted or cached here. Every node version but the root has a fresh random key; the
// root node is keyed by the RootSecret. A non-zero entry whose row is absent, a row of another
// store, level or index, a commit or tag that does not match are Errc::damaged and name the node.
// kcv mismatches are Errc::damaged with the asset's id as subject. Leaves 0 to 64^5-1, fan-out 64,
// fixed height 5. Locked memory used: one workspace per call, whatever the number of leaves.
// Specified in: aierase-store(5) KEY TREE; erasure-design section 2.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"
#include "crypto/keys.h"
#include "domain/batches.h"

namespace aierase::keytree {

inline constexpr unsigned kFanOut = 64;
inline constexpr unsigned kHeight = 5;
inline constexpr std::uint32_t kLeaves = 1U << 30;
inline constexpr domain::NodeId kRootNode{kHeight - 1, 0};

class NodeSource {
 public:
  virtual ~NodeSource() = default;
  virtual Result<std::optional<Bytes>> read(domain::NodeId id) = 0;
};

struct LeafInsert {
  std::uint32_t leaf = 0;
  const crypto::Dek* key = nullptr;  // not owned
};

struct LeafErase {
  std::uint32_t leaf = 0;
  Uuid asset;
  Digest kcv{};  // what the catalog says; recomputed from the key found and compared
};

// The one row of an empty tree.
Result<domain::NodeBatch> create(const Uuid& store, const crypto::RootSecret& root);

// Leaves must be empty (else Errc::damaged). The root row is written anew under the same root.
Result<domain::NodeBatch> insert(NodeSource& nodes, const Uuid& store,
                                 const crypto::RootSecret& root,
                                 std::span<const LeafInsert> leaves);

// All leaves in one batch; their kcv is compared before anything is computed. The root row is
// written under new_root. An empty span re-keys the root row alone (rotation).
Result<domain::NodeBatch> erase(NodeSource& nodes, const Uuid& store,
                                const crypto::RootSecret& old_root,
                                const crypto::RootSecret& new_root,
                                std::span<const LeafErase> leaves);

// Step 3 of the erase protocol: with the rows re-read from disk, erased entries are zero, and every
// other entry of every rewritten node opens to what it was before.
Status verify_erased(NodeSource& now, NodeSource& before, const Uuid& store,
                     const crypto::RootSecret& old_root, const crypto::RootSecret& new_root,
                     std::span<const LeafErase> leaves);

// Empty leaf: Errc::not_found.
Result<crypto::Dek> read_leaf(NodeSource& nodes, const Uuid& store, const crypto::RootSecret& root,
                              std::uint32_t leaf);

// Visits the given leaves (any order, duplicates allowed and visited once) in ascending order by
// one descent; the view is valid only inside the callback. An empty leaf is visited with an empty
// view.
using LeafVisitor = std::function<Status(std::uint32_t leaf, ByteView dek)>;
Status visit_leaves(NodeSource& nodes, const Uuid& store, const crypto::RootSecret& root,
                    std::span<const std::uint32_t> leaves, const LeafVisitor& visit);

// Walks the whole tree; every non-empty leaf is visited. For `check`.
Status visit_all(NodeSource& nodes, const Uuid& store, const crypto::RootSecret& root,
                 const LeafVisitor& visit);

// Whether this secret opens this root row: the first column of the recovery table. A row that is
// malformed or of another store is Errc::damaged; a wrong secret is simply false.
Result<bool> opens_root(ByteView root_row, const Uuid& store, const crypto::RootSecret& root);

}  // namespace aierase::keytree
