#include "base/clock.h"

#include <sys/timex.h>

#include <ctime>
#include <fstream>

namespace aierase {
namespace {

std::chrono::seconds seconds_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec);
}

bool kernel_says_synchronised() {
  timex question{};  // modes = 0: reads only, needs no privilege
  const int state = ::adjtimex(&question);
  return state >= 0 && (question.status & STA_UNSYNC) == 0;
}

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

ClockReading SystemClock::read() const {
  ClockReading reading;
  reading.wall = UtcTime(seconds_of(CLOCK_REALTIME));
  reading.since_boot = seconds_of(CLOCK_BOOTTIME);
  reading.boot_id = boot_id();
  reading.synchronised = kernel_says_synchronised();
  return reading;
}

}  // namespace aierase
