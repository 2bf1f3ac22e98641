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

// "1.2 GiB of 4.0 GiB, 30 %, 410 MiB/s, 7 s left"; pure.
std::string progress_text(std::uint64_t done, std::uint64_t total, std::chrono::milliseconds spent);

class Progress {
 public:
  Progress(const Output& out, std::string what, std::uint64_t total);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();
  void update(std::uint64_t done);

 private:
  using Ticks = std::chrono::steady_clock;

  bool shown_;
  bool drawn_ = false;
  std::string what_;
  std::uint64_t total_;
  Ticks::time_point start_ = Ticks::now();
  Ticks::time_point last_ = start_;
};

}  // namespace aierase::ctl
