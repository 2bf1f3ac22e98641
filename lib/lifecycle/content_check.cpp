#include "lifecycle/content_check.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "crypto/floe.h"

namespace aierase::lifecycle {
namespace {

constexpr std::uint64_t kSegment = crypto::kFloeSegmentPlaintext;

class HashSink final : public blob::ByteSink {
 public:
  explicit HashSink(crypto::Sha256& hash) : hash_(hash) {}
  Status write(ByteView from) override {
    hash_.update(from);
    return {};
  }

 private:
  crypto::Sha256& hash_;
};

std::vector<const domain::FileEntry*> in_order_of_bytes(const domain::Manifest& manifest) {
  std::vector<const domain::FileEntry*> files;
  files.reserve(manifest.files.size());
  for (const domain::FileEntry& file : manifest.files) files.push_back(&file);
  std::sort(files.begin(), files.end(), [](const auto* a, const auto* b) {
    return std::tie(a->blob, a->offset, a->path) < std::tie(b->blob, b->offset, b->path);
  });
  return files;
}

}  // namespace

// Whether all of it could be read.
Result<bool> ContentCheck::read(blob::AssetReader& reader, const domain::FileEntry& file,
                                std::uint64_t length, const Tell& tell) {
  if (!hash_) hash_.emplace();
  HashSink sink(*hash_);
  const Status read = length == 0 ? Status() : reader.copy_range(file, offset_, length, sink);
  if (!read.ok() && read.error().code == Errc::io) return read.error();
  bytes_ += length;
  offset_ += length;
  const bool end = offset_ >= file.bytes;
  if (!read.ok()) {
    tell(file.path, read.error().message);
  } else if (end && hash_->finish() != file.sha256) {
    tell(file.path, "its SHA-256 is not that of the manifest");
  }
  if (!end && read.ok()) return true;
  hash_.reset();
  offset_ = 0;
  ++file_;
  return read.ok();
}

Result<bool> ContentCheck::step(blob::AssetReader& reader, std::uint64_t& segments,
                                const Tell& tell) {
  const std::vector<const domain::FileEntry*> files = in_order_of_bytes(reader.manifest());
  std::optional<std::pair<Uuid, std::uint64_t>> held;  // the segment that the reader has opened
  while (file_ < files.size()) {
    const domain::FileEntry& file = *files[file_];
    const std::uint64_t begin = file.offset + offset_;
    const std::uint64_t first = begin / kSegment;
    const std::uint64_t room = segments + (held == std::pair(file.blob, first) ? 1 : 0);
    if (room == 0) return true;
    const std::uint64_t length = std::min(file.bytes - offset_, (first + room) * kSegment - begin);
    ASSIGN_OR_RETURN(const bool whole, read(reader, file, length, tell));
    if (length == 0) continue;
    const std::uint64_t last = (begin + length - 1) / kSegment;
    segments = room - (last - first + 1);
    held.reset();
    if (whole) held.emplace(file.blob, last);
  }
  return false;
}

}  // namespace aierase::lifecycle
