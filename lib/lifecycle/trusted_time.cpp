#include <algorithm>

#include "lifecycle/core.h"

namespace aierase::lifecycle {
namespace {

constexpr std::int64_t kLongestBelievedGap = 7 * 24 * 3600;  // seconds, across a boot

}  // namespace

// Trusted time never runs ahead of either clock and never goes back. Within one boot it advances by
// the smaller of wall and boot-time delta; across a boot it believes the wall only for a short gap
// and a synchronised clock; while the clock is not synchronised it stands still.
void advance_trusted_time(catalog::StoreState& state, const ClockReading& reading) {
  const std::int64_t wall_delta = (reading.wall - state.last_wall).count();
  const std::int64_t boot_delta = reading.since_boot.count() - state.last_boottime;
  std::int64_t advance = 0;
  if (reading.synchronised) {
    if (reading.boot_id == state.last_boot_id) {
      advance = std::max<std::int64_t>(0, std::min(wall_delta, boot_delta));
    } else if (wall_delta >= 0 && wall_delta <= kLongestBelievedGap) {
      advance = wall_delta;
    }
  }
  state.trusted += std::chrono::seconds(advance);
  state.last_wall = reading.wall;
  state.last_boottime = reading.since_boot.count();
  state.last_boot_id = reading.boot_id;
}

}  // namespace aierase::lifecycle
