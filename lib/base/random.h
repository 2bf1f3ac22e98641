// The one source of random bytes: getrandom(2), the kernel's generator once it is seeded.
//
// Contract: thread-safe; blocks only before the kernel's generator is seeded at boot; aborts when
// the kernel has no getrandom(2), since no caller could go on without it.
#pragma once

#include "base/bytes.h"

namespace aierase {

void fill_random(ByteSpan out);

}  // namespace aierase
