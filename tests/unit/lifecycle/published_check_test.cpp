// check goes through STORE/log: what strangers fetch is what the database has.
#include <gtest/gtest.h>

#include "unit/lifecycle/published_log.h"

namespace aierase::test {
namespace {

class ACheckOfThePublishedLog : public APublishedLog {
 protected:
  // "code path" of each finding about the log.
  std::vector<std::string> rest_of(lifecycle::CheckRun& run) {
    for (;;) {
      const Result<bool> more = run.step();
      EXPECT_TRUE(done(more));
      if (!more.ok() || !*more) break;
    }
    std::vector<std::string> found;
    for (const lifecycle::Finding& finding : run.findings()) {
      if (finding.code.starts_with("log-")) found.push_back(finding.code + " " + finding.subject);
    }
    return found;
  }
  std::vector<std::string> check() {
    lifecycle::CheckRun run(*world.store, {}, lifecycle::CheckDepth::structure);
    return rest_of(run);
  }
  void grow_beyond(std::uint64_t size) {
    while (log_size() <= size) ASSERT_TRUE(done(world.read_back(world.asset("model:2"))));
    ASSERT_TRUE(done(publish(world)));
  }
  std::string in_log(const std::string& path) { return std::string(kLogDirectory) + "/" + path; }
};

using Findings = std::vector<std::string>;

TEST_F(ACheckOfThePublishedLog, FindsNothingWhereThereIsNoneOrAllIsWell) {
  EXPECT_EQ(check(), Findings());
  ASSERT_TRUE(done(world.erase({"model:1"})));
  EXPECT_EQ(check(), Findings());
  grow_beyond(1'300);
  EXPECT_EQ(check(), Findings());
}

TEST_F(ACheckOfThePublishedLog, NamesEachFileThatSaysSomethingElse) {
  ASSERT_TRUE(done(world.erase({"model:1"})));
  const std::string width = std::to_string(log_size());
  for (const std::string& path : {in_log("checkpoint"), in_log("tile/0/000.p/" + width),
                                  in_log("tile/entries/000.p/" + width)}) {
    const auto before = read_file(world.disk, path, 1 << 20);
    ASSERT_TRUE(done(before));
    overwrite(path, as_bytes("X"));
    EXPECT_EQ(check(), Findings{"log-file-differs " + path});
    overwrite(path, *before);
    EXPECT_EQ(check(), Findings());
  }
}

TEST_F(ACheckOfThePublishedLog, NamesWhatIsMissingAndHasItWrittenAnew) {
  ASSERT_TRUE(done(world.erase({"model:1"})));
  const std::string path = in_log("tile/entries/000.p/" + std::to_string(log_size()));
  ASSERT_TRUE(done(world.disk.unlink(path)));
  EXPECT_EQ(check(), Findings{"log-file-missing " + path});
  ASSERT_TRUE(done(world.execute()));
  EXPECT_EQ(check(), Findings());
  EXPECT_TRUE(verified(verify_published(world)));
}

// Between two steps of a check the log may grow, and drop files that are not the newest.
TEST_F(ACheckOfThePublishedLog, TakesAFullTileForThePartialOneThatItReplaced) {
  grow_beyond(1'100);
  lifecycle::CheckRun run(*world.store, {}, lifecycle::CheckDepth::structure);
  for (int step = 0; step < 3; ++step) ASSERT_TRUE(done(run.step()));
  grow_beyond(1'300);
  EXPECT_EQ(rest_of(run), Findings());
}

}  // namespace
}  // namespace aierase::test
