#include "daemon/places.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace aierase::daemon {
namespace {

constexpr std::uint32_t kAda = 1001, kEve = 5000;

// As many as one user gets, one after the other.
std::size_t take_all(std::vector<Place>& taken, std::uint32_t uid, JobKind kind,
                     Place::Hold hold = Place::Hold::full) {
  std::size_t count = 0;
  while (count < 1000 && check_place(taken, uid, kind).ok()) {
    taken.push_back({uid, kind, hold});
    ++count;
  }
  return count;
}

TEST(Places, OfOneKindAreNotTakenByAnother) {
  std::vector<Place> taken;
  for (std::uint32_t uid = kAda; uid < kAda + 100; ++uid) {
    take_all(taken, uid, JobKind::transfer);
    take_all(taken, uid, JobKind::view);
  }
  EXPECT_EQ(taken.size(), limits::kJobs + limits::kMounts);
  EXPECT_FALSE(check_place(taken, kEve, JobKind::transfer).ok());
  EXPECT_TRUE(check_place(taken, kEve, JobKind::store).ok());
}

TEST(Places, OfRootAreHisOwn) {
  std::vector<Place> taken;
  for (std::uint32_t uid = kAda; uid < kAda + 100; ++uid) take_all(taken, uid, JobKind::store);
  EXPECT_EQ(take_all(taken, 0, JobKind::store), limits::kJobs);
  std::vector<Place> by_root;
  take_all(by_root, 0, JobKind::transfer);
  EXPECT_TRUE(check_place(by_root, kAda, JobKind::transfer).ok());
}

TEST(Places, OfJobsThatHangAreCountedToTheirUserAlone) {
  std::vector<Place> taken;
  std::size_t hanging = 0;
  for (std::uint32_t uid = kAda; uid < kAda + 100; ++uid) {
    hanging += take_all(taken, uid, JobKind::transfer, Place::Hold::leaving);
  }
  EXPECT_EQ(hanging, 100 * limits::kJobsPerUid);
  EXPECT_FALSE(check_place(taken, kAda, JobKind::transfer).ok());
  EXPECT_TRUE(check_place(taken, 2000, JobKind::transfer).ok());
  EXPECT_EQ(take_all(taken, 0, JobKind::transfer, Place::Hold::leaving), limits::kJobs);
}

}  // namespace
}  // namespace aierase::daemon
