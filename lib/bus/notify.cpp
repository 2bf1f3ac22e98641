#include "bus/notify.h"

#include <systemd/sd-daemon.h>

#include <cstdint>

namespace aierase::bus {

void notify_ready(const std::string& status) {
  sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
}
void notify_status(const std::string& status) {
  sd_notify(0, ("STATUS=" + status).c_str());
}
void notify_stopping() {
  sd_notify(0, "STOPPING=1");
}
void notify_alive() {
  sd_notify(0, "WATCHDOG=1");
}
std::optional<std::chrono::microseconds> watchdog_time() {
  std::uint64_t within = 0;
  if (sd_watchdog_enabled(0, &within) <= 0) return std::nullopt;
  return std::chrono::microseconds(within);
}

}  // namespace aierase::bus
