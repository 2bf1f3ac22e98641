#include "rootslot/file_slot.h"

#include <algorithm>
#include <array>

#include "crypto/primitives.h"

namespace aierase::rootslot {
namespace {

std::string copy_text(unsigned parity, unsigned copy) {
  return "copy " + std::to_string(copy + 1) + " of " + std::to_string(kCopies) + " at offset " +
         std::to_string(slot_offset(parity, copy));
}

Status check_parity(unsigned parity) {
  if (parity < 2) return {};
  return make_error(Errc::invalid_input, "a root slot has the parity 0 or 1");
}

}  // namespace

std::string_view to_text(SlotPlace place) noexcept {
  switch (place) {
    case SlotPlace::present:
      return "present";
    case SlotPlace::missing:
      return "missing";
    case SlotPlace::replaced:
      return "replaced";
    case SlotPlace::linked:
      break;
  }
  return "linked";
}

struct FileSlot::Copies {
  std::array<SlotCopy, kCopies> copy;
  bool equal = false;
};

Error FileSlot::about_slot(Errc code, std::string what, std::string hint) const {
  return make_error(code, "the root slot " + parts_.path + " " + std::move(what), std::move(hint),
                    parts_.path);
}

Result<SlotHeader> FileSlot::header_now() {
  ASSIGN_OR_RETURN(const FileInfo info, parts_.lock->info());
  ASSIGN_OR_RETURN(std::vector<Extent> extents, parts_.lock->extents());
  const Result<StorageInfo> storage = env_.storage(parts_.path);
  return make_header(header_.store, storage.ok() ? storage->filesystem_uuid : std::string(),
                     info.inode, std::move(extents));
}

Status FileSlot::format(const Uuid& store) {
  for (unsigned copy = 0; copy < kCopies; ++copy) {
    RETURN_IF_ERROR(put_zeros(header_offset(copy)));
    RETURN_IF_ERROR(put_zeros(slot_offset(0, copy)));
    RETURN_IF_ERROR(put_zeros(slot_offset(1, copy)));
  }
  RETURN_IF_ERROR(put_zeros(anchor_offset(0)));
  RETURN_IF_ERROR(put_zeros(anchor_offset(1)));
  // Only now do all blocks have their place on the device.
  RETURN_IF_ERROR(parts_.lock->sync());
  header_.store = store;
  ASSIGN_OR_RETURN(header_, header_now());
  return parts_.buffer.fill([&](ByteSpan buffer) -> Status {
    const ByteSpan block = buffer.first(kBlockBytes);
    encode_header(header_, block);
    for (unsigned copy = 0; copy < kCopies; ++copy) {
      RETURN_IF_ERROR(put_block(header_offset(copy), block, buffer.subspan(kBlockBytes)));
    }
    return {};
  });
}

Status FileSlot::load_header() {
  return parts_.buffer.fill([&](ByteSpan buffer) -> Status {
    const ByteSpan block = buffer.first(kBlockBytes);
    std::optional<Error> first_error;
    for (unsigned copy = 0; copy < kCopies; ++copy) {
      RETURN_IF_ERROR(blocks().read_at(header_offset(copy), block));
      Result<SlotHeader> header = decode_header(block);
      if (header.ok()) {
        header_ = std::move(header).value();
        return {};
      }
      if (!first_error.has_value()) first_error = std::move(header).error();
    }
    std::string hint =
        first_error->hint.empty()
            ? "Put this store's slot file back as it was last in use. Nothing was changed."
            : first_error->hint;
    return make_error(first_error->code, parts_.path + " is no root slot: " + first_error->message,
                      std::move(hint), parts_.path);
  });
}

Status FileSlot::put_block(std::uint64_t offset, ByteSpan block, ByteSpan read_back) {
  const ByteSpan found = read_back.first(kBlockBytes);
  RETURN_IF_ERROR(blocks().write_at(offset, block));
  RETURN_IF_ERROR(blocks().read_at(offset, found));
  if (crypto::equal_constant_time(found, block)) return {};
  return about_slot(
      Errc::io, "reads back other bytes at offset " + std::to_string(offset) + " than were written",
      "The device does not keep what it is given: replace it.");
}

Status FileSlot::put_zeros(std::uint64_t offset) {
  return parts_.buffer.fill([&](ByteSpan buffer) -> Status {
    const ByteSpan block = buffer.first(kBlockBytes);
    std::fill(block.begin(), block.end(), std::byte{0});
    return put_block(offset, block, buffer.subspan(kBlockBytes));
  });
}

Status FileSlot::put_zeros_into_slots() {
  for (unsigned copy = 0; copy < kCopies; ++copy) {
    for (const unsigned parity : {0U, 1U}) RETURN_IF_ERROR(put_zeros(slot_offset(parity, copy)));
  }
  return {};
}

// The anchors first: a secret beside an older anchor, or none, opens no store.
Status FileSlot::take_over(FileSlot& from) {
  for (const std::uint64_t offset : {anchor_offset(0), anchor_offset(1), slot_offset(0, 0),
                                     slot_offset(1, 0), slot_offset(0, 1), slot_offset(1, 1)}) {
    RETURN_IF_ERROR(parts_.buffer.fill([&](ByteSpan buffer) -> Status {
      const ByteSpan block = buffer.first(kBlockBytes);
      Status done = from.blocks().read_at(offset, block);
      if (done.ok()) done = put_block(offset, block, buffer.subspan(kBlockBytes));
      zeroize(buffer);
      return done;
    }));
  }
  return {};
}

Result<FileSlot::Copies> FileSlot::read_copies(unsigned parity) {
  return parts_.buffer.fill([&](ByteSpan buffer) -> Result<Copies> {
    const ByteSpan pages = buffer.subspan(kBlockBytes);
    Copies copies;
    for (unsigned copy = 0; copy < kCopies; ++copy) {
      const ByteSpan block = pages.subspan(copy * kBlockBytes, kBlockBytes);
      RETURN_IF_ERROR(blocks().read_at(slot_offset(parity, copy), block));
      ASSIGN_OR_RETURN(copies.copy[copy], decode_copy(block));
    }
    copies.equal = crypto::equal_constant_time(pages.first(kBlockBytes), pages.last(kBlockBytes));
    zeroize(pages);
    return copies;
  });
}

Result<SlotReading> FileSlot::read(unsigned parity) {
  RETURN_IF_ERROR(check_parity(parity));
  ASSIGN_OR_RETURN(Copies copies, read_copies(parity));
  SlotCopy* good = nullptr;
  for (SlotCopy& copy : copies.copy) {
    if (copy.state != CopyState::good) continue;
    // Of two good copies that differ, another store's is the one to be afraid of; else the newer.
    const bool worse =
        good == nullptr ||
        (good->store == header_.store && (copy.store != header_.store || copy.epoch > good->epoch));
    if (worse) good = &copy;
  }
  SlotReading reading;
  if (good == nullptr) {
    const bool zero = copies.copy[0].state == CopyState::zero && copies.equal;
    reading.content = zero ? SlotContent::zero : SlotContent::torn;
    return reading;
  }
  reading.content = good->store != header_.store ? SlotContent::foreign
                    : copies.equal               ? SlotContent::whole
                                                 : SlotContent::torn;
  reading.store = good->store;
  reading.epoch = good->epoch;
  reading.secret = std::move(good->secret);
  return reading;
}

Status FileSlot::write(const Uuid& store, std::uint64_t epoch, const crypto::SlotSecret& secret) {
  if (store != header_.store) {
    return about_slot(Errc::foreign, "was made for another store",
                      "Nothing was written. Name the slot that `init` created.");
  }
  const auto parity = static_cast<unsigned>(epoch % 2);
  ASSIGN_OR_RETURN(const Copies copies, read_copies(parity));
  const auto is_ours = [&](const SlotCopy& copy) {
    return copy.store == store && copy.epoch == epoch &&
           copy.secret->bytes().equals(secret.bytes());
  };
  for (const SlotCopy& copy : copies.copy) {
    if (copy.state != CopyState::good || is_ours(copy)) continue;
    if (copy.store != store) {
      return about_slot(Errc::foreign, "holds the secret of another store",
                        "Nothing was written: that store would be lost.");
    }
    return about_slot(Errc::wrong_state,
                      "still holds the secret of epoch " + std::to_string(copy.epoch) +
                          " where that of epoch " + std::to_string(epoch) + " would go",
                      "Nothing was written: the old secret is destroyed first.");
  }
  return parts_.buffer.fill([&](ByteSpan buffer) -> Status {
    const ByteSpan block = buffer.first(kBlockBytes);
    Status done = encode_copy(store, epoch, secret, block);
    for (unsigned copy = 0; copy < kCopies && done.ok(); ++copy) {
      // The one good copy of a torn slot is not touched while its twin is rewritten from it.
      if (copies.copy[copy].state == CopyState::good) continue;
      done = put_block(slot_offset(parity, copy), block, buffer.subspan(kBlockBytes));
    }
    zeroize(buffer);
    return done;
  });
}

Result<domain::SlotReadBackProof> FileSlot::destroy(unsigned parity, const Dying& dying,
                                                    const Clock& clock) {
  RETURN_IF_ERROR(check_parity(parity));
  ASSIGN_OR_RETURN(const Copies copies, read_copies(parity));
  for (const SlotCopy& copy : copies.copy) {
    if (copy.state != CopyState::good) continue;
    if (copy.store != header_.store) {
      return about_slot(Errc::foreign, "holds the secret of another store",
                        "Nothing was overwritten: that store would be lost.");
    }
    if (copy.epoch != dying.epoch) {
      return about_slot(Errc::wrong_state,
                        "holds the secret of epoch " + std::to_string(copy.epoch) +
                            ", and that of epoch " + std::to_string(dying.epoch) +
                            " was to be destroyed",
                        "Nothing was overwritten.");
    }
  }
  for (unsigned copy = 0; copy < kCopies; ++copy) {
    RETURN_IF_ERROR(put_zeros(slot_offset(parity, copy)));
  }
  return confirm_zero(parity, dying, clock);
}

Result<domain::SlotReadBackProof> FileSlot::confirm_zero(unsigned parity, const Dying& dying,
                                                         const Clock& clock) {
  RETURN_IF_ERROR(check_parity(parity));
  ASSIGN_OR_RETURN(const Copies copies, read_copies(parity));
  domain::SlotEvidence evidence{std::string(kind()), dying.epoch, {}, {}, {}};
  const std::string how = parts_.direct ? " with O_DIRECT" : " through the page cache";
  for (unsigned copy = 0; copy < kCopies; ++copy) {
    if (copies.copy[copy].state != CopyState::zero) {
      return about_slot(
          Errc::damaged,
          "does not read back as zeros: " + copy_text(parity, copy) + " holds other bytes",
          "No certificate is issued. Stop, and look at the device.");
    }
    evidence.checks.push_back(copy_text(parity, copy) + " read back as zeros" + how);
  }
  evidence.verified_zero_at = clock.now();
  return prove(std::move(evidence));
}

Result<domain::SlotAssurance> FileSlot::assess() {
  SlotSight sight;
  sight.path = parts_.destination;
  // What cannot be told about the storage is EA0, not a failure.
  Result<StorageInfo> storage = env_.storage(parts_.path);
  if (storage.ok()) sight.storage = std::move(storage).value();
  sight.direct = parts_.direct ? DirectIo::works : DirectIo::refused;
  ASSIGN_OR_RETURN(sight.extents, parts_.lock->extents());
  ASSIGN_OR_RETURN(const SlotHeader now, header_now());
  ASSIGN_OR_RETURN(const SlotPlace found, place());
  const bool recorded = found == SlotPlace::present && lies_as_recorded(header_, now);
  sight.placement = recorded ? Placement::as_recorded : Placement::elsewhere;
  return judge_file_slot(sight);
}

Result<SlotPlace> FileSlot::place() {
  ASSIGN_OR_RETURN(const FileInfo open, parts_.lock->info());
  const Result<std::optional<FileInfo>> there = env_.stat(parts_.path);
  if (!there.ok() || !there->has_value()) return SlotPlace::missing;
  const FileInfo& found = **there;
  const bool same =
      found.type == FileType::regular && found.inode == open.inode && found.device == open.device;
  if (!same) return SlotPlace::replaced;
  return found.links == 1 ? SlotPlace::present : SlotPlace::linked;
}

Result<std::optional<Anchor>> FileSlot::read_anchor(const crypto::SealKey& key) {
  return parts_.buffer.fill([&](ByteSpan buffer) -> Result<std::optional<Anchor>> {
    const ByteSpan block = buffer.first(kBlockBytes);
    std::optional<Anchor> newest;
    for (unsigned parity = 0; parity < 2; ++parity) {
      RETURN_IF_ERROR(blocks().read_at(anchor_offset(parity), block));
      ASSIGN_OR_RETURN(const std::optional<Anchor> anchor,
                       decode_anchor(header_.store, key, block));
      if (!anchor.has_value() || anchor->generation % 2 != parity) continue;
      if (!newest.has_value() || anchor->generation > newest->generation) newest = anchor;
    }
    return newest;
  });
}

Status FileSlot::write_anchor(const crypto::SealKey& key, const Anchor& anchor) {
  return parts_.buffer.fill([&](ByteSpan buffer) -> Status {
    const ByteSpan block = buffer.first(kBlockBytes);
    RETURN_IF_ERROR(encode_anchor(header_.store, key, anchor, block));
    return put_block(anchor_offset(static_cast<unsigned>(anchor.generation % 2)), block,
                     buffer.subspan(kBlockBytes));
  });
}

}  // namespace aierase::rootslot
