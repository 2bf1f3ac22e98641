#include "daemon/host_clock.h"

#include <errno.h>
#include <sys/timex.h>
#include <systemd/sd-bus.h>

namespace aierase::daemon {
namespace {

bool kernel_may_be_asked() {
  timex question{};
  return ::adjtimex(&question) >= 0 || errno != EPERM;
}

}  // namespace

ClockReading HostClock::read() const {
  ClockReading reading = kernel_.read();
  if (reading.synchronised || kernel_may_be_asked()) return reading;
  if (reading.since_boot >= ask_at_) {
    synchronised_ = timedated_says_synchronised();
    ask_at_ = reading.since_boot + kAskAgain;
  }
  reading.synchronised = synchronised_;
  return reading;
}

bool HostClock::timedated_says_synchronised() const {
  if (!bus_) {
    Result<bus::BusPtr> opened = bus::open_bus("system");
    if (!opened.ok()) return false;
    bus_ = std::move(opened).value();
    sd_bus_set_method_call_timeout(
        bus_.get(), static_cast<std::uint64_t>(std::chrono::microseconds(kPatience).count()));
  }
  int synchronised = 0;
  const int got = sd_bus_get_property_trivial(
      bus_.get(), "org.freedesktop.timedate1", "/org/freedesktop/timedate1",
      "org.freedesktop.timedate1", "NTPSynchronized", nullptr, 'b', &synchronised);
  if (got < 0) bus_.reset();  // a bus that was restarted
  return got >= 0 && synchronised != 0;
}

}  // namespace aierase::daemon
