#include "blob/layout.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "base/secret_bytes.h"

namespace aierase::blob {

std::uint64_t segment_count(std::uint64_t bytes) {
  if (bytes == 0) return 1;
  return (bytes - 1) / crypto::kFloeSegmentPlaintext + 1;
}

std::size_t segment_plaintext(std::uint64_t bytes, std::uint64_t number) {
  const std::uint64_t before = number * crypto::kFloeSegmentPlaintext;
  if (before >= bytes) return 0;
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(bytes - before, crypto::kFloeSegmentPlaintext));
}

std::uint64_t segment_offset(std::uint64_t number) {
  return kPageBytes + number * crypto::kFloeSegmentBytes;
}

std::uint64_t container_bytes(std::uint64_t bytes) {
  const std::uint64_t last = segment_count(bytes) - 1;
  return segment_offset(last) + segment_plaintext(bytes, last) + crypto::kFloeSegmentOverhead;
}

void put_container_page(ByteSpan page, const crypto::FloeHeader& header) {
  std::fill(page.begin(), page.end(), std::byte{0});
  const ByteView magic = as_bytes(kContainerMagic);
  std::copy(magic.begin(), magic.end(), page.begin());
  put_be16(page.subspan(magic.size(), 2), kContainerVersion);
  std::copy(header.begin(), header.end(), page.begin() + kHeaderOffset);
}

Bytes blob_associated(const WriterOptions& options, const Uuid& blob) {
  Bytes associated = copy_of(as_bytes("aierase/v1"));
  append(associated, options.store.view());
  append(associated, options.asset.view());
  append(associated, blob.view());
  return associated;
}

std::string blob_path(const std::string& directory, const Uuid& blob) {
  const std::string name = blob.hex();
  return directory + "/" + name.substr(0, 2) + "/" + name;
}

Digest SealId::finish(std::uint64_t bytes) {
  std::array<std::byte, 8> length{};
  put_be64(length, bytes);
  hash_.update(length);
  return hash_.finish();
}

Result<PageBuffer> PageBuffer::make(std::size_t size) {
  PageBuffer buffer;
  // From the kernel and back to it: what malloc is given back of such sizes it keeps, in an arena
  // of each thread.
  void* const pages =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) {
    return make_error(Errc::resource_limit,
                      "no memory for a buffer of " + std::to_string(size) + " bytes",
                      "Run fewer jobs at once, or raise MemoryMax= of the unit.");
  }
  buffer.data_ = static_cast<std::byte*>(pages);
  buffer.size_ = size;
  return buffer;
}

PageBuffer::PageBuffer(PageBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      used_(std::exchange(other.used_, 0)) {}

PageBuffer& PageBuffer::operator=(PageBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(used_, other.used_);
  return *this;
}

PageBuffer::~PageBuffer() {
  if (data_ == nullptr) return;
  zeroize({data_, used_});
  ::munmap(data_, size_);
}

ByteSpan PageBuffer::first(std::size_t size) noexcept {
  const std::size_t given = std::min(size, size_);
  used_ = std::max(used_, given);
  return {data_, given};
}

}  // namespace aierase::blob
