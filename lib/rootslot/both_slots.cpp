// The secret in two shares, one in a TPM and one in the slot file: their exclusive or. Whoever has
// one of them has 32 random bytes, so that the destruction of either destroys the secret.

#include "rootslot/root_slot.h"

namespace aierase::rootslot {
namespace {

constexpr std::string_view kBoth = "tpm2+file";

Result<crypto::SlotSecret> combined(const crypto::SlotSecret& one, const crypto::SlotSecret& two) {
  ASSIGN_OR_RETURN(SecretBytes result, one.bytes().clone());
  result.fill([&](ByteSpan bytes) {
    two.bytes().reveal([&](ByteView other) {
      for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] ^= other[i];
    });
  });
  return crypto::SlotSecret::adopt(std::move(result));
}

class BothSlots final : public RootSlot {
 public:
  BothSlots(std::shared_ptr<RootSlot> tpm, std::shared_ptr<RootSlot> file)
      : tpm_(std::move(tpm)), file_(std::move(file)) {}

  std::string_view kind() const override { return kBoth; }
  std::string where() const override { return tpm_->where() + ", and " + file_->where(); }
  const Uuid& store() const override { return file_->store(); }
  Result<SlotReading> read(unsigned parity) override;
  Status write(const Uuid& store, std::uint64_t epoch, const crypto::SlotSecret& secret) override;
  Result<domain::SlotReadBackProof> destroy(unsigned parity, const Dying& dying,
                                            const Clock& clock) override;
  Result<domain::SlotAssurance> assess() override;
  Result<std::optional<std::uint64_t>> hold_count() override { return tpm_->hold_count(); }
  Result<std::uint64_t> advance_hold_count(std::uint64_t to, std::uint64_t at_most) override {
    return tpm_->advance_hold_count(to, at_most);
  }
  Result<std::uint64_t> renew_hold_count() override { return tpm_->renew_hold_count(); }
  Result<std::optional<Anchor>> read_anchor(const crypto::SealKey& key) override {
    return file_->read_anchor(key);
  }
  Status write_anchor(const crypto::SealKey& key, const Anchor& anchor) override {
    return file_->write_anchor(key, anchor);
  }

 private:
  struct Shares {
    SlotReading tpm, file;
    bool fit() const {
      return tpm.secret && file.secret && tpm.epoch == file.epoch && tpm.store == file.store;
    }
  };
  Result<Shares> read_shares(unsigned parity);
  Status write_shares(const Uuid& store, std::uint64_t epoch, const crypto::SlotSecret& in_tpm,
                      const crypto::SlotSecret& in_file);

