// What is not as it should be on this host, beside the store: for doctor.
//
// Contract: looks below `root` (empty, or a test's), changes nothing, never fails; what cannot be
// read is not complained about. Specified in: aierased(8) DOCTOR.
#pragma once

#include <string>
#include <vector>

#include "lifecycle/store.h"

namespace aierase::daemon {

// `lockable`: bytes that this process may lock (RLIMIT_MEMLOCK).
std::vector<lifecycle::Finding> host_findings(const std::string& root, std::uint64_t lockable);
std::uint64_t lockable_bytes();

}  // namespace aierase::daemon
