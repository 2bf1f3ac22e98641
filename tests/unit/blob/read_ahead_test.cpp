#include <chrono>
#include <condition_variable>
#include <deque>
#include <set>
#include <thread>

#include "blob/parallel_writer.h"
#include "blob/read_ahead.h"
#include "unit/blob/blob_fixture.h"

namespace aierase::blob {
namespace {

constexpr std::size_t kPlain = crypto::kFloeSegmentPlaintext;

class ReadingAhead : public BlobTest {
 protected:
  // Numbers of the segments that were read from the disk, and how often.
  void watch() {
    env_.at_read = [this](std::uint64_t offset, std::size_t) {
      if (offset < kPageBytes) return;
      const std::lock_guard lock(mutex_);
      read_.insert((offset - kPageBytes) / crypto::kFloeSegmentBytes);
      one_more_.notify_all();
    };
  }

  // The files of a manifest, whose neighbours lie in different packs, as several lanes write them.
  domain::Manifest by_turns(std::size_t packs, const std::vector<Named>& files) {
    domain::Manifest whole;
    whole.files.resize(files.size());
    for (std::size_t pack = 0; pack < packs; ++pack) {
      std::vector<Named> own;
      for (std::size_t i = pack; i < files.size(); i += packs) own.push_back(files[i]);
      domain::Manifest part = import(own);
      for (std::size_t i = 0; i < own.size(); ++i) {
        whole.files[pack + i * packs] = std::move(part.files[i]);
      }
      whole.blobs.push_back(part.blobs.at(0));
    }
    return whole;
  }
  void expect_each_segment_once(const domain::Manifest& manifest) {
    std::multiset<std::uint64_t> each;
    for (const domain::BlobEntry& blob : manifest.blobs) {
      for (std::uint64_t i = 0; i < segment_count(blob.bytes); ++i) each.insert(i);
    }
    EXPECT_EQ(read_, each);
  }

  // Whether it is read sooner or later.
  bool comes(std::uint64_t segment) {
    std::unique_lock lock(mutex_);
    return one_more_.wait_for(lock, std::chrono::seconds(30),
                              [&] { return read_.count(segment) > 0; });
  }

