#include "view/streams.h"

#include <algorithm>
#include <utility>

#include "crypto/floe.h"

namespace aierase::view {
namespace {

// The kernel leaves out what it has, and looks a little around where a mapped page is missing.
constexpr std::uint64_t kClose = 2 * crypto::kFloeSegmentPlaintext;
// Who has read so much forward goes on, and did not just look at one place.
constexpr std::uint64_t kForward = 4 * crypto::kFloeSegmentPlaintext;

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
  if (chosen == nullptr) {
    chosen = &*std::min_element(streams_.begin(), streams_.end(), [](const auto& a, const auto& b) {
      return std::pair(a.came > a.served, a.last_use) < std::pair(b.came > b.served, b.last_use);
    });
    chosen->blob = blob;
    chosen->begin = chosen->next = at;
  }
  chosen->next = std::max(chosen->next, at + length);
  chosen->last_use = ++uses_;
  using Expect = blob::AssetReader::Expect;
  const bool forward = chosen->next - chosen->begin > kForward;
  return {chosen, chosen->came++, forward ? Expect::everything : Expect::ranges};
}

void Streams::end(Stream& stream) {
  const std::lock_guard lock(mutex_);
  ++stream.served;
  served_.notify_all();
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
                     blob::ByteSink& sink, const std::function<void()>& in_line) {
  const Turn turn = choose(file.blob, file.offset + offset, length);
  Stream& stream = *turn.stream;
  const Ending ending(*this, stream);
  in_line();
  {
    std::unique_lock lock(mutex_);
    served_.wait(lock, [&] { return stream.served == turn.number; });
  }
  RETURN_IF_ERROR(prepare(stream));
  stream.reader->expect(turn.expect);
  return stream.reader->copy_range(file, offset, length, sink);
}

void Streams::rest() {
  for (Stream& stream : streams_) {
    {
      const std::lock_guard lock(mutex_);
      if (stream.came > stream.served) continue;
      ++stream.came;  // as a reader whose turn it is
    }
    if (stream.rested) stream.reader.reset();
    stream.rested = true;
    end(stream);
  }
}

void Streams::close() {
  for (Stream& stream : streams_) stream.reader.reset();
  dek_ = crypto::Dek();
}

}  // namespace aierase::view
