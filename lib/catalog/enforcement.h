// What the nightly run keeps and reads: which assets it has to look at, what it found last time,
// and what the brake counts.
//
// Contract: values. `row` is the row number of an asset, for keyset pages alone. Specified in:
// aierase-store(5) CATALOG.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "domain/asset.h"

namespace aierase::catalog {

// The one row of table `enforcement`; before the first run nothing is set.
struct Enforcement {
  std::optional<UtcTime> started, ended;  // of the last run; ended before started: it was cut off
  std::optional<UtcTime> succeeded;       // end of the last run that came through
  std::string outcome;                    // of the last one that ended
  std::uint64_t overdue = 0;              // that it found
  std::int64_t certificates = 0;          // number of the newest certificate that it told of
  std::optional<UtcTime> swept;           // when all living assets were last looked at,
  std::optional<Digest> swept_policy;     // and under which version of the policy
};

// An asset that has to be looked at: of it what selectors and retention ask for, and its size.
struct Looked {
  std::int64_t row = 0;
  domain::Asset asset;
  std::optional<UtcTime> moment;    // as it stands in table `look`
  std::optional<Error> unreadable;  // its rows are broken; then of it only what could be read
};

// When to look at it next; none: not before something about it changes.
struct Look {
  std::int64_t row = 0;
  std::optional<UtcTime> moment;
};

struct LookCursor {  // of due_page(): behind the row that was last read
  UtcTime moment = UtcTime::min();
  std::int64_t row = 0;
};

// How much was erased, or would be.
struct Amount {
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const Amount&, const Amount&) = default;
};

}  // namespace aierase::catalog