  std::shared_ptr<RootSlot> tpm_, file_;
};

Result<BothSlots::Shares> BothSlots::read_shares(unsigned parity) {
  Shares shares;
  ASSIGN_OR_RETURN(shares.tpm, tpm_->read(parity));
  ASSIGN_OR_RETURN(shares.file, file_->read(parity));
  return shares;
}

Result<SlotReading> BothSlots::read(unsigned parity) {
  ASSIGN_OR_RETURN(Shares shares, read_shares(parity));
  SlotReading reading;
  if (shares.tpm.content == SlotContent::zero && shares.file.content == SlotContent::zero) {
    return reading;
  }
  for (const SlotReading* one : {&shares.tpm, &shares.file}) {
    if (one->content != SlotContent::foreign) continue;
    reading.content = SlotContent::foreign;
    reading.store = one->store;
    return reading;
  }
  reading.content = SlotContent::torn;
  if (!shares.fit()) {
    reading.epoch = shares.tpm.secret ? shares.tpm.epoch : shares.file.epoch;
    return reading;
  }
  if (shares.tpm.content == SlotContent::whole && shares.file.content == SlotContent::whole) {
    reading.content = SlotContent::whole;
  }
  reading.store = shares.tpm.store;
  reading.epoch = shares.tpm.epoch;
  ASSIGN_OR_RETURN(reading.secret, combined(*shares.tpm.secret, *shares.file.secret));
  return reading;
}

// The TPM first: what it refuses has changed nothing yet.
Status BothSlots::write_shares(const Uuid& store, std::uint64_t epoch,
                               const crypto::SlotSecret& in_tpm,
                               const crypto::SlotSecret& in_file) {
  RETURN_IF_ERROR(tpm_->write(store, epoch, in_tpm));
  Status written = file_->write(store, epoch, in_file);
  return written.ok() ? Status() : Status(as_final(std::move(written).error()));
}

Status BothSlots::write(const Uuid& store, std::uint64_t epoch, const crypto::SlotSecret& secret) {
  ASSIGN_OR_RETURN(const Shares shares, read_shares(static_cast<unsigned>(epoch % 2)));
  if (shares.fit()) {  // the twin of the file's copy is mended, and no other share drawn
    ASSIGN_OR_RETURN(const crypto::SlotSecret there,
                     combined(*shares.tpm.secret, *shares.file.secret));
    if (shares.tpm.epoch == epoch && there.bytes().equals(secret.bytes())) {
      return write_shares(store, epoch, *shares.tpm.secret, *shares.file.secret);
    }
  }
  for (const SlotReading* one : {&shares.tpm, &shares.file}) {
    if (!one->secret) continue;
    return make_error(Errc::wrong_state,
                      "the root slot " + where() + " still holds a share of the secret of epoch " +
                          std::to_string(one->epoch),
                      "nothing was written: the old secret is destroyed first");
  }
  ASSIGN_OR_RETURN(const crypto::SlotSecret in_file, crypto::SlotSecret::random());
  ASSIGN_OR_RETURN(const crypto::SlotSecret in_tpm, combined(secret, in_file));
  return write_shares(store, epoch, in_tpm, in_file);
}

Result<domain::SlotReadBackProof> BothSlots::destroy(unsigned parity, const Dying& dying,
                                                     const Clock& clock) {
  const Result<SlotReading> share = file_->read(parity);
  // As with one home: where models lived under the secret, there is a way back only if it is seen.
  const bool seen = share.ok() && share->secret.has_value() && share->epoch == dying.epoch;
  Result<domain::SlotReadBackProof> in_tpm = tpm_->destroy(parity, dying, clock);
  if (!in_tpm.ok()) {
    Error fault = std::move(in_tpm).error();
    const Result<SlotReading> now = tpm_->read(parity);
    // Its share is gone, and only its word is missing: then the other one has no use either.
    if (now.ok() && now->content == SlotContent::zero && fault.code == Errc::io) {
      const Result<domain::SlotReadBackProof> too = file_->destroy(parity, dying, clock);
      if (!too.ok()) return as_final(too.error());
    }
    return seen || !dying.intent ? std::move(fault) : as_final(std::move(fault));
  }
  const Result<domain::SlotReadBackProof> in_file = file_->destroy(parity, dying, clock);
  if (!in_file.ok()) return as_final(in_file.error());
  domain::SlotEvidence evidence = in_tpm->evidence();
  evidence.kind = kBoth;
  evidence.verified_zero_at = in_file->evidence().verified_zero_at;
  const std::vector<std::string>& checks = in_file->evidence().checks;
  evidence.checks.insert(evidence.checks.end(), checks.begin(), checks.end());
  return prove(std::move(evidence));
}

Result<domain::SlotAssurance> BothSlots::assess() {
  ASSIGN_OR_RETURN(domain::SlotAssurance assurance, tpm_->assess());
  ASSIGN_OR_RETURN(const domain::SlotAssurance file, file_->assess());
  assurance.kind = kBoth;
  assurance.path = file.path;
  assurance.reason +=
      " A second share of the secret lies in the slot file, and each is worthless without the "
      "other; the level is that of the TPM's.";
  return assurance;
}

}  // namespace

std::shared_ptr<RootSlot> both_slots(std::shared_ptr<RootSlot> tpm,
                                     std::shared_ptr<RootSlot> file) {
  return std::make_shared<BothSlots>(std::move(tpm), std::move(file));
}

}  // namespace aierase::rootslot
