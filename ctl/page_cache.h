// Whether a file is read from memory or from the disk, and that reading it pushes out nothing.
//
// Contract: `descriptor` is of a regular file, opened by this program for itself. Only a courtesy:
// whatever cannot be found out or done changes nothing.
#pragma once

#include <cstdint>

namespace aierase::ctl {

// Direct I/O for a large file that does not lie in the page cache already.
void spare_page_cache(int descriptor, std::uint64_t bytes);

}  // namespace aierase::ctl
