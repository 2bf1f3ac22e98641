// What a start finds in slot, anchor and database, and what the recovery table of erasure-design
// section 5 says of it.
//
// Contract: read_table() and the judgements after it read and never write; a refusal names the
// file, what was seen and what to do, and nothing was touched. Used by the store thread at start
// alone. Specified in: erasure-design section 5, Recovery.
#pragma once

#include <array>
#include <optional>

#include "lifecycle/core.h"

namespace aierase::lifecycle {

struct SlotCandidate {
  rootslot::SlotReading reading;
  std::optional<crypto::RootSecret> root;  // of a good copy of this store
};

struct StartTable {
  std::array<SlotCandidate, 2> slots;
  unsigned current = 0;  // parity of the slot that opens the root row
  catalog::StoreState state;
  std::optional<catalog::EraseRound> round;
  std::uint64_t anchored_holds = 0;  // the count in the newest anchor

  SlotCandidate& other() { return slots[1 - current]; }
  bool destroying() const { return round && round->state != domain::RoundState::intent; }
};

// What is to be done with the slot that is not current.
enum class OtherSlot { nothing, roll_forward, discard, finish };

// The signer's key file beside the slot.
Result<crypto::SigningKey> read_signer(const Core& core);
std::string database_of(const Core& core);

// The slot file is this store's, and the database is there.
Status check_files(const Core& core);
// Exactly one slot opens the root row of the key tree; no other case is touched. Only an adoption
// takes a store whose move ended in the file, while the TPM that it left does not answer.
Result<StartTable> read_table(Core& core, Store::Adopt adopt);
Status check_host(const Core& core, const catalog::StoreState& state, Store::Adopt adopt);
Result<OtherSlot> judge_other(const Core& core, StartTable& table);
// The database is of the last commit, or one ahead of its anchor; sets anchored_holds.
Result<Core::Anchored> check_anchor(Core& core, StartTable& table);

}  // namespace aierase::lifecycle
