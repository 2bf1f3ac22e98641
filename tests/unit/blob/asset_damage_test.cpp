#include "unit/blob/blob_fixture.h"

namespace aierase::blob {
namespace {

constexpr std::size_t kSealedSegment = crypto::kFloeSegmentBytes;

class ADamagedBlob : public BlobTest {
 protected:
  ADamagedBlob() {
    manifest_ = import({{"dir/weights.bin", content_of(1, limits::kPackFileBytes + 1000)},
                        {"other.bin", content_of(2, limits::kPackFileBytes + 1000)}});
    path_ = path_of(manifest_.blobs[0]);
    bytes_ = bytes_of(path_);
  }
  void expect_refused() {
    const std::optional<Error> error = complaint(manifest_);
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code, Errc::damaged) << error->message;
    EXPECT_NE(error->message.find("dir/weights.bin"), std::string::npos) << error->message;
  }

  domain::Manifest manifest_;
  std::string path_;
  Bytes bytes_;
};

TEST_F(ADamagedBlob, IsNoticedWhenItIsMissing) {
  std::filesystem::remove(path_);
  expect_refused();
}

TEST_F(ADamagedBlob, IsNoticedWhenItIsTruncated) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{4096}, bytes_.size() - 1, kPageBytes + 3 * kSealedSegment}) {
    put_bytes(path_, ByteView(bytes_).first(size));
    expect_refused();
  }
}

TEST_F(ADamagedBlob, IsRefusedBeforeTheFirstByteWhenItsLengthIsWrong) {
  put_bytes(path_, ByteView(bytes_).first(bytes_.size() - 1));
  AssetReader from = reader(manifest_);
  MemorySink sink;
  EXPECT_FALSE(from.copy_range(manifest_.files[0], 0, manifest_.files[0].bytes, sink).ok());
  EXPECT_TRUE(sink.bytes.empty());
}

TEST_F(ADamagedBlob, IsNoticedWhenItIsExtended) {
  Bytes longer = bytes_;
  longer.push_back(std::byte{0});
  put_bytes(path_, longer);
  expect_refused();
}

TEST_F(ADamagedBlob, IsNoticedWhenASingleBitIsFlippedAnywhere) {
  for (const std::size_t at :
       {kHeaderOffset, kPageBytes - 1, kPageBytes, kPageBytes + 5, kPageBytes + 100,
        kPageBytes + kSealedSegment - 1, bytes_.size() / 2, bytes_.size() - 1}) {
    Bytes changed = bytes_;
    changed[at] ^= std::byte{1};
    put_bytes(path_, changed);
    expect_refused();
  }
}

TEST_F(ADamagedBlob, IsNotASpoiltMagicWhichNobodyTrusts) {
  Bytes changed = bytes_;
  std::fill_n(changed.begin(), kHeaderOffset, std::byte{0xFF});
  put_bytes(path_, changed);
  EXPECT_FALSE(complaint(manifest_).has_value());
}

TEST_F(ADamagedBlob, IsNoticedWhenSegmentsAreSwapped) {
  Bytes changed = bytes_;
  const auto first = changed.begin() + kPageBytes;
  std::swap_ranges(first, first + kSealedSegment, first + kSealedSegment);
  put_bytes(path_, changed);
  expect_refused();
}

TEST_F(ADamagedBlob, IsNoticedWhenASegmentStandsTwice) {
  Bytes changed = bytes_;
  const auto first = changed.begin() + kPageBytes;
  std::copy_n(first, kSealedSegment, first + kSealedSegment);
  put_bytes(path_, changed);
  expect_refused();
}

TEST_F(ADamagedBlob, IsNoticedWhenBlobsAreSwapped) {
  const std::string other = path_of(manifest_.blobs[1]);
  const Bytes others = bytes_of(other);
  put_bytes(path_, others);
  put_bytes(other, bytes_);
  expect_refused();
  // Also when the manifest were forged to match, the key and the associated data say no.
  std::swap(manifest_.blobs[0].floe_header, manifest_.blobs[1].floe_header);
  std::swap(manifest_.blobs[0].seal_id, manifest_.blobs[1].seal_id);
  expect_refused();
}

