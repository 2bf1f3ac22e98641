#include "blob/blob_file.h"

#include <algorithm>
#include <utility>

namespace aierase::blob {
namespace {

constexpr std::uint64_t kRoomAtOnce = 64ULL << 20;

std::size_t padded(std::size_t size, Caching caching) {
  if (caching == Caching::page_cache) return size;
  return (size + kDirectAlignment - 1) / kDirectAlignment * kDirectAlignment;
}

Result<std::unique_ptr<File>> open_as(Env& env, const std::string& path, OpenMode mode,
                                      Caching caching) {
  OpenHow how;
  how.mode = mode;
  how.caching = caching;
  return env.open(path, how);
}

Status make_place(Env& env, const std::string& path) {
  Status made = env.make_directory(parent_of(path), 0700);
  if (made.ok() || made.error().code == Errc::already_exists) return {};
  return made;
}

struct NewFile {
  std::unique_ptr<File> file;
  Caching caching = Caching::direct;
};

// Direct I/O keeps bulk data out of the page cache, where a server's weights live; a file system
// that has none gets the page cache.
Result<NewFile> create_file(Env& env, const std::string& path) {
  Result<std::unique_ptr<File>> direct = open_as(env, path, OpenMode::create_new, Caching::direct);
  if (direct.ok()) return NewFile{std::move(direct).value(), Caching::direct};
  const Errc code = direct.error().code;
  if (code != Errc::invalid_input && code != Errc::io) return std::move(direct).error();
  // Some kernels create the name before they refuse the flag. It was not there before: that would
  // have been already_exists.
  static_cast<void>(env.unlink(path));
  ASSIGN_OR_RETURN(std::unique_ptr<File> cached,
                   open_as(env, path, OpenMode::create_new, Caching::page_cache));
  return NewFile{std::move(cached), Caching::page_cache};
}

Status write_page(File& file, const crypto::FloeHeader& header) {
  ASSIGN_OR_RETURN(PageBuffer page, PageBuffer::make(kPageBytes));
  put_container_page(page.first(kPageBytes), header);
  return file.write_at(0, page.view(kPageBytes));
}

}  // namespace

BlobFile::BlobFile(Uuid id, std::string path, Caching caching, crypto::FloeEncryptor encryptor)
    : id_(id),
      path_(std::move(path)),
      caching_(caching),
      encryptor_(std::move(encryptor)),
      seal_id_(encryptor_.header()) {}

Result<std::unique_ptr<BlobFile>> BlobFile::create(Env& env, const WriterOptions& options,
                                                   const crypto::Dek& dek, const Uuid& id) {
  ASSIGN_OR_RETURN(const crypto::SealKey key, crypto::blob_key(dek, id));
  ASSIGN_OR_RETURN(crypto::FloeEncryptor encryptor,
                   crypto::FloeEncryptor::start(key, blob_associated(options, id)));
  std::string path = blob_path(options.directory, id);
  RETURN_IF_ERROR(make_place(env, path));
  ASSIGN_OR_RETURN(NewFile created, create_file(env, path));
  std::unique_ptr<BlobFile> blob(new BlobFile(id, path, created.caching, std::move(encryptor)));
  blob->own_ = std::move(created.file);
  // From here on the name is ours, and a failure must not leave it.
  const auto complete = [&]() -> Status {
    for (std::unique_ptr<File>& file : blob->files_) {
      ASSIGN_OR_RETURN(file, open_as(env, path, OpenMode::read_write, created.caching));
    }
    return write_page(*blob->own_, blob->encryptor_.header());
  };
  if (Status completed = complete(); !completed.ok()) {
    blob.reset();
    static_cast<void>(env.unlink(path));
    return std::move(completed).error();
  }
  return blob;
}

Result<std::vector<SegmentTag>> BlobFile::write_run(std::size_t lane, std::uint64_t first,
                                                    Position position, ByteView plaintext,
                                                    PageBuffer& out, crypto::Aead& aead) {
  const std::uint64_t count = segment_count(plaintext.size());
  const std::size_t size = plaintext.size() + count * crypto::kFloeSegmentOverhead;
  const ByteSpan whole = out.first(padded(size, caching_));
  const ByteSpan padding = whole.subspan(size);
  std::fill(padding.begin(), padding.end(), std::byte{0});
  std::vector<SegmentTag> tags(count);
  ByteSpan rest = whole.first(size);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::size_t bytes = segment_plaintext(plaintext.size(), i);
    const ByteSpan sealed = rest.first(bytes + crypto::kFloeSegmentOverhead);
    RETURN_IF_ERROR(encryptor_.seal_segment(
        first + i, i + 1 == count ? position : Position::inner,
        plaintext.subspan(i * crypto::kFloeSegmentPlaintext, bytes), sealed, aead));
    const ByteView tag = sealed.last(tags[i].size());
    std::copy(tag.begin(), tag.end(), tags[i].begin());
    rest = rest.subspan(sealed.size());
  }
  RETURN_IF_ERROR(files_[lane]->write_at(segment_offset(first), whole));
  return tags;
}

Status BlobFile::make_room(std::uint64_t end) {
  const std::uint64_t needed = segment_offset(end);
  if (end <= kRunSegments || needed <= room_) return {};
  const std::uint64_t expected = segment_offset(segment_count(expected_));
  const std::uint64_t next = std::max(needed, std::min(2 * needed, needed + kRoomAtOnce));
  const bool known = room_ == 0 && expected >= needed;
  const std::uint64_t room = known ? expected : next;
  Status taken = own_->allocate(room);
  if (!taken.ok() && known && taken.error().code == Errc::no_space) return taken;
  // Once refused it is not asked for again.
  room_ = taken.ok() && own_->truncate(room).ok() ? room : ~std::uint64_t{0};
  return {};
}

void BlobFile::add_tags(std::uint64_t first, std::span<const SegmentTag> tags) {
  for (const SegmentTag& tag : tags) early_tags_.emplace(first++, tag);
  for (auto next = early_tags_.find(tags_); next != early_tags_.end();
       next = early_tags_.find(tags_)) {
    seal_id_.add(next->second);
    early_tags_.erase(next);
    ++tags_;
  }
}

Result<domain::BlobEntry> BlobFile::finish(std::uint64_t bytes) {
  if (tags_ != segment_count(bytes)) {
    return make_error(Errc::unexpected, "the blob " + path_ + " lacks segments", {}, path_);
  }
  File& file = *own_;
  // Takes off what direct I/O had to write behind the last segment.
  RETURN_IF_ERROR(file.truncate(container_bytes(bytes)));
  RETURN_IF_ERROR(file.sync());
  domain::BlobEntry entry;
  entry.id = id_;
  entry.bytes = bytes;
  entry.floe_header = encryptor_.header();
  entry.seal_id = seal_id_.finish(bytes);
  return entry;
}

}  // namespace aierase::blob
