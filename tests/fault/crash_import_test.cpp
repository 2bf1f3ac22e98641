// An import stopped at every operation: the asset is there whole or not at all, nothing else is
// lost, and what is left over is found and removed.
#include <gtest/gtest.h>

#include "fault/support/crashes.h"
#include "fault/support/inspect.h"

namespace aierase::test {
namespace {

using lifecycle::CheckDepth;
using lifecycle::Finding;

constexpr std::size_t kPackLimit = 8U << 20;

std::shared_ptr<const World::Moment> two_living_assets(World& world) {
  EXPECT_TRUE(done(world.init()));
  EXPECT_TRUE(done(world.open()));
  EXPECT_TRUE(done(world.import(small_asset("older", 1))));
  EXPECT_TRUE(done(world.import_key("older-key", content_of(2, 48))));
  world.close();
  world.disk.power_cut(Cut::keep_all, 1);
  return world.keep();
}

// The check finds orphans, removes them, and then has nothing more to say.
void expect_repairs(World& world, std::size_t blobs) {
  const bool orphans = blob_files(world.disk) > blobs;
  const std::vector<Finding> repaired = check_all(world, CheckDepth::structure);
  for (const Finding& finding : repaired) {
    EXPECT_EQ(finding.code, "import-interrupted") << to_string({finding});
  }
  EXPECT_FALSE(orphans && repaired.empty());
  EXPECT_EQ(blob_files(world.disk), blobs);
  const std::vector<Finding> left = check_all(world, CheckDepth::deep);
  EXPECT_TRUE(left.empty()) << to_string(left);
}

struct ImportCase {
  const char* name;
  ImportWish wish;
  std::optional<Bytes> key = {};  // a dataset key instead of files
  enum class Key { none, given, generated } kind = Key::none;
  std::size_t stride = 4;

