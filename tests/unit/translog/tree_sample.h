// A tree in memory and its tiles, for the tests of proofs.
#pragma once

#include <map>
#include <string>

#include "translog/tile.h"

namespace aierase::translog {

// The reference tree of Certificate Transparency.
inline std::vector<Digest> reference_leaves() {
  std::vector<Digest> leaves;
  for (const char* hex : {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                          "606162636465666768696a6b6c6d6e6f"}) {
    leaves.push_back(leaf_hash(*from_hex(hex)));
  }
  return leaves;
}

inline std::vector<Digest> counted_leaves(std::size_t count) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(leaf_hash(as_bytes(std::to_string(i))));
  return leaves;
}

// What a log directory holds, by path.
class TileShelf {
 public:
  ReadTile reader() const {
    return [this](const TileName& name) -> Result<std::vector<Digest>> {
      const auto found = tiles.find(tile_path(name));
      if (found == tiles.end()) return make_error(Errc::not_found, tile_path(name));
      return parse_tile(found->second);
    };
  }
  TileWriter::Put putter() {
    return [this](const TileName& name, std::span<const Digest> hashes) -> Status {
      const auto [at, fresh] = tiles.emplace(tile_path(name), encode_tile(hashes));
      if (!fresh && at->second != encode_tile(hashes)) {
        return make_error(Errc::damaged, "two contents for " + tile_path(name));
      }
      return {};
    };
  }
  void write(std::span<const Digest> leaves) {
    TileWriter writer;
    for (const Digest& leaf : leaves) EXPECT_TRUE(writer.add(leaf, putter()).ok());
    EXPECT_TRUE(writer.finish(putter()).ok());
  }
  std::map<std::string, Bytes> tiles;
};

}  // namespace aierase::translog
