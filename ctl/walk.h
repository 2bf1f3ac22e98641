// The files that `import` was asked to take in: found, checked and named before anything is sent.
//
// Contract: reads the file system, changes nothing. Everything that cannot be taken in is refused
// with a sentence that names it. Symbolic links to regular files are followed with the caller's
// rights; links to directories are followed only where they were given as an argument. Files are
// in byte order of their names. walk() twice and compare: that is how a change is noticed.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace aierase::ctl {

// What tells one state of a file from another.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t changed_seconds = 0, changed_nanoseconds = 0;  // of the content
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};
FileIdentity identity_of(const struct stat& status);

enum class Reached { directly, through_link };

struct FoundFile {
  std::string name;  // in the asset
  std::string path;  // to open
  FileIdentity identity;
  Reached reached = Reached::directly;
  std::size_t argument = 0;  // index into Found::arguments
  std::string target;        // real path, where a link led there
  std::uint64_t names = 1;   // hard links
  friend bool operator==(const FoundFile&, const FoundFile&) = default;
};

// Where plaintext lies: one per argument, then one per further directory that links led to. What
// several names lead to counts once.
struct FoundSource {
  std::string description;  // absolute path
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

struct Found {
  std::vector<FoundFile> files;
  std::vector<std::string> arguments;  // absolute paths
  std::uint64_t bytes = 0;
  std::vector<FoundSource> sources() const;
};

// Whether each file can be read is asked before the first of them is sent, and not of what was.
enum class Access { asked, known };
Result<Found> walk(const std::vector<std::string>& paths, Access access = Access::asked);

// Opens one found file for reading; refuses it if it is no longer the file that was found.
Result<UniqueFd> open_found(const FoundFile& file);

// Status that names the first difference between two walks over the same arguments.
Status same_as_before(const Found& before, const Found& now);

}  // namespace aierase::ctl