  Status import(World& world) const {
    if (kind == Key::none) return world.import(wish);
    return world.import_key(wish.name, key);
  }
};
void PrintTo(const ImportCase& one, std::ostream* out) {
  *out << one.name;
}

ImportWish many_files(std::size_t count) {
  ImportWish wish;
  wish.name = "new";
  for (std::size_t i = 0; i < count; ++i) {
    wish.files.push_back({"part-" + std::to_string(i), content_of(100 + i, 40 * i + 1)});
  }
  wish.files.push_back({"empty", {}});
  std::sort(wish.files.begin(), wish.files.end(),
            [](const NamedContent& a, const NamedContent& b) { return a.path < b.path; });
  return wish;
}

ImportWish with_a_large_file() {
  ImportWish wish = small_asset("new", 30);
  wish.files.push_back({"large.bin", content_of(31, kPackLimit + 5000)});
  std::sort(wish.files.begin(), wish.files.end(),
            [](const NamedContent& a, const NamedContent& b) { return a.path < b.path; });
  return wish;
}

ImportWish named_new() {
  ImportWish wish;
  wish.name = "new";
  return wish;
}

class AnImport : public ::testing::TestWithParam<ImportCase> {};

TEST_P(AnImport, MayBeStoppedAnywhereAndIsThereWholeOrNotAtAll) {
  const ImportCase& what = GetParam();
  World world;
  const auto start = two_living_assets(world);
  const std::size_t blobs_before = blob_files(world.disk);
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(what.import(world)));
  const std::size_t blobs_of_it = blob_files(world.disk) - blobs_before;
  std::size_t absent = 0;
  std::size_t whole = 0;
  bool promised = false;
  StopPlan plan;
  plan.stride = what.stride;
  plan.act = [&](World& w) { promised = w.open().ok() && what.import(w).ok(); };
  plan.check = [&](World& w) {
    while (w.assets.size() > 2) w.assets.pop_back();
    const auto found = w.store->resolve_asset("new", catalog::NameScope::living);
    EXPECT_TRUE(found.ok() || !promised) << "an import that had said yes is lost";
    (found.ok() ? whole : absent) += 1;
    if (found.ok()) {
      const auto view = w.store->show_asset(*found);
      ASSERT_TRUE(view.ok()) << view.error().message;
      w.remember(*view, what.wish, what.key.value_or(Bytes()));
    }
    expect_sound(w, Seen(), Look::readings);
    expect_repairs(w, blobs_before + (found.ok() ? blobs_of_it : 0));
    // Again: it is made, or found to be the same.
    if (what.kind == ImportCase::Key::generated && found.ok()) return;
    ASSERT_TRUE(done(what.import(w)));
    EXPECT_EQ(w.assets.size(), 3U);
    EXPECT_EQ(blob_files(w.disk), blobs_before + blobs_of_it);
    expect_sound(w, Seen(), Look::readings);
  };
  EXPECT_GT(stop_everywhere(world, *start, plan), 8U);
  EXPECT_GT(absent, 0U);
  EXPECT_GT(whole, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    OfEachKind, AnImport,
    ::testing::Values(
        ImportCase{"two files", small_asset("new", 20)},
        ImportCase{"many files", many_files(40), {}, ImportCase::Key::none, 7},
        ImportCase{"a large file", with_a_large_file(), {}, ImportCase::Key::none, 19},
        ImportCase{"a dataset key", named_new(), content_of(40, 32), ImportCase::Key::given},
        ImportCase{"a generated key", named_new(), {}, ImportCase::Key::generated, 7}));

TEST(AnImportOfWhatIsThereAlready, MayBeStoppedAnywhereAndChangesNothing) {
  World world;
  const auto start = two_living_assets(world);
  const std::size_t blobs = blob_files(world.disk);
  ImportWish wish = small_asset("older", 1);
  StopPlan plan;
  plan.stride = 5;
  plan.act = [&](World& w) {
    if (w.open().ok()) static_cast<void>(w.import(wish).ok());
  };
  plan.check = [&](World& w) {
    EXPECT_EQ(w.assets.size(), 2U);
    expect_sound(w, Seen(), Look::readings);
    expect_repairs(w, blobs);
    EXPECT_TRUE(done(w.import(wish)));
    EXPECT_EQ(blob_files(w.disk), blobs);
  };
  stop_everywhere(world, *start, plan);
}

TEST(AnAbortedImport, MayBeStoppedAnywhereAndItsNameCanBeUsedAgain) {
  World world;
  const auto start = two_living_assets(world);
  const std::size_t blobs = blob_files(world.disk);
  StopPlan plan;
  plan.stride = 5;
  bool aborted = false;
  plan.act = [&](World& w) {
    aborted = w.open().ok() && w.import(small_asset("new", 50), World::Ending::abort).ok();
  };
  plan.check = [&](World& w) {
    EXPECT_TRUE(!aborted || blob_files(w.disk) == blobs);
    EXPECT_FALSE(w.store->resolve_asset("new", catalog::NameScope::any).ok());
    // With other content, and before anybody has tidied up.
    ASSERT_TRUE(done(w.import(small_asset("new", 60))));
    expect_sound(w, Seen(), Look::readings);
    expect_repairs(w, blobs + 1);
  };
  stop_everywhere(world, *start, plan);
}

// Not the machine but one write or sync fails, and the process goes on as far as it may.
TEST(AnImportWithAFailingDisk, LosesNothingAndLeavesNothing) {
  World world;
  const auto start = two_living_assets(world);
  const std::size_t blobs = blob_files(world.disk);
  const ImportWish wish = small_asset("new", 70);
  for (std::uint64_t n = 1;; n += test_all() ? 1 : 3) {
    for (const bool sync : {false, true}) {
      SCOPED_TRACE((sync ? "failed sync " : "failed operation ") + std::to_string(n));
      world.go_back(*start);
      ASSERT_TRUE(done(world.open()));
      sync ? world.disk.fail_sync_at(n) : world.disk.fail_operation_at(n);
      const bool imported = world.import(wish).ok();
      if (imported && !sync) return;  // it needed fewer operations than that
      const bool went_on = !imported && !world.store->must_stop();
      world.disk.fail_sync_at(0);
      world.disk.fail_operation_at(0);
      EXPECT_TRUE(!went_on || done(world.import_key("another", std::nullopt)));
      world.crash({Crash::Kind::power_cut, n % 2 == 0 ? Cut::lose_all : Cut::scatter, n});
      ASSERT_TRUE(done(world.open()));
      const auto found = world.store->resolve_asset("new", catalog::NameScope::living);
      EXPECT_TRUE(found.ok() || !imported);
      if (found.ok() && !imported) {
        const auto view = world.store->show_asset(*found);
        ASSERT_TRUE(done(view));
        world.remember(*view, wish);
      }
      expect_sound(world, Seen(), Look::readings);
      expect_repairs(world, blobs + (found.ok() ? 1 : 0));
      ASSERT_FALSE(HasFailure());
    }
  }
}

TEST(AnImportOnAFullDisk, IsRefusedAndLosesNothing) {
  World world;
  const auto start = two_living_assets(world);
  const std::size_t blobs = blob_files(world.disk);
  ASSERT_TRUE(done(world.open()));
  std::size_t refused = 0;
  for (std::uint64_t room = 0; room < (200U << 10); room += test_all() ? 4096 : 28672) {
    SCOPED_TRACE(std::to_string(room) + " bytes of room");
    world.go_back(*start);
    ASSERT_TRUE(done(world.open()));
    ASSERT_TRUE(done(cut_journal(world.disk)));
    const auto free = world.disk.free_space(kStoreDirectory);
    ASSERT_TRUE(done(free));
    constexpr std::uint64_t kNoLimit = 1ULL << 40;
    world.disk.set_capacity(kNoLimit - *free + room);
    const Status imported = world.import(small_asset("new", 80));
    world.disk.set_capacity(kNoLimit);
    if (!imported.ok()) {
      ++refused;
      EXPECT_EQ(imported.error().code, Errc::no_space) << imported.error().message;
      EXPECT_FALSE(world.store->must_stop()) << imported.error().message;
    }
    expect_sound(world, Seen(), Look::readings);
    ASSERT_TRUE(done(world.open()));
    expect_sound(world, Seen(), Look::readings);
    expect_repairs(world, blobs + (imported.ok() ? 1 : 0));
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(refused, 1U);
}

}  // namespace
}  // namespace aierase::test
