#include "ctl/page_cache.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cstddef>

namespace aierase::ctl {
namespace {

constexpr std::uint64_t kLargeFile = 8 << 20;
constexpr std::size_t kSamples = 64;
constexpr std::size_t kPage = 4096;

// Half of some pages, evenly spread: mapped to be asked for, never touched.
bool lies_in_cache(int descriptor, std::size_t bytes) {
  void* const map = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor, 0);
  if (map == MAP_FAILED) return true;
  std::size_t cached = 0;
  for (std::size_t i = 0; i < kSamples; ++i) {
    unsigned char resident = 0;
    const std::size_t at = bytes / kSamples * i / kPage * kPage;
    if (mincore(static_cast<char*>(map) + at, 1, &resident) == 0) cached += resident & 1U;
  }
  munmap(map, bytes);
  return cached * 2 >= kSamples;
}

}  // namespace

void spare_page_cache(int descriptor, std::uint64_t bytes) {
  if (bytes < kLargeFile || lies_in_cache(descriptor, bytes)) return;
  const int flags = fcntl(descriptor, F_GETFL);
  if (flags >= 0) fcntl(descriptor, F_SETFL, flags | O_DIRECT);
}

}  // namespace aierase::ctl
