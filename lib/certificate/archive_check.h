// A whole archive: its sections, and the index that has to follow from them.
//
// Contract: members are given by their names in the archive, in its order; everything else is as of
// SectionCheck, and what all sections have together is limited. The index is made anew from what
// was read and compared. README and index.html are for people, and nobody has signed either: they
// are made anew as well, and where another version may have worded them otherwise, "pages" says
// that they were not checked. Specified in: aierase-certificate(5) ARCHIVES.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/errc.h"
#include "base/json.h"
#include "certificate/section_check.h"

namespace aierase::certificate {

struct ArchivedFile {
  std::string name;
  std::uint64_t bytes = 0;
  Digest sha256{};
};

ArchivedFile file_row(std::string name, std::string_view content);

struct ArchiveReport {
  std::vector<Check> checks;  // of the archive itself
  std::vector<SectionReport> sections;
  std::vector<ArchivedFile> files;  // all but the index
};
bool is_verified(const ArchiveReport& report);
// Whether README and index.html say what follows from the archive.
bool has_own_pages(const ArchiveReport& report);
// Meaningless when verified: whether it is the signer alone that is unknown.
Errc outcome_of(const ArchiveReport& report);

class ArchiveCheck {
 public:
  explicit ArchiveCheck(const ArchiveReader& reader);
  ~ArchiveCheck();
  ArchiveCheck(const ArchiveCheck&) = delete;
  ArchiveCheck& operator=(const ArchiveCheck&) = delete;

  void add(const std::string& name, std::string content);
  // What keeps the archive from being read any further.
  void break_off(const Error& error);
  ArchiveReport finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// How much of a member may be read; a name that is none of an archive has none.
std::size_t limit_of_member(const std::string& name);

}  // namespace aierase::certificate
