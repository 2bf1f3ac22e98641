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

KeyLease KeyRing::lease(const Uuid& asset, crypto::Dek dek, std::optional<Holder> holder) {
  KeyLease lease;
  lease.state_ = std::make_shared<KeyLease::State>();
  lease.state_->holder = std::move(holder);
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

std::vector<Holder> KeyRing::holders(const Uuid& asset) {
  std::vector<Holder> found;
  if (open_leases(asset) == 0) return found;
  for (const auto& state : leases_.at(asset)) {
    if (state->holder) found.push_back(*state->holder);
  }
  return found;
}

std::size_t KeyRing::running_exports(const Uuid& asset) {
  if (open_leases(asset) == 0) return 0;
  const auto& states = leases_.at(asset);
  return static_cast<std::size_t>(std::count_if(states.begin(), states.end(),
                                                [](const auto& state) { return !state->holder; }));
}

std::vector<Uuid> KeyRing::mounted() {
  std::vector<Uuid> all, found;
  for (const auto& entry : leases_) all.push_back(entry.first);
  for (const Uuid& asset : all) {
    if (!holders(asset).empty()) found.push_back(asset);
  }
  return found;
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