TEST_F(ADamagedBlob, IsNoticedWhenItIsReplacedByADirectoryOrALink) {
  std::filesystem::rename(path_, path_ + ".moved");
  std::filesystem::create_symlink(path_ + ".moved", path_);
  expect_refused();
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  expect_refused();
}

TEST_F(ADamagedBlob, GivesNothingOfADamagedSegmentAndEverythingBeforeIt) {
  Bytes changed = bytes_;
  changed[kPageBytes + 2 * kSealedSegment + 77] ^= std::byte{1};
  put_bytes(path_, changed);
  AssetReader from = reader(manifest_);
  MemorySink sink;
  EXPECT_FALSE(from.copy_range(manifest_.files[0], 0, manifest_.files[0].bytes, sink).ok());
  EXPECT_EQ(sink.bytes.size(), 2 * crypto::kFloeSegmentPlaintext);
  // The segments around it can still be had.
  EXPECT_TRUE(range(from, manifest_.files[0], 3 * crypto::kFloeSegmentPlaintext, 100).ok());
}

TEST_F(ADamagedBlob, IsAnyBlobUnderAnotherKeyStoreOrAsset) {
  WriterOptions other_store = options_;
  other_store.store = Uuid::random();
  WriterOptions other_asset = options_;
  other_asset.asset = Uuid::random();
  const auto read = [&](const WriterOptions& options, crypto::Dek key) {
    AssetReader from =
        AssetReader::open(env_, options, std::move(key), manifest_, progress_).value();
    return range(from, manifest_.files[0], 0, 10);
  };
  EXPECT_TRUE(read(options_, key()).ok());
  EXPECT_EQ(read(options_, crypto::Dek::random().value()).error().code, Errc::damaged);
  EXPECT_EQ(read(other_store, key()).error().code, Errc::damaged);
  EXPECT_EQ(read(other_asset, key()).error().code, Errc::damaged);
}

TEST_F(ADamagedBlob, IsNoticedByItsSealIdAlone) {
  manifest_.blobs[0].seal_id[0] ^= std::byte{1};
  AssetReader from = reader(manifest_);
  const Status verified = from.verify_blob(manifest_.blobs[0]);
  ASSERT_FALSE(verified.ok());
  EXPECT_EQ(verified.error().code, Errc::damaged);
}

TEST_F(ADamagedBlob, IsNoticedByTheDigestOfItsFileAlone) {
  manifest_.files[0].sha256[0] ^= std::byte{1};
  AssetReader from = reader(manifest_);
  EXPECT_EQ(from.verify_file(manifest_.files[0]).error().code, Errc::damaged);
}

class ARevokedReader : public BlobTest {};

TEST_F(ARevokedReader, GivesNoByteMore) {
  const domain::Manifest manifest = import({{"a", content_of(1, 100)}});
  AssetReader from = reader(manifest);
  EXPECT_TRUE(range(from, manifest.files[0], 0, 10).ok());
  from.revoke();
  EXPECT_EQ(range(from, manifest.files[0], 0, 10).error().code, Errc::erased);
  EXPECT_EQ(from.verify_blob(manifest.blobs[0]).error().code, Errc::erased);
}

TEST_F(ARevokedReader, StopsInTheMiddleOfAFile) {
  const domain::Manifest manifest = import({{"a", content_of(1, 9 << 20)}});
  AssetReader from = reader(manifest);
  class Revoking final : public ByteSink {
   public:
    explicit Revoking(AssetReader& reader) : reader_(reader) {}
    Status write(ByteView from) override {
      bytes += from.size();
      reader_.revoke();
      return {};
    }
    std::size_t bytes = 0;

   private:
    AssetReader& reader_;
  } sink(from);
  EXPECT_EQ(from.copy_range(manifest.files[0], 0, 9 << 20, sink).error().code, Errc::erased);
  EXPECT_EQ(sink.bytes, crypto::kFloeSegmentPlaintext);
}

class AFailedImport : public BlobTest {
 protected:
  // Adds a small and a large file, the second from `source`; returns the first failure.
  Status attempt(ByteSource& source) {
    Result<AssetWriter> into = writer();
    const Bytes small = content_of(1, 100);
    MemorySource first(small);
    RETURN_IF_ERROR(into->add_file("small", first));
    Status added = into->add_file("large", source);
    if (!added.ok()) {
      EXPECT_EQ(into->finish().error().code, Errc::wrong_state);
      return added;
    }
    const Result<domain::Manifest> manifest = into->finish();
    return manifest.ok() ? Status() : Status(manifest.error());
  }
  Bytes large_ = content_of(2, std::size_t{24} << 20);
};

