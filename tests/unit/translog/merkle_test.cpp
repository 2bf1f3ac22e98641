#include "translog/merkle.h"

#include <gtest/gtest.h>

#include "unit/translog/tree_sample.h"

namespace aierase::translog {
namespace {

std::vector<std::string> hex_of(const Proof& proof) {
  std::vector<std::string> texts;
  for (const Digest& hash : proof) texts.push_back(to_hex(hash));
  return texts;
}

class TheReferenceTree : public testing::Test {
 protected:
  TheReferenceTree() { shelf_.write(reference_leaves()); }
  TileNodes nodes(std::uint64_t size) { return TileNodes(size, prefix_reader()); }
  // Tiles of the whole tree serve its earlier sizes, too.
  ReadTile prefix_reader() {
    return [this](const TileName&) { return parse_tile(shelf_.tiles.at("tile/0/000.p/8")); };
  }
  TileShelf shelf_;
};

// Index and proofs as they were published with the first implementation of RFC 6962.
TEST_F(TheReferenceTree, HasThePublishedInclusionProofs) {
  struct {
    std::uint64_t index, size;
    std::vector<std::string> proof;
  } const published[] = {
      {0, 1, {}},
      {0,
       8,
       {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
      {5,
       8,
       {"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
      {2, 3, {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
      {1,
       5,
       {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}}};
  for (const auto& vector : published) {
    TileNodes tree = nodes(vector.size);
    const auto proof = inclusion_proof(tree, vector.index, vector.size);
    ASSERT_TRUE(proof.ok());
    EXPECT_EQ(hex_of(*proof), vector.proof) << vector.index << " of " << vector.size;
  }
}

TEST_F(TheReferenceTree, HasThePublishedConsistencyProofs) {
  struct {
    std::uint64_t old_size, size;
    std::vector<std::string> proof;
  } const published[] = {{1, 1, {}},
                         {1,
                          8,
                          {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                           "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                           "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
                         {6,
                          8,
                          {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                           "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                           "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
                         {2,
                          5,
                          {"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                           "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}}};
  for (const auto& vector : published) {
    TileNodes tree = nodes(vector.size);
    const auto proof = consistency_proof(tree, vector.old_size, vector.size);
    ASSERT_TRUE(proof.ok());
    EXPECT_EQ(hex_of(*proof), vector.proof) << vector.old_size << " to " << vector.size;
  }
}

class ATreeOfSeveralTiles : public testing::Test {
 protected:
  static constexpr std::uint64_t kSize = 600;
  ATreeOfSeveralTiles() : leaves_(counted_leaves(kSize)) { shelf_.write(leaves_); }
  Digest root_at(std::uint64_t size) { return replay(std::span(leaves_).first(size)).root; }
  std::vector<Digest> leaves_;
  TileShelf shelf_;
};

TEST_F(ATreeOfSeveralTiles, ProvesEachOfItsLeavesAndNoOther) {
  TileNodes tree(kSize, shelf_.reader());
  const Digest root = root_at(kSize);
  for (std::uint64_t index = 0; index < kSize; index += 7) {
    const auto proof = inclusion_proof(tree, index, kSize);
    ASSERT_TRUE(proof.ok());
    EXPECT_EQ(root_of_inclusion(leaves_[index], index, kSize, *proof), root);
    EXPECT_NE(root_of_inclusion(leaves_[index], index ^ 1, kSize, *proof), root);
    EXPECT_NE(root_of_inclusion(leaves_[index ^ 1], index, kSize, *proof), root);
    Proof longer = *proof;
    longer.push_back(root);
    EXPECT_EQ(root_of_inclusion(leaves_[index], index, kSize, longer), std::nullopt);
    Proof shorter = *proof;
    shorter.pop_back();
    EXPECT_EQ(root_of_inclusion(leaves_[index], index, kSize, shorter), std::nullopt);
  }
  EXPECT_FALSE(inclusion_proof(tree, kSize, kSize).ok());
  EXPECT_EQ(root_of_inclusion(leaves_[0], kSize, kSize, {}), std::nullopt);
}

TEST_F(ATreeOfSeveralTiles, ProvesThatItExtendsEachEarlierOne) {
  TileNodes tree(kSize, shelf_.reader());
  const Digest root = root_at(kSize);
  for (std::uint64_t old_size = 0; old_size <= kSize; old_size += 11) {
    const auto proof = consistency_proof(tree, old_size, kSize);
    ASSERT_TRUE(proof.ok());
    const Digest old_root = root_at(old_size);
    EXPECT_TRUE(is_consistent(old_size, old_root, kSize, root, *proof)) << old_size;
    EXPECT_EQ(consistency_hashes(old_size, kSize), proof->size()) << old_size;
    if (old_size == 0) continue;
    const Digest other = leaf_hash(as_bytes("fork"));
    EXPECT_FALSE(is_consistent(old_size, other, kSize, root, *proof)) << old_size;
    EXPECT_FALSE(is_consistent(old_size, old_root, kSize, other, *proof)) << old_size;
    Proof changed = *proof;
    changed.push_back(other);
    EXPECT_FALSE(is_consistent(old_size, old_root, kSize, root, changed)) << old_size;
    if (proof->empty()) continue;
    changed = *proof;
    changed.pop_back();
    EXPECT_FALSE(is_consistent(old_size, old_root, kSize, root, changed)) << old_size;
    changed = *proof;
    changed.front() = other;
    EXPECT_FALSE(is_consistent(old_size, old_root, kSize, root, changed)) << old_size;
  }
}

TEST_F(ATreeOfSeveralTiles, IsNotConsistentWithALaterOne) {
  TileNodes tree(kSize, shelf_.reader());
  EXPECT_FALSE(consistency_proof(tree, kSize + 1, kSize).ok());
  EXPECT_FALSE(is_consistent(kSize + 1, root_at(kSize), kSize, root_at(kSize), {}));
}

TEST_F(ATreeOfSeveralTiles, HasTheStateThatItsLeavesGive) {
  TileNodes tree(kSize, shelf_.reader());
  for (const std::uint64_t size : {0U, 1U, 255U, 256U, 257U, 511U, 512U, 600U}) {
    const auto state = state_at(tree, size);
    ASSERT_TRUE(state.ok()) << size;
    const domain::LogState expected = replay(std::span(leaves_).first(size));
    EXPECT_EQ(state->root, expected.root) << size;
    EXPECT_EQ(state->frontier, expected.frontier) << size;
  }
}

}  // namespace
}  // namespace aierase::translog
