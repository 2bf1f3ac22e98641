// How many jobs may be open at once, and whose.
//
// Contract: pure. The store's own work, what moves content, and views are counted apart, so that
// none locks out another. A job that was told to end and does not (its thread hangs in a file
// system of its client's) is counted against its user alone. uid 0 has as many places of its own.
// Specified in: aierase(1) LIMITS.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace aierase::daemon {

enum class JobKind {
  store,     // enforce, check, evidence
  transfer,  // import, export
  view,      // lasts as long as what is served from it
};

struct Place {
  enum class Hold { full, leaving };
  std::uint32_t uid = 0;
  JobKind kind = JobKind::store;
  Hold hold = Hold::full;
};

// Whether one more of that kind may be opened for that user.
Status check_place(const std::vector<Place>& taken, std::uint32_t uid, JobKind kind);

}  // namespace aierase::daemon
