#include "ctl/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
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
constexpr int kWriteBytes = 1 << 20;
constexpr la_int64_t kBlock = 512;  // the end mark is two blocks of zeros; one is enough for us

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

Error short_or_long(const TarMember& member, std::uint64_t bytes) {
  return make_error(Errc::cancelled, "the daemon ended " + quoted(member.name) + " after " +
                                         std::to_string(bytes) + " of " +
                                         std::to_string(member.bytes) + " bytes");
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

struct TarReader::Impl {
  std::unique_ptr<archive, CloseReader> handle;
  int descriptor = -1;
  std::vector<char> piece = std::vector<char>(kPiece);
  std::vector<char> input = std::vector<char>(kPiece);
  std::optional<Error> stopped;  // why the input callback gave up
  TarMember member;
  std::set<std::string> names;
  bool anything = false;

  static la_ssize_t read_input(archive* handle, void* self, const void** data) {
    Impl* impl = static_cast<Impl*>(self);
    for (;;) {
      Status ready = wait_until(impl->descriptor, Ready::read);
      if (!ready.ok()) {
        impl->stopped = std::move(ready).error();
        archive_set_error(handle, EINTR, "interrupted");
        return ARCHIVE_FATAL;
      }
      const ssize_t got = ::read(impl->descriptor, impl->input.data(), impl->input.size());
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (got < 0) {
        impl->stopped = errno_error(errno, "cannot read the archive");
        archive_set_error(handle, errno, "read failed");
        return ARCHIVE_FATAL;
      }
      *data = impl->input.data();
      impl->anything = impl->anything || got > 0;
      return got;
    }
  }

  Error failure() {
    if (stopped) return *stopped;
    return refused(
        "the archive is damaged, cut short, or no tar archive: " + reason_of(handle.get()),
        "check it with: tar --list --file ARCHIVE");
  }
};

TarReader::TarReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TarReader::TarReader(TarReader&&) noexcept = default;
TarReader& TarReader::operator=(TarReader&&) noexcept = default;
TarReader::~TarReader() = default;

Result<TarReader> TarReader::open(int descriptor) {
  auto impl = std::make_unique<Impl>();
  impl->handle.reset(archive_read_new());
  impl->descriptor = descriptor;
  archive* handle = impl->handle.get();
  if (handle == nullptr) return make_error(Errc::resource_limit, "no memory to read the archive");
  archive_read_support_format_tar(handle);
  archive_read_support_filter_gzip(handle);
  archive_read_support_filter_bzip2(handle);
  archive_read_support_filter_xz(handle);
  archive_read_support_filter_zstd(handle);
  if (archive_read_open(handle, impl.get(), nullptr, Impl::read_input, nullptr) != ARCHIVE_OK) {
    return impl->failure();
  }
  return TarReader(std::move(impl));
}

Result<std::optional<TarMember>> TarReader::next() {
  Impl& impl = *impl_;
  for (;;) {
    archive_entry* entry = nullptr;
    const la_int64_t before = archive_filter_bytes(impl.handle.get(), 0);
    const int outcome = archive_read_next_header(impl.handle.get(), &entry);
    if (outcome == ARCHIVE_EOF) {
      if (!impl.anything) return refused("the archive is empty: not one byte came");
      // The library takes a missing end mark for an end; then a sender that died goes unnoticed.
      if (archive_filter_bytes(impl.handle.get(), 0) - before < kBlock) {
        return refused("the archive is cut short: its end mark is missing",
                       "check it with: tar --list --file ARCHIVE");
      }
      return std::optional<TarMember>();
    }
    if (outcome != ARCHIVE_OK && outcome != ARCHIVE_WARN) return impl.failure();
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

struct TarWriter::Impl {
  std::unique_ptr<archive, CloseWriter> handle;
  int descriptor = -1;
  std::vector<char> piece = std::vector<char>(kPiece);
  std::optional<Error> stopped;

  static la_ssize_t write_output(archive* handle, void* self, const void* data, std::size_t size) {
    Impl* impl = static_cast<Impl*>(self);
    Status written = write_fully(impl->descriptor, static_cast<const char*>(data), size);
    if (written.ok()) return static_cast<la_ssize_t>(size);
    impl->stopped = std::move(written).error().in("cannot write the archive");
    archive_set_error(handle, EIO, "write failed");
    return -1;
  }

  Status begin(const TarMember& member) {
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), member.name.c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(member.bytes));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0600);
    archive_entry_set_mtime(entry.get(), 0, 0);  // equal content makes equal archives
    if (archive_write_header(handle.get(), entry.get()) != ARCHIVE_OK) return failure();
    return {};
  }

  Error failure() {
    if (stopped) return *stopped;
    return make_error(Errc::unexpected, "cannot make the archive: " + reason_of(handle.get()));
  }
};

TarWriter::TarWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TarWriter::TarWriter(TarWriter&&) noexcept = default;
TarWriter& TarWriter::operator=(TarWriter&&) noexcept = default;

TarWriter::~TarWriter() {
  // An archive that was not finished must not look like a whole one: no end blocks.
  if (impl_ && impl_->handle) archive_write_fail(impl_->handle.get());
}

Result<TarWriter> TarWriter::open(int descriptor) {
  auto impl = std::make_unique<Impl>();
  impl->handle.reset(archive_write_new());
  impl->descriptor = descriptor;
  archive* handle = impl->handle.get();
  if (handle == nullptr) return make_error(Errc::resource_limit, "no memory to write an archive");
  archive_write_set_format_pax_restricted(handle);
  // Written in large steps, and none of them padded: the archive is the same.
  archive_write_set_bytes_per_block(handle, kWriteBytes);
  archive_write_set_bytes_in_last_block(handle, 1);
  if (archive_write_open(handle, impl.get(), nullptr, Impl::write_output, nullptr) != ARCHIVE_OK) {
    return impl->failure();
  }
  return TarWriter(std::move(impl));
}

Status TarWriter::add(const std::string& name, std::string_view content) {
  Impl& impl = *impl_;
  RETURN_IF_ERROR(impl.begin({name, content.size()}));
  const auto size = static_cast<la_ssize_t>(content.size());
  if (archive_write_data(impl.handle.get(), content.data(), content.size()) != size) {
    return impl.failure();
  }
  return {};
}

Status TarWriter::add(const TarMember& member, int from, const Advance& advance) {
  Impl& impl = *impl_;
  RETURN_IF_ERROR(impl.begin(member));
  std::uint64_t copied = 0;
  for (;;) {
    RETURN_IF_ERROR(wait_until(from, Ready::read));
    const ssize_t got = ::read(from, impl.piece.data(), impl.piece.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return errno_error(errno, "cannot read from the daemon");
    if (got == 0) break;
    const auto size = static_cast<std::size_t>(got);
    copied += size;
    if (copied > member.bytes ||
        archive_write_data(impl.handle.get(), impl.piece.data(), size) != got) {
      return copied > member.bytes ? short_or_long(member, copied) : impl.failure();
    }
    advance(size);
  }
  if (copied != member.bytes) return short_or_long(member, copied);
  return {};
}

Status TarWriter::finish() {
  if (archive_write_close(impl_->handle.get()) != ARCHIVE_OK) return impl_->failure();
  impl_->handle.reset();
  return {};
}

}  // namespace aierase::ctl
