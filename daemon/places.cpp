#include "daemon/places.h"

#include <string>

#include "base/limits.h"

namespace aierase::daemon {
namespace {

constexpr std::uint32_t kRoot = 0;

struct Room {
  std::size_t most;
  std::size_t most_of_one;
  const char* what;
  const char* hint;  // for him who has his all
};

Room room_for(JobKind kind) {
  switch (kind) {
    case JobKind::transfer:
      return {limits::kJobs, limits::kJobsPerUid, "imports and exports",
              "wait for one of them, and release it"};
    case JobKind::view:
      return {limits::kMounts, limits::kMountsPerUid, "mounted views", "unmount one of them"};
    case JobKind::store:
      break;
  }
  return {limits::kJobs, limits::kJobsPerUid, "checks, runs of enforce and evidence",
          "wait for one of them, and release it"};
}

}  // namespace

Status check_place(const std::vector<Place>& taken, std::uint32_t uid, JobKind kind) {
  const Room room = room_for(kind);
  const std::size_t most_own = uid == kRoot ? room.most : room.most_of_one;
  std::size_t own = 0, all = 0;
  for (const Place& place : taken) {
    if (place.kind != kind) continue;
    own += place.uid == uid ? 1 : 0;
    const bool beside = (place.uid == kRoot) == (uid == kRoot);
    all += beside && place.hold == Place::Hold::full ? 1 : 0;
  }
  if (own >= most_own) {
    return make_error(Errc::resource_limit,
                      std::to_string(most_own) + " " + room.what + " of yours are open already",
                      room.hint);
  }
  if (all >= room.most) {
    return make_error(Errc::resource_limit,
                      std::to_string(room.most) + " " + room.what + " are open already",
                      "try again when one has ended");
  }
  return {};
}

}  // namespace aierase::daemon
