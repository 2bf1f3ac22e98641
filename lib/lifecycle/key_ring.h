// Which asset keys are outside the tree right now: leases of exports and of mounted views.
//
// Contract: lease() and revoke() are called by the store thread; a KeyLease lives in a job's
// thread and may end there at any time. While an asset's lease lives its key is in memory;
// keys_gone() succeeds only when no lease of any of the given assets is left and the old root was
// handed over to be zeroized (erasure-design section 5, step 2).
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "crypto/keys.h"
#include "domain/destroyed_proof.h"
#include "domain/people.h"

namespace aierase::lifecycle {

// Who reads an asset through a mounted view, as the bus knows him.
struct Holder {
  domain::Actor actor;
  std::uint32_t pid = 0;    // 0: not known
  std::string unit;         // of systemd; empty: none
  std::string mount_point;  // as told by the client
  UtcTime since{};
};

class KeyLease {
 public:
  KeyLease() = default;
  KeyLease(KeyLease&&) noexcept = default;
  KeyLease& operator=(KeyLease&& other) noexcept;
  ~KeyLease();

  crypto::Dek take_dek() { return std::move(dek_); }  // dies with its taker, before the lease
  bool revoked() const { return state_ && state_->revoked.load(std::memory_order_acquire); }
  // Set when the lease is revoked; a job looks at it between segments.
  const std::atomic<bool>& revocation() const { return state_->revoked; }

 private:
  friend class KeyRing;
  struct State {
    std::atomic<bool> revoked{false};
    std::atomic<bool> ended{false};
    std::optional<Holder> holder;  // of a mounted view; an export has none
  };
  std::shared_ptr<State> state_;
  crypto::Dek dek_;
};

class KeyRing {
 public:
  KeyLease lease(const Uuid& asset, crypto::Dek dek, std::optional<Holder> holder = {});
  std::size_t open_leases(const Uuid& asset);      // of both kinds
  std::vector<Holder> holders(const Uuid& asset);  // of mounted views, oldest first
  std::size_t running_exports(const Uuid& asset);
  std::vector<Uuid> mounted();  // assets with such views
  void revoke(const Uuid& asset);
  void revoke_all();
  // Proof for the signer: leases of these assets have ended, the dead root is zeroized here.
  Result<domain::KeysGoneProof> keys_gone(std::span<const Uuid> assets,
                                          std::optional<crypto::RootSecret> dead_root);

 private:
  std::map<Uuid, std::vector<std::shared_ptr<KeyLease::State>>> leases_;
};

}  // namespace aierase::lifecycle
