#include "view/streams.h"

#include <algorithm>
#include <utility>

#include "crypto/floe.h"

namespace aierase::view {
namespace {

// The kernel reads ahead in pieces that several threads take, so they come a little out of order.
constexpr std::uint64_t kClose = 2 * crypto::kFloeSegmentPlaintext;

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

// The stream that was there last, else the one that was used longest ago, of those that are free.
Streams::Turn Streams::choose(const Uuid& blob, std::uint64_t at, std::uint64_t length) {
  const std::lock_guard lock(mutex_);
  Stream* chosen = nullptr;
  for (Stream& stream : streams_) {
    if (stream.last_use > 0 && stream.blob == blob && is_close(at, stream.next)) chosen = &stream;
  }
  const bool forward = chosen != nullptr;
  if (!forward) {
    chosen = &*std::min_element(streams_.begin(), streams_.end(), [](const auto& a, const auto& b) {
      return std::pair(a.users > 0, a.last_use) < std::pair(b.users > 0, b.last_use);
    });
  }
  chosen->next = forward ? std::max(chosen->next, at + length) : at + length;
  chosen->blob = blob;
  chosen->last_use = ++uses_;
  ++chosen->users;
  using Expect = blob::AssetReader::Expect;
  return {chosen, forward ? Expect::everything : Expect::ranges};
}

Status Streams::prepare(Stream& stream) {
  stream.rested = false;
  if (stream.reader) return {};
  ASSIGN_OR_RETURN(crypto::Dek dek, dek_.clone());
  domain::Manifest manifest;
  manifest.blobs = blobs_;
  ASSIGN_OR_RETURN(
      blob::AssetReader reader,
      blob::AssetReader::open(env_, where_, std::move(dek), std::move(manifest), progress_));
  stream.reader.emplace(std::move(reader));
  return {};
}

Status Streams::read(const domain::FileEntry& file, std::uint64_t offset, std::uint64_t length,
                     blob::ByteSink& sink) {
  const Turn turn = choose(file.blob, file.offset + offset, length);
  Stream& stream = *turn.stream;
  Status done;
  {
    const std::lock_guard busy(stream.busy);
    done = prepare(stream);
    if (done.ok()) {
      stream.reader->expect(turn.expect);
      done = stream.reader->copy_range(file, offset, length, sink);
    }
  }
  const std::lock_guard lock(mutex_);
  --stream.users;
  return done;
}

void Streams::rest() {
  for (Stream& stream : streams_) {
    const std::unique_lock busy(stream.busy, std::try_to_lock);
    if (!busy.owns_lock()) continue;
    if (stream.rested) stream.reader.reset();
    stream.rested = true;
  }
}

void Streams::close() {
  for (Stream& stream : streams_) stream.reader.reset();
  dek_ = crypto::Dek();
}

}  // namespace aierase::view
