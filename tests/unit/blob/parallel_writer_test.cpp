#include "blob/parallel_writer.h"

#include <unistd.h>

#include "base/unique_fd.h"
#include "blob/descriptor_io.h"
#include "unit/blob/blob_fixture.h"

namespace aierase::blob {
namespace {

constexpr std::size_t kLarge = limits::kPackFileBytes + 3 * kRunPlaintext + 17;

// Owns its content, and says how much it is, as a descriptor of a regular file does.
class OwnedSource final : public ByteSource {
 public:
  explicit OwnedSource(Bytes content, std::function<Status(std::size_t)> before = {})
      : content_(std::move(content)), source_(content_, 1 << 20, std::move(before)) {}
  Result<std::size_t> read(ByteSpan to) override { return source_.read(to); }
  std::optional<std::uint64_t> expected() override { return content_.size(); }

 private:
  const Bytes content_;
  MemorySource source_;
};

class AnImportOfManyFiles : public BlobTest {
 protected:
  std::unique_ptr<ParallelWriter> start(std::size_t lanes) {
    return std::make_unique<ParallelWriter>(
        env_, options_.directory, lanes,
        [this] {
          ++writers_;
          return writer();
        },
        [this] {
          ++stops_;
          progress_.cancelled.store(true);
        });
  }
  static Status add(ParallelWriter& to, const std::string& path, Bytes content) {
    return to.add_file(path, std::make_unique<OwnedSource>(std::move(content)));
  }

  std::atomic<int> writers_{0};
  std::atomic<int> stops_{0};
};

TEST_F(AnImportOfManyFiles, KeepsTheirOrderWhicheverLaneReadThem) {
  auto into = start(3);
  // The first three keep their lanes until more files wait.
  BoundedQueue<int> gate(1);
  const auto held = [&](std::size_t) -> Status {
    gate.pop();
    return {};
  };
  std::vector<Named> files;
  for (std::size_t i = 0; i < 40; ++i) {
    files.push_back(
        {"shard-" + std::to_string(i), content_of(i, i < 3 || i % 5 == 0 ? kLarge + i : i * 99)});
    if (i == 12) gate.close();
    ASSERT_TRUE(into->add_file(files.back().path,
                               i < 3 ? std::make_unique<OwnedSource>(files.back().content, held)
                                     : std::make_unique<OwnedSource>(files.back().content))
                    .ok());
  }
  const Result<domain::Manifest> manifest = into->finish();
  ASSERT_TRUE(manifest.ok()) << manifest.error().message;
  ASSERT_EQ(manifest->files.size(), files.size());
  EXPECT_EQ(writers_, 3);
  EXPECT_EQ(progress_.files.load(), files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(manifest->files[i].path, files[i].path);
    EXPECT_EQ(manifest->files[i].sha256, crypto::sha256(files[i].content));
    EXPECT_TRUE(whole(*manifest, i).value() == files[i].content) << i;
  }
  into.reset();
  EXPECT_EQ(files_on_disk().size(), manifest->blobs.size());
}

TEST_F(AnImportOfManyFiles, CostsOneLaneAndOnePackWhenTheyAreFewAndSmall) {
  auto into = start(4);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(add(*into, std::to_string(i), content_of(1, 1000)).ok());
  }
  const Result<domain::Manifest> manifest = into->finish();
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(manifest->blobs.size(), 1U);
  EXPECT_EQ(writers_, 1);
}

// The first large file of two waits for somebody who never gives anything; the other one fails.
TEST_F(AnImportOfManyFiles, EndsWithTheErrorOfTheFileThatFailedWhileOthersWait) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const UniqueFd silent(ends[0]);
  const UniqueFd held_open(ends[1]);
  auto into = start(2);
  class Waiting final : public ByteSource {
   public:
    Waiting(int fd, const std::atomic<bool>& cancelled) : source_(fd, cancelled) {}
    Result<std::size_t> read(ByteSpan to) override { return source_.read(to); }

