// A deep check goes on in steps, and between two of them the store lives on.
#include <gtest/gtest.h>

#include <algorithm>

#include "blob/layout.h"
#include "crypto/floe.h"
#include "fault/support/inspect.h"
#include "fault/support/world.h"
#include "lifecycle/standing.h"

namespace aierase::test {
namespace {

constexpr std::size_t kSegment = crypto::kFloeSegmentPlaintext;

class ADeepCheck : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(done(world.init()));
    ASSERT_TRUE(done(world.open()));
  }
  // Goes on to the end; each step reads sixteen runs of segments and what surrounds them at most.
  void run_in_short_steps(lifecycle::CheckRun& run) {
    while (true) {
      const std::uint64_t before = world.disk.bytes_read(kBlobs);
      const Result<bool> more = run.step();
      ASSERT_TRUE(done(more));
      EXPECT_LT(world.disk.bytes_read(kBlobs) - before, 16 * blob::kRunBytes + kAround);
      if (!*more) return;
    }
  }

  static constexpr const char* kBlobs = "/store/blobs/";
  static constexpr std::size_t kAround = 100 * 4096;  // pages with headers
  World world;
};

// More packs than are held open, as imports and a long life lay them, and more than one step.
TEST_F(ADeepCheck, ReadsEachSegmentOnceHoweverTheFilesLieInThePacks) {
  ImportWish wide;
  wide.name = "wide:1";
  wide.packs = 7;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < 70; ++i) {
    wide.files.push_back({"f" + std::to_string(i), content_of(i, kSegment * 4 / 3 + i)});
    bytes += wide.files.back().bytes.size();
  }
  ASSERT_TRUE(done(world.import(wide)));
  const std::uint64_t before = world.disk.bytes_read(kBlobs);
  lifecycle::CheckRun run(*world.store, {world.asset("wide:1").id}, lifecycle::CheckDepth::deep);
  run_in_short_steps(run);
  EXPECT_EQ(to_string(run.findings()), "");
  EXPECT_EQ(run.bytes(), bytes);
  const std::uint64_t read = world.disk.bytes_read(kBlobs) - before;
  EXPECT_GE(read, bytes);
  EXPECT_LT(read, bytes + kAround);
}

TEST_F(ADeepCheck, TakesShortStepsThroughManyFilesOfADamagedSegment) {
  ImportWish wish;
  wish.name = "m:1";
  for (std::size_t i = 0; i < 60; ++i) {
    wish.files.push_back({"f" + std::to_string(i), content_of(i, 1000)});
  }
  wish.files.push_back({"rest", content_of(99, 2 * kSegment)});
  ASSERT_TRUE(done(world.import(wish)));
  for (const auto& [path, content] : everything(world.disk)) {
    if (path.starts_with(kBlobs) && content.size() > kSegment) {
      world.disk.poke(path, 5000, Bytes(1, ~content[5000]));
    }
  }
  lifecycle::CheckRun run(*world.store, {world.asset("m:1").id}, lifecycle::CheckDepth::deep);
  run_in_short_steps(run);
  EXPECT_EQ(run.findings().size(), 61U);
}

TEST_F(ADeepCheck, SaysNothingOfTheNextAssetWhenOneIsErasedInItsMiddle) {
  ImportWish large;
  large.name = "large:1";
  large.files = {{"weights.bin", content_of(1, 160 * kSegment)}};
  ASSERT_TRUE(done(world.import(large)));
  ASSERT_TRUE(done(world.import(small_asset("next:1", 2))));
  lifecycle::CheckRun run(*world.store, {world.asset("large:1").id, world.asset("next:1").id},
                          lifecycle::CheckDepth::deep);
  ASSERT_TRUE(*run.step());
  ASSERT_EQ(run.assets(), 0U) << "it stands in the middle of the first";
  ASSERT_TRUE(done(world.erase({"large:1"})));
  Result<bool> more(true);
  while (more.ok() && *more) more = run.step();
  ASSERT_TRUE(done(more));
  EXPECT_EQ(to_string(run.findings()), "");
  EXPECT_EQ(run.assets(), 2U);
}

// ---- what people decided ------------------------------------------------------------------------

struct AlteredWord {
  const char* name;
  const char* sql;
  const char* finding;
};
void PrintTo(const AlteredWord& one, std::ostream* out) {
  *out << one.name;
}

class ACheckOfWords : public ::testing::TestWithParam<AlteredWord> {
 protected:
  // A hold, a loaded policy, an approved plan in its grace, a rejected one, a standing approval.
  void SetUp() override {
    ASSERT_TRUE(done(world.init(domain::PeopleRule::two_person)));
    ASSERT_TRUE(done(world.open()));
    ASSERT_TRUE(done(world.store->load_policy(
        {bob(), {{"p.toml", "[class.drafts]\nerase-after = \"30 days\"\n"}}, "agreed"})));
    std::uint64_t seed = 0;
    for (const char* name : {"held:1", "going:1", "kept:1"}) {
      ASSERT_TRUE(done(world.import(small_asset(name, ++seed))));
    }
    ASSERT_TRUE(done(world.hold({"name=held:1"})));
    ASSERT_TRUE(done(world.retire({"going:1"})));
    const auto asked = world.request({"kept:1"});
    ASSERT_TRUE(done(asked));
    ASSERT_TRUE(done(world.store->reject(bob(), asked->plan.id, "still in use")));
    ASSERT_TRUE(done(world.store->approve_standing(
        {bob(), "drafts", world.clock.read().wall + std::chrono::hours(24 * 30)})));
  }
  std::vector<std::string> codes() {
    lifecycle::CheckRun run(*world.store, {}, lifecycle::CheckDepth::structure);
    while (true) {
      const Result<bool> more = run.step();
      EXPECT_TRUE(done(more));
      if (!more.ok() || !*more) break;
    }
    std::vector<std::string> codes;
    for (const lifecycle::Finding& finding : run.findings()) codes.push_back(finding.code);
    return codes;
  }
  World world;
};

TEST_P(ACheckOfWords, NamesTheOneThatIsNotAsTheLogHasIt) {
  EXPECT_EQ(codes(), std::vector<std::string>());
  world.close();
  ASSERT_TRUE(done(sql(world.disk, GetParam().sql)));
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(codes(), std::vector<std::string>{GetParam().finding});
}

INSTANTIATE_TEST_SUITE_P(
    ByAnEditor, ACheckOfWords,
    ::testing::Values(
        AlteredWord{"a hold", "UPDATE hold SET matter = 'nothing'", "hold-altered"},
        AlteredWord{"the policy", "UPDATE policy_set SET reason = 'another'", "policy-altered"},
        AlteredWord{"an approval",
                    "UPDATE approval SET reason = 'another' WHERE decision = 'approve'",
                    "approval-altered"},
        AlteredWord{"an item", "UPDATE plan_item SET name = 'other:1' WHERE name = 'going:1'",
                    "plan-altered"},
        AlteredWord{"a moment", "UPDATE plan SET due = due - 1 WHERE due IS NOT NULL",
                    "due-altered"},
        AlteredWord{"a standing approval",
                    "UPDATE standing_approval SET valid_until = valid_until + 86400",
                    "standing-altered"},
        AlteredWord{"a record of an end", "DELETE FROM refusal", "record-missing"}),
    [](const auto& one) {
      std::string name = one.param.name;
      std::replace(name.begin(), name.end(), ' ', '_');
      return name;
    });

}  // namespace
}  // namespace aierase::test
