// The readers behind a view: one for each place from which the asset is read forward.
//
// Contract: read() may be called by many threads at once; in each stream they are served in the
// order in which they came, so that what was opened ahead is there when its turn comes. Reading
// forward, from up to kStreams places at a time, finds segments opened ahead; reading here and
// there opens what is asked for. close() returns when keys, cipher contexts and plaintext are gone,
// and must not be called beside read(). Memory: kStreams readers, each of as much as ReadAhead
// says; none once nobody has read for a while and rest() was called twice.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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

  // Bytes [offset, offset+length) of the file, which has them. `in_line` is called once its place
  // in the order is taken.
  Status read(const domain::FileEntry& file, std::uint64_t offset, std::uint64_t length,
              blob::ByteSink& sink, const std::function<void()>& in_line);
  void rest();
  void close();

 private:
  struct Stream {
    std::optional<blob::AssetReader> reader;  // of whose turn it is
    bool rested = false;                      // nobody has read since the last rest()
    // Under the mutex of all:
    Uuid blob;
    std::uint64_t begin = 0, next = 0;  // what was read forward, in the blob
    std::uint64_t last_use = 0;
    std::uint64_t came = 0, served = 0;  // readers
  };
  struct Turn {
    Stream* stream = nullptr;
    std::uint64_t number = 0;
    blob::AssetReader::Expect expect = blob::AssetReader::Expect::ranges;
  };
  // The turn is over with it, whatever happened.
  class Ending {
   public:
    Ending(Streams& all, Stream& stream) : all_(all), stream_(stream) {}
    Ending(const Ending&) = delete;
    ~Ending() { all_.end(stream_); }

   private:
    Streams& all_;
    Stream& stream_;
  };
  Turn choose(const Uuid& blob, std::uint64_t at, std::uint64_t length);
  void end(Stream& stream);
  Status prepare(Stream& stream);

  Env& env_;
  const blob::WriterOptions where_;
  const std::vector<domain::BlobEntry> blobs_;
  crypto::Dek dek_;
  blob::Progress& progress_;
  std::mutex mutex_;
  std::condition_variable served_;
  std::uint64_t uses_ = 0;
  std::array<Stream, kStreams> streams_;
};

}  // namespace aierase::view
