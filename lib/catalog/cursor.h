// Cursors of lists: the row number where the last page ended, as decimal text.
// Contract: opaque to callers; any other text is Errc::usage.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace aierase::catalog {

// For lists in ascending order; the empty cursor is 0.
Result<std::int64_t> after_cursor(const std::string& cursor);
// For lists in descending order; the empty cursor is behind every row.
Result<std::int64_t> before_cursor(const std::string& cursor);

}  // namespace aierase::catalog
