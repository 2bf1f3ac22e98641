// Who holds every copy of the store's disk that ever was, and some slot: which assets can be read?
//
// Contract: carves node rows of the key tree out of raw bytes (tables, undo rows, free pages,
// journals alike), keeps all of them for ever, and combines rows of any age with the keys of any
// age. Knows nothing of SQLite and opens no catalog. Copyable: a copy goes on from the same
// knowledge.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "domain/batches.h"
#include "fault/fake_disk.h"
#include "fault/support/software_tpm.h"

namespace aierase::test {

// One slot secret as read from a slot file.
struct StolenSlot {
  std::uint64_t epoch = 0;
  Bytes secret;
  friend auto operator<=>(const StolenSlot&, const StolenSlot&) = default;
};

// What is public about an asset, and enough to recognise its key.
struct Target {
  Uuid asset;
  std::uint32_t leaf = 0;
  Digest kcv{};
};

class Adversary {
 public:
  // `unlock`: 32 bytes, or empty for a store without unlock secret.
  explicit Adversary(const Uuid& store, Bytes unlock = {}) : store_(store), unlock_(unlock) {}

  // Everything that a reader of these files sees now, and would see after a power cut.
  void learn(FakeDisk& disk, const std::string& directory);
  void learn(ByteView bytes);
  static std::set<StolenSlot> slots(FakeDisk& disk, const std::string& slot_path);
  // What somebody on this machine gets from its TPM, with the indexes' authorization value.
  static std::set<StolenSlot> slots(SoftwareTpm& tpm, const Uuid& store, ByteView auth);
  std::set<Uuid> readable(const std::set<StolenSlot>& slots,
                          const std::vector<Target>& targets) const;
  std::size_t rows() const;

 private:
  Uuid store_;
  Bytes unlock_;
  std::map<domain::NodeId, std::map<Bytes, Bytes>> rows_;  // by salt
};

}  // namespace aierase::test
