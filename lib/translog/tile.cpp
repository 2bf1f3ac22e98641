#include "translog/tile.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace aierase::translog {
namespace {

constexpr std::size_t kBodyBytes = 0xffff;

// 1234067 is x001/x234/067.
std::string index_path(std::uint64_t index) {
  std::string path;
  for (bool last = true;; last = false) {
    std::string part = std::to_string(index % 1000);
    part.insert(0, 3 - part.size(), '0');
    path = last ? part : "x" + part + "/" + path;
    index /= 1000;
    if (index == 0) return path;
  }
}

std::string with_width(std::string path, unsigned width) {
  return width == kTileWidth ? path : path + ".p/" + std::to_string(width);
}

Digest root_of_complete(std::span<const Digest> hashes) {
  std::vector<Digest> row(hashes.begin(), hashes.end());
  while (row.size() > 1) {
    for (std::size_t i = 0; i < row.size() / 2; ++i) {
      row[i] = node_hash(row[2 * i], row[2 * i + 1]);
    }
    row.resize(row.size() / 2);
  }
  return row.front();
}

Error not_a_tile(const std::string& why) {
  return make_error(Errc::invalid_input, why);
}

// How many hashes a level has in a tree of that size.
std::uint64_t level_size(unsigned level, std::uint64_t size) {
  const unsigned bits = level * kTileHeight;
  return bits >= 64 ? 0 : size >> bits;
}

}  // namespace

std::string tile_path(const TileName& name) {
  return with_width("tile/" + std::to_string(name.level) + "/" + index_path(name.index),
                    name.width);
}

std::string entries_path(std::uint64_t index, unsigned width) {
  return with_width("tile/entries/" + index_path(index), width);
}

unsigned tile_width(unsigned level, std::uint64_t tile, std::uint64_t size) {
  const std::uint64_t hashes = level_size(level, size);
  const std::uint64_t full = hashes / kTileWidth;
  if (tile < full) return kTileWidth;
  return tile == full ? static_cast<unsigned>(hashes % kTileWidth) : 0;
}

Result<Bytes> encode_entries(std::span<const std::string> bodies) {
  Bytes bundle;
  for (const std::string& body : bodies) {
    if (body.size() > kBodyBytes) {
      return make_error(Errc::resource_limit, "a leaf of the log has " +
                                                  std::to_string(body.size()) +
                                                  " bytes; a published one has at most 65535");
    }
    append_be16(bundle, static_cast<std::uint16_t>(body.size()));
    aierase::append(bundle, as_bytes(body));
  }
  return bundle;
}

Result<std::vector<std::string>> parse_entries(ByteView bundle) {
  std::vector<std::string> bodies;
  while (!bundle.empty()) {
    if (bodies.size() == kTileWidth) return not_a_tile("it has more than 256 entries");
    if (bundle.size() < 2) return not_a_tile("it ends within a length");
    const std::size_t size = get_be16(bundle.first(2));
    bundle = bundle.subspan(2);
    if (bundle.size() < size) return not_a_tile("it ends within an entry");
    bodies.emplace_back(as_text(bundle.first(size)));
    bundle = bundle.subspan(size);
  }
  return bodies;
}

Bytes encode_tile(std::span<const Digest> hashes) {
  Bytes bytes;
  bytes.reserve(hashes.size() * sizeof(Digest));
  for (const Digest& hash : hashes) aierase::append(bytes, hash);
  return bytes;
}

Result<std::vector<Digest>> parse_tile(ByteView tile) {
  if (tile.empty() || tile.size() > kTileBytes || tile.size() % sizeof(Digest) != 0) {
    return not_a_tile("it has " + std::to_string(tile.size()) +
                      " bytes; a tile has 32 for each of its 1 to 256 hashes");
  }
  std::vector<Digest> hashes(tile.size() / sizeof(Digest));
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const ByteView from = tile.subspan(i * sizeof(Digest), sizeof(Digest));
    std::copy(from.begin(), from.end(), hashes[i].begin());
  }
  return hashes;
}

Result<Digest> TileNodes::node(unsigned level, std::uint64_t index) {
  const unsigned tile_level = level / kTileHeight;
  const unsigned inner = level % kTileHeight;
  const std::uint64_t first = index << inner;
  const std::uint64_t tile = first / kTileWidth;
  const std::size_t from = first % kTileWidth;
  const std::size_t count = std::size_t{1} << inner;
  const unsigned width = tile_width(tile_level, tile, size_);
  if (from + count > width) {
    return make_error(Errc::not_found, "the tree has no such complete subtree");
  }
  const auto key = std::make_pair(tile_level, tile);
  auto found = tiles_.find(key);
  if (found == tiles_.end()) {
    ASSIGN_OR_RETURN(std::vector<Digest> hashes, read_({tile_level, tile, width}));
    if (hashes.size() < width) return make_error(Errc::damaged, "a tile of the log is too short");
    found = tiles_.emplace(key, std::move(hashes)).first;
  }
  return root_of_complete(std::span(found->second).subspan(from, count));
}

Result<TileWriter> TileWriter::behind(std::uint64_t size, const ReadTile& read) {
  TileWriter writer;
  writer.size_ = size;
  for (unsigned level = 0; level_size(level, size) != 0; ++level) {
    const std::uint64_t tile = level_size(level, size) / kTileWidth;
    const unsigned width = tile_width(level, tile, size);
    std::vector<Digest> hashes;
    if (width != 0) {
      ASSIGN_OR_RETURN(hashes, read({level, tile, width}));
      if (hashes.size() < width) return make_error(Errc::damaged, "a tile of the log is too short");
      hashes.resize(width);
    }
    writer.open_.push_back(std::move(hashes));
  }
  return writer;
}

Status TileWriter::add(const Digest& leaf, const Put& put_full) {
  ++size_;
  Digest hash = leaf;
  for (unsigned level = 0;; ++level) {
    if (open_.size() == level) open_.emplace_back();
    open_[level].push_back(hash);
    if (open_[level].size() < kTileWidth) return {};
    const std::uint64_t end = level_size(level, size_);
    RETURN_IF_ERROR(put_full({level, end / kTileWidth - 1, kTileWidth}, open_[level]));
    hash = root_of_complete(open_[level]);
    open_[level].clear();
  }
}

// The open tiles, from the top, are the complete subtrees that the definition splits off.
domain::LogState TileWriter::state() const {
  std::vector<Digest> roots;
  for (std::size_t level = open_.size(); level-- > 0;) {
    std::span<const Digest> rest(open_[level]);
    while (!rest.empty()) {
      const std::size_t part = std::bit_floor(rest.size());
      roots.push_back(root_of_complete(rest.first(part)));
      rest = rest.subspan(part);
    }
  }
  return state_of(size_, std::move(roots));
}

Status TileWriter::finish(const Put& put_partial) const {
  for (unsigned level = 0; level < open_.size(); ++level) {
    if (open_[level].empty()) continue;
    const std::uint64_t tile = level_size(level, size_) / kTileWidth;
    RETURN_IF_ERROR(
        put_partial({level, tile, static_cast<unsigned>(open_[level].size())}, open_[level]));
  }
  return {};
}

}  // namespace aierase::translog
