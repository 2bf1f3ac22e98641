#include "ctl/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "ctl/interrupt.h"
#include "domain/asset.h"

namespace aierase::ctl {
namespace {

constexpr std::size_t kPiece = 256 << 10;
// Headers and paddings; the end mark is two blocks of zeros, and one is enough for us.
constexpr std::size_t kBlock = 512;

struct CloseReader {
  void operator()(archive* handle) const { archive_read_free(handle); }
};
struct CloseWriter {
  void operator()(archive* handle) const { archive_write_free(handle); }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

Error refused(std::string message, std::string hint = {}) {
  return make_error(Errc::invalid_input, std::move(message), std::move(hint));
}

std::string reason_of(archive* handle) {
  const char* text = archive_error_string(handle);
  return text == nullptr ? "unknown reason" : text;
}

// "./a/b" and "a//b" are how tar programs write "a/b".
std::string tidy(std::string name) {
  while (name.rfind("./", 0) == 0) name.erase(0, name.find_first_not_of('/', 1));
  for (std::size_t at; (at = name.find("//")) != std::string::npos;) name.erase(at, 1);
  return name;
}

const char* kind_word(archive_entry* entry) {
  if (archive_entry_hardlink(entry) != nullptr) return "a hard link";
  switch (archive_entry_filetype(entry)) {
    case AE_IFLNK:
      return "a symbolic link";
    case AE_IFCHR:
    case AE_IFBLK:
      return "a device";
    case AE_IFIFO:
      return "a named pipe";
    case AE_IFSOCK:
      return "a socket";
    default:
      return "of an unknown kind";
  }
}

}  // namespace

// Two readers of the library, one behind the other: the first unpacks, the second reads the members
// of what comes out. Between them it is counted how much that is, and an interruption is seen also
// while one call of the library skips what a few bytes were unpacked to.
struct TarReader::Impl {
  std::unique_ptr<archive, CloseReader> unpacking;
  std::unique_ptr<archive, CloseReader> handle;
  int descriptor = -1;
  TarLimits limits;
  std::vector<char> piece = std::vector<char>(kPiece);
  std::vector<char> input = std::vector<char>(kPiece);
  std::optional<Error> stopped;  // why a callback gave up
  TarMember member;
  std::set<std::string> names;
  std::uint64_t headers = 0;
  std::uint64_t read = 0, unpacked = 0;  // bytes

  Result<std::size_t> read_piece() {
    for (;;) {
      RETURN_IF_ERROR(wait_until(descriptor, Ready::read));
      const ssize_t got = ::read(descriptor, input.data(), input.size());
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (got < 0) return errno_error(errno, "cannot read the archive");
      read += static_cast<std::uint64_t>(got);
      return static_cast<std::size_t>(got);
    }
  }

  static la_ssize_t read_input(archive* handle, void* self, const void** data) {
    Impl* impl = static_cast<Impl*>(self);
    Result<std::size_t> got = impl->read_piece();
    if (!got.ok()) return impl->stop(handle, std::move(got).error());
    *data = impl->input.data();
    return static_cast<la_ssize_t>(*got);
  }

  static la_ssize_t read_unpacked(archive* handle, void* self, const void** data) {
    Impl* impl = static_cast<Impl*>(self);
    if (Interrupt::asked()) return impl->stop(handle, interrupted());
    std::size_t size = 0;
    la_int64_t at = 0;
    const int outcome = archive_read_data_block(impl->unpacking.get(), data, &size, &at);
    if (outcome == ARCHIVE_EOF) return 0;
    if (outcome != ARCHIVE_OK && outcome != ARCHIVE_WARN) {
      return impl->stop(handle, impl->failure_of(impl->unpacking.get()));
    }
    impl->unpacked += size;
    if (impl->limits.bytes && impl->unpacked > *impl->limits.bytes) {
      return impl->stop(handle, make_error(Errc::resource_limit,
                                           "the archive unpacks to more than " +
                                               std::to_string(*impl->limits.bytes) + " bytes"));
    }
    return static_cast<la_ssize_t>(size);
  }

  // The first reason is the one that counts.
  la_ssize_t stop(archive* reader, Error why) {
    if (!stopped) stopped = std::move(why);
    archive_set_error(reader, EIO, "stopped");
    return ARCHIVE_FATAL;
  }

