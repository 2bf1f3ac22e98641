// Where the bytes of a blob lie in its file, and what identifies and binds them.
//
// Contract: pure arithmetic and small owners, no I/O. A blob file is one page (magic, version,
// zeros, and the FLOE header in its last 74 bytes) followed by sealed segments of 256 KiB, the
// last one shorter; so segments start aligned, and the file from byte 4,022 on is a plain FLOE
// file. Magic and version are informative and never trusted. Sizes in bytes. Specified in:
// aierase-store(5) BLOBS.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"
#include "blob/asset_writer.h"
#include "crypto/floe.h"
#include "crypto/primitives.h"

namespace aierase::blob {

inline constexpr std::size_t kPageBytes = 4096;
// What is read, sealed and written in one go on the way in: a disk wants longer pieces than whoever
// reads from here and there.
inline constexpr std::size_t kRunSegments = 4;
inline constexpr std::size_t kRunPlaintext = kRunSegments * crypto::kFloeSegmentPlaintext;
inline constexpr std::size_t kRunBytes = kRunSegments * crypto::kFloeSegmentBytes;   // 1 MiB
inline constexpr std::size_t kHeaderOffset = kPageBytes - crypto::kFloeHeaderBytes;  // 4,022
inline constexpr std::string_view kContainerMagic = "AIERASEB";
inline constexpr std::uint16_t kContainerVersion = 1;  // big-endian behind the magic

using Page = std::array<std::byte, kPageBytes>;
using SegmentTag = std::array<std::byte, crypto::kGcmTagBytes>;

// Of a blob with `bytes` of plaintext. An empty blob has one (empty, final) segment; a multiple of
// the segment's plaintext has no empty segment behind it.
std::uint64_t segment_count(std::uint64_t bytes);
std::size_t segment_plaintext(std::uint64_t bytes, std::uint64_t number);
std::uint64_t segment_offset(std::uint64_t number);  // of the sealed segment in the file
std::uint64_t container_bytes(std::uint64_t bytes);  // the file's size

void put_container_page(ByteSpan page, const crypto::FloeHeader& header);
// "aierase/v1" || store || asset || blob
Bytes blob_associated(const WriterOptions& options, const Uuid& blob);

// seal_id = SHA-256(FLOE header || segment tags in order || plaintext length, 8 bytes big-endian).
class SealId {
 public:
  explicit SealId(ByteView header) { hash_.update(header); }
  void add(ByteView tag) { hash_.update(tag); }
  Digest finish(std::uint64_t bytes);

 private:
  crypto::Sha256 hash_;
};

// Page-aligned ordinary memory for bulk data. Content is no key, so it is not locked; what was
// handed out is zeroized by the destructor.
class PageBuffer {
 public:
  PageBuffer() = default;
  static Result<PageBuffer> make(std::size_t size);
  PageBuffer(PageBuffer&& other) noexcept;
  PageBuffer& operator=(PageBuffer&& other) noexcept;
  PageBuffer(const PageBuffer&) = delete;
  PageBuffer& operator=(const PageBuffer&) = delete;
  ~PageBuffer();

  std::size_t size() const noexcept { return size_; }
  // The first `size` bytes, to be written into.
  ByteSpan first(std::size_t size) noexcept;
  ByteView view(std::size_t size) const noexcept { return {data_, size}; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t used_ = 0;  // the most that was handed out: pages never touched stay untouched
};

}  // namespace aierase::blob
