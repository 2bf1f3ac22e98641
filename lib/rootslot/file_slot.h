// The file slot: a root slot in a preallocated file that is overwritten in place.
//
// Contract: as RootSlot; made by create_file_slot and open_file_slot alone. Holds two descriptors
// of one file: `lock` for the flock, sizes and extents, `blocks` for all blocks, with O_DIRECT
// where the file system offers it (then the page cache never sees a secret). Buffers are locked
// pages. Specified in: aierase-store(5) ROOT SLOT.
#pragma once

#include <memory>
#include <string>

#include "rootslot/blocks.h"
#include "rootslot/level.h"
#include "rootslot/root_slot.h"

namespace aierase::rootslot {

class FileSlot final : public RootSlot {
 public:
  struct Parts {
    std::string path;
    std::string destination;  // what certificates name
    std::unique_ptr<File> lock;
    std::unique_ptr<File> direct;  // none: the file system refuses direct I/O
    SecretBytes buffer;            // kBufferBytes, page-aligned
  };
  static constexpr std::size_t kBufferBytes = 3 * kBlockBytes;  // one to write, two copies read

  FileSlot(Env& env, Parts parts) : env_(env), parts_(std::move(parts)) {}

  // Writes zeros into every block, then both copies of the header.
  Status format(const Uuid& store);
  // Reads the header; called once, before anything else.
  Status load_header();

  std::string_view kind() const override { return "file"; }
  std::string where() const override { return parts_.destination; }
  const Uuid& store() const override { return header_.store; }
  Result<SlotReading> read(unsigned parity) override;
  Status write(const Uuid& store, std::uint64_t epoch, const crypto::SlotSecret& secret) override;
  Result<domain::SlotReadBackProof> destroy(unsigned parity, const Dying& dying,
                                            const Clock& clock) override;
  Result<domain::SlotAssurance> assess() override;
  Result<SlotPlace> place() override;
  Status put_back() override;
  Result<std::optional<Anchor>> read_anchor(const crypto::SealKey& key) override;
  Status write_anchor(const crypto::SealKey& key, const Anchor& anchor) override;

 private:
  struct Copies;

  File& blocks() { return parts_.direct ? *parts_.direct : *parts_.lock; }
  Result<SlotHeader> header_now();
  Result<Copies> read_copies(unsigned parity);
  // Durable, then read back and compared; `block` is the first block of the buffer.
  Status put_block(std::uint64_t offset, ByteSpan block, ByteSpan read_back);
  Status put_zeros(std::uint64_t offset);
  Status put_zeros_into_slots();
  // Anchors and slots, as they are there.
  Status take_over(FileSlot& from);
  // The slot reads back as zeros.
  Result<domain::SlotReadBackProof> confirm_zero(unsigned parity, const Dying& dying,
                                                 const Clock& clock);
  Error about_slot(Errc code, std::string what, std::string hint = {}) const;

  Env& env_;
  Parts parts_;
  SlotHeader header_;
};

}  // namespace aierase::rootslot
