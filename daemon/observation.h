// What a passed descriptor is: the only thing we believe about where plaintext came from or goes.
//
// Contract: looks, never changes the descriptor; may block where the file system does, so it runs
// on a job's thread. Specified in: erasure-design section 4; aierase(1) IMPORT.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "domain/states.h"

namespace aierase::daemon {

struct Observation {
  std::string filesystem;  // "ext4", "tmpfs", "pipe", "socket"
  bool on_disk = false;    // a regular file that is not in memory
  std::uint64_t device = 0;
  // What a file that is read must still be afterwards.
  std::uint64_t size = 0;
  std::int64_t changed_seconds = 0, changed_nanoseconds = 0;
};

enum class Direction { read, write };
// Directories, devices and descriptors of the wrong direction are refused with a sentence.
Result<Observation> observe(int descriptor, const std::string& path, Direction direction);
// Errc::invalid_input where a regular file is no longer as it was observed.
Status check_unchanged(int descriptor, const std::string& path, const Observation& before);

domain::ExportMedium medium_of(const Observation& observation, std::uint64_t store_device);

}  // namespace aierase::daemon
