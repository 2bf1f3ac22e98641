// Reading an asset back: whole files, ranges, and verification, always through its manifest.
//
// Contract: one AssetReader is used by one thread at a time; it holds the asset's key until
// destroyed. A byte is handed out only after the tag of its segment held; a missing, swapped,
// truncated, extended or reordered blob is Errc::damaged and names the file. Costs only the
// segments touched, several at once in threads of its own. revoke() may be called from any thread:
// later reads fail with Errc::erased. Specified in: aierase-store(5) BLOBS.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "base/uuid.h"
#include "blob/asset_writer.h"
#include "blob/fetch.h"
#include "crypto/keys.h"
#include "domain/asset.h"

namespace aierase::blob {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual Status write(ByteView from) = 0;
};

class AssetReader {
 public:
  static Result<AssetReader> open(Env& env, WriterOptions options, crypto::Dek dek,
                                  domain::Manifest manifest, Progress& progress);
  AssetReader(AssetReader&&) noexcept;
  AssetReader& operator=(AssetReader&&) noexcept;
  ~AssetReader();

  const domain::Manifest& manifest() const;
  // Bytes [offset, offset+length) of the file; length is cut at the file's end, an offset beyond
  // it is Errc::invalid_input.
  Status copy_range(const domain::FileEntry& file, std::uint64_t offset, std::uint64_t length,
                    ByteSink& sink);
  // The same in two steps, for several threads that read through one reader: its place in the order
  // is taken here, and the work is done by its open(), in any thread and beside others. At most
  // 1 MiB; `file` outlives it, the reader too, and there are up to limits::kLanesPerJob at a time.
  class Stretch;
  static constexpr std::size_t kMostAtOnce = 1 << 20;
  Result<Stretch> pin(const domain::FileEntry& file, std::uint64_t offset, std::uint64_t length);
  // Decrypts everything, compares each file's SHA-256 and each blob's seal_id and length.
  Status verify_file(const domain::FileEntry& file);
  Status verify_blob(const domain::BlobEntry& blob);
  // What will be asked for: with `everything`, in the order of the manifest, whole blobs are opened
  // ahead; otherwise nothing beyond a range that was asked for is read.
  enum class Expect { ranges, everything };
  void expect(Expect what) noexcept;
  void revoke() noexcept;

 private:
  struct Impl;
  explicit AssetReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class AssetReader::Stretch {
 public:
  // Segments that so much lies in.
  static constexpr std::size_t kParts = (kMostAtOnce - 2) / crypto::kFloeSegmentPlaintext + 2;

  // Once. What it gives stays there until the Stretch is gone.
  Result<std::span<const ByteView>> open();

 private:
  friend struct Impl;
  struct Part {
    Pin pin;
    std::size_t skip, bytes;
  };
  Stretch(Impl& reader, const domain::FileEntry& file) : reader_(&reader), file_(&file) {}
  Status open_parts();

  Impl* reader_;
  const domain::FileEntry* file_;
  std::vector<Part> parts_;
  std::vector<ByteView> views_;
};

}  // namespace aierase::blob
