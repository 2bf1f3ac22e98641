#include "blob/asset_reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "blob/blob_check.h"
#include "blob/layout.h"
#include "blob/read_ahead.h"
#include "crypto/floe.h"
#include "crypto/primitives.h"

namespace aierase::blob {

static_assert(AssetReader::Stretch::kParts * limits::kLanesPerJob <= kMostPinned);

struct AssetReader::Impl {
  Impl(Env& file_system, WriterOptions where, crypto::Dek key, domain::Manifest files,
       Progress& counters)
      : env(file_system),
        options(std::move(where)),
        dek(std::move(key)),
        manifest(std::move(files)),
        progress(counters),
        ahead(file_system) {
    for (const domain::BlobEntry& blob : manifest.blobs) blobs.emplace(blob.id, &blob);
  }

  Status check_alive() const;
  Result<const domain::BlobEntry*> entry_of(const Uuid& id) const;
  Status check_extent(const domain::FileEntry& file) const;
  Result<std::shared_ptr<OpenBlob>> open_blob(const Uuid& id);
  Result<Pin> segment(const std::shared_ptr<OpenBlob>& blob, std::uint64_t number,
                      std::uint64_t last);
  std::string path_of(const Uuid& blob) const { return blob_path(options.directory, blob); }

  template <typename Use>
  Status for_each_part(const domain::FileEntry& file, std::uint64_t offset, std::uint64_t length,
                       Use&& use);
  template <typename Use>
  Status for_each_content(const domain::FileEntry& file, std::uint64_t offset, std::uint64_t length,
                          Use&& use);
  Result<Stretch> pin(const domain::FileEntry& file, std::uint64_t offset, std::uint64_t length);
  Status copy_range(const domain::FileEntry& file, std::uint64_t offset, std::uint64_t length,
                    ByteSink& sink);
  Status verify_file(const domain::FileEntry& file);
  Status verify_blob(const domain::BlobEntry& blob);

