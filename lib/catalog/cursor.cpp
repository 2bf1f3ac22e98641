#include "catalog/cursor.h"

#include <charconv>
#include <limits>

#include "base/json.h"

namespace aierase::catalog {

Result<std::int64_t> after_cursor(const std::string& cursor) {
  if (cursor.empty()) return std::int64_t{0};
  std::int64_t id = 0;
  const char* end = cursor.data() + cursor.size();
  const std::from_chars_result result = std::from_chars(cursor.data(), end, id);
  if (result.ec != std::errc() || result.ptr != end || id < 0) {
    return make_error(Errc::usage, "the cursor " + quoted(cursor) + " is not one of this list",
                      "begin the list again without a cursor");
  }
  return id;
}

Result<std::int64_t> before_cursor(const std::string& cursor) {
  if (cursor.empty()) return std::numeric_limits<std::int64_t>::max();
  return after_cursor(cursor);
}

}  // namespace aierase::catalog
