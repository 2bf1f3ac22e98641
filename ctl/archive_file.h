// Archives of evidence as files: their members one after the other, from where they come.
//
// Contract: one member in memory at a time, each within its own limit; a source is read once, in
// the order of an archive. Nothing here believes anything: certificate::ArchiveCheck does that.
// Specified in: aierase-certificate(5) ARCHIVES.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "certificate/archive_check.h"

namespace aierase::ctl {

struct NamedContent {
  std::string name;
  std::string content;
};

class MemberSource {
 public:
  virtual ~MemberSource() = default;
  virtual Result<std::optional<NamedContent>> next() = 0;  // none: the end
};

// Whether it begins as a tar archive does, compressed or not; of a path, false of what is no file.
bool begins_as_archive(std::string_view content);
bool is_archive(const std::string& path);

enum class Leading { kept, skipped };  // index and README
// `on_bytes` learns how far the file was read.
Result<std::unique_ptr<MemberSource>> open_archive(const std::string& path, Leading leading);
// The section that a daemon wrote into `file`, as org.aierase1(5) Certificate.Bundle has it.
Result<std::unique_ptr<MemberSource>> open_spool(int file, const std::string& folder);
// All sections of all of them; the same section twice is one, and two that differ are refused.
std::unique_ptr<MemberSource> merged(std::vector<std::unique_ptr<MemberSource>> sources);

// Reads all of it. What ends the reading is a finding, but for Errc::cancelled.
using OnMember = std::function<void(std::uint64_t bytes)>;
Result<certificate::ArchiveReport> check_members(MemberSource& source,
                                                 const certificate::ArchiveReader& reader,
                                                 const OnMember& on_member);

unsigned all_cores();

// A file without a name, beside `path` or where temporary files go; gone when it is closed.
Result<UniqueFd> nameless_file(const std::string& path);

}  // namespace aierase::ctl
