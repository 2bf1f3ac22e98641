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

// Of other blobs, so many segments later, one is not being read just now.
constexpr std::uint64_t kPassedOver = 16;

}  // namespace

OpenBlob::OpenBlob(const domain::BlobEntry& of, std::string at, std::unique_ptr<File> on_disk,
                   crypto::FloeDecryptor opener)
    : entry(&of), path(std::move(at)), decryptor(std::move(opener)) {
  files[0] = std::move(on_disk);
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
      threads_.emplace_back([this, lane] { run(1 + lane); });
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

void ReadAhead::move_to(const OpenBlob& blob, std::uint64_t number, std::uint64_t last) {
  auto place = std::find_if(places_.begin(), places_.end(),
                            [&](const Place& one) { return one.blob == &blob; });
  if (place == places_.end()) {
    if (places_.size() == kOpenBlobs) places_.pop_back();
    place = places_.insert(places_.end(), Place{});
  }
  *place = Place{&blob, number, last, begun_};
  std::rotate(places_.begin(), place, place + 1);
}

bool ReadAhead::is_going_on(const Place& place) const {
  return place.number < place.last && begun_ - place.at < kPassedOver;
}

ReadAhead::Standing ReadAhead::standing(const Fetched& fetch) const {
  for (const Place& place : places_) {
    if (place.blob != fetch.blob.get()) continue;
    if (fetch.number == place.number) return Standing::current;
    const bool ahead = fetch.number > place.number && fetch.number <= place.last &&
                       fetch.number < place.number + window();
    return ahead && is_going_on(place) ? Standing::ahead : Standing::spare;
  }
  return Standing::spare;
}

// Segments of one blob that is read alone.
std::size_t ReadAhead::window() const {
  return threads_.empty() ? 1 : 2 * threads_.size() + 2;
}

// Segments of each blob that is being read and not at its end.
std::size_t ReadAhead::share() const {
  const auto going_on = std::count_if(places_.begin(), places_.end(),
                                      [this](const Place& place) { return is_going_on(place); });
  const auto readers = std::max<std::size_t>(static_cast<std::size_t>(going_on), 1);
  return (window() + readers - 1) / readers;
}

// With so many ahead, and one where each blob stands, there is always room for what is wanted.
bool ReadAhead::may_open_ahead() const {
  const auto ahead = std::count_if(fetches_.begin(), fetches_.end(), [this](const auto& fetch) {
    return standing(*fetch) == Standing::ahead;
  });
  return static_cast<std::size_t>(ahead) + 1 < window();
}

// Where a blob stands keeps its place, and so does what was opened ahead while there is room.
Fetched& ReadAhead::room() {
  const auto worth = [this](const Fetched& fetch) {
    return std::pair(standing(fetch) == Standing::ahead, fetch.last_use);
  };
  Fetched* least = nullptr;
  for (const auto& fetch : fetches_) {
    if (!fetch->blob) return *fetch;
    if (standing(*fetch) == Standing::current || was_given(*fetch)) continue;
    if (least == nullptr || worth(*fetch) < worth(*least)) least = fetch.get();
  }
  const bool plenty = fetches_.size() >= std::max(window(), kOpenBlobs);
  const bool all = fetches_.size() == window() + kOpenBlobs - 1 + kGiven - 1;
  if (all || (plenty && least != nullptr && standing(*least) == Standing::spare)) return *least;
  fetches_.push_back(std::make_unique<Fetched>());
  return *fetches_.back();
}

Status ReadAhead::begin(Fetched& fetch, const std::shared_ptr<OpenBlob>& blob,
                        std::uint64_t number) {
  release(fetch);
  if (fetch.segment.size() == 0) {
    ASSIGN_OR_RETURN(fetch.segment, PageBuffer::make(crypto::kFloeSegmentBytes));
  }
  fetch.blob = blob;
  fetch.number = number;
  fetch.status = Status();
  fetch.ready = false;
  fetch.taken.store(false);
  fetch.last_use = ++uses_;
  ++begun_;
  return {};
}

// What no thread has begun is done here. The queue may still name it: then a thread finds it taken,
// or it finds, and does, what it has become meanwhile.
void ReadAhead::await(Fetched& fetch) {
  if (!fetch.ready && !fetch.taken.exchange(true)) {
    fetch.status = open(fetch, 0, aead_);
    fetch.ready = true;
  }
  // The queue is never closed, so there is always an item while any is on its way.
  while (!fetch.ready) (*done_.pop())->ready = true;
}

void ReadAhead::release(Fetched& fetch) {
  if (!fetch.blob) return;
  if (fetch.taken.exchange(true)) await(fetch);
  fetch.blob.reset();
}

bool ReadAhead::was_given(const Fetched& fetch) const {
  return std::find(given_.begin(), given_.end(), &fetch) != given_.end();
}

Result<const Fetched*> ReadAhead::get(const std::shared_ptr<OpenBlob>& blob, std::uint64_t number,
                                      std::uint64_t last) {
  if (last > number) RETURN_IF_ERROR(start_threads());
  move_to(*blob, number, last);
  Fetched* wanted = find(*blob, number);
  if (wanted == nullptr) {
    wanted = &room();
    RETURN_IF_ERROR(begin(*wanted, blob, number));
  }
  const std::uint64_t end = std::min(last + 1, number + share());
  for (std::uint64_t next = number + 1; next < end && may_open_ahead(); ++next) {
    if (find(*blob, next) != nullptr) continue;
    Fetched& ahead = room();
    RETURN_IF_ERROR(begin(ahead, blob, next));
    wanted_.push(&ahead);
  }
  await(*wanted);
  wanted->last_use = ++uses_;
  if (!wanted->status.ok()) {
    wanted->blob.reset();
    return std::move(wanted->status).error();
  }
  const auto before = std::find(given_.begin(), given_.end() - 1, wanted);
  std::rotate(given_.begin(), before, before + 1);
  given_.front() = wanted;
  return wanted;
}

void ReadAhead::forget() {
  places_.clear();
  given_ = {};
  for (const auto& fetch : fetches_) release(*fetch);
}

void ReadAhead::run(std::size_t lane) {
  crypto::Aead aead;
  while (std::optional<Fetched*> next = wanted_.pop()) {
    if (stopping_.load(std::memory_order_relaxed)) continue;
    Fetched& fetch = **next;
    if (fetch.taken.exchange(true)) continue;
    try {
      fetch.status = open(fetch, lane, aead);
    } catch (const std::exception& exception) {
      fetch.status =
          make_error(Errc::unexpected, std::string("a reading thread failed: ") + exception.what());
    }
    done_.push(&fetch);
  }
}

Status ReadAhead::open(Fetched& fetch, std::size_t lane, crypto::Aead& aead) {
  OpenBlob& blob = *fetch.blob;
  if (blob.files[lane] == nullptr) {
    OpenHow how;
    how.caching = Caching::as_found;
    ASSIGN_OR_RETURN(blob.files[lane], env_.open(blob.path, how));
  }
  const std::uint64_t bytes = blob.entry->bytes;
  fetch.bytes = segment_plaintext(bytes, fetch.number);
  const ByteSpan sealed = fetch.segment.first(fetch.bytes + crypto::kFloeSegmentOverhead);
  Status opened = blob.files[lane]->read_at(segment_offset(fetch.number), sealed);
  if (opened.ok()) {
    const bool final = fetch.number + 1 == segment_count(bytes);
    opened = blob.decryptor.open_segment(
        fetch.number, final ? Position::final : Position::inner, sealed,
        sealed.subspan(crypto::kFloePlaintextOffset, fetch.bytes), aead);
  }
  if (opened.ok()) return {};
  // What cannot be authenticated is damage here: the manifest said that it would be.
  const Errc code = opened.error().code;
  if (code != Errc::verification_failed && code != Errc::damaged) return opened;
  return damaged_blob(blob.path, "is damaged in segment " + std::to_string(fetch.number));
}

}  // namespace aierase::blob
