// The log as files that any web server hands out: tiles of hashes, and bundles of leaf bodies.
//
// Contract: pure; whoever calls keeps the files. A tile at level l has up to 256 hashes, each the
// root over 256^l leaves; it is partial while it has fewer, and its file then says how many. What a
// full tile of a name holds never changes. A body has at most 65,535 bytes.
// Specified in: aierase-store(5) PUBLISHED LOG; C2SP tlog-tiles.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "translog/merkle.h"

namespace aierase::translog {

inline constexpr unsigned kTileHeight = 8;
inline constexpr unsigned kTileWidth = 256;
inline constexpr std::size_t kTileBytes = kTileWidth * sizeof(Digest);

struct TileName {
  unsigned level = 0;
  std::uint64_t index = 0;
  unsigned width = kTileWidth;  // below 256: partial
};

// "tile/0/x001/234", "tile/1/000.p/17", "tile/entries/000"
std::string tile_path(const TileName& name);
std::string entries_path(std::uint64_t index, unsigned width);
// Of the tile that holds entry `index` of a level, in a tree of `size` leaves.
unsigned tile_width(unsigned level, std::uint64_t tile, std::uint64_t size);

Result<Bytes> encode_entries(std::span<const std::string> bodies);
Result<std::vector<std::string>> parse_entries(ByteView bundle);
Bytes encode_tile(std::span<const Digest> hashes);
Result<std::vector<Digest>> parse_tile(ByteView tile);

using ReadTile = std::function<Result<std::vector<Digest>>(const TileName&)>;

// Nodes of a tree of `size` leaves out of its tiles, each read once.
class TileNodes final : public NodeSource {
 public:
  TileNodes(std::uint64_t size, ReadTile read) : size_(size), read_(std::move(read)) {}
  Result<Digest> node(unsigned level, std::uint64_t index) override;

 private:
  std::uint64_t size_;
  ReadTile read_;
  std::map<std::pair<unsigned, std::uint64_t>, std::vector<Digest>> tiles_;
};

// Adds leaves to a tree and hands out the tiles that they complete.
class TileWriter {
 public:
  using Put = std::function<Status(const TileName&, std::span<const Digest>)>;
  TileWriter() = default;  // the empty tree
  // Goes on behind a tree of `size` leaves. Its open tiles are read.
  static Result<TileWriter> behind(std::uint64_t size, const ReadTile& read);

  std::uint64_t size() const { return size_; }
  domain::LogState state() const;
  Status add(const Digest& leaf, const Put& put_full);
  Status finish(const Put& put_partial) const;  // those that are still open

 private:
  std::uint64_t size_ = 0;
  std::vector<std::vector<Digest>> open_;  // by level, each below 256
};

}  // namespace aierase::translog
