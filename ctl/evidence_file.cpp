#include "ctl/evidence_file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "base/unique_fd.h"
#include "certificate/evidence.h"
#include "certificate/signed_act.h"
#include "ctl/interrupt.h"
#include "ctl/reading.h"
#include "ctl/receiving.h"

namespace aierase::ctl {
namespace {

bool is_page(std::string_view content) {
  constexpr std::string_view kStart = "<!doctype html";
  content.remove_prefix(std::min(content.find_first_not_of(" \t\r\n"), content.size()));
  return content.size() >= kStart.size() &&
         std::equal(kStart.begin(), kStart.end(), content.begin(), [](char wanted, char found) {
           return wanted == (found >= 'A' && found <= 'Z' ? found - 'A' + 'a' : found);
         });
}

}  // namespace

Result<std::string> read_evidence(const std::string& path, std::size_t limit, ReadKind kind) {
  return read_named_file(path,
                         {limit, "no file of its kind is longer", "name the files in it", kind});
}

Status refuse_what_people_read(const std::string& path, std::string_view content) {
  if (is_page(content)) {
    return make_error(Errc::invalid_input, quoted(path) + " is a page for people",
                      "verify the signed file that it was made from; opened in a browser, the page "
                      "checks itself and saves that file",
                      path);
  }
  const std::string_view text = certificate::split_signed_file(content).text;
  if (content.starts_with("AIERASE ") && certificate::parse_signed_act(text).ok()) {
    return make_error(Errc::invalid_input,
                      quoted(path) + " is a text that somebody signs to decide about plans",
                      "hand it in, with its signature: aierase approve --signed FILE", path);
  }
  return {};
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
