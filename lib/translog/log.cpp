#include "translog/log.h"

#include <algorithm>
#include <array>
#include <bit>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.h"
#include "base/random.h"
#include "crypto/primitives.h"

namespace aierase::translog {
namespace {

constexpr std::size_t kSaltBytes = 32;
constexpr std::byte kLeafPrefix{0x00};
constexpr std::byte kNodePrefix{0x01};

// One subtree root per bit of the size.
std::size_t subtrees(std::uint64_t size) {
  return static_cast<std::size_t>(std::popcount(size));
}

Digest root_of(const std::vector<Digest>& frontier) {
  if (frontier.empty()) return empty_root();
  Digest root = frontier.back();
  for (std::size_t i = frontier.size() - 1; i-- > 0;) root = node_hash(frontier[i], root);
  return root;
}

Error damaged_leaf(const domain::LogLeaf& leaf, const std::string& why) {
  return make_error(Errc::damaged, "log leaf " + std::to_string(leaf.index) + ": " + why,
                    "Run `aierase check`; the database was changed outside of aierase, or damaged.",
                    std::to_string(leaf.index));
}

}  // namespace

Digest leaf_hash(ByteView body) {
  crypto::Sha256 hash;
  hash.update(ByteView(&kLeafPrefix, 1));
  hash.update(body);
  return hash.finish();
}

Digest node_hash(const Digest& left, const Digest& right) {
  std::array<std::byte, 1 + 2 * sizeof(Digest)> joined{kNodePrefix};
  std::copy(right.begin(), right.end(), std::copy(left.begin(), left.end(), joined.begin() + 1));
  return crypto::sha256(joined);
}

Digest empty_root() {
  return crypto::sha256({});
}

Result<std::string> committed_body(const std::string& type, UtcTime time, ByteView salt,
                                   std::string_view record) {
  crypto::Sha256 hash;
  hash.update(salt);
  hash.update(as_bytes(record));
  return dump_canonical(
      Json{{"commitment", to_hex(hash.finish())}, {"time", to_rfc3339(time)}, {"type", type}});
}

Result<std::string> leaf_body(const domain::LogLeaf& leaf) {
  if (!leaf.salt.empty() && leaf.salt.size() != kSaltBytes) {
    return damaged_leaf(leaf, "its salt has " + std::to_string(leaf.salt.size()) + " bytes");
  }
  std::string body = leaf.record;
  if (!leaf.salt.empty()) {
    ASSIGN_OR_RETURN(body, committed_body(leaf.type, leaf.time, leaf.salt, leaf.record));
  }
  if (leaf_hash(as_bytes(body)) != leaf.leaf_hash) {
    return damaged_leaf(leaf, "its record does not give the hash that stands in the tree");
  }
  return body;
}

Result<domain::LogBatch> append(const domain::LogState& before,
                                std::span<const LogRecord> records) {
  if (before.frontier.size() != subtrees(before.size)) {
    return make_error(Errc::damaged,
                      "the state of the log has " + std::to_string(before.frontier.size()) +
                          " subtrees; a log of " + std::to_string(before.size) + " leaves has " +
                          std::to_string(subtrees(before.size)),
                      "Run `aierase check`.");
  }
  domain::LogBatch batch;
  batch.state = before;
  batch.leaves.reserve(records.size());
  for (const LogRecord& record : records) {
    domain::LogLeaf leaf;
    leaf.index = batch.state.size;
    leaf.type = record.type;
    leaf.time = record.time;
    leaf.record = record.record;
    if (record.visibility == Visibility::committed) {
      leaf.salt.resize(kSaltBytes);
      fill_random(leaf.salt);
      ASSIGN_OR_RETURN(const std::string body,
                       committed_body(leaf.type, leaf.time, leaf.salt, leaf.record));
      leaf.leaf_hash = leaf_hash(as_bytes(body));
    } else {
      leaf.leaf_hash = leaf_hash(as_bytes(leaf.record));
    }
    push(batch.state, leaf.leaf_hash);
    batch.leaves.push_back(std::move(leaf));
  }
  batch.state.root = root_of(batch.state.frontier);
  return batch;
}

void push(domain::LogState& state, const Digest& leaf) {
  state.frontier.push_back(leaf);
  for (std::uint64_t size = state.size; (size & 1) != 0 && state.frontier.size() >= 2; size >>= 1) {
    const Digest right = state.frontier.back();
    state.frontier.pop_back();
    state.frontier.back() = node_hash(state.frontier.back(), right);
  }
  ++state.size;
}

domain::LogState extended(const domain::LogState& before, const Digest& leaf) {
  domain::LogState state = before;
  push(state, leaf);
  state.root = root_of(state.frontier);
  return state;
}

domain::LogState replay(std::span<const Digest> leaf_hashes) {
  domain::LogState state;
  for (const Digest& leaf : leaf_hashes) push(state, leaf);
  state.root = root_of(state.frontier);
  return state;
}

domain::LogState state_of(std::uint64_t size, std::vector<Digest> frontier) {
  domain::LogState state;
  state.size = size;
  state.root = root_of(frontier);
  state.frontier = std::move(frontier);
  return state;
}

Bytes encode_frontier(const domain::LogState& state) {
  Bytes bytes;
  bytes.reserve(state.frontier.size() * sizeof(Digest));
  for (const Digest& subtree : state.frontier) aierase::append(bytes, subtree);
  return bytes;
}

Result<domain::LogState> decode_frontier(std::uint64_t size, ByteView frontier) {
  if (frontier.size() != subtrees(size) * sizeof(Digest)) {
    return make_error(Errc::damaged,
                      "the stored frontier of the log has " + std::to_string(frontier.size()) +
                          " bytes; a log of " + std::to_string(size) + " leaves has " +
                          std::to_string(subtrees(size) * sizeof(Digest)),
                      "Run `aierase check`; it rebuilds the state from the leaves.");
  }
  domain::LogState state;
  state.size = size;
  state.frontier.resize(subtrees(size));
  for (std::size_t i = 0; i < state.frontier.size(); ++i) {
    const ByteView from = frontier.subspan(i * sizeof(Digest), sizeof(Digest));
    std::copy(from.begin(), from.end(), state.frontier[i].begin());
  }
  state.root = root_of(state.frontier);
  return state;
}

}  // namespace aierase::translog