   private:
    DescriptorSource source_;
  };
  ASSERT_TRUE(
      into->add_file("waits", std::make_unique<Waiting>(silent.get(), progress_.cancelled)).ok());
  ASSERT_TRUE(into->add_file("fails", std::make_unique<OwnedSource>(
                                          content_of(1, kLarge),
                                          [](std::size_t given) -> Status {
                                            if (given < (9U << 20)) return {};
                                            return make_error(Errc::legal_hold, "no further");
                                          }))
                  .ok());
  const Result<domain::Manifest> manifest = into->finish();
  ASSERT_FALSE(manifest.ok());
  EXPECT_EQ(manifest.error().code, Errc::legal_hold) << manifest.error().message;
  EXPECT_NE(manifest.error().message.find("fails"), std::string::npos) << manifest.error().message;
  EXPECT_EQ(stops_, 1);
  EXPECT_TRUE(files_on_disk().empty());
}

TEST_F(AnImportOfManyFiles, LeavesNothingWhenTheLastLaneCannotMakeItsBlobDurable) {
  std::atomic<int> syncs{0};
  env_.at_sync = [&]() -> Status {
    if (++syncs < 3) return {};
    return make_error(Errc::io, "the disk has gone");
  };
  auto into = start(3);
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(add(*into, std::to_string(i), content_of(i, kLarge)).ok());
  }
  const Result<domain::Manifest> manifest = into->finish();
  ASSERT_FALSE(manifest.ok());
  EXPECT_EQ(manifest.error().code, Errc::io);
  into.reset();
  EXPECT_TRUE(files_on_disk().empty());
}

TEST_F(AnImportOfManyFiles, LeavesNothingWhereverItIsCancelled) {
  for (std::size_t moment = 1; moment <= 40; moment += 3) {
    std::atomic<std::size_t> writes{0};
    progress_.cancelled.store(false);
    env_.after_write = [&](std::size_t) -> Status {
      if (++writes == moment) progress_.cancelled.store(true);
      return {};
    };
    auto into = start(3);
    for (std::size_t i = 0; i < 4; ++i) {
      const Status added = add(*into, std::to_string(i), content_of(i, kLarge));
      if (added.ok()) continue;
      EXPECT_EQ(added.error().code, Errc::cancelled);
      break;
    }
    const Result<domain::Manifest> manifest = into->finish();
    ASSERT_FALSE(manifest.ok()) << moment;
    into.reset();
    EXPECT_TRUE(files_on_disk().empty()) << moment;
  }
}

TEST_F(AnImportOfManyFiles, RefusesAFileBelowAnotherWhicheverComesFirst) {
  const std::vector<std::vector<std::string>> orders = {
      {"a", "a/b"}, {"a/b", "a"}, {"a/b/c/d", "a/b/c/e", "a/b"}, {"a/b", "a/c", "a/b/c/d"}};
  for (const std::vector<std::string>& order : orders) {
    auto into = start(2);
    for (std::size_t i = 0; i + 1 < order.size(); ++i) {
      ASSERT_TRUE(add(*into, order[i], content_of(i, 100)).ok());
    }
    const Status refused = add(*into, order.back(), content_of(9, 100));
    ASSERT_FALSE(refused.ok()) << order.back();
    EXPECT_EQ(refused.error().code, Errc::invalid_input);
    EXPECT_NE(refused.error().message.find("a file and a directory"), std::string::npos);
  }
  auto into = start(2);
  for (const char* path : {"a/b", "a/bc", "a-b", "ab", "a/b.c/d"}) {
    EXPECT_TRUE(add(*into, path, content_of(1, 100)).ok()) << path;
  }
  EXPECT_TRUE(into->finish().ok());
}

TEST_F(AnImportOfManyFiles, RefusesAPathThatComesTwiceAndUnlinksTheRest) {
  auto into = start(2);
  ASSERT_TRUE(add(*into, "a", content_of(1, kLarge)).ok());
  EXPECT_EQ(add(*into, "a", content_of(2, 5)).error().code, Errc::invalid_input);
  EXPECT_EQ(add(*into, "../b", content_of(2, 5)).error().code, Errc::invalid_input);
  into.reset();
  EXPECT_TRUE(files_on_disk().empty());
}

}  // namespace
}  // namespace aierase::blob
