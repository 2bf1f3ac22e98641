// The bytes of one file of the fake disk, in pages that copies share until one of them writes.
//
// Contract: a value; copying costs one pointer per page. Holes read as zeros. Not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace aierase::test {

class FakeContent {
 public:
  static constexpr std::size_t kPageBytes = 4096;

  std::uint64_t size() const { return size_; }

  // Bytes beyond the end read as zeros; returns how many lay before it.
  std::size_t read(std::uint64_t offset, ByteSpan to) const {
    std::fill(to.begin(), to.end(), std::byte{0});
    const std::uint64_t left = offset < size_ ? size_ - offset : 0;
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(to.size(), left));
    for_each_piece(
        offset, wanted, [&](std::size_t page, std::size_t in, std::size_t at, std::size_t length) {
          const std::shared_ptr<const Page>& from = pages_[page];
          if (from) std::copy_n(from->begin() + signed_of(in), length, to.begin() + signed_of(at));
        });
    return wanted;
  }

  void write(std::uint64_t offset, ByteView from) {
    if (from.empty()) return;
    if (offset + from.size() > size_) resize(offset + from.size());
    for_each_piece(offset, from.size(),
                   [&](std::size_t page, std::size_t in, std::size_t at, std::size_t length) {
                     Page& to = own(page);
                     std::copy_n(from.begin() + signed_of(at), length, to.begin() + signed_of(in));
                   });
  }

  void resize(std::uint64_t size) {
    pages_.resize(static_cast<std::size_t>((size + kPageBytes - 1) / kPageBytes));
    const auto tail = static_cast<std::size_t>(size % kPageBytes);
    // What was cut off must not come back when the file grows again.
    if (size < size_ && tail != 0 && pages_.back()) {
      Page& last = own(pages_.size() - 1);
      std::fill(last.begin() + signed_of(tail), last.end(), std::byte{0});
    }
    size_ = size;
  }

  Bytes all() const {
    Bytes bytes(static_cast<std::size_t>(size_));
    read(0, bytes);
    return bytes;
  }

 private:
  using Page = std::array<std::byte, kPageBytes>;

  static std::ptrdiff_t signed_of(std::size_t value) { return static_cast<std::ptrdiff_t>(value); }

  template <typename Piece>
  static void for_each_piece(std::uint64_t offset, std::size_t size, Piece&& piece) {
    for (std::size_t at = 0; at < size;) {
      const auto in = static_cast<std::size_t>((offset + at) % kPageBytes);
      const std::size_t length = std::min(size - at, kPageBytes - in);
      piece(static_cast<std::size_t>((offset + at) / kPageBytes), in, at, length);
      at += length;
    }
  }

  Page& own(std::size_t index) {
    std::shared_ptr<Page>& page = pages_[index];
    if (!page) {
      page = std::make_shared<Page>();
      page->fill(std::byte{0});
    } else if (page.use_count() > 1) {
      page = std::make_shared<Page>(*page);
    }
    return *page;
  }

  std::vector<std::shared_ptr<Page>> pages_;
  std::uint64_t size_ = 0;
};

}  // namespace aierase::test
