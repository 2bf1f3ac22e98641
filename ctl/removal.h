// --remove-source: takes away exactly the files that were imported, after the commit.
//
// Contract: a file is unlinked only if it is still the one that was read (device, inode, size and
// time of change) and was reached inside an argument; what a link led to outside stays, and so
// does a file with further names (a name is taken, the plaintext is not gone). Never a directory.
// Unlinking does not overwrite: the text for people says so.
#pragma once

#include <string>
#include <vector>

#include "ctl/walk.h"

namespace aierase::ctl {

struct Removal {
  std::size_t removed = 0;          // names of files
  std::size_t links = 0;            // links alone: what they led to stays
  std::vector<std::string> gone;    // descriptions of sources with nothing left
  std::vector<std::string> stayed;  // sentences: what is left, and why
};

Removal remove_sources(const Found& found);

}  // namespace aierase::ctl
