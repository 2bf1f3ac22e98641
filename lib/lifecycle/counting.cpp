// The TPM's counter of holds: a database that has counted fewer of them than the TPM is of an older
// image of the disk, also where anchor and slot file came back with it.

#include <algorithm>

#include "lifecycle/core.h"

namespace aierase::lifecycle {
namespace {

// A TPM takes some milliseconds for each: after a long time without it the calls do not wait.
constexpr std::uint64_t kCountedPerSlice = 64;

Error older_image(const Core& core, std::uint64_t counted, std::uint64_t known) {
  return make_error(
      Errc::foreign,
      "the TPM has counted " + std::to_string(counted - known) +
          (counted - known == 1 ? " hold" : " holds") + " more than the database of " +
          core.settings.directory + " knows of",
      "an older image of the disk was put back, or TPM and disk belong to different times: put the "
      "newest one back. If it is lost for good, `aierase init --adopt` accepts this one, and the "
      "log keeps that; holds, models and records since then are missing. Nothing was touched",
      core.settings.directory);
}

}  // namespace

// A commit that its anchor does not name yet was never counted: with it the TPM cannot say more
// than the anchor, and the database alone is believed in nothing.
Status check_hold_count(Core& core, const catalog::StoreState& state, std::uint64_t anchored,
                        Store::Adopt adopt) {
  const Result<std::optional<std::uint64_t>> counted = home_of(core, state.epoch).hold_count();
  if (!counted.ok()) {
    if (adopt == Store::Adopt::yes && counted.error().code == Errc::foreign) return {};
    return counted.error();
  }
  if (!*counted) return {};
  if (state.hold_count > std::max(anchored + 1, **counted)) {
    return make_error(
        Errc::damaged,
        "the database of " + core.settings.directory +
            " knows of more holds than its last commit can have placed",
        "the database was changed by hand: put it back as it was last in use; nothing "
        "was touched",
        core.settings.directory);
  }
  if (**counted > anchored) {
    if (adopt == Store::Adopt::yes) return {};
    return older_image(core, **counted, anchored);
  }
  if (state.hold_count > **counted) {
    core.uncounted_hold = Core::Stuck{
        core.since_boot(), make_error(Errc::busy, "the TPM was not asked since the last start")};
  }
  return {};
}

bool counts_holds(const Core& core, std::uint64_t epoch) {
  const SlotLocator& locator = core.locator;
  const bool moved = locator.move && epoch > locator.move->from_epoch;
  return has_tpm(moved ? locator.move->to : locator.slot_kind);
}

void count_holds(Core& core) {
  core.uncounted_hold.reset();
  if (!uses_tpm(core.locator)) return;
  const Result<catalog::StoreState> state = core.view().state();
  if (!state.ok()) return;
  const Result<std::uint64_t> counted =
      home_of(core, state->epoch).advance_hold_count(state->hold_count, kCountedPerSlice);
  if (!counted.ok()) {
    core.uncounted_hold = Core::Stuck{core.since_boot() + kStuckPause, counted.error()};
  } else if (*counted < state->hold_count) {  // the next slice goes on
    core.uncounted_hold =
        Core::Stuck{core.since_boot(), make_error(Errc::busy, "the TPM follows hold by hold")};
  }
}

bool try_count_again(Core& core) {
  if (!core.uncounted_hold || core.since_boot() < core.uncounted_hold->until) return false;
  count_holds(core);
  return core.uncounted_hold && core.since_boot() >= core.uncounted_hold->until;
}

}  // namespace aierase::lifecycle
