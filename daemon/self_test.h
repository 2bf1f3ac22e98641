// What must be true of process and host before keys are loaded.
//
// Contract: to be called once, before the first secret and before any thread. Returns what is not
// good enough for silence but no reason to refuse: certificates and doctor say it. Refuses
// (Errc::wrong_state) unencrypted active swap unless the configuration allows it.
// Specified in: erasure-design section 10; aierased(8) MEMORY.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "daemon/config.h"

namespace aierase::daemon {

Result<std::vector<std::string>> self_test(const Config& config);

// Devices of active swap that are neither compressed memory (zram) nor a dm-crypt device. `table`
// is /proc/swaps, `sys` the directory /sys or a test's.
std::vector<std::string> unencrypted_swap(const std::string& table, const std::string& sys);

}  // namespace aierase::daemon
