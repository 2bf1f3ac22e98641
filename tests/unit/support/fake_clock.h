// A clock that stands still until a test moves it.
// Contract: one thread; starts synchronised at 2026-01-01T00:00:00Z, one hour after boot.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "base/clock.h"

namespace aierase::test {

class FakeClock final : public Clock {
 public:
  FakeClock() {
    reading_.wall = from_unix(1'767'225'600);
    reading_.since_boot = std::chrono::hours(1);
    reading_.boot_id = "00000000-0000-4000-8000-000000000001";
    reading_.synchronised = true;
  }

  ClockReading read() const override { return reading_; }

  // Both clocks go on, as in undisturbed time.
  void advance(std::chrono::seconds by) {
    reading_.wall += by;
    reading_.since_boot += by;
  }
  void set_wall(UtcTime wall) { reading_.wall = wall; }
  void set_since_boot(std::chrono::seconds since_boot) { reading_.since_boot = since_boot; }
  void set_boot_id(std::string boot_id) { reading_.boot_id = std::move(boot_id); }
  enum class Sync { synchronised, unsynchronised };
  void set_sync(Sync sync) { reading_.synchronised = sync == Sync::synchronised; }
  // As after a power cycle that took `down` by the battery's clock.
  void reboot(std::string new_boot_id, std::chrono::seconds down) {
    reading_.boot_id = std::move(new_boot_id);
    reading_.wall += down;
    reading_.since_boot = std::chrono::seconds(0);
  }

 private:
  ClockReading reading_;
};

}  // namespace aierase::test
