#include "ctl/reading.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/json.h"
#include "base/unique_fd.h"

namespace aierase::ctl {

Result<std::string> read_named_file(const std::string& path, const ReadLimit& limit) {
  const bool found = limit.kind == ReadKind::found;
  const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (found ? O_NONBLOCK : 0);
  const UniqueFd file(path == "-" ? dup(STDIN_FILENO) : open(path.c_str(), flags));
  const std::string shown = path == "-" ? "standard input" : quoted(path);
  if (!file.valid()) return errno_error(errno, "cannot read " + shown).about(path);
  struct stat status {};
  if (found && (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))) {
    return make_error(Errc::invalid_input, shown + " is no regular file", {}, path);
  }
  std::string text;
  std::vector<char> piece(64 << 10);
  for (;;) {
    const ssize_t got = read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EISDIR) {
      return make_error(Errc::invalid_input, shown + " is a directory", limit.of_directory, path);
    }
    if (got < 0) return errno_error(errno, "cannot read " + shown).about(path);
    if (got == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(got));
    if (text.size() > limit.bytes) {
      return make_error(Errc::resource_limit,
                        shown + " has more than " + std::to_string(limit.bytes) + " bytes",
                        limit.beyond, path);
    }
  }
}

}  // namespace aierase::ctl
