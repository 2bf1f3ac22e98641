#include "view/streams.h"

#include <algorithm>
#include <utility>

#include "blob/layout.h"

namespace aierase::view {
namespace {

// The kernel leaves out what it has, and looks a little around where a mapped page is missing.
constexpr std::uint64_t kClose = 2 * blob::kRunPlaintext;
// Who has read so much forward goes on, and did not just look at one place.
constexpr std::uint64_t kForward = 4 * blob::kRunPlaintext;

bool is_close(std::uint64_t at, std::uint64_t next) {
  return at + kClose >= next && at <= next + kClose;
}

}  // namespace

Streams::Streams(Env& env, blob::WriterOptions where, std::vector<domain::BlobEntry> blobs,
                 crypto::Dek dek, blob::Progress& progress)
    : env_(env),
      where_(std::move(where)),
      blobs_(std::move(blobs)),
      dek_(std::move(dek)),
      progress_(progress) {}

// The stream that was there last, else the one that was used longest ago.
Streams::Stream& Streams::choose(const Uuid& blob, std::uint64_t at) {
  for (Stream& stream : streams_) {
    if (stream.last_use > 0 && stream.blob == blob && is_close(at, stream.next)) return stream;
  }
  Stream& oldest =
      *std::min_element(streams_.begin(), streams_.end(),
                        [](const Stream& a, const Stream& b) { return a.last_use < b.last_use; });
  oldest.blob = blob;
  oldest.begin = oldest.next = at;
  return oldest;
}

Status Streams::prepare(Stream& stream) {
  stream.rested = false;
  stream.last_use = ++uses_;
  if (stream.reader) return {};
  ASSIGN_OR_RETURN(crypto::Dek dek, dek_.clone());
  domain::Manifest manifest;
  manifest.blobs = blobs_;
  ASSIGN_OR_RETURN(
      blob::AssetReader reader,
      blob::AssetReader::open(env_, where_, std::move(dek), std::move(manifest), progress_));
  stream.reader = std::make_shared<blob::AssetReader>(std::move(reader));
  return {};
}

Result<Streams::Pinned> Streams::pin(const domain::FileEntry& file, std::uint64_t offset,
                                     std::uint64_t length) {
  using Expect = blob::AssetReader::Expect;
  const std::uint64_t at = file.offset + offset;
  const std::lock_guard lock(mutex_);
  Stream& stream = choose(file.blob, at);
  RETURN_IF_ERROR(prepare(stream));
  stream.next = std::max(stream.next, at + length);
  const bool forward = stream.next - stream.begin > kForward;
  stream.reader->expect(forward ? Expect::everything : Expect::ranges);
  ASSIGN_OR_RETURN(blob::AssetReader::Stretch stretch, stream.reader->pin(file, offset, length));
  return Pinned(stream.reader, std::move(stretch));
}

void Streams::rest() {
  const std::lock_guard lock(mutex_);
  for (Stream& stream : streams_) {
    if (stream.rested) stream.reader.reset();
    stream.rested = true;
  }
}

void Streams::close() {
  const std::lock_guard lock(mutex_);
  for (Stream& stream : streams_) stream.reader.reset();
  dek_ = crypto::Dek();
}

}  // namespace aierase::view
