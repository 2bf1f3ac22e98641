#include "blob/asset_writer.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "blob/blob_file.h"
#include "blob/layout.h"
#include "blob/pipeline.h"

namespace aierase::blob {
namespace {

// A blob that has begun; its place in the manifest is that of its beginning.
struct Started {
  std::unique_ptr<BlobFile> file;  // closed once durable
  std::string path;
  std::uint64_t bytes = 0;
  bool ended = false;  // its last segment was submitted
};

// What is being filled: the open pack, or the blob of one large file.
struct Stream {
  std::size_t blob = 0;  // index of Started
  Lane lane = Lane::pack;
  Run* run = nullptr;
  std::uint64_t submitted = 0;  // segments
};

Error cancelled() {
  return make_error(Errc::cancelled, "the import was cancelled; nothing of it was kept");
}

Result<std::size_t> read_some(ByteSource& source, ByteSpan to, Progress& progress) {
  if (progress.cancelled.load(std::memory_order_relaxed)) return cancelled();
  ASSIGN_OR_RETURN(const std::size_t got, source.read(to));
  if (got > to.size()) return make_error(Errc::unexpected, "a source gave more than was asked for");
  progress.bytes.fetch_add(got, std::memory_order_relaxed);
  return got;
}

}  // namespace

struct AssetWriter::Impl {
  Impl(Env& file_system, WriterOptions where, BlobReserver reserver, Progress& counters)
      : env(file_system),
        options(std::move(where)),
        reserve(std::move(reserver)),
        progress(counters) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  Status check_new_path(const std::string& path);
  Status add(std::string path, ByteSource& source);
  Status add_to_pack(ByteView content, std::size_t file);
  void begin_in_pack(std::size_t file);
  Status add_large(ByteSource& source, std::uint64_t expected, std::size_t head, std::size_t file);
  Status add_small(ByteSource& source, std::optional<std::uint64_t> expected, std::size_t file);
  Result<std::size_t> fill(ByteSource& source, ByteSpan to);
  ByteSpan place_in_pack(std::uint64_t bytes);

  Result<Stream> begin_stream(Lane lane);
  Result<ByteSpan> room(Stream& stream);
  Status copy_in(Stream& stream, ByteView bytes, std::size_t file);
  void advance(Stream& stream, std::size_t bytes, std::size_t file);
  Status end_file(Stream& stream, std::size_t file);
  Status end_stream(Stream& stream);
  Status submit(Stream& stream, BlobFile::Position position);
  Status ensure_run(Stream& stream);

  Status take(Completion completion);
  Status finish_blob(Started& blob, domain::BlobEntry& entry);
  Status sync_directories();
  Result<domain::Manifest> finish();

  Env& env;
  const WriterOptions options;
  crypto::Dek dek;
  BlobReserver reserve;
  Progress& progress;

