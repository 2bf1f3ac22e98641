#include "lifecycle/key_ring.h"

#include <algorithm>

namespace aierase::lifecycle {

KeyLease& KeyLease::operator=(KeyLease&& other) noexcept {
  if (this != &other) {
    if (state_) state_->ended.store(true, std::memory_order_release);
    dek_ = std::move(other.dek_);
    state_ = std::move(other.state_);
  }
  return *this;
}

KeyLease::~KeyLease() {
  dek_ = crypto::Dek();
  if (state_) state_->ended.store(true, std::memory_order_release);
}

KeyLease KeyRing::lease(const Uuid& asset, crypto::Dek dek) {
  KeyLease lease;
  lease.state_ = std::make_shared<KeyLease::State>();
  lease.dek_ = std::move(dek);
  leases_[asset].push_back(lease.state_);
  return lease;
}

std::size_t KeyRing::open_leases(const Uuid& asset) {
  const auto found = leases_.find(asset);
  if (found == leases_.end()) return 0;
  auto& states = found->second;
  std::erase_if(states,
                [](const auto& state) { return state->ended.load(std::memory_order_acquire); });
  const std::size_t open = states.size();
  if (open == 0) leases_.erase(found);
  return open;
}

void KeyRing::revoke(const Uuid& asset) {
  const auto found = leases_.find(asset);
  if (found == leases_.end()) return;
  for (const auto& state : found->second) state->revoked.store(true, std::memory_order_release);
}

void KeyRing::revoke_all() {
  for (const auto& entry : leases_) {
    for (const auto& state : entry.second) state->revoked.store(true, std::memory_order_release);
  }
}

Result<domain::KeysGoneProof> KeyRing::keys_gone(std::span<const Uuid> assets,
                                                 std::optional<crypto::RootSecret> dead_root) {
  for (const Uuid& asset : assets) {
    if (open_leases(asset) > 0) {
      return make_error(Errc::busy, "a job still holds the key of " + asset.text());
    }
  }
  dead_root.reset();
  return domain::KeysGoneProof();
}

}  // namespace aierase::lifecycle
