#include "blob/fetch.h"

#include <exception>

#include "blob/blob_check.h"

namespace aierase::blob {

OpenBlob::OpenBlob(const domain::BlobEntry& of, std::string at, std::unique_ptr<File> on_disk,
                   crypto::FloeDecryptor opener)
    : entry_(&of), path_(std::move(at)), decryptor_(std::move(opener)) {
  ways_[0].file = std::move(on_disk);
}

std::unique_ptr<OpenBlob::Way, OpenBlob::GiveBack> OpenBlob::free_way() {
  for (Way& way : ways_) {
    if (!way.taken.exchange(true, std::memory_order_acquire)) {
      return std::unique_ptr<Way, GiveBack>(&way);
    }
  }
  return nullptr;
}

Status OpenBlob::open(Env& env, std::uint64_t number, ByteSpan sealed) {
  const std::unique_ptr<Way, GiveBack> way = free_way();
  if (way == nullptr) return make_error(Errc::unexpected, "a blob is read by too many threads");
  Status opened = open(env, number, sealed, *way);
  if (opened.ok()) return {};
  // What cannot be authenticated is damage here: the manifest said that it would be.
  const Errc code = opened.error().code;
  if (code != Errc::verification_failed && code != Errc::damaged) return opened;
  return damaged_blob(path_, "is damaged in segment " + std::to_string(number));
}

Status OpenBlob::open(Env& env, std::uint64_t number, ByteSpan sealed, Way& way) {
  using Position = crypto::FloeDecryptor::Position;
  if (way.file == nullptr) {
    OpenHow how;
    how.caching = Caching::as_found;
    ASSIGN_OR_RETURN(way.file, env.open(path_, how));
  }
  RETURN_IF_ERROR(way.file->read_at(segment_offset(number), sealed));
  const bool final = number + 1 == segment_count(entry_->bytes);
  const std::size_t bytes = sealed.size() - crypto::kFloeSegmentOverhead;
  return decryptor_.open_segment(number, final ? Position::final : Position::inner, sealed,
                                 sealed.subspan(crypto::kFloePlaintextOffset, bytes), way.aead);
}

bool Fetch::has_failed() const {
  return state_.load(std::memory_order_acquire) == State::ready && !status_.ok();
}

Status Fetch::begin(std::shared_ptr<OpenBlob> blob, std::uint64_t number) {
  release();
  if (buffer_.size() == 0) {
    ASSIGN_OR_RETURN(buffer_, PageBuffer::make(crypto::kFloeSegmentBytes));
  }
  blob_ = std::move(blob);
  number_ = number;
  bytes_ = segment_plaintext(blob_->entry().bytes, number);
  state_.store(State::wanted, std::memory_order_release);
  return {};
}

void Fetch::release() {
  State found = State::wanted;
  if (!state_.compare_exchange_strong(found, State::taken, std::memory_order_acquire)) {
    if (found == State::taken) state_.wait(State::taken, std::memory_order_acquire);
  }
  blob_.reset();
  state_.store(State::idle, std::memory_order_relaxed);
}

void Fetch::open(Env& env) noexcept {
  State found = State::wanted;
  if (!state_.compare_exchange_strong(found, State::taken, std::memory_order_acquire)) return;
  try {
    status_ = blob_->open(env, number_, buffer_.first(bytes_ + crypto::kFloeSegmentOverhead));
  } catch (const std::exception& exception) {
    status_ =
        make_error(Errc::unexpected, std::string("a reading thread failed: ") + exception.what());
  }
  state_.store(State::ready, std::memory_order_release);
  state_.notify_all();
}

Status Fetch::wait() const {
  state_.wait(State::taken, std::memory_order_acquire);
  if (state_.load(std::memory_order_acquire) == State::ready) return status_;
  return make_error(Errc::unexpected, "a segment is waited for that nobody opens");
}

}  // namespace aierase::blob
