// What the tests of blobs share: a store directory, deterministic content, sources and sinks.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/env.h"
#include "base/limits.h"
#include "blob/asset_reader.h"
#include "blob/asset_writer.h"
#include "blob/layout.h"
#include "unit/support/temp_directory.h"

namespace aierase::blob {

// The same bytes on every machine for the same seed; no two segments are alike.
inline Bytes content_of(std::uint64_t seed, std::size_t size) {
  Bytes content(size);
  std::uint64_t state = seed * 0x9E3779B97F4A7C15U + 1;
  for (std::byte& byte : content) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<std::byte>(state & 0xFFU);
  }
  return content;
}

class MemorySource final : public ByteSource {
 public:
  // Gives at most `step` bytes per read, as a pipe does; calls `before` with what was given so far.
  explicit MemorySource(ByteView content, std::size_t step = 1 << 20,
                        std::function<Status(std::size_t)> before = {})
      : content_(content), step_(step), before_(std::move(before)) {}
  Result<std::size_t> read(ByteSpan to) override {
    if (before_) RETURN_IF_ERROR(before_(given_));
    const std::size_t size = std::min({to.size(), step_, content_.size() - given_});
    std::copy_n(content_.begin() + static_cast<std::ptrdiff_t>(given_), size, to.begin());
    given_ += size;
    return size;
  }
  std::optional<std::uint64_t> expected() override { return told_; }
  void tell(std::optional<std::uint64_t> size) { told_ = size; }

 private:
  ByteView content_;
  std::optional<std::uint64_t> told_;
  std::size_t step_;
  std::function<Status(std::size_t)> before_;
  std::size_t given_ = 0;
};

class MemorySink final : public ByteSink {
 public:
  Status write(ByteView from) override {
    append(bytes, from);
    return {};
  }
  Bytes bytes;
};

// A real file system with a place to look at, or to spoil, each open and write.
class WatchedEnv final : public Env {
 public:
  std::function<Status(const std::string&, const OpenHow&)> at_open;
  std::function<Status(std::size_t)> after_write;  // may be called by two threads at once
  std::function<Status()> at_sync;
  std::function<void(std::uint64_t, std::size_t)> at_read;  // by several threads at once
  std::vector<std::string> synced_directories;

  Result<std::unique_ptr<File>> open(const std::string& path, const OpenHow& how) override;
  Result<std::optional<FileInfo>> stat(const std::string& path) override {
    return disk_.stat(path);
  }
  Status make_directory(const std::string& path, unsigned permissions) override {
    return disk_.make_directory(path, permissions);
  }
  Result<std::vector<std::string>> list(const std::string& path) override {
    return disk_.list(path);
  }
  Result<bool> is_empty(const std::string& path) override { return disk_.is_empty(path); }
  Status rename(const std::string& from, const std::string& to) override {
    return disk_.rename(from, to);
  }
  Status replace(const std::string& from, const std::string& to) override {
    return disk_.replace(from, to);
  }
  Status unlink(const std::string& path) override { return disk_.unlink(path); }
  Status remove_directory(const std::string& path) override { return disk_.remove_directory(path); }
  Status sync_directory(const std::string& path) override {
    {
      const std::lock_guard lock(mutex_);
      synced_directories.push_back(path);
    }
    return disk_.sync_directory(path);
  }
  Result<StorageInfo> storage(const std::string& path) override { return disk_.storage(path); }
  Result<std::uint64_t> free_space(const std::string& path) override {
    return disk_.free_space(path);
  }
  const char* sqlite_vfs() const override { return disk_.sqlite_vfs(); }

 private:
  PosixEnv disk_;
  std::mutex mutex_;
};

