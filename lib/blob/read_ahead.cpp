#include "blob/read_ahead.h"

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>

#include "blob/blob_check.h"
#include "blob/parallel_writer.h"

namespace aierase::blob {
namespace {

using Position = crypto::FloeDecryptor::Position;

// A run so short is not worth a thread.
constexpr std::uint64_t kShortRun = 2;

}  // namespace

OpenBlob::OpenBlob(const domain::BlobEntry& of, std::string at, std::unique_ptr<File> on_disk,
                   crypto::FloeDecryptor opener)
    : entry(&of), path(std::move(at)), decryptor(std::move(opener)) {
  files[0] = std::move(on_disk);
}

ByteView Fetched::tag() const {
  return sealed.view(bytes + crypto::kFloeSegmentOverhead).last(crypto::kGcmTagBytes);
}

ReadAhead::~ReadAhead() {
  stopping_.store(true);
  wanted_.close();
  for (std::thread& thread : threads_) thread.join();
}

Status ReadAhead::start_threads() {
  if (!threads_.empty()) return {};
  const std::size_t lanes = lanes_of_this_machine();
  try {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      threads_.emplace_back([this, lane] { run(lane); });
    }
  } catch (const std::system_error&) {
    if (!threads_.empty()) return {};
    return make_error(Errc::resource_limit, "no thread could be started to read the asset",
                      "Run fewer jobs at once, or raise TasksMax= of the unit.");
  }
  return {};
}

Fetched* ReadAhead::find(const OpenBlob& blob, std::uint64_t number) {
  for (const auto& fetch : fetches_) {
    if (fetch->blob.get() == &blob && fetch->number == number) return fetch.get();
  }
  return nullptr;
}

// What was opened ahead and not used yet keeps its place.
Fetched* ReadAhead::room_for_next() {
  Fetched* oldest = nullptr;
  for (const auto& fetch : fetches_) {
    if (!fetch->blob) return fetch.get();
    const bool free = fetch->ready && fetch->used;
    if (free && (oldest == nullptr || fetch->last_use < oldest->last_use)) oldest = fetch.get();
  }
  if (fetches_.size() == 2 * threads_.size() + 2) return oldest;
  fetches_.push_back(std::make_unique<Fetched>());
  return fetches_.back().get();
}

Fetched& ReadAhead::room_for_wanted() {
  if (fetches_.empty()) fetches_.push_back(std::make_unique<Fetched>());
  if (threads_.empty()) return *fetches_.front();
  if (Fetched* const room = room_for_next(); room != nullptr) return *room;
  const auto order = [](const auto& a, const auto& b) { return a->last_use < b->last_use; };
  Fetched& oldest = **std::min_element(fetches_.begin(), fetches_.end(), order);
  await(oldest);
  return oldest;
}

Status ReadAhead::begin(Fetched& fetch, const std::shared_ptr<OpenBlob>& blob,
                        std::uint64_t number) {
  fetch.blob.reset();
  if (fetch.plain.size() == 0) {
    ASSIGN_OR_RETURN(fetch.sealed, PageBuffer::make(crypto::kFloeSegmentBytes));
    ASSIGN_OR_RETURN(fetch.plain, PageBuffer::make(crypto::kFloeSegmentBytes));
  }
  fetch.blob = blob;
  fetch.number = number;
  fetch.status = Status();
  fetch.ready = false;
  fetch.used = false;
  fetch.last_use = ++uses_;
  if (!threads_.empty()) wanted_.push(&fetch);
  return {};
}

void ReadAhead::await(Fetched& fetch) {
  if (threads_.empty() && !fetch.ready) {
    fetch.status = this->fetch(fetch, 0, aead_);
    fetch.ready = true;
  }
  // The queue is never closed, so there is always an item while any is on its way.
  while (!fetch.ready) (*done_.pop())->ready = true;
}

Result<const Fetched*> ReadAhead::get(const std::shared_ptr<OpenBlob>& blob, std::uint64_t number,
                                      std::uint64_t last) {
  if (last >= number + kShortRun) RETURN_IF_ERROR(start_threads());
  Fetched* wanted = find(*blob, number);
  if (wanted == nullptr) {
    wanted = &room_for_wanted();
    RETURN_IF_ERROR(begin(*wanted, blob, number));
  }
  wanted->used = false;  // not given away to what follows
  for (std::uint64_t next = number + 1; next <= last && !threads_.empty(); ++next) {
    if (find(*blob, next) != nullptr) continue;
    Fetched* const room = room_for_next();
    if (room == nullptr) break;
    RETURN_IF_ERROR(begin(*room, blob, next));
  }
  await(*wanted);
  wanted->used = true;
  wanted->last_use = ++uses_;
  if (wanted->status.ok()) return wanted;
  wanted->blob.reset();
  return std::move(wanted->status).error();
}

void ReadAhead::forget() {
  for (const auto& fetch : fetches_) {
    if (!fetch->blob) continue;
    if (!threads_.empty()) await(*fetch);
    fetch->blob.reset();
  }
}

void ReadAhead::run(std::size_t lane) {
  crypto::Aead aead;
  while (std::optional<Fetched*> next = wanted_.pop()) {
    if (stopping_.load(std::memory_order_relaxed)) continue;
    Fetched& fetch = **next;
    try {
      fetch.status = this->fetch(fetch, lane, aead);
    } catch (const std::exception& exception) {
      fetch.status =
          make_error(Errc::unexpected, std::string("a reading thread failed: ") + exception.what());
    }
    done_.push(&fetch);
  }
}

Status ReadAhead::fetch(Fetched& fetch, std::size_t lane, crypto::Aead& aead) {
  OpenBlob& blob = *fetch.blob;
  if (blob.files[lane] == nullptr) {
    OpenHow how;
    how.caching = Caching::as_found;
    ASSIGN_OR_RETURN(blob.files[lane], env_.open(blob.path, how));
  }
  const std::uint64_t bytes = blob.entry->bytes;
  fetch.bytes = segment_plaintext(bytes, fetch.number);
  const ByteSpan sealed = fetch.sealed.first(fetch.bytes + crypto::kFloeSegmentOverhead);
  Status opened = blob.files[lane]->read_at(segment_offset(fetch.number), sealed);
  if (opened.ok()) {
    const bool final = fetch.number + 1 == segment_count(bytes);
    opened = blob.decryptor.open_segment(fetch.number, final ? Position::final : Position::inner,
                                         sealed, fetch.plain.first(fetch.bytes), aead);
  }
  if (opened.ok()) return {};
  // What cannot be authenticated is damage here: the manifest said that it would be.
  const Errc code = opened.error().code;
  if (code != Errc::verification_failed && code != Errc::damaged) return opened;
  return damaged_blob(blob.path, "is damaged in segment " + std::to_string(fetch.number));
}

}  // namespace aierase::blob
