#include <random>

#include "crypto/floe.h"
#include "unit/blob/blob_fixture.h"

namespace aierase::blob {
namespace {

constexpr std::size_t kSegment = crypto::kFloeSegmentPlaintext;

class AnImportedAsset : public BlobTest {};

TEST_F(AnImportedAsset, ReadsBackAtEverySizeAroundABoundary) {
  std::vector<Named> files;
  for (const std::size_t size : {std::size_t{0},
                                 std::size_t{1},
                                 std::size_t{4095},
                                 std::size_t{4096},
                                 kSegment - 1,
                                 kSegment,
                                 kSegment + 1,
                                 2 * kSegment,
                                 kRunPlaintext - 1,
                                 kRunPlaintext,
                                 kRunPlaintext + 1,
                                 kRunPlaintext + kSegment,
                                 limits::kPackFileBytes - 1,
                                 limits::kPackFileBytes,
                                 limits::kPackFileBytes + 1,
                                 9 * kRunPlaintext - 1,
                                 9 * kRunPlaintext,
                                 9 * kRunPlaintext + 1,
                                 9 * kRunPlaintext + kSegment,
                                 std::size_t{33} << 20}) {
    files.push_back({"size-" + std::to_string(size), content_of(size + 7, size)});
  }
  const domain::Manifest manifest = import(files);
  ASSERT_EQ(manifest.files.size(), files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    const domain::FileEntry& entry = manifest.files[i];
    EXPECT_EQ(entry.path, files[i].path);
    EXPECT_EQ(entry.bytes, files[i].content.size());
    EXPECT_EQ(entry.sha256, crypto::sha256(files[i].content)) << entry.path;
    const Result<Bytes> back = whole(manifest, i);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_TRUE(*back == files[i].content) << entry.path;
  }
  AssetReader again = reader(manifest);
  for (const auto& entry : manifest.files) EXPECT_TRUE(again.verify_file(entry).ok()) << entry.path;
  for (const auto& blob : manifest.blobs) EXPECT_TRUE(again.verify_blob(blob).ok());
}

TEST_F(AnImportedAsset, PutsSmallFilesIntoOnePackAndEachLargeFileIntoABlobOfItsOwn) {
  const domain::Manifest manifest = import({{"a", content_of(1, 10)},
                                            {"large-1", content_of(2, limits::kPackFileBytes)},
                                            {"b", content_of(3, limits::kPackFileBytes - 1)},
                                            {"large-2", content_of(4, limits::kPackFileBytes + 5)},
                                            {"c", {}}});
  ASSERT_EQ(manifest.blobs.size(), 3U);
  EXPECT_EQ(manifest.files[0].blob, manifest.files[2].blob);
  EXPECT_EQ(manifest.files[0].blob, manifest.files[4].blob);
  EXPECT_EQ(manifest.files[2].offset, 10U);
  EXPECT_EQ(manifest.files[4].offset, 10 + limits::kPackFileBytes - 1);
  EXPECT_EQ(manifest.files[1].offset, 0U);
  EXPECT_NE(manifest.files[1].blob, manifest.files[3].blob);
}

TEST_F(AnImportedAsset, KeepsManySmallFilesApartFromEachOther) {
  std::vector<Named> files;
  for (std::size_t i = 0; i < 500; ++i) {
    files.push_back({"layer/" + std::to_string(i), content_of(i, (i * 7919) % 20'000)});
  }
  // A large file between them, while one of them lies across two segments of the pack.
  files.insert(files.begin() + 300, {"large", content_of(999, 9 << 20)});
  const domain::Manifest manifest = import(files);
  EXPECT_EQ(manifest.blobs.size(), 2U);
  AssetReader from = reader(manifest);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Result<Bytes> back = range(from, manifest.files[i], 0, manifest.files[i].bytes);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_TRUE(*back == files[i].content) << i;
    EXPECT_EQ(manifest.files[i].sha256, crypto::sha256(files[i].content)) << i;
  }
}

// As a file does that grows or shrinks after somebody has looked at it.
TEST_F(AnImportedAsset, IsTheSameWhateverItsSmallFilesAreSaidToHave) {
  std::vector<Bytes> contents;
  for (std::size_t i = 0; i < 120; ++i) {
    contents.push_back(content_of(i, i % 10 == 0 ? 0 : (i * 104'729) % 90'000));
  }
  contents.push_back(content_of(7, 3 * kRunPlaintext));
  contents.push_back(content_of(8, limits::kPackFileBytes - 1));
  using Told = std::optional<std::uint64_t>;
  const std::function<Told(std::uint64_t)> tellings[] = {
      [](std::uint64_t) { return Told(); },
      [](std::uint64_t size) { return Told(size); },
      [](std::uint64_t) { return Told(0); },
      [](std::uint64_t size) { return Told(size == 0 ? 0 : size - 1); },
      [](std::uint64_t size) { return Told(size / 2); },
      [](std::uint64_t size) { return Told(std::min<Told::value_type>(size + 1, 8 << 19)); },
      [](std::uint64_t size) { return Told(std::min<Told::value_type>(2 * size, 8 << 19)); }};
  std::optional<domain::Manifest> first;
  for (const auto& told : tellings) {
    Result<AssetWriter> into = writer();
    for (std::size_t i = 0; i < contents.size(); ++i) {
      MemorySource source(contents[i], 40'000);
      source.tell(told(contents[i].size()));
      ASSERT_TRUE(into->add_file(std::to_string(i), source).ok());
    }
    const domain::Manifest manifest = into->finish().value();
    ASSERT_EQ(manifest.blobs.size(), 1U);
    if (!first) first = manifest;
    AssetReader from = reader(manifest);
    for (std::size_t i = 0; i < contents.size(); ++i) {
      const domain::FileEntry& file = manifest.files[i];
      EXPECT_EQ(file.bytes, contents[i].size()) << i;
      EXPECT_EQ(file.offset, first->files[i].offset) << i;
      EXPECT_EQ(file.sha256, crypto::sha256(contents[i])) << i;
      EXPECT_TRUE(range(from, file, 0, file.bytes).value() == contents[i]) << i;
    }
  }
}

TEST_F(AnImportedAsset, MakesALargeFileOfWhatWasSaidToBeASmallOne) {
  const Bytes content = content_of(9, limits::kPackFileBytes + 5);
  Result<AssetWriter> into = writer();
  const Bytes ten = content_of(1, 10);
  MemorySource lead(ten);
  ASSERT_TRUE(into->add_file("lead", lead).ok());
  MemorySource source(content);
  source.tell(100);
  ASSERT_TRUE(into->add_file("grown", source).ok());
  const domain::Manifest manifest = into->finish().value();
  ASSERT_EQ(manifest.blobs.size(), 2U);
  EXPECT_NE(manifest.files[0].blob, manifest.files[1].blob);
  EXPECT_EQ(manifest.files[0].bytes, 10U);
  EXPECT_TRUE(whole(manifest, 1).value() == content);
}

TEST_F(AnImportedAsset, MayConsistOfEmptyFilesAlone) {
  const domain::Manifest manifest = import({{"empty", {}}, {"also-empty", {}}});
  ASSERT_EQ(manifest.blobs.size(), 1U);
  EXPECT_EQ(manifest.blobs[0].bytes, 0U);
  EXPECT_EQ(manifest.files[1].sha256, crypto::sha256({}));
  EXPECT_EQ(whole(manifest, 0).value(), Bytes());
  EXPECT_FALSE(complaint(manifest).has_value());
}

TEST_F(AnImportedAsset, StartsAnotherPackWhenOneIsFull) {
  Result<AssetWriter> into = writer();
  const Bytes content = content_of(5, limits::kPackFileBytes - 1);
  const std::size_t fit = limits::kPackBytes / content.size();
  for (std::size_t i = 0; i < fit; ++i) {
    MemorySource source(content);
    ASSERT_TRUE(into->add_file(std::to_string(i), source).ok());
  }
  // Into the segment that is being filled it would go.
  const Bytes last = content_of(6, limits::kPackBytes - fit * content.size() + 1);
  ASSERT_LT(last.size(), 1000U);
  MemorySource source(last);
  source.tell(last.size());
  ASSERT_TRUE(into->add_file("last", source).ok());
  const domain::Manifest manifest = into->finish().value();
  ASSERT_EQ(manifest.blobs.size(), 2U);
  EXPECT_LE(manifest.blobs[0].bytes, limits::kPackBytes);
  EXPECT_EQ(manifest.blobs[1].bytes, last.size());
  EXPECT_EQ(manifest.files.back().offset, 0U);
  EXPECT_TRUE(whole(manifest, fit).value() == last);
}

TEST_F(AnImportedAsset, TakesAFileOfKnownSizeToTheEndOfARun) {
  const Bytes lead = content_of(1, 1000);
  for (const std::size_t size : {kRunPlaintext - 1001, kRunPlaintext - 1000, kRunPlaintext - 999}) {
    for (const std::size_t told : {size - 1, size, size + 1}) {
      const Bytes content = content_of(2, size);
      Result<AssetWriter> into = writer();
      MemorySource first(lead), second(content), third(lead);
      second.tell(told);
      third.tell(lead.size());
      ASSERT_TRUE(into->add_file("first", first).ok());
      ASSERT_TRUE(into->add_file("second", second).ok());
      ASSERT_TRUE(into->add_file("third", third).ok());
      const domain::Manifest manifest = into->finish().value();
      EXPECT_TRUE(whole(manifest, 1).value() == content) << size << " of " << told;
      EXPECT_TRUE(whole(manifest, 2).value() == lead) << size << " of " << told;
    }
  }
}

TEST_F(AnImportedAsset, IsTheSameFromASourceThatGivesItsBytesInDribbles) {
  const Bytes content = content_of(11, limits::kPackFileBytes + 3 * kRunPlaintext);
  Result<AssetWriter> into = writer();
  MemorySource source(content, 65'537);
  ASSERT_TRUE(into->add_file("streamed", source).ok());
  const domain::Manifest manifest = into->finish().value();
  EXPECT_EQ(manifest.files[0].sha256, crypto::sha256(content));
  EXPECT_TRUE(whole(manifest, 0).value() == content);
}

TEST_F(AnImportedAsset, GivesAnyRangeOfAFile) {
  const Bytes content = content_of(21, 40 * kSegment + 12'345);
  const domain::Manifest manifest = import(
      {{"lead", content_of(1, 777)}, {"large", content}, {"packed", content_of(22, 3 << 20)}});
  const Bytes packed = content_of(22, 3 << 20);
  AssetReader from = reader(manifest);
  std::mt19937_64 random(4711);
  for (int i = 0; i < 200; ++i) {
    const Bytes& reference = i % 2 == 0 ? content : packed;
    const domain::FileEntry& file = manifest.files[i % 2 == 0 ? 1 : 2];
    const std::uint64_t offset = random() % (reference.size() + 1);
    const std::uint64_t length = random() % (i % 10 == 0 ? 16 * kSegment : 100'000);
    const Result<Bytes> got = range(from, file, offset, length);
    ASSERT_TRUE(got.ok()) << got.error().message;
    const ByteView expected = ByteView(reference).subspan(
        offset, std::min<std::size_t>(length, reference.size() - offset));
    ASSERT_TRUE(std::equal(got->begin(), got->end(), expected.begin(), expected.end()))
        << offset << "+" << length;
  }
}

TEST_F(AnImportedAsset, RefusesARangeBeyondItsEndOrOutsideItsBlobs) {
  const domain::Manifest manifest = import({{"a", content_of(1, 100)}});
  AssetReader from = reader(manifest);
  EXPECT_EQ(range(from, manifest.files[0], 100, 5).value(), Bytes());
  EXPECT_EQ(range(from, manifest.files[0], 101, 5).error().code, Errc::invalid_input);
  domain::FileEntry forged = manifest.files[0];
  forged.bytes = 101;
  EXPECT_EQ(range(from, forged, 0, 5).error().code, Errc::invalid_input);
  forged.blob = Uuid::random();
  EXPECT_EQ(range(from, forged, 0, 5).error().code, Errc::invalid_input);
}

// The container promises a plain FLOE file behind 4,022 bytes, to whoever has the key.
TEST_F(AnImportedAsset, IsAPlainFloeFileFromByte4023On) {
  const Bytes content = content_of(31, limits::kPackFileBytes + 1000);
  const domain::Manifest manifest = import({{"weights", content}});
  const domain::BlobEntry& blob = manifest.blobs[0];
  const Bytes on_disk = bytes_of(path_of(blob));
  EXPECT_EQ(on_disk.size(), container_bytes(blob.bytes));
  EXPECT_EQ(as_text(ByteView(on_disk).first(8)), "AIERASEB");
  const ByteView floe = ByteView(on_disk).subspan(4022);

  Bytes associated = copy_of(as_bytes("aierase/v1"));
  append(associated, options_.store.view());
  append(associated, options_.asset.view());
  append(associated, blob.id.view());
  const auto decryptor = crypto::FloeDecryptor::start(
      crypto::blob_key(dek_, blob.id).value(), associated, floe.first(crypto::kFloeHeaderBytes));
  ASSERT_TRUE(decryptor.ok());

  crypto::Aead aead;
  crypto::Sha256 seal_id;
  seal_id.update(floe.first(crypto::kFloeHeaderBytes));
  Bytes plain;
  ByteView rest = floe.subspan(crypto::kFloeHeaderBytes);
  for (std::uint64_t number = 0; !rest.empty(); ++number) {
    const bool inner = rest.size() > crypto::kFloeSegmentBytes;
    const ByteView segment = inner ? rest.first(crypto::kFloeSegmentBytes) : rest;
    Bytes opened(segment.size() - crypto::kFloeSegmentOverhead);
    ASSERT_TRUE(decryptor
                    ->open_segment(number,
                                   inner ? crypto::FloeDecryptor::Position::inner
                                         : crypto::FloeDecryptor::Position::final,
                                   segment, opened, aead)
                    .ok());
    append(plain, opened);
    seal_id.update(segment.last(16));
    rest = rest.subspan(segment.size());
  }
  EXPECT_TRUE(plain == content);
  Bytes length;
  append_be64(length, content.size());
  seal_id.update(length);
  EXPECT_EQ(seal_id.finish(), blob.seal_id);
}

TEST_F(AnImportedAsset, NeverHasItsPlaintextOnDisk) {
  const std::string_view marker = "a sentence that no cipher would write by chance, 4711";
  Bytes content = content_of(41, limits::kPackFileBytes + 100);
  for (std::size_t at = 0; at + marker.size() < content.size(); at += 4096) {
    std::copy(as_bytes(marker).begin(), as_bytes(marker).end(),
              content.begin() + static_cast<std::ptrdiff_t>(at));
  }
  const domain::Manifest manifest =
      import({{"large", content}, {"small", copy_of(as_bytes(marker))}});
  std::size_t files = 0;
  for (const std::string& path : files_on_disk()) {
    const Bytes bytes = bytes_of(path);
    EXPECT_EQ(as_text(bytes).find(marker), std::string_view::npos) << path;
    ++files;
  }
  EXPECT_EQ(files, 2U);
  EXPECT_NE(as_text(whole(manifest, 0).value()).find(marker), std::string_view::npos);
}

TEST_F(AnImportedAsset, IsDurableWithItsDirectoriesWhenTheImportReturns) {
  const domain::Manifest manifest = import({{"a", content_of(1, 10)}});
  const std::string place = parent_of(path_of(manifest.blobs[0]));
  EXPECT_EQ(env_.synced_directories, (std::vector<std::string>{place, options_.directory}));
}

TEST_F(AnImportedAsset, NeedsNoDirectIo) {
  env_.at_open = [](const std::string& path, const OpenHow& how) -> Status {
    if (how.caching != Caching::direct) return {};
    // As old kernels do: the name is made, and then the flag refused.
    if (how.mode == OpenMode::create_new) std::ofstream(path).put('x');
    return make_error(Errc::invalid_input, "no direct I/O here");
  };
  const Bytes content = content_of(51, limits::kPackFileBytes + 1);
  const domain::Manifest manifest = import({{"a", content_of(1, 10)}, {"large", content}});
  EXPECT_TRUE(whole(manifest, 1).value() == content);
  EXPECT_FALSE(complaint(manifest).has_value());
}

TEST_F(AnImportedAsset, CountsItsProgress) {
  import({{"a", content_of(1, 10)}, { "large", content_of(2, 9 << 20) }});
  EXPECT_EQ(progress_.bytes.load(), 10U + (9U << 20));
  EXPECT_EQ(progress_.files.load(), 2U);
}

// What was read and not yet written lies in memory: it never exceeds the buffers there are.
TEST_F(AnImportedAsset, NeedsBoundedMemory) {
  std::atomic<std::size_t> written{0};
  env_.after_write = [&](std::size_t size) -> Status {
    written += size;
    return {};
  };
  std::size_t most = 0;
  const Bytes content = content_of(61, std::size_t{96} << 20);
  MemorySource source(content, 1 << 20, [&](std::size_t given) -> Status {
    const std::size_t on_disk = written.load();
    most = std::max(most, given - std::min(given, on_disk));
    return {};
  });
  Result<AssetWriter> into = writer();
  ASSERT_TRUE(into->add_file("large", source).ok());
  ASSERT_TRUE(into->finish().ok());
  EXPECT_LE(most, limits::kPackFileBytes + 8 * (std::size_t{1} << 20));
}

}  // namespace
}  // namespace aierase::blob
