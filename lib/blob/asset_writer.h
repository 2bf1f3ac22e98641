// Sealing the files of one asset into blobs: bounded memory whatever the size, plaintext never on
// our disk.
//
// Contract: one AssetWriter per import, driven by one thread; its own hash and seal threads live
// until finish() or the destructor, so that 10,000 small files cost three threads. add_file()
// returns once the source is read; what fails behind it is reported by the next call. Memory: at
// most eight buffers of 1 MiB, and limits::kPackFileBytes for the head of a file that is small or
// whose size is not known yet. Files below limits::kPackFileBytes share pack blobs, larger ones
// have a blob of their own. A source that changes meanwhile is recorded as it was read. Blob ids
// come from `reserve`, which must have made an import intent naming them durable before it returns
// (I1). finish() returns only when every blob and its directory entry is durable. The destructor of
// an unfinished writer unlinks what it wrote. Cancellation is looked at between segments. Specified
// in: aierase-store(5) BLOBS; erasure-design section 7.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/env.h"
#include "base/result.h"
#include "base/uuid.h"
#include "crypto/keys.h"
#include "domain/asset.h"

namespace aierase::blob {

// Where plaintext comes from: a descriptor of the caller's, usually. read() returns 0 at the end.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual Result<std::size_t> read(ByteSpan to) = 0;
  // How many bytes will come, as far as known. What comes decides.
  virtual std::optional<std::uint64_t> expected() { return std::nullopt; }
};

struct Progress {
  std::atomic<std::uint64_t> bytes{0};  // of plaintext
  std::atomic<std::uint64_t> files{0};
  std::atomic<bool> cancelled{false};
};

using BlobReserver = std::function<Result<Uuid>()>;

struct WriterOptions {
  std::string directory;  // STORE/blobs
  Uuid store;
  Uuid asset;
};

// STORE/blobs/<first two hex digits>/<32 hex digits>
std::string blob_path(const std::string& directory, const Uuid& blob);

class AssetWriter {
 public:
  static Result<AssetWriter> create(Env& env, WriterOptions options, const crypto::Dek& dek,
                                    BlobReserver reserve, Progress& progress);
  AssetWriter(AssetWriter&&) noexcept;
  AssetWriter& operator=(AssetWriter&&) noexcept;
  ~AssetWriter();

  // Paths are checked (domain::check_file_path) and may not repeat; a source that fails or is
  // cancelled leaves the writer fit only for destruction.
  Status add_file(std::string path, ByteSource& source);
  Result<domain::Manifest> finish();

 private:
  struct Impl;
  explicit AssetWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aierase::blob
