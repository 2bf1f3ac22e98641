#include "blob/manifest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/limits.h"

namespace aierase::blob {
namespace {

template <std::size_t Size>
std::array<std::byte, Size> repeated(unsigned value) {
  std::array<std::byte, Size> bytes{};
  bytes.fill(static_cast<std::byte>(value));
  return bytes;
}

domain::Manifest sample_manifest() {
  domain::Manifest manifest;
  manifest.blobs.push_back(
      {Uuid{repeated<16>(0x11)}, 1300, repeated<74>(0x22), repeated<32>(0x33)});
  manifest.files.push_back({"config.json", 300, repeated<32>(0x44), Uuid{repeated<16>(0x11)}, 0});
  manifest.files.push_back(
      {"gewichte/\u00fcber \"eins\".bin", 1000, repeated<32>(0x55), Uuid{repeated<16>(0x11)}, 300});
  manifest.metadata = R"({"format":"safetensors"})";
  manifest.configuration_salt = repeated<32>(0x66);
  return manifest;
}

std::string times(std::string_view digits, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += digits;
  return text;
}

// The form of aierase-store(5) MANIFEST, letter by letter.
std::string sample_text() {
  const std::string blob = times("11", 16);
  return "{\"blobs\":[{\"bytes\":1300,\"floe_header\":\"" + times("22", 74) + "\",\"id\":\"" +
         blob + "\",\"seal_id\":\"" + times("33", 32) + "\"}],\"configuration_salt\":\"" +
         times("66", 32) + "\",\"files\":[{\"blob\":\"" + blob +
         "\",\"bytes\":300,\"offset\":0,\"path\":\"config.json\",\"sha256\":\"" + times("44", 32) +
         "\"},{\"blob\":\"" + blob +
         "\",\"bytes\":1000,\"offset\":300,\"path\":\"gewichte/\u00fcber \\\"eins\\\".bin\","
         "\"sha256\":\"" +
         times("55", 32) +
         "\"}],\"metadata\":\"{\\\"format\\\":\\\"safetensors\\\"}\","
         "\"schema\":\"aierase/manifest/v1\"}";
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(AManifest, HasExactlyTheDocumentedText) {
  const Result<std::string> text = manifest_text(sample_manifest());
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, sample_text());
}

TEST(AManifest, IsTheSameAfterWritingAndReading) {
  const Result<domain::Manifest> back = parse_manifest(sample_text());
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(manifest_text(*back).value(), sample_text());
  EXPECT_EQ(back->files[1].path, sample_manifest().files[1].path);
  EXPECT_EQ(back->metadata, sample_manifest().metadata);
  EXPECT_EQ(back->configuration_salt, sample_manifest().configuration_salt);
}

TEST(AManifest, MayBeEmpty) {
  const std::string text = manifest_text({}).value();
  EXPECT_EQ(text, R"({"blobs":[],"files":[],"schema":"aierase/manifest/v1"})");
  EXPECT_TRUE(parse_manifest(text).ok());
}

TEST(AManifest, IsRefusedWhenAnythingInItDoesNotFit) {
  const std::string good = sample_text();
  const std::string blob = times("11", 16);
  const std::pair<const char*, std::string> broken[] = {
      {"not JSON", good.substr(1)},
      {"a list", "[]"},
      {"an unknown member", replaced(good, "{\"blobs\"", "{\"also\":1,\"blobs\"")},
      {"an unknown member of a file", replaced(good, "\"offset\":0", "\"offset\":0,\"pad\":0")},
      {"a missing member", replaced(good, "\"offset\":0,", "")},
      {"no blobs", replaced(good, "\"blobs\":", "\"metadata\":")},
      {"another schema", replaced(good, "aierase/manifest/v1", "aierase/other/v1")},
      {"a file beyond its blob", replaced(good, "\"offset\":300", "\"offset\":301")},
      {"an offset beyond all", replaced(good, "\"offset\":300", "\"offset\":18446744073709551615")},
      {"a negative size", replaced(good, "\"bytes\":300", "\"bytes\":-1")},
      {"a broken size", replaced(good, "\"bytes\":300", "\"bytes\":3.5")},
      {"a size as text", replaced(good, "\"bytes\":300", "\"bytes\":\"300\"")},
      {"a short digest", replaced(good, times("44", 32), times("44", 31))},
      {"a digest in capitals", replaced(good, times("33", 32), times("AB", 32))},
      {"a blob that is not there",
       replaced(good, "\"id\":\"" + blob, "\"id\":\"" + times("12", 16))},
      {"a path upwards", replaced(good, "config.json", "../config.json")},
      {"an absolute path", replaced(good, "config.json", "/config.json")},
      {"an empty path", replaced(good, "config.json", "")},
      {"files as an object", replaced(good, "\"files\":[", "\"files\":[[],")},
      {"deep metadata", replaced(good, "\"metadata\":\"", "\"metadata\":[[[[]]]],\"x\":\"")},
  };
  for (const auto& [what, text] : broken) {
    const Result<domain::Manifest> parsed = parse_manifest(text);
    EXPECT_FALSE(parsed.ok()) << what;
    if (!parsed.ok()) {
      EXPECT_EQ(parsed.error().code, Errc::invalid_input) << what;
    }
  }
}

TEST(AManifest, IsRefusedWhenAPathOrABlobStandsTwice) {
  domain::Manifest manifest = sample_manifest();
  manifest.files[1].path = manifest.files[0].path;
  EXPECT_FALSE(parse_manifest(manifest_text(manifest).value()).ok());
  manifest = sample_manifest();
  manifest.blobs.push_back(manifest.blobs[0]);
  EXPECT_FALSE(parse_manifest(manifest_text(manifest).value()).ok());
}

TEST(AManifest, OfALaterVersionIsNamedAsSuch) {
  const std::string later = replaced(sample_text(), "aierase/manifest/v1", "aierase/manifest/v2");
  EXPECT_EQ(parse_manifest(later).error().code, Errc::newer_format);
}

TEST(AManifest, WithAPathThatIsNotTextCannotBeWritten) {
  domain::Manifest manifest = sample_manifest();
  manifest.files[0].path = "\xFF\xFE";
  EXPECT_EQ(manifest_text(manifest).error().code, Errc::invalid_input);
}

TEST(AManifest, BeyondTheLimitIsRefusedOnBothSides) {
  domain::Manifest manifest = sample_manifest();
  manifest.metadata.assign(limits::kManifestBytes, 'x');
  EXPECT_EQ(manifest_text(manifest).error().code, Errc::resource_limit);
  EXPECT_EQ(parse_manifest(std::string(limits::kManifestBytes + 1, ' ')).error().code,
            Errc::resource_limit);
}

TEST(AManifest, HoldsAsManyFilesAsAnAssetMayHaveAndNoMore) {
  domain::Manifest manifest;
  manifest.blobs.push_back({Uuid{repeated<16>(0x11)}, 0, {}, {}});
  for (std::size_t i = 0; i < limits::kFilesPerAsset; ++i) {
    manifest.files.push_back({"dataset/part/" + std::to_string(i), 0, {}, manifest.blobs[0].id, 0});
  }
  const Result<domain::Manifest> full = parse_manifest(manifest_text(manifest).value());
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(full->files.size(), limits::kFilesPerAsset);
  manifest.files.push_back({"one-more", 0, {}, manifest.blobs[0].id, 0});
  EXPECT_EQ(parse_manifest(manifest_text(manifest).value()).error().code, Errc::resource_limit);
}

TEST(ASealedManifest, OpensOnlyForItsKeyItsStoreAndItsAsset) {
  const crypto::Dek dek = crypto::Dek::random().value();
  const Uuid store = Uuid::random();
  const Uuid asset = Uuid::random();
  const Bytes sealed = seal_manifest(sample_manifest(), dek, store, asset).value();
  EXPECT_EQ(as_text(sealed).find("config.json"), std::string_view::npos);
  const Result<domain::Manifest> opened = open_manifest(sealed, dek, store, asset);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(manifest_text(*opened).value(), sample_text());

  const auto refused = [](const Result<domain::Manifest>& result) {
    return !result.ok() && result.error().code == Errc::verification_failed;
  };
  EXPECT_TRUE(refused(open_manifest(sealed, crypto::Dek::random().value(), store, asset)));
  EXPECT_TRUE(refused(open_manifest(sealed, dek, Uuid::random(), asset)));
  EXPECT_TRUE(refused(open_manifest(sealed, dek, store, Uuid::random())));
  EXPECT_TRUE(refused(open_manifest(sealed, dek, asset, store)));
  for (std::size_t at = 0; at < sealed.size(); at += 13) {
    Bytes changed = sealed;
    changed[at] ^= std::byte{1};
    EXPECT_TRUE(refused(open_manifest(changed, dek, store, asset))) << at;
    EXPECT_TRUE(refused(open_manifest(ByteView(sealed).first(at), dek, store, asset))) << at;
  }
}

}  // namespace
}  // namespace aierase::blob
