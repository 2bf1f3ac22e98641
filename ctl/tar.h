// Tar archives in and out, streaming, through libarchive.
//
// Contract: one member at a time, bounded memory. Reading takes regular files only: links,
// devices, paths that leave the archive, broken names and doubles are refused with a sentence
// (Errc::invalid_input); so is an archive that ends too early. gzip, bzip2, xz and zstd are
// unpacked inside the process, never by a program, and once: what is packed in what was packed is
// refused. However little comes in and much is made of it, Interrupt is looked at all the while.
// Descriptors stay the caller's.
// Formats: tar(5).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"

namespace aierase::ctl {

struct TarMember {
  std::string name;
  std::uint64_t bytes = 0;
};

// Beyond these an archive is Errc::resource_limit. What is imported is as large as its owner's
// files are: its bytes have no limit here.
struct TarLimits {
  std::uint64_t headers = 2 * limits::kFilesPerAsset;  // directories too
  std::optional<std::uint64_t> bytes;                  // unpacked, with headers and paddings
  enum class Behind { anything, nothing } behind = Behind::anything;  // its end, but for zeros
};

using Advance = std::function<void(std::uint64_t bytes)>;  // called with each piece's size

class TarReader {
 public:
  static Result<TarReader> open(int descriptor, const TarLimits& limits = {});
  TarReader(TarReader&&) noexcept;
  TarReader& operator=(TarReader&&) noexcept;
  ~TarReader();

  Result<std::optional<TarMember>> next();                 // none: the archive's proper end
  Status copy_to(int descriptor, const Advance& advance);  // the member's bytes
  Result<std::string> content(std::size_t limit);          // the same; beyond it: resource_limit

 private:
  struct Impl;
  explicit TarReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class TarWriter {
 public:
  static Result<TarWriter> open(int descriptor);  // pax, restricted to plain ustar where it fits
  TarWriter(TarWriter&&) noexcept;
  TarWriter& operator=(TarWriter&&) noexcept;
  ~TarWriter();

  // Reads exactly `member.bytes` from `from`, where other members may follow; less is an error.
  Status add(const TarMember& member, int from, const Advance& advance);
  Status add(const std::string& name, std::string_view content);
  Status finish();

 private:
  struct Impl;
  explicit TarWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Behind the last member that was read from a descriptor: an error where more comes.
Status expect_end(int from, const std::string& last);

}  // namespace aierase::ctl
