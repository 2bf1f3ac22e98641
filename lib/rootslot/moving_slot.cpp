// While the secret moves from one home into another: the old epoch's slot lies there, the new
// epoch's here, so that a move is an erase round without an asset, and recovers as one.

#include "rootslot/root_slot.h"

namespace aierase::rootslot {
namespace {

class MovingSlot final : public RootSlot {
 public:
  MovingSlot(std::shared_ptr<RootSlot> from, std::shared_ptr<RootSlot> to, std::uint64_t from_epoch)
      : from_(std::move(from)), to_(std::move(to)), from_epoch_(from_epoch) {}

  std::string_view kind() const override { return to_->kind(); }
  std::string where() const override { return from_->where() + " or " + to_->where(); }
  const Uuid& store() const override { return to_->store(); }
  Result<SlotReading> read(unsigned parity) override { return of(parity).read(parity); }
  Status write(const Uuid& store, std::uint64_t epoch, const crypto::SlotSecret& secret) override {
    return of(epoch).write(store, epoch, secret);
  }
  Result<domain::SlotReadBackProof> destroy(unsigned parity, const Dying& dying,
                                            const Clock& clock) override {
    return of(parity).destroy(parity, dying, clock);
  }
  Result<domain::SlotAssurance> assess() override { return to_->assess(); }
  Result<std::optional<Anchor>> read_anchor(const crypto::SealKey& key) override {
    return to_->read_anchor(key);
  }
  Status write_anchor(const crypto::SealKey& key, const Anchor& anchor) override {
    return to_->write_anchor(key, anchor);
  }

 private:
  RootSlot& of(std::uint64_t epoch_or_parity) const {
    return epoch_or_parity % 2 == from_epoch_ % 2 ? *from_ : *to_;
  }

  std::shared_ptr<RootSlot> from_, to_;
  std::uint64_t from_epoch_;
};

}  // namespace

std::shared_ptr<RootSlot> moving_slot(std::shared_ptr<RootSlot> from, std::shared_ptr<RootSlot> to,
                                      std::uint64_t from_epoch) {
  return std::make_shared<MovingSlot>(std::move(from), std::move(to), from_epoch);
}

}  // namespace aierase::rootslot
