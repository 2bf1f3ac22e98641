#include "translog/tile.h"

#include <gtest/gtest.h>

#include "unit/translog/tree_sample.h"

namespace aierase::translog {
namespace {

TEST(ThePathOfATile, IsThatOfTheSpecification) {
  EXPECT_EQ(tile_path({0, 0, 256}), "tile/0/000");
  EXPECT_EQ(tile_path({0, 1'234'067, 256}), "tile/0/x001/x234/067");
  EXPECT_EQ(tile_path({1, 999, 17}), "tile/1/999.p/17");
  EXPECT_EQ(entries_path(1000, 256), "tile/entries/x001/000");
  EXPECT_EQ(entries_path(0, 1), "tile/entries/000.p/1");
}

// The example of the specification: 273 full tiles, then 112; one full at level 1, then 17; one
// hash at level 2.
TEST(ATreeOf70000Leaves, HasTheTilesThatTheSpecificationCounts) {
  constexpr std::uint64_t kSize = 70'000;
  EXPECT_EQ(tile_width(0, 272, kSize), 256U);
  EXPECT_EQ(tile_width(0, 273, kSize), 112U);
  EXPECT_EQ(tile_width(1, 0, kSize), 256U);
  EXPECT_EQ(tile_width(1, 1, kSize), 17U);
  EXPECT_EQ(tile_width(2, 0, kSize), 1U);
  EXPECT_EQ(tile_width(3, 0, kSize), 0U);
  EXPECT_EQ(tile_width(9, 0, kSize), 0U);
}

TEST(TilesWrittenInOneGo, AreThoseWrittenBitByBit) {
  const std::vector<Digest> leaves = counted_leaves(700);
  TileShelf at_once;
  at_once.write(leaves);
  TileShelf in_parts;
  std::uint64_t done = 0;
  for (const std::uint64_t size : {1U, 3U, 255U, 256U, 257U, 512U, 699U, 700U}) {
    auto writer = TileWriter::behind(done, in_parts.reader());
    ASSERT_TRUE(writer.ok()) << size;
    for (; done < size; ++done) ASSERT_TRUE(writer->add(leaves[done], in_parts.putter()).ok());
    ASSERT_TRUE(writer->finish(in_parts.putter()).ok());
    EXPECT_EQ(writer->state().root, replay(std::span(leaves).first(size)).root) << size;
    EXPECT_EQ(writer->state().frontier, replay(std::span(leaves).first(size)).frontier) << size;
  }
  for (const auto& [path, content] : at_once.tiles) {
    ASSERT_TRUE(in_parts.tiles.count(path)) << path;
    EXPECT_EQ(in_parts.tiles[path], content) << path;
  }
  EXPECT_EQ(at_once.tiles.count("tile/0/002.p/188"), 1U);
  EXPECT_EQ(at_once.tiles.count("tile/1/000.p/2"), 1U);
  EXPECT_EQ(at_once.tiles.size(), 4U);
}

TEST(EntryBundles, ComeBackAsTheyWere) {
  const std::vector<std::string> bodies{"", "one", std::string(65'535, 'x')};
  const auto bundle = encode_entries(bodies);
  ASSERT_TRUE(bundle.ok());
  const auto parsed = parse_entries(*bundle);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, bodies);
  EXPECT_FALSE(encode_entries(std::vector{std::string(65'536, 'x')}).ok());
  EXPECT_FALSE(parse_entries(ByteView(*bundle).first(bundle->size() - 1)).ok());
  EXPECT_FALSE(parse_entries(ByteView(*bundle).first(1)).ok());
  EXPECT_FALSE(parse_entries(*encode_entries(std::vector<std::string>(257, "x"))).ok());
}

TEST(ATileOfAnotherSize, IsRefused) {
  EXPECT_FALSE(parse_tile({}).ok());
  EXPECT_FALSE(parse_tile(Bytes(33)).ok());
  EXPECT_FALSE(parse_tile(Bytes(257 * 32)).ok());
  EXPECT_EQ(parse_tile(Bytes(256 * 32))->size(), 256U);
  TileNodes nodes(3, [](const TileName&) { return parse_tile(Bytes(64)); });
  EXPECT_FALSE(nodes.node(0, 0).ok());
  EXPECT_FALSE(nodes.node(2, 0).ok());
}

}  // namespace
}  // namespace aierase::translog
