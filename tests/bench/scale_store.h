// A store of many assets, made fast: thousands of assets in one commit, blobs for those alone that
// will be erased.
#pragma once

#include <string>
#include <vector>

#include "lifecycle/store.h"

namespace aierase::bench {

inline constexpr std::size_t kSingles = 21;     // erased one by one
inline constexpr std::size_t kInPlan = 10'000;  // erased by one plan, at most so many
inline constexpr std::size_t kBlobBytes = 8'192;
inline constexpr std::size_t kLocked = 1'024;  // keys in locked memory at a time

// Which assets the measurement erases; spread over the whole key tree.
struct Chosen {
  std::vector<Uuid> singles;
  std::vector<Uuid> in_plan;
};

lifecycle::StoreSettings settings_in(Env& env, const Clock& clock, const std::string& directory);
// `directory` is new: makes `store` and `slot` in it. In the plan every second asset is derived
// from the one before, and all have the label purpose=log.
Result<Chosen> build_store(const lifecycle::StoreSettings& settings, const std::string& slot_path,
                           std::size_t assets);
domain::Actor operator_actor();
// A file such as the blobs of that store, in the folder where it would lie below `blobs`.
Status write_blob(const std::string& blobs, const Uuid& blob);

}  // namespace aierase::bench
