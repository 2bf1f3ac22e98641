// One line on a terminal's standard error: how much, how fast, how long still.
//
// Contract: silent unless standard error is a terminal and the output is for people; redraws at
// most ten times a second and removes its line at the end. `total` 0: not known. Bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "ctl/output.h"

namespace aierase::ctl {

// "4.0 GiB; making it durable and recording it, 3 s"; pure.
std::string last_step_text(std::uint64_t done, const std::string& doing,
                           std::chrono::milliseconds spent);
// "1.2 GiB of 4.0 GiB, 30 %, 410 MiB/s, 7 s left"; pure.
std::string progress_text(std::uint64_t done, std::uint64_t total, std::chrono::milliseconds spent);

class Progress {
 public:
  Progress(const Output& out, std::string what, std::uint64_t total);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();
  void update(std::uint64_t done);
  // Nothing is left to hand over: from where no more bytes come, the line says `doing` instead.
  void all_sent(std::string doing);
  // A step that has no bytes to count, shown at once.
  void say(const std::string& doing);

 private:
  using Ticks = std::chrono::steady_clock;
  void draw(const std::string& text, Ticks::time_point now);

  bool shown_;
  bool drawn_ = false;
  std::string what_;
  std::uint64_t total_;
  std::string doing_;  // once all is sent
  std::uint64_t seen_ = 0;
  Ticks::time_point start_ = Ticks::now();
  Ticks::time_point last_ = start_;
  Ticks::time_point moved_ = start_;  // when bytes came last
};

}  // namespace aierase::ctl