TEST_F(AFailedImport, LeavesNothingWhenItWasCancelled) {
  int reads_after = 0;
  MemorySource source(large_, 1 << 20, [&](std::size_t given) -> Status {
    if (progress_.cancelled) ++reads_after;
    if (given > (std::size_t{16} << 20)) progress_.cancelled = true;
    return {};
  });
  EXPECT_EQ(attempt(source).error().code, Errc::cancelled);
  EXPECT_EQ(reads_after, 0);
  EXPECT_TRUE(files_on_disk().empty());
}

TEST_F(AFailedImport, LeavesNothingWhenItsSourceFailsMidway) {
  MemorySource source(large_, 1 << 20, [&](std::size_t given) -> Status {
    if (given > (std::size_t{16} << 20)) return make_error(Errc::invalid_input, "torn cable");
    return {};
  });
  const Status failed = attempt(source);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Errc::invalid_input);
  EXPECT_EQ(failed.error().message, "file \"large\": torn cable");
  EXPECT_TRUE(files_on_disk().empty());
}

TEST_F(AFailedImport, LeavesNothingWhenTheDiskRefusesAWrite) {
  std::atomic<int> writes{0};
  env_.after_write = [&](std::size_t) -> Status {
    if (++writes == 9) return make_error(Errc::no_space, "no space left on device");
    return {};
  };
  MemorySource source(large_);
  EXPECT_EQ(attempt(source).error().code, Errc::no_space);
  EXPECT_TRUE(files_on_disk().empty());
}

TEST_F(AFailedImport, LeavesNothingWhenTheDiskRefusesASync) {
  env_.at_sync = []() -> Status { return make_error(Errc::io, "input/output error"); };
  MemorySource source(large_);
  EXPECT_EQ(attempt(source).error().code, Errc::io);
  EXPECT_TRUE(files_on_disk().empty());
}

TEST_F(AFailedImport, LeavesNothingWhenItsWriterIsJustDropped) {
  {
    Result<AssetWriter> into = writer();
    MemorySource source(large_);
    ASSERT_TRUE(into->add_file("large", source).ok());
  }
  EXPECT_TRUE(files_on_disk().empty());
}

TEST_F(AFailedImport, NeverTouchesAFileThatHasItsNameAlready) {
  const Uuid taken = Uuid::random();
  const std::string path = blob_path(options_.directory, taken);
  std::filesystem::create_directory(parent_of(path));
  put_bytes(path, as_bytes("of somebody else"));
  {
    Result<AssetWriter> into = AssetWriter::create(
        env_, options_, dek_, [&] { return Result<Uuid>(taken); }, progress_);
    MemorySource source(large_);
    EXPECT_EQ(into->add_file("a", source).error().code, Errc::already_exists);
  }
  EXPECT_EQ(as_text(bytes_of(path)), "of somebody else");
}

TEST_F(AFailedImport, CreatesNothingBeforeItsBlobIsReserved) {
  Result<AssetWriter> into = AssetWriter::create(
      env_, options_, dek_,
      []() -> Result<Uuid> { return make_error(Errc::legal_hold, "not now"); }, progress_);
  MemorySource source(large_);
  EXPECT_EQ(into->add_file("a", source).error().code, Errc::legal_hold);
  EXPECT_TRUE(files_on_disk().empty());
}

TEST_F(AFailedImport, IsOneThatNamesAPathTwiceOrABadOne) {
  for (const char* bad : {"a", "/etc/passwd", "../up", "x//y", ""}) {
    Result<AssetWriter> into = writer();
    MemorySource first(large_), second(large_);
    ASSERT_TRUE(into->add_file("a", first).ok());
    EXPECT_EQ(into->add_file(bad, second).error().code, Errc::invalid_input) << bad;
  }
  EXPECT_TRUE(files_on_disk().empty());
}

}  // namespace
}  // namespace aierase::blob
