// How many of a kind were looked at, and what was wrong with the first of those that failed.
//
// Contract: keeps some sentences, however many there are. Specified in: aierase-certificate(5)
// ARCHIVES.
#pragma once

#include <cstdint>
#include <string>

#include "certificate/check.h"

namespace aierase::certificate {

struct Tally {
  static constexpr std::uint64_t kFaultsShown = 5;
  std::uint64_t looked_at = 0, failed = 0;
  std::string told;

  void fault(const std::string& what) {
    if (++failed <= kFaultsShown) told += (told.empty() ? "" : "; ") + what;
  }
  Check check(const char* name, const std::string& one, const std::string& good) const {
    if (failed == 0 && looked_at == 0)
      return {name, CheckResult::passed, "There are no " + one + "."};
    if (failed == 0) {
      return {name, CheckResult::passed, std::to_string(looked_at) + " " + one + good};
    }
    return {name, CheckResult::failed,
            std::to_string(failed) + " of " + std::to_string(looked_at) + " " + one +
                " failed: " + told + (failed > kFaultsShown ? "; and more." : ".")};
  }
};

}  // namespace aierase::certificate
