// At which moments the steps of long work may begin, so that it keeps to a rate.
//
// Contract: pure; moments are the caller's. Time in which nothing was done, because others came
// first, is not made up for: no step is followed by a burst. Rates in bytes a second, above 0.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace aierase::daemon {

class Pace {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  explicit Pace(std::uint64_t rate) : rate_(rate) {}
  // When the next step may begin, behind one of so many bytes that was asked for at `begun`.
  Moment after(Moment begun, std::uint64_t bytes) {
    // As long as no clock can tell is long enough.
    const std::chrono::duration<double> longest(std::chrono::hours(24 * 365));
    const std::chrono::duration<double> due(static_cast<double>(bytes) /
                                            static_cast<double>(rate_));
    next_ = std::max(next_, begun) +
            std::chrono::duration_cast<Moment::duration>(std::min(due, longest));
    return next_;
  }

 private:
  const std::uint64_t rate_;
  Moment next_{};
};

}  // namespace aierase::daemon
