// Readers behind a view: whoever reads, from wherever, gets the right bytes, and no more is opened
// than is asked for, but for what is read forward.
#include "view/streams.h"

#include <atomic>
#include <random>
#include <thread>

#include "unit/blob/blob_fixture.h"

namespace aierase::blob {
namespace {

constexpr std::size_t kSegment = crypto::kFloeSegmentPlaintext;

class AView : public BlobTest {
 protected:
  void SetUp() override {
    large_ = content_of(7, 48 * kSegment + 5);
    small_ = content_of(8, 70'000);
    manifest_ = import({{"large", large_}, {"small", small_}});
    streams_.emplace(env_, options_, manifest_.blobs, key(), progress_);
  }
  bool agrees(std::size_t file, std::uint64_t offset, std::uint64_t length) {
    Result<view::Streams::Pinned> pinned = streams_->pin(manifest_.files[file], offset, length);
    return pinned.ok() && agrees(*pinned, file, offset, length);
  }
  bool agrees(view::Streams::Pinned& pinned, std::size_t file, std::uint64_t offset,
              std::uint64_t length) {
    const auto opened = pinned.open();
    if (!opened.ok()) return false;
    Bytes together;
    for (const ByteView part : *opened) append(together, part);
    const ByteView wanted = ByteView(file == 0 ? large_ : small_).subspan(offset, length);
    return std::equal(together.begin(), together.end(), wanted.begin(), wanted.end());
  }
  // Segments that are read meanwhile.
  template <typename Act>
  std::size_t segments_read(Act act) {
    std::atomic<std::size_t> count{0};
    env_.at_read = [&](std::uint64_t, std::size_t) { ++count; };
    act();
    streams_.reset();  // ends its threads
    env_.at_read = {};
    return count;
  }

  Bytes large_, small_;
  domain::Manifest manifest_;
  std::optional<view::Streams> streams_;
};

TEST_F(AView, IsReadForwardInSmallPieces) {
  for (std::uint64_t at = 0; at < large_.size(); at += 131'072) {
    ASSERT_TRUE(agrees(0, at, std::min<std::uint64_t>(131'072, large_.size() - at))) << at;
  }
  EXPECT_TRUE(agrees(1, 0, small_.size()));
}

TEST_F(AView, OpensEachSegmentOnceWhereItIsReadForward) {
  const std::size_t read = segments_read([&] {
    for (std::uint64_t at = 0; at + 131'072 <= large_.size(); at += 131'072) agrees(0, at, 131'072);
  });
  EXPECT_LE(read, 49U + 1U);  // and the page with the header
}

TEST_F(AView, OpensNothingAheadWhereItIsReadHereAndThere) {
  const std::size_t read = segments_read([&] {
    agrees(0, 36 * kSegment + 1, 100);
    agrees(0, 8 * kSegment + 1, 100);
    agrees(0, 24 * kSegment + 1, 100);
  });
  EXPECT_LE(read, 3U + 3U);  // each of three readers looks at the header
}

TEST_F(AView, ServesManyReadersAtOnce) {
  std::atomic<unsigned> wrong{0};
  std::vector<std::thread> readers;
  for (unsigned seed = 0; seed < 6; ++seed) {
    readers.emplace_back([&, seed] {
      std::mt19937 chance(seed);
      for (int i = 0; i < 40; ++i) {
        const std::uint64_t at = chance() % large_.size();
        const auto length = std::min<std::uint64_t>(chance() % 300'000, large_.size() - at);
        if (!agrees(0, at, length)) ++wrong;
        if (i % 10 == 0) streams_->rest();
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0U);
}

// As the daemon does: who comes first takes his place first, and is not waited for.
TEST_F(AView, OpensWhatIsPinnedInWhateverOrder) {
  constexpr std::size_t kPiece = 256 << 10;
  for (std::uint64_t at = 0; at + limits::kLanesPerJob * kPiece <= large_.size();
       at += limits::kLanesPerJob * kPiece) {
    std::vector<view::Streams::Pinned> pinned;
    for (std::size_t i = 0; i < limits::kLanesPerJob; ++i) {
      auto one = streams_->pin(manifest_.files[0], at + i * kPiece, kPiece);
      ASSERT_TRUE(one.ok());
      pinned.push_back(std::move(*one));
    }
    std::vector<std::thread> readers;
    std::atomic<unsigned> wrong{0};
    for (std::size_t i = limits::kLanesPerJob; i-- > 0;) {
      readers.emplace_back([&, i] {
        if (!agrees(pinned[i], 0, at + i * kPiece, kPiece)) ++wrong;
      });
    }
    for (std::thread& reader : readers) reader.join();
    ASSERT_EQ(wrong, 0U) << at;
  }
}

// The kernel is answered from where it lies, while others read on.
TEST_F(AView, KeepsWhatIsPinned) {
  auto pinned = streams_->pin(manifest_.files[0], 17, 2000);
  ASSERT_TRUE(pinned.ok());
  const auto opened = pinned->open();
  ASSERT_TRUE(opened.ok());
  for (std::uint64_t at = 0; at + 131'072 <= large_.size(); at += 131'072) {
    ASSERT_TRUE(agrees(0, at, 131'072));
  }
  streams_->close();
  ASSERT_EQ(opened->size(), 1U);
  const ByteView part = opened->front();
  EXPECT_TRUE(std::equal(part.begin(), part.end(), large_.begin() + 17, large_.begin() + 2017));
}

TEST_F(AView, GivesBackWhatNobodyUsesAndReadsOn) {
  ASSERT_TRUE(agrees(0, 0, 1000));
  streams_->rest();
  streams_->rest();
  EXPECT_TRUE(agrees(0, 1000, 1000));
}

TEST_F(AView, HasNoKeyOnceItIsClosed) {
  ASSERT_TRUE(agrees(0, 0, 1000));
  streams_->close();
  EXPECT_FALSE(agrees(0, 0, 1000));
}

TEST_F(AView, NamesWhatIsDamaged) {
  std::fstream file(path_of(manifest_.blobs[0]), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(kPageBytes + 100));
  file.put('x').put('y');
  file.close();
  auto pinned = streams_->pin(manifest_.files[0], 0, 1000);
  ASSERT_TRUE(pinned.ok());
  const auto opened = pinned->open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Errc::damaged);
  EXPECT_NE(opened.error().message.find("large"), std::string::npos);
}

}  // namespace
}  // namespace aierase::blob