  Status begin_unpacking() {
    unpacking.reset(archive_read_new());
    archive* reader = unpacking.get();
    if (reader == nullptr) return no_memory();
    archive_read_support_format_raw(reader);
    archive_read_support_filter_gzip(reader);
    archive_read_support_filter_bzip2(reader);
    archive_read_support_filter_xz(reader);
    archive_read_support_filter_zstd(reader);
    archive_entry* whole = nullptr;
    if (archive_read_open(reader, this, nullptr, read_input, nullptr) != ARCHIVE_OK) {
      return failure_of(reader);
    }
    // One is the reading of the file.
    if (archive_filter_count(reader) > 2) {
      return refused("the archive is packed more than once",
                     "unpack it once, and name what comes out");
    }
    if (archive_read_next_header(reader, &whole) == ARCHIVE_OK) return {};
    return failure_of(reader);
  }

  Status begin_reading() {
    handle.reset(archive_read_new());
    if (handle == nullptr) return no_memory();
    archive_read_support_format_tar(handle.get());
    if (limits.behind == TarLimits::Behind::nothing) {
      // Then whatever stands behind the end mark is read as further members.
      archive_read_set_format_option(handle.get(), "tar", "read_concatenated_archives", "1");
    }
    if (archive_read_open(handle.get(), this, nullptr, read_unpacked, nullptr) == ARCHIVE_OK) {
      return {};
    }
    return failure();
  }

  static Error no_memory() {
    return make_error(Errc::resource_limit, "no memory to read the archive");
  }

  // Behind the end of what was packed, of which those who unpack it take no notice.
  Status expect_nothing_behind() {
    if (limits.behind == TarLimits::Behind::anything) return {};
    ASSIGN_OR_RETURN(const std::size_t more, read_piece());
    if (more == 0 && archive_filter_bytes(unpacking.get(), -1) == static_cast<la_int64_t>(read)) {
      return {};
    }
    return refused("there is something behind the end of the archive");
  }

  Status count_header() {
    if (++headers <= limits.headers) return {};
    return make_error(Errc::resource_limit,
                      "the archive has more than " + std::to_string(limits.headers) +
                          " files and directories; no more are taken",
                      "make several of it");
  }

  Error failure() { return failure_of(handle.get()); }

