// Which build of this program runs: the linker's note, as `file` and `readelf -n` print it.
//
// Contract: never fails; hex, or "unknown" where the program was linked without --build-id.
#pragma once

#include <string>

namespace aierase {

std::string build_id();

}  // namespace aierase
