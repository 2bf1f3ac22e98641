#include "blob/read_ahead.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "blob/parallel_writer.h"

namespace aierase::blob {
namespace {

// Of other blobs, so many segments later, one is not being read just now.
constexpr std::uint64_t kPassedOver = 16 * kRunSegments;

}  // namespace

ReadAhead::~ReadAhead() {
  stopping_.store(true);
  wanted_.close();
  for (std::thread& thread : threads_) thread.join();
}

Status ReadAhead::start_threads() {
  if (!threads_.empty()) return {};
  const std::size_t lanes = lanes_of_this_machine();
  try {
    for (std::size_t lane = 0; lane < lanes; ++lane) threads_.emplace_back([this] { run(); });
  } catch (const std::system_error&) {
    if (!threads_.empty()) return {};
    return make_error(Errc::resource_limit, "no thread could be started to read the asset",
                      "Run fewer jobs at once, or raise TasksMax= of the unit.");
  }
  return {};
}

ReadAhead::Kept* ReadAhead::find(const OpenBlob& blob, std::uint64_t number) {
  for (const auto& kept : kept_) {
    // What could not be opened is tried anew.
    if (kept->fetch.is(blob, number) && !kept->fetch.has_failed()) return kept.get();
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

ReadAhead::Standing ReadAhead::standing(const Fetch& fetch) const {
  if (fetch.has_failed()) return Standing::spare;
  for (const Place& place : places_) {
    if (place.blob != fetch.blob()) continue;
    if (fetch.number() == place.number) return Standing::current;
    const bool ahead = fetch.number() > place.number && fetch.number() <= place.last &&
                       fetch.number() < place.number + window();
    return ahead && is_going_on(place) ? Standing::ahead : Standing::spare;
  }
  return Standing::spare;
}

// Segments of one blob that is read alone.
std::size_t ReadAhead::window() const {
  return threads_.empty() ? 1 : kSegmentsAhead * (threads_.size() + 1);
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
  const auto ahead = std::count_if(kept_.begin(), kept_.end(), [this](const auto& kept) {
    return standing(kept->fetch) == Standing::ahead;
  });
  return static_cast<std::size_t>(ahead) + 1 < window();
}

// Where a blob stands keeps its place, and so does what was opened ahead while there is room.
ReadAhead::Kept* ReadAhead::room() {
  const auto worth = [this](const Kept& kept) {
    return std::pair(standing(kept.fetch) == Standing::ahead, kept.last_use);
  };
  Kept* least = nullptr;
  for (const auto& kept : kept_) {
    if (kept->fetch.is_pinned()) continue;
    if (kept->fetch.is_free()) return kept.get();
    if (standing(kept->fetch) == Standing::current) continue;
    if (least == nullptr || worth(*kept) < worth(*least)) least = kept.get();
  }
  const bool plenty = kept_.size() >= std::max(window(), kOpenBlobs);
  const bool all = kept_.size() == window() + kOpenBlobs - 1 + kMostPinned;
  const bool spare = least != nullptr && standing(least->fetch) == Standing::spare;
  if (all || (plenty && spare)) return least;
  kept_.push_back(std::make_unique<Kept>());
  return kept_.back().get();
}

Result<ReadAhead::Kept*> ReadAhead::begin(const std::shared_ptr<OpenBlob>& blob,
                                          std::uint64_t number) {
  Kept* const kept = room();
  if (kept == nullptr) return make_error(Errc::unexpected, "too many segments are pinned at once");
  RETURN_IF_ERROR(kept->fetch.begin(blob, number));
  kept->last_use = ++uses_;
  ++begun_;
  return kept;
}

// What no thread has begun is done by whoever has a pin on it. The queue may still name it: then a
// thread finds it taken, or it finds, and does, what it has become meanwhile.
Result<Pin> ReadAhead::claim(const std::shared_ptr<OpenBlob>& blob, std::uint64_t number,
                             std::uint64_t last) {
  if (last > number) RETURN_IF_ERROR(start_threads());
  move_to(*blob, number, last);
  Kept* wanted = find(*blob, number);
  if (wanted == nullptr) {
    ASSIGN_OR_RETURN(wanted, begin(blob, number));
  }
  Pin pin(env_, wanted->fetch);
  wanted->last_use = ++uses_;
  const std::uint64_t end = std::min(last + 1, number + share());
  for (std::uint64_t next = number + 1; next < end && may_open_ahead(); ++next) {
    if (find(*blob, next) != nullptr) continue;
    ASSIGN_OR_RETURN(Kept* const ahead, begin(blob, next));
    wanted_.push(&ahead->fetch);
  }
  return pin;
}

void ReadAhead::forget() {
  places_.clear();
  for (const auto& kept : kept_) kept->fetch.release();
}

void ReadAhead::run() {
  while (std::optional<Fetch*> next = wanted_.pop()) {
    if (!stopping_.load(std::memory_order_relaxed)) (*next)->open(env_);
  }
}

}  // namespace aierase::blob
