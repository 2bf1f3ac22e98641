// Small files that a person names, read whole with that person's rights.
//
// Contract: follows links and takes pipes (`verify <(curl ...)`); "-" is standard input. Errors
// name the file; a file beyond `bytes` is Errc::resource_limit, and never held in memory. What
// nobody named, but was found, has to be a regular file: a pipe may never have a writer.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace aierase::ctl {

enum class ReadKind { named, found };
struct ReadLimit {
  std::size_t bytes = 0;
  std::string beyond;        // what to do about a longer one; may be empty
  std::string of_directory;  // what to name instead of a directory
  ReadKind kind = ReadKind::named;
};
Result<std::string> read_named_file(const std::string& path, const ReadLimit& limit);

}  // namespace aierase::ctl
