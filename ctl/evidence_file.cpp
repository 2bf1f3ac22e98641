#include "ctl/evidence_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "base/unique_fd.h"
#include "certificate/evidence.h"
#include "ctl/interrupt.h"
#include "ctl/receiving.h"

namespace aierase::ctl {

Result<std::string> read_evidence(const std::string& path, std::size_t limit) {
  const UniqueFd file(path == "-" ? dup(STDIN_FILENO)
                                  : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  const std::string shown = path == "-" ? "standard input" : quoted(path);
  if (!file.valid()) return errno_error(errno, "cannot read " + shown).about(path);
  std::string text;
  std::vector<char> piece(64 << 10);
  for (;;) {
    const ssize_t got = read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EISDIR) {
      return make_error(Errc::invalid_input, shown + " is a directory", "name the files in it",
                        path);
    }
    if (got < 0) return errno_error(errno, "cannot read " + shown).about(path);
    if (got == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(got));
    if (text.size() > limit) {
      return make_error(
          Errc::resource_limit,
          shown + " has more than " + std::to_string(limit) + " bytes; no file of its kind has", "",
          path);
    }
  }
}

Result<std::string> read_checkpoint(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string content, read_evidence(path, limits::kCertificateBytes));
  std::optional<std::string> note = certificate::checkpoint_in(content);
  if (note) return std::move(*note);
  return make_error(Errc::invalid_input, "there is no checkpoint in " + quoted(path),
                    "name a checkpoint, a proof, or a certificate that carries one", path);
}

Status write_evidence(const std::string& path, std::string_view content) {
  ASSIGN_OR_RETURN(Receiver receiver, Receiver::open_parent(path));
  ASSIGN_OR_RETURN(const UniqueFd file, receiver.create(path.substr(path.rfind('/') + 1)));
  RETURN_IF_ERROR(write_fully(file.get(), content.data(), content.size()));
  if (fchmod(file.get(), 0644) != 0) return errno_error(errno, "cannot set the mode of the file");
  return receiver.keep();
}

Status replace_evidence(const std::string& path, std::string_view content) {
  const std::string aside = path + ".new";
  if (unlink(aside.c_str()) != 0 && errno != ENOENT) {
    return errno_error(errno, "cannot remove " + quoted(aside)).about(aside);
  }
  RETURN_IF_ERROR(write_evidence(aside, content));
  if (rename(aside.c_str(), path.c_str()) != 0) {
    return errno_error(errno, "cannot replace " + quoted(path)).about(path);
  }
  return {};
}

}  // namespace aierase::ctl