  Error failure_of(archive* reader) const {
    if (stopped) return *stopped;
    if (read == 0) return refused("the archive is empty: not one byte came");
    return refused("the archive is damaged, cut short, or no tar archive: " + reason_of(reader),
                   "check it with: tar --list --file ARCHIVE");
  }
};

TarReader::TarReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TarReader::TarReader(TarReader&&) noexcept = default;
TarReader& TarReader::operator=(TarReader&&) noexcept = default;
TarReader::~TarReader() = default;

Result<TarReader> TarReader::open(int descriptor, const TarLimits& limits) {
  auto impl = std::make_unique<Impl>();
  impl->descriptor = descriptor;
  impl->limits = limits;
  RETURN_IF_ERROR(impl->begin_unpacking());
  RETURN_IF_ERROR(impl->begin_reading());
  return TarReader(std::move(impl));
}

Result<std::optional<TarMember>> TarReader::next() {
  Impl& impl = *impl_;
  for (;;) {
    if (Interrupt::asked()) return interrupted();
    archive_entry* entry = nullptr;
    const la_int64_t before = archive_filter_bytes(impl.handle.get(), 0);
    const int outcome = archive_read_next_header(impl.handle.get(), &entry);
    if (outcome == ARCHIVE_EOF) {
      // The library takes a missing end mark for an end; then a sender that died goes unnoticed.
      if (archive_filter_bytes(impl.handle.get(), 0) - before < static_cast<la_int64_t>(kBlock)) {
        return refused("the archive is cut short: its end mark is missing",
                       "check it with: tar --list --file ARCHIVE");
      }
      RETURN_IF_ERROR(impl.expect_nothing_behind());
      return std::optional<TarMember>();
    }
    if (outcome != ARCHIVE_OK && outcome != ARCHIVE_WARN) return impl.failure();
    RETURN_IF_ERROR(impl.count_header());
    const char* path = archive_entry_pathname(entry);
    if (path == nullptr) return refused("a member of the archive has a name that cannot be read");
    if (archive_entry_hardlink(entry) == nullptr && archive_entry_filetype(entry) == AE_IFDIR) {
      continue;
    }
    impl.member = {tidy(path), 0};
    const std::string shown = quoted(impl.member.name);
    if (archive_entry_hardlink(entry) != nullptr || archive_entry_filetype(entry) != AE_IFREG) {
      return refused("the archive's member " + shown + " is " + kind_word(entry) +
                         "; only regular files can be imported",
                     "make the archive again with: tar --dereference --hard-dereference");
    }
    Status named = domain::check_file_path(impl.member.name);
    if (!named.ok()) return std::move(named).error().in("in the archive");
    if (!impl.names.insert(impl.member.name).second) {
      return refused("the archive has two members called " + shown,
                     "make the archive again with each file once");
    }
    if (impl.names.size() > limits::kFilesPerAsset) {
      return make_error(Errc::resource_limit,
                        "the archive has more than " + std::to_string(limits::kFilesPerAsset) +
                            " files; no more are taken",
                        "make several of it, under names of their own");
    }
    if (archive_entry_size_is_set(entry) == 0 || archive_entry_size(entry) < 0) {
      return refused("the archive's member " + shown + " does not say its size");
    }
    impl.member.bytes = static_cast<std::uint64_t>(archive_entry_size(entry));
    if (impl.member.bytes > limits::kFileBytes) {
      return make_error(Errc::resource_limit, "the archive's member " + shown + " has " +
                                                  std::to_string(impl.member.bytes) +
                                                  " bytes; the limit is " +
                                                  std::to_string(limits::kFileBytes));
    }
    return std::optional<TarMember>(impl.member);
  }
}

Status TarReader::copy_to(int descriptor, const Advance& advance) {
  Impl& impl = *impl_;
  std::uint64_t copied = 0;
  for (;;) {
    const la_ssize_t got =
        archive_read_data(impl.handle.get(), impl.piece.data(), impl.piece.size());
    if (got < 0) return impl.failure();
    if (got == 0) break;
    const auto size = static_cast<std::size_t>(got);
    RETURN_IF_ERROR(write_fully(descriptor, impl.piece.data(), size));
    copied += size;
    advance(size);
  }
  if (copied == impl.member.bytes) return {};
  return refused("the archive's member " + quoted(impl.member.name) + " has " +
                     std::to_string(copied) + " bytes instead of " +
                     std::to_string(impl.member.bytes),
                 "check it with: tar --list --file ARCHIVE");
}

Result<std::string> TarReader::content(std::size_t limit) {
  Impl& impl = *impl_;
  if (impl.member.bytes > limit) {
    return make_error(Errc::resource_limit, "the archive's member " + quoted(impl.member.name) +
                                                " has " + std::to_string(impl.member.bytes) +
                                                " bytes; the limit is " + std::to_string(limit));
  }
  std::string content(static_cast<std::size_t>(impl.member.bytes), '\0');
  for (std::size_t done = 0; done < content.size();) {
    if (Interrupt::asked()) return interrupted();
    const la_ssize_t got =
        archive_read_data(impl.handle.get(), content.data() + done, content.size() - done);
    if (got < 0) return impl.failure();
    if (got == 0) {
      return refused("the archive's member " + quoted(impl.member.name) + " is cut short",
                     "check it with: tar --list --file ARCHIVE");
    }
    done += static_cast<std::size_t>(got);
  }
  return content;
}

namespace {

void pad(std::string& bytes, std::uint64_t content) {
  bytes.append((kBlock - content % kBlock) % kBlock, '\0');
}

la_ssize_t keep_bytes(archive*, void* kept, const void* data, std::size_t size) {
  static_cast<std::string*>(kept)->append(static_cast<const char*>(data), size);
  return static_cast<la_ssize_t>(size);
}

// What stands before the content of a member. Content does not go through the library: from the
// daemon's pipe into another it need not be copied.
Result<std::string> header_of(const TarMember& member) {
  const std::unique_ptr<archive, CloseWriter> handle(archive_write_new());
  const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
  if (!handle || !entry) return make_error(Errc::resource_limit, "no memory to write an archive");
  archive_entry_set_pathname(entry.get(), member.name.c_str());
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(member.bytes));
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0600);
  archive_entry_set_mtime(entry.get(), 0, 0);  // equal content makes equal archives
  std::string header;
  archive_write_set_format_pax_restricted(handle.get());
  archive_write_set_bytes_per_block(handle.get(), 0);
  const bool made =
      archive_write_open(handle.get(), &header, nullptr, keep_bytes, nullptr) == ARCHIVE_OK &&
      archive_write_header(handle.get(), entry.get()) == ARCHIVE_OK;
  const std::string reason = made ? std::string() : reason_of(handle.get());
  std::string whole = std::exchange(header, {});
  archive_write_fail(handle.get());  // it need not fill in the content
  if (!made) return make_error(Errc::unexpected, "cannot make the archive: " + reason);
  return whole;
}

bool is_pipe(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && S_ISFIFO(status.st_mode);
}

}  // namespace

