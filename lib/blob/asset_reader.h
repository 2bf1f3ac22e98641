// Reading an asset back: whole files, ranges, and verification, always through its manifest.
//
// Contract: one AssetReader is used by one thread; it holds the asset's key until destroyed or
// revoked. A byte is handed out only after the tag of its segment held; a missing, swapped,
// truncated, extended or reordered blob is Errc::damaged and names the file. Costs only the
// segments touched, several at once in threads of its own. revoke() may be called from any thread:
// later reads fail with Errc::erased. Specified in: aierase-store(5) BLOBS.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/env.h"
#include "base/result.h"
#include "base/uuid.h"
#include "blob/asset_writer.h"
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
  // it is Errc::invalid_input. What the sink is given of a range of at most 1 MiB, in up to kParts
  // parts, stays there until the reader is used again.
  static constexpr std::size_t kParts = 3;
  Status copy_range(const domain::FileEntry& file, std::uint64_t offset, std::uint64_t length,
                    ByteSink& sink);
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

}  // namespace aierase::blob
