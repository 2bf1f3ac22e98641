// SIGINT and SIGTERM as a descriptor: a running job is cancelled instead of torn.
//
// Contract: install once, before any thread; the first signal makes descriptor() readable for
// ever, the second one ends the process as usual. Waiting calls poll it beside their own.
#pragma once

#include "base/result.h"

namespace aierase::ctl {

class Interrupt {
 public:
  static Status install();
  static int descriptor();  // poll for POLLIN
  static bool asked();
};

inline constexpr int kInterruptedExit = 130;

// Errc::cancelled, as every interrupted act answers.
Error interrupted();
// The same code, of a pipe.
Error reader_left();

// Both look at Interrupt all the while; Errc::cancelled when it was asked, and when the reader of a
// pipe has closed it.
enum class Ready { read, write };
Status wait_until(int descriptor, Ready what);
Status write_fully(int descriptor, const char* data, std::size_t size);

}  // namespace aierase::ctl
