// Reading the content of one asset for `check --deep`, a few segments at a time.
//
// Contract: holds where it stands, and neither key nor descriptor: the reader is the caller's, one
// of the same asset for each step. Files are read in the order of their bytes in the blobs, so that
// each segment is read once, however imports laid them. A file that cannot be read, or has another
// SHA-256 than the manifest says, is told and passed over; Errc::io ends the step. What is damaged
// costs as much as what is read. Specified in: aierase(1) check.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "blob/asset_reader.h"
#include "crypto/primitives.h"

namespace aierase::lifecycle {

class ContentCheck {
 public:
  using Tell = std::function<void(const std::string& path, const std::string& what)>;

  // Reads until `segments` are used up, and counts them down from there; false at the end.
  Result<bool> step(blob::AssetReader& reader, std::uint64_t& segments, const Tell& tell);
  std::uint64_t bytes() const noexcept { return bytes_; }  // of content, over all steps

 private:
  Result<bool> read(blob::AssetReader& reader, const domain::FileEntry& file, std::uint64_t length,
                    const Tell& tell);

  std::size_t file_ = 0;      // in the order of bytes
  std::uint64_t offset_ = 0;  // in that file
  std::optional<crypto::Sha256> hash_;
  std::uint64_t bytes_ = 0;
};

}  // namespace aierase::lifecycle