struct TarWriter::Impl {
  int descriptor = -1;
  bool into_pipe = false;
  std::string pending;  // headers and paddings that go out with the next bytes
  std::vector<char> piece;

  Status flush() {
    const std::string bytes = std::exchange(pending, {});
    return put(bytes);
  }
  Status put(std::string_view bytes) {
    Status written = write_fully(descriptor, bytes.data(), bytes.size());
    if (written.ok()) return written;
    return std::move(written).error().in("cannot write the archive");
  }

  // At most `most` bytes of content go on; 0: there are no more.
  Result<std::size_t> move_some(int from, std::uint64_t most);
};

TarWriter::TarWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TarWriter::TarWriter(TarWriter&&) noexcept = default;
TarWriter& TarWriter::operator=(TarWriter&&) noexcept = default;
TarWriter::~TarWriter() = default;

Result<TarWriter> TarWriter::open(int descriptor) {
  auto impl = std::make_unique<Impl>();
  impl->descriptor = descriptor;
  impl->into_pipe = is_pipe(descriptor);
  if (!impl->into_pipe) impl->piece.resize(kPiece);
  return TarWriter(std::move(impl));
}

Status TarWriter::add(const std::string& name, std::string_view content) {
  ASSIGN_OR_RETURN(const std::string header, header_of({name, content.size()}));
  impl_->pending += header;
  impl_->pending += content;
  pad(impl_->pending, content.size());
  return impl_->pending.size() < kPiece ? Status() : impl_->flush();
}

// Waits where an interruption is seen.
Result<std::size_t> TarWriter::Impl::move_some(int from, std::uint64_t most) {
  for (;;) {
    RETURN_IF_ERROR(wait_until(from, Ready::read));
    ssize_t moved = 0;
    if (into_pipe) {
      RETURN_IF_ERROR(wait_until(descriptor, Ready::write));
      moved = splice(from, nullptr, descriptor, nullptr, static_cast<std::size_t>(most),
                     SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    } else {
      moved = ::read(from, piece.data(), std::min<std::uint64_t>(piece.size(), most));
    }
    if (moved < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (moved < 0 && errno == EPIPE) return reader_left().in("cannot write the archive");
    if (moved < 0) return errno_error(errno, "cannot move content into the archive");
    const auto size = static_cast<std::size_t>(moved);
    if (!into_pipe) RETURN_IF_ERROR(put({piece.data(), size}));
    return size;
  }
}

Status TarWriter::add(const TarMember& member, int from, const Advance& advance) {
  Impl& impl = *impl_;
  ASSIGN_OR_RETURN(const std::string header, header_of(member));
  impl.pending += header;
  RETURN_IF_ERROR(impl.flush());
  std::uint64_t copied = 0;
  while (copied < member.bytes) {
    ASSIGN_OR_RETURN(const std::size_t size, impl.move_some(from, member.bytes - copied));
    if (size == 0) {
      return make_error(Errc::cancelled, "the daemon ended " + quoted(member.name) + " after " +
                                             std::to_string(copied) + " of " +
                                             std::to_string(member.bytes) + " bytes");
    }
    copied += size;
    advance(size);
  }
  pad(impl.pending, member.bytes);
  return {};
}

Status expect_end(int from, const std::string& last) {
  for (;;) {
    char more = 0;
    RETURN_IF_ERROR(wait_until(from, Ready::read));
    const ssize_t got = ::read(from, &more, 1);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got == 0) return {};
    if (got < 0) return errno_error(errno, "cannot read from the daemon");
    return make_error(Errc::cancelled,
                      "the daemon gave more than the bytes of the files up to " + quoted(last));
  }
}

// An archive that was not finished must not look like a whole one: its end is two blocks of zeros.
Status TarWriter::finish() {
  impl_->pending.append(2 * kBlock, '\0');
  return impl_->flush();
}

}  // namespace aierase::ctl