  std::mutex mutex_;
  std::condition_variable one_more_;
  std::multiset<std::uint64_t> read_;
};

TEST_F(ReadingAhead, TouchesOnlyTheSegmentsOfTheRange) {
  const domain::Manifest manifest = import({{"large", content_of(1, 30 * kPlain)}});
  watch();
  AssetReader from = reader(manifest);
  ASSERT_TRUE(range(from, manifest.files[0], 5 * kPlain + 10, 6 * kPlain).ok());
  EXPECT_EQ(read_, (std::multiset<std::uint64_t>{5, 6, 7, 8, 9, 10, 11}));
  read_.clear();
  ASSERT_TRUE(range(from, manifest.files[0], 20 * kPlain, 1).ok());
  EXPECT_EQ(read_, (std::multiset<std::uint64_t>{20}));
}

TEST_F(ReadingAhead, ReadsEachSegmentOnceWhenEverythingIsWanted) {
  std::vector<Named> files;
  for (std::size_t i = 0; i < 60; ++i) {
    files.push_back({std::to_string(i), content_of(i, kPlain + i)});
  }
  const domain::Manifest manifest = import(files);
  watch();
  AssetReader from = reader(manifest);
  from.expect(AssetReader::Expect::everything);
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_TRUE(range(from, manifest.files[i], 0, manifest.files[i].bytes).value() ==
                files[i].content);
  }
  EXPECT_EQ(read_.size(), segment_count(manifest.blobs[0].bytes));
  EXPECT_EQ(std::set<std::uint64_t>(read_.begin(), read_.end()).size(), read_.size());
}

TEST_F(ReadingAhead, ReadsEachSegmentOnceWhenNeighboursLieInDifferentPacks) {
  std::vector<Named> files;
  for (std::size_t i = 0; i < 160; ++i) {
    // A pack has fifty segments, more than what is opened ahead.
    files.push_back({std::to_string(i), content_of(i, kPlain * 5 / 4 + i)});
  }
  const domain::Manifest manifest = by_turns(limits::kLanesPerJob, files);
  watch();
  for (const auto expected : {AssetReader::Expect::ranges, AssetReader::Expect::everything}) {
    read_.clear();
    AssetReader from = reader(manifest);
    from.expect(expected);
    for (std::size_t i = 0; i < files.size(); ++i) {
      ASSERT_TRUE(range(from, manifest.files[i], 0, manifest.files[i].bytes).value() ==
                  files[i].content);
    }
    expect_each_segment_once(manifest);
  }
}

// What was opened ahead of the small ones, whose turn may come late, does not keep the room.
TEST_F(ReadingAhead, ReadsTheLargeFilesAmongSmallOnesAheadToo) {
  std::vector<Named> small, large;
  for (std::size_t i = 0; i < 80; ++i) {
    small.push_back({std::to_string(i), content_of(i, kPlain)});
  }
  large.push_back({"large", content_of(99, 120 * kPlain)});
  const domain::Manifest pack = import(small), own = import(large);
  domain::Manifest manifest = pack;
  manifest.files.push_back(own.files[0]);
  manifest.blobs.push_back(own.blobs[0]);
  watch();  // the pack has eighty segments
  AssetReader from = reader(manifest);
  from.expect(AssetReader::Expect::everything);
  ASSERT_TRUE(range(from, manifest.files[0], 0, kPlain).ok());
  ASSERT_TRUE(range(from, manifest.files[80], 0, 80 * kPlain).ok());
  EXPECT_TRUE(comes(80)) << "beyond what was given out";
}

// An answer to the kernel goes out as it lies here, in one piece, while others are made.
TEST_F(ReadingAhead, KeepsTheStretchesThatArePinned) {
  const Bytes content = content_of(1, 80 * kPlain);
  const domain::Manifest manifest = import({{"large", content}});
  const std::size_t stretch = AssetReader::kMostAtOnce;
  const std::size_t ahead = kSegmentsAhead * (lanes_of_this_machine() + 1) - 1;
  watch();
  for (const auto expected : {AssetReader::Expect::ranges, AssetReader::Expect::everything}) {
    read_.clear();
    AssetReader from = reader(manifest);
    from.expect(expected);
    std::deque<std::pair<std::size_t, AssetReader::Stretch>> pinned;
    for (std::size_t at = 20; at + stretch <= content.size(); at += kPlain + 3) {
      auto one = from.pin(manifest.files[0], at, stretch);
      ASSERT_TRUE(one.ok());
      pinned.emplace_back(at, std::move(*one));
      if (pinned.size() < limits::kLanesPerJob) continue;
      const auto opened = pinned.front().second.open();
      ASSERT_TRUE(opened.ok());
      ASSERT_LE(opened->size(), AssetReader::Stretch::kParts);
      if (expected == AssetReader::Expect::everything) {
        // The threads do not stop at what is pinned.
        ASSERT_TRUE(comes(std::min<std::uint64_t>((at + stretch) / kPlain + ahead, 79)));
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      Bytes together;
      for (const ByteView part : *opened) append(together, part);
      const ByteView wanted = ByteView(content).subspan(pinned.front().first, stretch);
      ASSERT_TRUE(std::equal(together.begin(), together.end(), wanted.begin(), wanted.end())) << at;
      pinned.pop_front();
    }
  }
}

TEST_F(ReadingAhead, PinsNoMoreThanItHasRoomFor) {
  const domain::Manifest manifest = import({{"large", content_of(1, 100 * kPlain)}});
  AssetReader from = reader(manifest);
  EXPECT_FALSE(from.pin(manifest.files[0], 0, AssetReader::kMostAtOnce + 1).ok());
  std::vector<AssetReader::Stretch> pinned;
  for (std::size_t i = 0; i < 100; ++i) {
    auto one = from.pin(manifest.files[0], i * kPlain, 1);
    if (!one.ok()) break;
    pinned.push_back(std::move(*one));
  }
  EXPECT_GE(pinned.size(), kMostPinned);
  EXPECT_LE(pinned.size(), kMostSegments);
  pinned.clear();
  EXPECT_TRUE(range(from, manifest.files[0], 0, 100 * kPlain).ok());
}

TEST_F(ReadingAhead, GivesOutNothingThatWasPinnedBeforeARevocation) {
  const domain::Manifest manifest = import({{"large", content_of(1, 3 * kPlain)}});
  AssetReader from = reader(manifest);
  auto pinned = from.pin(manifest.files[0], 10, 2 * kPlain / 3);
  ASSERT_TRUE(pinned.ok());
  from.revoke();
  const auto opened = pinned->open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Errc::erased);
}

TEST_F(ReadingAhead, GivesOutNothingOfASegmentThatIsDamagedAndAllBeforeIt) {
  const Bytes content = content_of(1, 30 * kPlain);
  const domain::Manifest manifest = import({{"large", content}});
  const std::string path = path_of(manifest.blobs[0]);
  Bytes changed = bytes_of(path);
  changed[kPageBytes + 17 * crypto::kFloeSegmentBytes + 99] ^= std::byte{1};
  put_bytes(path, changed);
  AssetReader from = reader(manifest);
  MemorySink sink;
  const Status copied = from.copy_range(manifest.files[0], 0, content.size(), sink);
  ASSERT_FALSE(copied.ok());
  EXPECT_EQ(copied.error().code, Errc::damaged);
  EXPECT_NE(copied.error().message.find("segment 17"), std::string::npos);
  ASSERT_EQ(sink.bytes.size(), 17 * kPlain);
  EXPECT_TRUE(std::equal(sink.bytes.begin(), sink.bytes.end(), content.begin()));
  // Mended, the same reader goes on.
  changed[kPageBytes + 17 * crypto::kFloeSegmentBytes + 99] ^= std::byte{1};
  put_bytes(path, changed);
  EXPECT_TRUE(range(from, manifest.files[0], 17 * kPlain, 100).ok());
}

TEST_F(ReadingAhead, EndsWhenTheAssetIsRevokedInTheMiddle) {
  const domain::Manifest manifest = import({{"large", content_of(1, 30 * kPlain)}});
  AssetReader from = reader(manifest);
  class Revoking final : public ByteSink {
   public:
    explicit Revoking(AssetReader& reader) : reader_(reader) {}
    Status write(ByteView from) override {
      bytes += from.size();
      if (bytes >= 4 * kPlain) reader_.revoke();
      return {};
    }
    std::size_t bytes = 0;

   private:
    AssetReader& reader_;
  };
  Revoking sink(from);
  EXPECT_EQ(from.copy_range(manifest.files[0], 0, 30 * kPlain, sink).error().code, Errc::erased);
  EXPECT_EQ(sink.bytes, 4 * kPlain);
}

}  // namespace
}  // namespace aierase::blob
