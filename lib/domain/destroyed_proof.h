// The proof without which no certificate can be signed: the slot was read back as zeros, the dead
// root secret is out of memory, and no key of the assets is cached anywhere.
//
// Contract: each of the three parts can be made by one class only (its friend); all are move-only,
// so a proof is used once. Specified in: erasure-design section 5.
#pragma once

#include <utility>

#include "domain/slot.h"

namespace aierase::rootslot {
class ReadBack;
}
namespace aierase::lifecycle {
class KeyRing;
}

namespace aierase::domain {

class SlotReadBackProof {
 public:
  SlotReadBackProof(SlotReadBackProof&&) noexcept = default;
  SlotReadBackProof& operator=(SlotReadBackProof&&) noexcept = default;
  const SlotEvidence& evidence() const { return evidence_; }

 private:
  friend class aierase::rootslot::ReadBack;
  explicit SlotReadBackProof(SlotEvidence evidence) : evidence_(std::move(evidence)) {}
  SlotEvidence evidence_;
};

class KeysGoneProof {
 public:
  KeysGoneProof(KeysGoneProof&&) noexcept = default;
  KeysGoneProof& operator=(KeysGoneProof&&) noexcept = default;

 private:
  friend class aierase::lifecycle::KeyRing;  // zeroized the old root and found its cache empty
  KeysGoneProof() = default;
};

class DestroyedProof {
 public:
  static DestroyedProof combine(SlotReadBackProof slot, KeysGoneProof) {
    return DestroyedProof(std::move(slot));
  }
  DestroyedProof(DestroyedProof&&) noexcept = default;
  DestroyedProof& operator=(DestroyedProof&&) noexcept = default;
  const SlotEvidence& evidence() const { return slot_.evidence(); }

 private:
  explicit DestroyedProof(SlotReadBackProof slot) : slot_(std::move(slot)) {}
  SlotReadBackProof slot_;
};

}  // namespace aierase::domain