  Env& env;
  const WriterOptions options;
  crypto::Dek dek;
  const domain::Manifest manifest;
  Progress& progress;
  std::map<Uuid, const domain::BlobEntry*> blobs;
  std::vector<std::shared_ptr<OpenBlob>> open;  // most recently used first
  Expect expect = Expect::ranges;
  std::atomic<bool> revoked{false};
  // Last, so that its threads end before what they look at goes.
  ReadAhead ahead;
};

Status AssetReader::Impl::check_alive() const {
  if (revoked.load(std::memory_order_acquire)) {
    return make_error(Errc::erased, "the asset is being erased; its reader was closed");
  }
  if (progress.cancelled.load(std::memory_order_relaxed)) {
    return make_error(Errc::cancelled, "the job was cancelled");
  }
  return {};
}

Result<const domain::BlobEntry*> AssetReader::Impl::entry_of(const Uuid& id) const {
  const auto found = blobs.find(id);
  if (found == blobs.end()) {
    return make_error(Errc::invalid_input, "the asset has no blob " + id.hex(), {}, id.hex());
  }
  return found->second;
}

Status AssetReader::Impl::check_extent(const domain::FileEntry& file) const {
  ASSIGN_OR_RETURN(const domain::BlobEntry* blob, entry_of(file.blob));
  if (file.offset <= blob->bytes && file.bytes <= blob->bytes - file.offset) return {};
  return make_error(Errc::invalid_input, "the file lies outside its blob", {}, file.path);
}

Result<std::shared_ptr<OpenBlob>> AssetReader::Impl::open_blob(const Uuid& id) {
  const auto known = std::find_if(open.begin(), open.end(),
                                  [&](const auto& blob) { return blob->entry().id == id; });
  if (known != open.end()) {
    std::rotate(open.begin(), known, known + 1);
    return open.front();
  }
  ASSIGN_OR_RETURN(const domain::BlobEntry* entry, entry_of(id));
  Result<std::unique_ptr<File>> file = open_blob_file(env, path_of(id), *entry);
  if (!file.ok()) {
    if (file.error().code == Errc::not_found) return damaged_blob(path_of(id), "is missing");
    return std::move(file).error();
  }
  ASSIGN_OR_RETURN(const crypto::SealKey key, crypto::blob_key(dek, id));
  Result<crypto::FloeDecryptor> decryptor =
      crypto::FloeDecryptor::start(key, blob_associated(options, id), entry->floe_header);
  if (!decryptor.ok()) {
    if (decryptor.error().code != Errc::verification_failed) return std::move(decryptor).error();
    return damaged_blob(path_of(id), "was not sealed for this asset");
  }
  if (open.size() == kOpenBlobs) open.pop_back();
  open.insert(open.begin(), std::make_shared<OpenBlob>(*entry, path_of(id), std::move(file).value(),
                                                       std::move(decryptor).value()));
  return open.front();
}

Result<Pin> AssetReader::Impl::segment(const std::shared_ptr<OpenBlob>& blob, std::uint64_t number,
                                       std::uint64_t last) {
  RETURN_IF_ERROR(check_alive());
  ASSIGN_OR_RETURN(Pin pinned, ahead.claim(blob, number, last));
  pinned.open();
  RETURN_IF_ERROR(pinned.wait());
  // A revocation that came meanwhile must not be followed by a byte.
  RETURN_IF_ERROR(check_alive());
  return pinned;
}

// use(blob, segment, last segment, bytes to skip in it, bytes) for each segment that is touched.
template <typename Use>
Status AssetReader::Impl::for_each_part(const domain::FileEntry& file, std::uint64_t offset,
                                        std::uint64_t length, Use&& use) {
  constexpr std::uint64_t kPlain = crypto::kFloeSegmentPlaintext;
  RETURN_IF_ERROR(check_alive());
  RETURN_IF_ERROR(check_extent(file));
  if (offset > file.bytes) {
    return make_error(Errc::invalid_input,
                      "byte " + std::to_string(offset) +
                          " lies beyond the end of the file, which "
                          "has " +
                          std::to_string(file.bytes) + " bytes",
                      {}, file.path);
  }
  length = std::min(length, file.bytes - offset);
  std::uint64_t at = file.offset + offset;
  while (length > 0) {
    ASSIGN_OR_RETURN(const std::shared_ptr<OpenBlob> blob, open_blob(file.blob));
    const std::uint64_t end = expect == Expect::everything ? blob->entry().bytes : at + length;
    const std::uint64_t part = std::min(kPlain - at % kPlain, length);
    RETURN_IF_ERROR(use(blob, at / kPlain, (end - 1) / kPlain,
                        static_cast<std::size_t>(at % kPlain), static_cast<std::size_t>(part)));
    at += part;
    length -= part;
  }
  return {};
}

template <typename Use>
Status AssetReader::Impl::for_each_content(const domain::FileEntry& file, std::uint64_t offset,
                                           std::uint64_t length, Use&& use) {
  return for_each_part(file, offset, length,
                       [&](const std::shared_ptr<OpenBlob>& blob, std::uint64_t number,
                           std::uint64_t last, std::size_t skip, std::size_t bytes) -> Status {
                         ASSIGN_OR_RETURN(const Pin pinned, segment(blob, number, last));
                         RETURN_IF_ERROR(use(pinned.content().subspan(skip, bytes)));
                         progress.bytes.fetch_add(bytes, std::memory_order_relaxed);
                         return {};
                       });
}

Status AssetReader::Impl::copy_range(const domain::FileEntry& file, std::uint64_t offset,
                                     std::uint64_t length, ByteSink& sink) {
  RETURN_IF_ERROR(
      for_each_content(file, offset, length, [&](ByteView part) { return sink.write(part); }));
  if (length >= file.bytes - offset) progress.files.fetch_add(1, std::memory_order_relaxed);
  return {};
}

Result<AssetReader::Stretch> AssetReader::Impl::pin(const domain::FileEntry& file,
                                                    std::uint64_t offset, std::uint64_t length) {
  if (length > kMostAtOnce) {
    return make_error(Errc::invalid_input, "more than 1 MiB is to be pinned at once");
  }
  Stretch stretch(*this, file);
  stretch.parts_.reserve(Stretch::kParts);
  RETURN_IF_ERROR(
      for_each_part(file, offset, length,
                    [&](const std::shared_ptr<OpenBlob>& blob, std::uint64_t number,
                        std::uint64_t last, std::size_t skip, std::size_t bytes) -> Status {
                      ASSIGN_OR_RETURN(Pin pinned, ahead.claim(blob, number, last));
                      stretch.parts_.push_back({std::move(pinned), skip, bytes});
                      return {};
                    }));
  return stretch;
}

// All that nobody has begun first: others may be at work on the rest meanwhile.
Status AssetReader::Stretch::open_parts() {
  for (const Part& part : parts_) part.pin.open();
  views_.reserve(parts_.size());
  std::uint64_t bytes = 0;
  for (const Part& part : parts_) {
    RETURN_IF_ERROR(part.pin.wait());
    views_.push_back(part.pin.content().subspan(part.skip, part.bytes));
    bytes += part.bytes;
  }
  // A revocation that came meanwhile must not be followed by a byte.
  RETURN_IF_ERROR(reader_->check_alive());
  reader_->progress.bytes.fetch_add(bytes, std::memory_order_relaxed);
  return {};
}

Result<std::span<const ByteView>> AssetReader::Stretch::open() {
  Status opened = open_parts();
  if (!opened.ok()) return std::move(opened).error().in("file " + quoted(file_->path));
  return std::span<const ByteView>(views_);
}

Status AssetReader::Impl::verify_file(const domain::FileEntry& file) {
  ahead.forget();
  crypto::Sha256 hash;
  RETURN_IF_ERROR(for_each_content(file, 0, file.bytes, [&](ByteView part) -> Status {
    hash.update(part);
    return {};
  }));
  if (hash.finish() != file.sha256) {
    return make_error(Errc::damaged, "the content has another SHA-256 than was imported",
                      "Report this: every segment was authentic.", file.path);
  }
  progress.files.fetch_add(1, std::memory_order_relaxed);
  return {};
}

Status AssetReader::Impl::verify_blob(const domain::BlobEntry& blob) {
  // What is held open was checked when it was opened; here the disk is asked again.
  ahead.forget();
  open.clear();
  ASSIGN_OR_RETURN(const std::shared_ptr<OpenBlob> opened, open_blob(blob.id));
  const domain::BlobEntry& entry = opened->entry();
  SealId seal_id(entry.floe_header);
  const std::uint64_t segments = segment_count(entry.bytes);
  for (std::uint64_t number = 0; number < segments; ++number) {
    ASSIGN_OR_RETURN(const Pin pinned, segment(opened, number, segments - 1));
    seal_id.add(pinned.tag());
    progress.bytes.fetch_add(pinned.bytes(), std::memory_order_relaxed);
  }
  if (seal_id.finish(entry.bytes) != entry.seal_id) {
    return damaged_blob(path_of(entry.id), "has another seal id than was written");
  }
  return {};
}

AssetReader::AssetReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AssetReader::AssetReader(AssetReader&&) noexcept = default;
AssetReader& AssetReader::operator=(AssetReader&&) noexcept = default;
AssetReader::~AssetReader() = default;

Result<AssetReader> AssetReader::open(Env& env, WriterOptions options, crypto::Dek dek,
                                      domain::Manifest manifest, Progress& progress) {
  if (dek.empty()) return make_error(Errc::unexpected, "a reader needs the key of its asset");
  return AssetReader(std::make_unique<Impl>(env, std::move(options), std::move(dek),
                                            std::move(manifest), progress));
}

const domain::Manifest& AssetReader::manifest() const {
  return impl_->manifest;
}

Status AssetReader::copy_range(const domain::FileEntry& file, std::uint64_t offset,
                               std::uint64_t length, ByteSink& sink) {
  Status copied = impl_->copy_range(file, offset, length, sink);
  if (copied.ok()) return copied;
  return std::move(copied).error().in("file " + quoted(file.path));
}

Result<AssetReader::Stretch> AssetReader::pin(const domain::FileEntry& file, std::uint64_t offset,
                                              std::uint64_t length) {
  Result<Stretch> pinned = impl_->pin(file, offset, length);
  if (pinned.ok()) return pinned;
  return std::move(pinned).error().in("file " + quoted(file.path));
}

Status AssetReader::verify_file(const domain::FileEntry& file) {
  Status verified = impl_->verify_file(file);
  if (verified.ok()) return verified;
  return std::move(verified).error().in("file " + quoted(file.path));
}

Status AssetReader::verify_blob(const domain::BlobEntry& blob) {
  return impl_->verify_blob(blob);
}

void AssetReader::expect(Expect what) noexcept {
  impl_->expect = what;
}

void AssetReader::revoke() noexcept {
  if (impl_ != nullptr) impl_->revoked.store(true, std::memory_order_release);
}

}  // namespace aierase::blob
