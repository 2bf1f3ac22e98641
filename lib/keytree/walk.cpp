#include "keytree/walk.h"

#include <algorithm>

namespace aierase::keytree {

bool is_zero_entry(ByteView entry) noexcept {
  static constexpr std::array<std::byte, kEntryBytes> kZero{};
  return crypto::equal_constant_time(entry, kZero);
}

Status check_leaf(std::uint32_t leaf) {
  if (leaf < kLeaves) return {};
  return make_error(Errc::invalid_input, "leaf " + std::to_string(leaf) +
                                             " lies beyond the last leaf of the key tree, " +
                                             std::to_string(kLeaves - 1));
}

Result<Bytes> Walk::open(domain::NodeId id, ByteView key) {
  ASSIGN_OR_RETURN(std::optional<Bytes> row, nodes_.read(id));
  if (!row.has_value()) return damaged_node(id, "is missing, although a key leads to it");
  RETURN_IF_ERROR(open_node(aead_, store_, id, key, *row, derived(), entries(id.level)));
  return std::move(*row);
}

Result<std::optional<Bytes>> Walk::open_empty(domain::NodeId id) {
  const ByteSpan empty = entries(id.level);
  std::fill(empty.begin(), empty.end(), std::byte{0});
  return nodes_.read(id);
}

Result<Bytes> Walk::seal(domain::NodeId id, ByteView key) {
  return seal_node(aead_, store_, id, key, entries(id.level), derived());
}

}  // namespace aierase::keytree
