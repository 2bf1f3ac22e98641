// The blocks of a slot file: header, slot copies, anchors; where they lie and what they hold.
//
// Contract: pure codecs over blocks of kBlockBytes that belong to the caller (locked memory where
// a slot secret is in them). Unused bytes are zero and are checked. Integers are big-endian.
// Sizes and offsets in bytes. Specified in: aierase-store(5) ROOT SLOT.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/env.h"
#include "base/result.h"
#include "base/uuid.h"
#include "crypto/keys.h"
#include "rootslot/root_slot.h"

namespace aierase::rootslot {

inline constexpr std::size_t kBlockBytes = 4096;
// What is written last of a block is its first sector: a payload inside it is never half there.
inline constexpr std::size_t kPayloadBytes = 512;
inline constexpr unsigned kCopies = 2;

// Copies lie further apart than any erase block or RAID chunk that one accident takes along.
inline constexpr std::uint64_t kTwinDistance =
    0x110000;  // 1 MiB beyond the end of the first 64 KiB
inline constexpr std::uint64_t kFileBytes = 0x120000;

constexpr std::uint64_t header_offset(unsigned copy) {
  return copy * kTwinDistance;
}
constexpr std::uint64_t slot_offset(unsigned parity, unsigned copy) {
  return kBlockBytes * (1ULL + parity) + copy * kTwinDistance;
}
constexpr std::uint64_t anchor_offset(unsigned parity) {
  return kBlockBytes * (3ULL + parity);
}

// Whose file this is and where it lay when it was made: a copy of it lies elsewhere.
struct SlotHeader {
  Uuid store;
  std::string filesystem_uuid;  // empty where the system does not tell
  std::uint64_t inode = 0;
  std::uint32_t extent_count = 0;  // of all, also of those that found no room
  std::vector<Extent> extents;     // the first ones, merged, without `shared`
};

// Neighbours become one: splitting an extent record moves no data.
std::vector<Extent> merged(std::vector<Extent> extents);
SlotHeader make_header(const Uuid& store, std::string filesystem_uuid, std::uint64_t inode,
                       std::vector<Extent> extents);
bool lies_as_recorded(const SlotHeader& recorded, const SlotHeader& now);

void encode_header(const SlotHeader& header, ByteSpan block);
// Errc::damaged: no header, or an altered one; Errc::newer_format.
Result<SlotHeader> decode_header(ByteView block);

enum class CopyState { zero, good, bad };
struct SlotCopy {
  CopyState state = CopyState::bad;
  Uuid store;                                // of a good copy
  std::uint64_t epoch = 0;                   // of a good copy
  std::optional<crypto::SlotSecret> secret;  // of a good copy
};

Status encode_copy(const Uuid& store, std::uint64_t epoch, const crypto::SlotSecret& secret,
                   ByteSpan block);
Result<SlotCopy> decode_copy(ByteView block);

Status encode_anchor(const Uuid& store, const crypto::SealKey& key, const Anchor& anchor,
                     ByteSpan block);
// Not authenticated under this key, of another store, or not an anchor at all: nullopt.
Result<std::optional<Anchor>> decode_anchor(const Uuid& store, const crypto::SealKey& key,
                                            ByteView block);

}  // namespace aierase::rootslot
