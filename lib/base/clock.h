// The clock seam: everything that the store knows about time comes through here.
//
// Contract: read() never fails; `synchronised` is true only when the kernel says so (adjtimex(2)
// without STA_UNSYNC). Tests use FakeClock (tests/unit/support). See aierase-store(5) TIME.
#pragma once

#include <chrono>
#include <string>

#include "base/time.h"

namespace aierase {

struct ClockReading {
  UtcTime wall{};
  std::chrono::seconds since_boot{};  // CLOCK_BOOTTIME: counts while suspended
  std::string boot_id;
  bool synchronised = false;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual ClockReading read() const = 0;
  UtcTime now() const { return read().wall; }
};

class SystemClock final : public Clock {
 public:
  ClockReading read() const override;
};

}  // namespace aierase
