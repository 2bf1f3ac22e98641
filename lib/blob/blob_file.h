// One blob while it is written: file, FLOE message, and the order of its segment tags.
//
// Contract: create() makes the file under its final name (O_EXCL) and writes its first page;
// write_run() may be called by kSealLanes threads at once, each with its own lane (a File is
// used by one thread at a time, so each lane has one); everything else belongs to the thread that
// created it. finish() returns when the content is durable; the directory entry is the caller's to
// sync. The file is not removed by the destructor: the writer that owns the asset decides.
// Direct I/O where the file system has it, else the page cache.
// Specified in: aierase-store(5) BLOBS.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "base/uuid.h"
#include "blob/layout.h"
#include "crypto/floe.h"
#include "crypto/keys.h"
#include "domain/asset.h"

namespace aierase::blob {

inline constexpr std::size_t kSealLanes = 2;

class BlobFile {
 public:
  using Position = crypto::FloeEncryptor::Position;

  static Result<std::unique_ptr<BlobFile>> create(Env& env, const WriterOptions& options,
                                                  const crypto::Dek& dek, const Uuid& id);

  const Uuid& id() const { return id_; }
  const std::string& path() const { return path_; }

  // Seals segments `first` and those behind it, up to kRunSegments, into `out` (kRunBytes) and
  // writes them to their place; `position` is that of the last. Gives their tags.
  Result<std::vector<SegmentTag>> write_run(std::size_t lane, std::uint64_t first,
                                            Position position, ByteView plaintext, PageBuffer& out,
                                            crypto::Aead& aead);

  // Room on the disk is taken ahead, in one piece where there is one, and writes into it go side by
  // side: a file that grows with each of them takes them one by one. Errc::no_space where what is
  // expected does not fit; whatever else is refused here is heard at the write.
  void expect(std::uint64_t bytes) { expected_ = bytes; }  // of plaintext, as far as known
  Status make_room(std::uint64_t end);  // before segments up to this one are written

  // Tags come in any order, at most a pipeline's depth apart.
  void add_tags(std::uint64_t first, std::span<const SegmentTag> tags);
  std::uint64_t tags() const { return tags_; }  // of segments 0 to tags()-1, without a gap
  // `bytes` of plaintext in all, whose tags are all there.
  Result<domain::BlobEntry> finish(std::uint64_t bytes);

 private:
  BlobFile(Uuid id, std::string path, Caching caching, crypto::FloeEncryptor encryptor);

  Uuid id_;
  std::string path_;
  Caching caching_;
  crypto::FloeEncryptor encryptor_;
  std::array<std::unique_ptr<File>, kSealLanes> files_;
  std::unique_ptr<File> own_;  // of the thread that created it
  std::uint64_t expected_ = 0;
  std::uint64_t room_ = 0;  // size of the file, as far as it was taken ahead
  SealId seal_id_;
  std::map<std::uint64_t, SegmentTag> early_tags_;
  std::uint64_t tags_ = 0;
};

}  // namespace aierase::blob
