// The readers behind a view: one for each place from which the asset is read forward.
//
// Contract: pin() may be called by many threads; each range takes its place in the order in which
// they came, so that what is opened ahead is what will be asked for, and whoever has it pinned
// opens it, beside others. Reading forward, from up to kStreams places at a time, finds segments
// opened ahead; reading here and there opens what is asked for. close() forgets the key; the
// readers, with cipher contexts and plaintext, go with the last Pinned. Memory: kStreams readers,
// each of as much as ReadAhead says; none once nobody has read for a while and rest() was called
// twice.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "blob/asset_reader.h"
#include "crypto/keys.h"
#include "domain/asset.h"

namespace aierase::view {

inline constexpr std::size_t kStreams = 4;

class Streams {
 public:
  // `blobs`: where the files' bytes lie. `progress` outlives it.
  Streams(Env& env, blob::WriterOptions where, std::vector<domain::BlobEntry> blobs,
          crypto::Dek dek, blob::Progress& progress);

  class Pinned {
   public:
    // Once. What it gives stays there until the Pinned is gone.
    Result<std::span<const ByteView>> open() { return stretch_.open(); }

   private:
    friend class Streams;
    Pinned(std::shared_ptr<blob::AssetReader> reader, blob::AssetReader::Stretch stretch)
        : reader_(std::move(reader)), stretch_(std::move(stretch)) {}

    std::shared_ptr<blob::AssetReader> reader_;  // outlives it
    blob::AssetReader::Stretch stretch_;
  };
  // Bytes [offset, offset+length) of the file, which has them: at most 1 MiB, and up to
  // limits::kLanesPerJob at a time.
  Result<Pinned> pin(const domain::FileEntry& file, std::uint64_t offset, std::uint64_t length);
  void rest();
  void close();

 private:
  struct Stream {
    std::shared_ptr<blob::AssetReader> reader;
    bool rested = false;  // nobody has read since the last rest()
    Uuid blob;
    std::uint64_t begin = 0, next = 0;  // what was read forward, in the blob
    std::uint64_t last_use = 0;
  };
  Stream& choose(const Uuid& blob, std::uint64_t at);
  Status prepare(Stream& stream);

  Env& env_;
  const blob::WriterOptions where_;
  const std::vector<domain::BlobEntry> blobs_;
  crypto::Dek dek_;
  blob::Progress& progress_;
  std::mutex mutex_;
  std::uint64_t uses_ = 0;
  std::array<Stream, kStreams> streams_;
};

}  // namespace aierase::view
