// The clock of a host as the store sees it from a sandbox that may not even ask the kernel.
//
// Contract: wall and boot time as SystemClock. Whether the clock is synchronised is asked of the
// kernel; where that is forbidden (ProtectClock=, in the unit), of systemd-timedated on the system
// bus, at most once in kAskAgain. Whatever fails counts as not synchronised. read() may wait for
// kPatience, so it belongs to the store thread; one thread at a time.
// Specified in: aierased(8) CLOCK; see org.freedesktop.timedate1(5).
#pragma once

#include <chrono>

#include "base/clock.h"
#include "bus/handles.h"

namespace aierase::daemon {

class HostClock final : public Clock {
 public:
  static constexpr std::chrono::seconds kAskAgain{5};
  static constexpr std::chrono::seconds kPatience{2};

  ClockReading read() const override;

 private:
  bool timedated_says_synchronised() const;

  const SystemClock kernel_{};
  mutable bus::BusPtr bus_;  // of its own: the other one belongs to the loop
  mutable bool synchronised_ = false;
  mutable std::chrono::seconds ask_at_{0};  // since boot
};

}  // namespace aierase::daemon
