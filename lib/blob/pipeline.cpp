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
  pipeline->runs_.resize(kRuns);
  for (Run& run : pipeline->runs_) {
    ASSIGN_OR_RETURN(run.buffer, PageBuffer::make(kRunPlaintext));
    pipeline->free_.push_back(&run);
  }
  for (PageBuffer& sealed : pipeline->sealed_) {
    ASSIGN_OR_RETURN(sealed, PageBuffer::make(kRunBytes));
  }
  Pipeline* self = pipeline.get();
  try {
    self->threads_.reserve(1 + kSealLanes);
    self->threads_.emplace_back([self] { self->hash_runs(); });
    for (std::size_t lane = 0; lane < kSealLanes; ++lane) {
      self->threads_.emplace_back([self, lane] { self->seal_runs(lane); });
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

Run* Pipeline::free_run() {
  if (free_.empty()) return nullptr;
  Run* run = free_.back();
  free_.pop_back();
  run->bytes = 0;
  run->pieces.clear();
  return run;
}

void Pipeline::submit(Run& run) {
  run.pending = 2;
  outstanding_ += 2;
  to_hash_.push(&run);
  to_seal_.push(&run);
}

Completion Pipeline::wait() {
  // The queue is never closed, so there is always an item while any is outstanding.
  Completion completion = std::move(*done_.pop());
  --outstanding_;
  if (--completion.run->pending == 0) free_.push_back(completion.run);
  return completion;
}

void Pipeline::hash_runs() {
  std::array<crypto::Sha256, 2> lanes;
  while (std::optional<Run*> next = to_hash_.pop()) {
    if (stopping_.load(std::memory_order_relaxed)) continue;
    Completion completion;
    completion.run = *next;
    completion.work = Work::hash;
    completion.status = guarded([&]() -> Status {
      const Run& run = **next;
      crypto::Sha256& hash = lanes[run.lane == Lane::pack ? 0 : 1];
      ByteView rest = run.buffer.view(run.bytes);
      for (const Piece& piece : run.pieces) {
        hash.update(rest.first(piece.bytes));
        rest = rest.subspan(piece.bytes);
        if (piece.ends_file) completion.digests.push_back({piece.file, hash.finish()});
      }
      return {};
    });
    done_.push(std::move(completion));
  }
}

void Pipeline::seal_runs(std::size_t lane) {
  crypto::Aead aead;
  while (std::optional<Run*> next = to_seal_.pop()) {
    if (stopping_.load(std::memory_order_relaxed)) continue;
    Completion completion;
    completion.run = *next;
    completion.work = Work::seal;
    completion.status = guarded([&]() -> Status {
      const Run& run = **next;
      ASSIGN_OR_RETURN(completion.tags,
                       run.blob->write_run(lane, run.first, run.position,
                                           run.buffer.view(run.bytes), sealed_[lane], aead));
      return {};
    });
    done_.push(std::move(completion));
  }
}

}  // namespace aierase::blob
