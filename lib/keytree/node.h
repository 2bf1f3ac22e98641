// One row of the key tree: 64 entries of 32 bytes, sealed under the key of this node version.
//
// Contract: stateless; keys, entries and derived bytes lie in memory of the caller (locked, of
// SecretBytes); nothing is allocated for them here. `derived` is scratch of kDerivedBytes and holds
// key material afterwards. Errc::damaged names the node; entries are undefined after a failure.
// Sizes in bytes. Specified in: aierase-store(5) KEY TREE.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"
#include "crypto/primitives.h"
#include "domain/batches.h"

namespace aierase::keytree {

inline constexpr std::size_t kEntryBytes = 32;
inline constexpr std::size_t kEntriesBytes = 64 * kEntryBytes;

// magic 4 || suite 4 || store 16 || level 4 || index 4 || salt 24
inline constexpr std::size_t kNodeSaltBytes = 24;
inline constexpr std::size_t kNodeHeaderBytes = 32 + kNodeSaltBytes;
inline constexpr std::size_t kNodeCommitBytes = 32;
// header || commit || ciphertext || tag
inline constexpr std::size_t kNodeRowBytes =
    kNodeHeaderBytes + kNodeCommitBytes + kEntriesBytes + crypto::kGcmTagBytes;
// key 32 || iv 12 || commit 32
inline constexpr std::size_t kDerivedBytes = 32 + crypto::kGcmIvBytes + kNodeCommitBytes;

// "node 3/17 of the key tree": level and index.
std::string node_text(domain::NodeId id);
Error damaged_node(domain::NodeId id, std::string_view what);

// Length, magic, suite, store, level and index, as far as they can be told without the key.
Status check_header(ByteView row, const Uuid& store, domain::NodeId id);

// Draws a fresh salt. entries.size() == kEntriesBytes.
Result<Bytes> seal_node(crypto::Aead& aead, const Uuid& store, domain::NodeId id, ByteView key,
                        ByteView entries, ByteSpan derived);

// check_header, commit (constant time), then the tag.
Status open_node(crypto::Aead& aead, const Uuid& store, domain::NodeId id, ByteView key,
                 ByteView row, ByteSpan derived, ByteSpan entries);

// Whether the commit is that of this key; the header has been checked.
Result<bool> commits_to(ByteView row, ByteView key, ByteSpan derived);

}  // namespace aierase::keytree