  domain::Manifest manifest;
  std::unordered_set<std::string> paths;
  std::vector<Started> blobs;  // parallel to manifest.blobs
  std::optional<Stream> pack;
  PageBuffer head_buffer;  // the first bytes of a file, until it is known whether it is small
  bool finished = false;
  bool failed = false;
  // Last, so that its threads end before what they look at goes.
  std::unique_ptr<Pipeline> pipeline;
};

AssetWriter::Impl::~Impl() {
  pipeline.reset();
  if (finished) return;
  for (Started& blob : blobs) {
    blob.file.reset();
    // Nothing can be done about a refusal here: the import intent names the blob for `check`.
    static_cast<void>(env.unlink(blob.path));
  }
}

Status AssetWriter::Impl::check_new_path(const std::string& path) {
  RETURN_IF_ERROR(domain::check_file_path(path));
  if (manifest.files.size() >= limits::kFilesPerAsset) {
    return make_error(Errc::resource_limit,
                      "an asset has at most " + std::to_string(limits::kFilesPerAsset) + " files",
                      "Import them as several assets, or as an archive.", path);
  }
  if (!paths.insert(path).second) {
    return make_error(Errc::invalid_input, "the file path " + quoted(path) + " comes twice",
                      "Give each file a path of its own.", path);
  }
  return {};
}

Result<Stream> AssetWriter::Impl::begin_stream(Lane lane) {
  ASSIGN_OR_RETURN(const Uuid id, reserve());
  ASSIGN_OR_RETURN(std::unique_ptr<BlobFile> file, BlobFile::create(env, options, dek, id));
  Started started;
  started.path = file->path();
  started.file = std::move(file);
  blobs.push_back(std::move(started));
  domain::BlobEntry entry;
  entry.id = id;
  manifest.blobs.push_back(entry);
  Stream stream;
  stream.blob = blobs.size() - 1;
  stream.lane = lane;
  return stream;
}

Status AssetWriter::Impl::ensure_run(Stream& stream) {
  while (stream.run == nullptr) {
    stream.run = pipeline->free_run();
    if (stream.run == nullptr) RETURN_IF_ERROR(take(pipeline->wait()));
  }
  return {};
}

// A full run is submitted only when more follows: the last segment must say that it is the last.
Result<ByteSpan> AssetWriter::Impl::room(Stream& stream) {
  if (stream.run != nullptr && stream.run->bytes == kRunPlaintext) {
    RETURN_IF_ERROR(submit(stream, BlobFile::Position::inner));
  }
  RETURN_IF_ERROR(ensure_run(stream));
  const ByteSpan whole = stream.run->buffer.first(kRunPlaintext);
  return whole.subspan(stream.run->bytes);
}

Status AssetWriter::Impl::submit(Stream& stream, BlobFile::Position position) {
  Run& run = *std::exchange(stream.run, nullptr);
  run.blob = blobs[stream.blob].file.get();
  run.blob_index = stream.blob;
  run.first = stream.submitted;
  run.position = position;
  run.lane = stream.lane;
  stream.submitted += segment_count(run.bytes);
  RETURN_IF_ERROR(run.blob->make_room(stream.submitted));
  pipeline->submit(run);
  return {};
}

void AssetWriter::Impl::advance(Stream& stream, std::size_t bytes, std::size_t file) {
  Run& run = *stream.run;
  if (run.pieces.empty() || run.pieces.back().file != file) run.pieces.push_back({file, 0, false});
  run.pieces.back().bytes += bytes;
  run.bytes += bytes;
  blobs[stream.blob].bytes += bytes;
  manifest.files[file].bytes += bytes;
}

Status AssetWriter::Impl::copy_in(Stream& stream, ByteView bytes, std::size_t file) {
  while (!bytes.empty()) {
    ASSIGN_OR_RETURN(const ByteSpan to, room(stream));
    const std::size_t step = std::min(to.size(), bytes.size());
    std::copy_n(bytes.begin(), step, to.begin());
    advance(stream, step, file);
    bytes = bytes.subspan(step);
  }
  return {};
}

// An empty file gets a piece of no bytes, so that its digest comes the same way as all others.
Status AssetWriter::Impl::end_file(Stream& stream, std::size_t file) {
  RETURN_IF_ERROR(ensure_run(stream));
  advance(stream, 0, file);
  stream.run->pieces.back().ends_file = true;
  return {};
}

Status AssetWriter::Impl::end_stream(Stream& stream) {
  RETURN_IF_ERROR(ensure_run(stream));
  blobs[stream.blob].ended = true;
  return submit(stream, BlobFile::Position::final);
}

// Fewer bytes than there is room for: the source has ended.
Result<std::size_t> AssetWriter::Impl::fill(ByteSource& source, ByteSpan to) {
  std::size_t filled = 0;
  while (filled < to.size()) {
    ASSIGN_OR_RETURN(const std::size_t got, read_some(source, to.subspan(filled), progress));
    if (got == 0) break;
    filled += got;
  }
  return filled;
}

// Where a file of so many bytes would lie in the run being filled, and one byte more, which
// tells that it has ended. Nothing where it does not fit.
ByteSpan AssetWriter::Impl::place_in_pack(std::uint64_t bytes) {
  if (!pack || pack->run == nullptr) return {};
  const std::size_t left = kRunPlaintext - pack->run->bytes;
  const bool fits = bytes < left && blobs[pack->blob].bytes + bytes <= limits::kPackBytes;
  if (!fits) return {};
  const ByteSpan whole = pack->run->buffer.first(kRunPlaintext);
  return whole.subspan(pack->run->bytes, static_cast<std::size_t>(bytes) + 1);
}

// A file of known size is read to where it stays; one that is longer, or of unknown length, lies
// aside until it is known whether it is small.
Status AssetWriter::Impl::add_small(ByteSource& source, std::optional<std::uint64_t> expected,
                                    std::size_t file) {
  std::size_t head = 0;
  if (const ByteSpan place = expected ? place_in_pack(*expected) : ByteSpan(); !place.empty()) {
    ASSIGN_OR_RETURN(head, fill(source, place));
    if (head < place.size()) {
      begin_in_pack(file);
      advance(*pack, head, file);
      return end_file(*pack, file);
    }
    std::copy(place.begin(), place.end(), head_buffer.first(head).begin());
  }
  const ByteSpan rest(head_buffer.first(0).data(), head_buffer.size());
  while (head < rest.size()) {
    ASSIGN_OR_RETURN(const std::size_t got, read_some(source, rest.subspan(head), progress));
    if (got == 0) return add_to_pack(head_buffer.view(head), file);
    head += got;
    static_cast<void>(head_buffer.first(head));  // these bytes are in use
  }
  return add_large(source, expected.value_or(0), head, file);
}

void AssetWriter::Impl::begin_in_pack(std::size_t file) {
  manifest.files[file].blob = manifest.blobs[pack->blob].id;
  manifest.files[file].offset = blobs[pack->blob].bytes;
}

Status AssetWriter::Impl::add_to_pack(ByteView content, std::size_t file) {
  if (pack && blobs[pack->blob].bytes + content.size() > limits::kPackBytes) {
    RETURN_IF_ERROR(end_stream(*pack));
    pack.reset();
  }
  if (!pack) {
    ASSIGN_OR_RETURN(pack, begin_stream(Lane::pack));
  }
  begin_in_pack(file);
  RETURN_IF_ERROR(copy_in(*pack, content, file));
  return end_file(*pack, file);
}

Status AssetWriter::Impl::add_large(ByteSource& source, std::uint64_t expected, std::size_t head,
                                    std::size_t file) {
  ASSIGN_OR_RETURN(Stream stream, begin_stream(Lane::own));
  blobs[stream.blob].file->expect(expected);
  manifest.files[file].blob = manifest.blobs[stream.blob].id;
  RETURN_IF_ERROR(copy_in(stream, head_buffer.view(head), file));
  // The run that room() would submit may be the last: it is asked for only with a byte at hand.
  std::byte ahead{};
  while (true) {
    const bool full = stream.run != nullptr && stream.run->bytes == kRunPlaintext;
    ByteSpan to(&ahead, 1);
    if (!full) {
      ASSIGN_OR_RETURN(to, room(stream));
    }
    ASSIGN_OR_RETURN(const std::size_t got, read_some(source, to, progress));
    if (got == 0) break;
    if (full) {
      RETURN_IF_ERROR(copy_in(stream, to, file));
    } else {
      advance(stream, got, file);
    }
    if (manifest.files[file].bytes > limits::kFileBytes) {
      return make_error(Errc::resource_limit,
                        "the file is larger than " + std::to_string(limits::kFileBytes) + " bytes",
                        "Split it.");
    }
  }
  RETURN_IF_ERROR(end_file(stream, file));
  return end_stream(stream);
}

Status AssetWriter::Impl::add(std::string path, ByteSource& source) {
  RETURN_IF_ERROR(check_new_path(path));
  const std::size_t file = manifest.files.size();
  domain::FileEntry entry;
  entry.path = std::move(path);
  manifest.files.push_back(std::move(entry));
  const std::optional<std::uint64_t> expected = source.expected();
  if (expected && *expected >= limits::kPackFileBytes) {
    RETURN_IF_ERROR(add_large(source, *expected, 0, file));
  } else {
    RETURN_IF_ERROR(add_small(source, expected, file));
  }
  progress.files.fetch_add(1, std::memory_order_relaxed);
  return {};
}

Status AssetWriter::Impl::take(Completion completion) {
  RETURN_IF_ERROR(std::move(completion.status));
  for (const FileDigest& digest : completion.digests) {
    manifest.files[digest.file].sha256 = digest.sha256;
  }
  if (completion.work == Work::hash) return {};
  const std::size_t index = completion.run->blob_index;
  Started& blob = blobs[index];
  blob.file->add_tags(completion.run->first, completion.tags);
  if (blob.ended && blob.file->tags() == segment_count(blob.bytes)) {
    return finish_blob(blob, manifest.blobs[index]);
  }
  return {};
}

Status AssetWriter::Impl::finish_blob(Started& blob, domain::BlobEntry& entry) {
  ASSIGN_OR_RETURN(entry, blob.file->finish(blob.bytes));
  blob.file.reset();
  return {};
}

Status AssetWriter::Impl::sync_directories() {
  std::set<std::string> directories;
  for (const Started& blob : blobs) directories.insert(parent_of(blob.path));
  for (const std::string& directory : directories) RETURN_IF_ERROR(env.sync_directory(directory));
  // Also when another writer made the subdirectory: it may not have synced it yet.
  if (!directories.empty()) RETURN_IF_ERROR(env.sync_directory(options.directory));
  return {};
}

Result<domain::Manifest> AssetWriter::Impl::finish() {
  if (pack) RETURN_IF_ERROR(end_stream(*pack));
  pack.reset();
  while (pipeline->outstanding() > 0) {
    if (progress.cancelled.load(std::memory_order_relaxed)) return cancelled();
    RETURN_IF_ERROR(take(pipeline->wait()));
  }
  RETURN_IF_ERROR(sync_directories());
  if (progress.cancelled.load(std::memory_order_relaxed)) return cancelled();
  finished = true;
  pipeline.reset();
  return std::move(manifest);
}

AssetWriter::AssetWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AssetWriter::AssetWriter(AssetWriter&&) noexcept = default;
AssetWriter& AssetWriter::operator=(AssetWriter&&) noexcept = default;
AssetWriter::~AssetWriter() = default;

Result<AssetWriter> AssetWriter::create(Env& env, WriterOptions options, const crypto::Dek& dek,
                                        BlobReserver reserve, Progress& progress) {
  auto impl = std::make_unique<Impl>(env, std::move(options), std::move(reserve), progress);
  ASSIGN_OR_RETURN(impl->dek, dek.clone());
  ASSIGN_OR_RETURN(impl->head_buffer, PageBuffer::make(limits::kPackFileBytes));
  ASSIGN_OR_RETURN(impl->pipeline, Pipeline::start());
  return AssetWriter(std::move(impl));
}

Status AssetWriter::add_file(std::string path, ByteSource& source) {
  if (impl_ == nullptr || impl_->failed || impl_->finished) {
    return make_error(Errc::wrong_state, "this import has ended and takes no more files");
  }
  const std::string name = quoted(path);
  Status added = impl_->add(std::move(path), source);
  if (added.ok()) return added;
  impl_->failed = true;
  return std::move(added).error().in("file " + name);
}

Result<domain::Manifest> AssetWriter::finish() {
  if (impl_ == nullptr || impl_->failed || impl_->finished) {
    return make_error(Errc::wrong_state, "this import has ended and cannot be finished");
  }
  Result<domain::Manifest> manifest = impl_->finish();
  if (!manifest.ok()) impl_->failed = true;
  return manifest;
}

}  // namespace aierase::blob
