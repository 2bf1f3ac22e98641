#include "ctl/archive_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <thread>

#include "base/json.h"
#include "base/limits.h"
#include "ctl/tar.h"
#include "translog/log.h"

namespace aierase::ctl {
namespace {

constexpr std::size_t kHeadBytes = 512;
constexpr std::size_t kMagicAt = 257;  // of "ustar" in a header of tar
constexpr std::size_t kLineBytes = 256;
// Header and padding of a file, as all programs write them.
constexpr std::uint64_t kFrameBytes = 4096;
constexpr TarLimits kEvidence{2 * limits::kArchiveFiles,
                              limits::kArchiveBytes + kFrameBytes * 2 * limits::kArchiveFiles,
                              TarLimits::Behind::nothing};

bool is_leading(const std::string& name) {
  return name == certificate::kReadme || name == certificate::kIndex ||
         name == certificate::kIndexPage;
}

class TarMembers final : public MemberSource {
 public:
  TarMembers(UniqueFd file, TarReader reader, Leading leading)
      : file_(std::move(file)), reader_(std::move(reader)), leading_(leading) {}

  Result<std::optional<NamedContent>> next() override {
    for (;;) {
      ASSIGN_OR_RETURN(const std::optional<TarMember> member, reader_.next());
      if (!member) return std::optional<NamedContent>();
      const std::size_t limit = certificate::limit_of_member(member->name);
      if (limit == 0) {
        return make_error(Errc::invalid_input,
                          quoted(member->name) + " is no file of an archive of evidence");
      }
      ASSIGN_OR_RETURN(std::string content, reader_.content(limit));
      if (leading_ == Leading::skipped && is_leading(member->name)) continue;
      return std::optional<NamedContent>({member->name, std::move(content)});
    }
  }

 private:
  UniqueFd file_;
  TarReader reader_;
  const Leading leading_;
};

// What a daemon wrote comes in no order: it is looked through once, and then read by place.
class SpooledMembers final : public MemberSource {
 public:
  SpooledMembers(int file, std::string folder) : file_(file), folder_(std::move(folder)) {}

  Status look_through() {
    off_t at = 0;
    for (;;) {
      char line[kLineBytes];
      const ssize_t got = pread(file_, line, sizeof line, at);
      if (got < 0) return errno_error(errno, "cannot read back what the daemon wrote");
      if (got == 0) break;
      const std::string_view text(line, static_cast<std::size_t>(got));
      const std::size_t blank = text.find(' ');
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::uint64_t bytes = 0;
      if (blank > end || end == text.size() ||
          std::from_chars(line + blank + 1, line + end, bytes).ptr != line + end) {
        return broken();
      }
      const auto member = certificate::parse_member_name(text.substr(0, blank));
      if (!member || bytes > certificate::limit_of_member(path_of(*member))) return broken();
      at += static_cast<off_t>(end) + 1;
      if (!places_.emplace(*member, Place{at, bytes}).second) return broken();
      at += static_cast<off_t>(bytes);
    }
    next_ = places_.begin();
    return {};
  }

  Result<std::optional<NamedContent>> next() override {
    if (next_ == places_.end()) return std::optional<NamedContent>();
    const auto& [member, place] = *next_++;
    NamedContent read{path_of(member), std::string(static_cast<std::size_t>(place.bytes), '\0')};
    for (std::size_t done = 0; done < read.content.size();) {
      const ssize_t got = pread(file_, read.content.data() + done, read.content.size() - done,
                                place.at + static_cast<off_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return broken();
      done += static_cast<std::size_t>(got);
    }
    return std::optional<NamedContent>(std::move(read));
  }

 private:
  struct Place {
    off_t at = 0;
    std::uint64_t bytes = 0;
  };
  static Error broken() {
    return make_error(Errc::unexpected, "what the daemon wrote is no section of an archive");
  }
  std::string path_of(const certificate::Member& member) const {
    return folder_ + "/" + certificate::member_name(member);
  }

  const int file_;
  const std::string folder_;
  std::map<certificate::Member, Place> places_;
  std::map<certificate::Member, Place>::const_iterator next_;
};

// "STORE/FIRST-SIZE" of a name.
std::string folder_of(const std::string& name) {
  return name.substr(0, name.find('/', name.find('/') + 1));
}

class MergedMembers final : public MemberSource {
 public:
  explicit MergedMembers(std::vector<std::unique_ptr<MemberSource>> sources) {
    for (auto& source : sources) sources_.push_back({std::move(source), std::nullopt});
  }

  Result<std::optional<NamedContent>> next() override {
    if (!begun_) {
      for (Source& source : sources_) RETURN_IF_ERROR(advance(source));
      begun_ = true;
    }
    for (;;) {
      if (reading_ == nullptr || !reading_->waiting ||
          folder_of(reading_->waiting->name) != folder_) {
        reading_ = nullptr;
        RETURN_IF_ERROR(drop_repetitions());
        reading_ = first();
        if (reading_ == nullptr) return std::optional<NamedContent>();
        folder_ = folder_of(reading_->waiting->name);
        digests_.clear();
      }
      NamedContent member = std::move(*reading_->waiting);
      digests_[member.name] = translog::leaf_hash(as_bytes(member.content));
      RETURN_IF_ERROR(advance(*reading_));
      return std::optional<NamedContent>(std::move(member));
    }
  }

