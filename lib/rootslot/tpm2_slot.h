// The TPM slot: a root slot in NV memory, which no image of a disk contains.
//
// Contract: as RootSlot; made by create_tpm2_slot and open_tpm2_slot alone. Each call talks to the
// TPM anew and leaves no session, so that others can use it in between; the anchor never needs it.
// An index that is absent, or was never written, reads as torn without a secret, and
// destroy() defines it anew. Specified
// in: aierase-store(5) TPM SLOT.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "rootslot/blocks.h"
#include "rootslot/root_slot.h"

namespace aierase::rootslot {

struct Tpm2Indexes {
  std::array<NvIndex, 2> slot{};  // by parity of epoch
  NvIndex counter = 0;            // of destructions
  NvIndex holds = 0;              // a counter, too
  std::string text() const;       // of the two slots
};
Tpm2Indexes indexes_of(const Uuid& store);

// What was defined for a store, by somebody who knows nothing of authorization values.
Status remove_indexes(Tpm2& tpm, const Tpm2Indexes& indexes);
// Nothing in the slots is newer than a secret that the epoch after `epoch` did not get to use: such
// a one is the living secret of a store whose newer locator is elsewhere.
Status check_unused(Tpm2& tpm, const Uuid& store,
                    const std::function<Result<SecretBytes>()>& auth_of, std::uint64_t epoch);

class Tpm2Slot final : public RootSlot {
 public:
  struct Parts {
    std::shared_ptr<RootSlot> anchor;
    Tpm2Settings tpm;
    Bytes key_name;
    SecretBytes auth;
    std::string virtual_machine;
  };
  explicit Tpm2Slot(Parts parts);

  // The TPM is the one that the store was made with, and the indexes are as this program defines
  // them; called once, before anything else.
  Status look();
  // Defines all indexes and writes zeros into them; what was done is undone on a failure.
  Status define_all();

  std::string_view kind() const override { return "tpm2"; }
  std::string where() const override;
  const Uuid& store() const override { return parts_.anchor->store(); }
  Result<SlotReading> read(unsigned parity) override;
  Status write(const Uuid& store, std::uint64_t epoch, const crypto::SlotSecret& secret) override;
  Result<domain::SlotReadBackProof> destroy(unsigned parity, const Dying& dying,
                                            const Clock& clock) override;
  Result<domain::SlotAssurance> assess() override;
  Result<std::optional<std::uint64_t>> hold_count() override;
  Result<std::uint64_t> advance_hold_count(std::uint64_t to, std::uint64_t at_most) override;
  Result<std::uint64_t> renew_hold_count() override;
  Result<std::optional<Anchor>> read_anchor(const crypto::SealKey& key) override;
  Status write_anchor(const crypto::SealKey& key, const Anchor& anchor) override;

 private:
  Result<Tpm2> connect();
  struct Found {
    std::optional<SecretBytes> bytes;  // none: the index is absent or was never written
    SlotCopy copy;
  };
  Result<Found> find(Tpm2& tpm, unsigned parity);
  Status check_is_dying(const SlotCopy& there, unsigned parity, const Dying& dying) const;
  Status prepare(Tpm2& tpm, const Dying& dying);
  Status prepare_counter(Tpm2& tpm, NvIndex counter);
  Result<std::uint64_t> holds_counted(Tpm2& tpm);
  // An error other than Errc::io: the index holds what was found in it, in the same conversation,
  // and the TPM will not carry the write out later either.
  Status put(Tpm2& tpm, unsigned parity, ByteView content, const Found& before);
  Status zero(Tpm2& tpm, unsigned parity, const Found& before);
  bool is_as_found(Tpm2& tpm, unsigned parity, const Found& before, ByteSpan now);
  Result<domain::SlotReadBackProof> prove_zero(Tpm2& tpm, unsigned parity, const Dying& dying,
                                               std::uint64_t count, const Clock& clock);
  Result<domain::TpmEvidence> evidence(Tpm2& tpm, unsigned parity, const Digest& intent);
  Error about(Errc code, unsigned parity, std::string what, std::string hint) const;

  Parts parts_;
  Tpm2Indexes indexes_;
  Tpm2Facts facts_;
  std::array<bool, 2> was_removed_{};  // by parity: what zero() found, for the evidence
};

}  // namespace aierase::rootslot
