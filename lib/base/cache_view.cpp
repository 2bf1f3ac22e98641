#include "base/cache_view.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/env.h"

namespace aierase {

std::unique_ptr<CacheView> CacheView::open(const std::string& path, int descriptor) {
  struct stat ours {};
  struct stat found {};
  UniqueFd direct(::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  // Both must be the same file, also when the name was given to another one meanwhile.
  if (!direct.valid() || ::fstat(descriptor, &ours) != 0 || ::fstat(direct.get(), &found) != 0 ||
      ours.st_ino != found.st_ino || ours.st_dev != found.st_dev || ours.st_size <= 0) {
    return nullptr;
  }
  const auto size = static_cast<std::size_t>(ours.st_size);
  void* const map = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
  if (map == MAP_FAILED) return nullptr;
  // What does go through the cache brings nothing else in.
  static_cast<void>(::posix_fadvise(descriptor, 0, 0, POSIX_FADV_RANDOM));
  return std::unique_ptr<CacheView>(new CacheView(std::move(direct), map, size));
}

CacheView::~CacheView() {
  ::munmap(map_, size_);
}

int CacheView::way_around(std::uint64_t offset, ByteView to) {
  const auto address = reinterpret_cast<std::uintptr_t>(to.data());
  const bool aligned = offset % kDirectAlignment == 0 && to.size() % kDirectAlignment == 0 &&
                       address % kDirectAlignment == 0;
  if (!aligned || to.empty() || offset > size_ || to.size() > size_ - offset) return -1;
  resident_.resize(to.size() / kDirectAlignment);
  if (::mincore(static_cast<char*>(map_) + offset, to.size(), resident_.data()) != 0) return -1;
  const bool cached = std::all_of(resident_.begin(), resident_.end(),
                                  [](unsigned char page) { return (page & 1U) != 0; });
  return cached ? -1 : direct_.get();
}

}  // namespace aierase