 private:
  struct Source {
    std::unique_ptr<MemberSource> members;
    std::optional<NamedContent> waiting;
  };

  static Status advance(Source& source) {
    ASSIGN_OR_RETURN(source.waiting, source.members->next());
    return {};
  }

  Source* first() {
    Source* found = nullptr;
    for (Source& source : sources_) {
      if (!source.waiting) continue;
      if (found == nullptr || folder_of(source.waiting->name) < folder_of(found->waiting->name)) {
        found = &source;
      }
    }
    return found;
  }

  // Another source may have the section that was just read: then it has to be the same.
  Status drop_repetitions() {
    for (Source& source : sources_) {
      std::size_t same = 0;
      while (source.waiting && !folder_.empty() && folder_of(source.waiting->name) == folder_) {
        const auto known = digests_.find(source.waiting->name);
        const bool equal = known != digests_.end() &&
                           known->second == translog::leaf_hash(as_bytes(source.waiting->content));
        if (!equal) return differs();
        ++same;
        RETURN_IF_ERROR(advance(source));
      }
      if (same != 0 && same != digests_.size()) return differs();
    }
    return {};
  }

  Error differs() const {
    return make_error(Errc::invalid_input,
                      "two archives have the section " + folder_ + ", and not the same files in it",
                      "leave one of them out: they were made with another period or match, or the "
                      "host was renamed or other assets match since");
  }

  std::vector<Source> sources_;
  Source* reading_ = nullptr;
  std::string folder_;
  std::map<std::string, Digest> digests_;  // of the section that is read
  bool begun_ = false;
};

}  // namespace

bool begins_as_archive(std::string_view content) {
  if (content.size() >= kHeadBytes && content.substr(kMagicAt, 5) == "ustar") return true;
  constexpr std::string_view kPacked[] = {"\x1f\x8b", "BZh",
                                          "\xfd"
                                          "7zXZ",
                                          "\x28\xb5\x2f\xfd"};
  return std::any_of(std::begin(kPacked), std::end(kPacked),
                     [&](std::string_view magic) { return content.starts_with(magic); });
}

bool is_archive(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  char head[kHeadBytes] = {};
  const ssize_t got = pread(file.get(), head, sizeof head, 0);
  return got > 0 && begins_as_archive({head, static_cast<std::size_t>(got)});
}

Result<std::unique_ptr<MemberSource>> open_archive(const std::string& path, Leading leading) {
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return errno_error(errno, "cannot open " + quoted(path)).about(path);
  Result<TarReader> reader = TarReader::open(file.get(), kEvidence);
  if (!reader.ok()) return std::move(reader).error().in(quoted(path)).about(path);
  return std::unique_ptr<MemberSource>(
      std::make_unique<TarMembers>(std::move(file), std::move(*reader), leading));
}

Result<std::unique_ptr<MemberSource>> open_spool(int file, const std::string& folder) {
  if (!certificate::parse_section_folder(folder)) {
    return make_error(Errc::unexpected, "the daemon names a section " + quoted(folder));
  }
  auto spool = std::make_unique<SpooledMembers>(file, folder);
  RETURN_IF_ERROR(spool->look_through());
  return std::unique_ptr<MemberSource>(std::move(spool));
}

std::unique_ptr<MemberSource> merged(std::vector<std::unique_ptr<MemberSource>> sources) {
  return std::make_unique<MergedMembers>(std::move(sources));
}

Result<certificate::ArchiveReport> check_members(MemberSource& source,
                                                 const certificate::ArchiveReader& reader,
                                                 const OnMember& on_member) {
  certificate::ArchiveCheck check(reader);
  std::uint64_t bytes = 0;
  for (;;) {
    Result<std::optional<NamedContent>> member = source.next();
    if (!member.ok()) {
      if (member.error().code == Errc::cancelled) return std::move(member).error();
      check.break_off(member.error());
      break;
    }
    if (!*member) break;
    bytes += (*member)->content.size();
    on_member(bytes);
    check.add((*member)->name, std::move((*member)->content));
  }
  return check.finish();
}

unsigned all_cores() {
  return std::max(1U, std::thread::hardware_concurrency());
}

Result<UniqueFd> nameless_file(const std::string& path) {
  std::string folder = path == "-" ? std::string() : path;
  const std::size_t slash = folder.rfind('/');
  folder = slash == std::string::npos ? "." : folder.substr(0, slash + 1);
  if (path == "-") {
    const char* chosen = getenv("TMPDIR");
    folder = chosen == nullptr || *chosen == '\0' ? "/tmp" : chosen;
  }
  UniqueFd file(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.valid()) return file;
  if (errno != EOPNOTSUPP && errno != EISDIR) {
    return errno_error(errno, "cannot write in " + quoted(folder)).about(folder);
  }
  std::string name = folder + "/.aierase-XXXXXX";
  file = UniqueFd(mkostemp(name.data(), O_CLOEXEC));
  if (!file.valid()) return errno_error(errno, "cannot write in " + quoted(folder)).about(folder);
  unlink(name.c_str());
  return file;
}

}  // namespace aierase::ctl
