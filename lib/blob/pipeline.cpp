#include "blob/pipeline.h"

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>

namespace aierase::blob {
namespace {

// Nothing may leave a thread's function but through the queue.
template <typename Act>
Status guarded(Act&& act) {
  try {
    return act();
  } catch (const std::exception& exception) {
    return make_error(Errc::unexpected,
                      std::string("an import thread failed: ") + exception.what());
  }
}

}  // namespace

Result<std::unique_ptr<Pipeline>> Pipeline::start() {
  std::unique_ptr<Pipeline> pipeline(new Pipeline);
  pipeline->segments_.resize(kSegments);
  for (Segment& segment : pipeline->segments_) {
    ASSIGN_OR_RETURN(segment.buffer, PageBuffer::make(crypto::kFloeSegmentBytes));
    pipeline->free_.push_back(&segment);
  }
  for (PageBuffer& sealed : pipeline->sealed_) {
    ASSIGN_OR_RETURN(sealed, PageBuffer::make(crypto::kFloeSegmentBytes));
  }
  Pipeline* self = pipeline.get();
  try {
    self->threads_.reserve(1 + kSealLanes);
    self->threads_.emplace_back([self] { self->hash_segments(); });
    for (std::size_t lane = 0; lane < kSealLanes; ++lane) {
      self->threads_.emplace_back([self, lane] { self->seal_segments(lane); });
    }
  } catch (const std::system_error&) {
    return make_error(Errc::resource_limit, "no thread could be started for the import",
                      "Run fewer jobs at once, or raise TasksMax= of the unit.");
  }
  return pipeline;
}

Pipeline::~Pipeline() {
  stopping_.store(true);
  to_hash_.close();
  to_seal_.close();
  for (std::thread& thread : threads_) thread.join();
}

Segment* Pipeline::free_segment() {
  if (free_.empty()) return nullptr;
  Segment* segment = free_.back();
  free_.pop_back();
  segment->bytes = 0;
  segment->pieces.clear();
  return segment;
}

void Pipeline::submit(Segment& segment) {
  segment.pending = 2;
  outstanding_ += 2;
  to_hash_.push(&segment);
  to_seal_.push(&segment);
}

Completion Pipeline::wait() {
  // The queue is never closed, so there is always an item while any is outstanding.
  Completion completion = std::move(*done_.pop());
  --outstanding_;
  if (--completion.segment->pending == 0) free_.push_back(completion.segment);
  return completion;
}

void Pipeline::hash_segments() {
  std::array<crypto::Sha256, 2> lanes;
  while (std::optional<Segment*> next = to_hash_.pop()) {
    if (stopping_.load(std::memory_order_relaxed)) continue;
    Completion completion;
    completion.segment = *next;
    completion.work = Work::hash;
    completion.status = guarded([&]() -> Status {
      const Segment& segment = **next;
      crypto::Sha256& hash = lanes[segment.lane == Lane::pack ? 0 : 1];
      ByteView rest = segment.buffer.view(segment.bytes);
      for (const Piece& piece : segment.pieces) {
        hash.update(rest.first(piece.bytes));
        rest = rest.subspan(piece.bytes);
        if (piece.ends_file) completion.digests.push_back({piece.file, hash.finish()});
      }
      return {};
    });
    done_.push(std::move(completion));
  }
}

void Pipeline::seal_segments(std::size_t lane) {
  crypto::Aead aead;
  while (std::optional<Segment*> next = to_seal_.pop()) {
    if (stopping_.load(std::memory_order_relaxed)) continue;
    Completion completion;
    completion.segment = *next;
    completion.work = Work::seal;
    completion.status = guarded([&]() -> Status {
      const Segment& segment = **next;
      ASSIGN_OR_RETURN(
          completion.tag,
          segment.blob->write_segment(lane, segment.number, segment.position,
                                      segment.buffer.view(segment.bytes), sealed_[lane], aead));
      return {};
    });
    done_.push(std::move(completion));
  }
}

}  // namespace aierase::blob