class WatchedFile final : public File {
 public:
  WatchedFile(WatchedEnv& env, std::unique_ptr<File> file) : env_(env), file_(std::move(file)) {}
  Status read_at(std::uint64_t offset, ByteSpan to) override {
    if (env_.at_read) env_.at_read(offset, to.size());
    return file_->read_at(offset, to);
  }
  Status write_at(std::uint64_t offset, ByteView from) override {
    RETURN_IF_ERROR(file_->write_at(offset, from));
    return env_.after_write ? env_.after_write(from.size()) : Status();
  }
  Status sync() override {
    if (env_.at_sync) RETURN_IF_ERROR(env_.at_sync());
    return file_->sync();
  }
  Status truncate(std::uint64_t size) override { return file_->truncate(size); }
  Status allocate(std::uint64_t size) override { return file_->allocate(size); }
  Result<FileInfo> info() override { return file_->info(); }
  Status lock_exclusive() override { return file_->lock_exclusive(); }
  Result<std::vector<Extent>> extents() override { return file_->extents(); }
  Status set_no_dump() override { return file_->set_no_dump(); }

 private:
  WatchedEnv& env_;
  std::unique_ptr<File> file_;
};

inline Result<std::unique_ptr<File>> WatchedEnv::open(const std::string& path, const OpenHow& how) {
  if (at_open) RETURN_IF_ERROR(at_open(path, how));
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, disk_.open(path, how));
  return std::unique_ptr<File>(std::make_unique<WatchedFile>(*this, std::move(file)));
}

struct Named {
  std::string path;
  Bytes content;
};

class BlobTest : public ::testing::Test {
 protected:
  BlobTest() { std::filesystem::create_directory(options_.directory); }

  crypto::Dek key() const { return dek_.clone().value(); }
  Result<AssetWriter> writer() {
    return AssetWriter::create(
        env_, options_, dek_, [] { return Result<Uuid>(Uuid::random()); }, progress_);
  }
  domain::Manifest import(const std::vector<Named>& files) {
    Result<AssetWriter> into = writer();
    EXPECT_TRUE(into.ok());
    for (const Named& file : files) {
      MemorySource source(file.content);
      const Status added = into->add_file(file.path, source);
      EXPECT_TRUE(added.ok()) << (added.ok() ? "" : added.error().message);
    }
    Result<domain::Manifest> manifest = into->finish();
    EXPECT_TRUE(manifest.ok()) << (manifest.ok() ? "" : manifest.error().message);
    return manifest.ok() ? std::move(manifest).value() : domain::Manifest{};
  }
  AssetReader reader(const domain::Manifest& manifest) {
    return AssetReader::open(env_, options_, key(), manifest, progress_).value();
  }
  Result<Bytes> range(AssetReader& from, const domain::FileEntry& file, std::uint64_t offset,
                      std::uint64_t length) {
    MemorySink sink;
    RETURN_IF_ERROR(from.copy_range(file, offset, length, sink));
    return std::move(sink.bytes);
  }
  Result<Bytes> whole(const domain::Manifest& manifest, std::size_t index) {
    AssetReader from = reader(manifest);
    return range(from, manifest.files[index], 0, manifest.files[index].bytes);
  }
  // What a fresh reader says about file 0 and blob 0; nothing if it is content with both.
  std::optional<Error> complaint(const domain::Manifest& manifest) {
    AssetReader by_file = reader(manifest);
    AssetReader by_blob = reader(manifest);
    Status file = by_file.verify_file(manifest.files[0]);
    const Status blob = by_blob.verify_blob(manifest.blobs[0]);
    EXPECT_EQ(file.ok(), blob.ok());
    if (file.ok()) return std::nullopt;
    return std::move(file).error();
  }
  std::string path_of(const domain::BlobEntry& blob) const {
    return blob_path(options_.directory, blob.id);
  }
  std::vector<std::string> files_on_disk() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(options_.directory)) {
      if (entry.is_regular_file()) found.push_back(entry.path().string());
    }
    return found;
  }
  static Bytes bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return copy_of(as_bytes(text));
  }
  static void put_bytes(const std::string& path, ByteView bytes) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << as_text(bytes);
  }

  test::TempDirectory directory_;
  WatchedEnv env_;
  WriterOptions options_{directory_ / "blobs", Uuid::random(), Uuid::random()};
  crypto::Dek dek_ = crypto::Dek::random().value();
  Progress progress_;
};

}  // namespace aierase::blob
