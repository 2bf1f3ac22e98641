// What of a file lies in the page cache, and a way around it for the rest.
//
// Contract: for a regular file of our own that is opened for reading; one thread. The file is
// mapped to ask mincore(2) and never touched through the mapping, so a file that shrinks meanwhile
// harms nothing. Where the file system offers no direct I/O there is no view.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/unique_fd.h"

namespace aierase {

class CacheView {
 public:
  // None where there is no direct I/O or nothing to map.
  static std::unique_ptr<CacheView> open(const std::string& path, int descriptor);
  CacheView(const CacheView&) = delete;
  CacheView& operator=(const CacheView&) = delete;
  ~CacheView();

  // The descriptor to read around the cache with, or -1: it lies in the cache, or direct I/O
  // cannot read it.
  int way_around(std::uint64_t offset, ByteView to);

 private:
  CacheView(UniqueFd direct, void* map, std::size_t size)
      : direct_(std::move(direct)), map_(map), size_(size) {}

  UniqueFd direct_;
  void* map_;
  std::size_t size_;
  std::vector<unsigned char> resident_;  // one byte a page, as mincore(2) tells
};

}  // namespace aierase
