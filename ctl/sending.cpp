#include "ctl/sending.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "ctl/interrupt.h"
#include "ctl/page_cache.h"

namespace aierase::ctl {
namespace {

constexpr int kPipeBytes = 1 << 20;

Status relay(int from, int to, Progress& progress) {
  std::vector<char> piece(256 << 10);
  std::uint64_t done = 0;
  for (;;) {
    RETURN_IF_ERROR(wait_until(from, Ready::read));
    const ssize_t got = read(from, piece.data(), piece.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return errno_error(errno, "cannot read standard input");
    if (Interrupt::asked()) return interrupted();
    if (got == 0) return {};
    RETURN_IF_ERROR(write_fully(to, piece.data(), static_cast<std::size_t>(got)));
    done += static_cast<std::uint64_t>(got);
    progress.update(done);
  }
}

}  // namespace

Error end_of(Job& job, Error pipe_error) {
  if (pipe_error.code != Errc::cancelled || Interrupt::asked()) return pipe_error;
  auto ended = job.wait({});
  return ended.ok() ? std::move(pipe_error) : std::move(ended).error();
}

Status send_stream(Job& job, const std::string& name, int from, Progress& progress) {
  ASSIGN_OR_RETURN(PipeEnds pipe, make_pipe());
  RETURN_IF_ERROR(job.add_files({{name, pipe.reading.get()}}));
  pipe.reading.reset();
  fcntl(pipe.writing.get(), F_SETFL, O_NONBLOCK);  // its own description, nobody shares it
  Status copied = relay(from, pipe.writing.get(), progress);
  if (!copied.ok()) return end_of(job, std::move(copied).error());
  return {};
}

Result<PipeEnds> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno_error(errno, "cannot make a pipe");
  PipeEnds pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  widen_pipe(pipe.writing.get());
  return pipe;
}

void widen_pipe(int descriptor) {
  fcntl(descriptor, F_SETPIPE_SZ, kPipeBytes);
}

Status send_files(Job& job, const Found& found) {
  for (std::size_t at = 0; at < found.files.size();) {
    const std::size_t end = std::min(at + limits::kDescriptorsPerCall, found.files.size());
    std::vector<UniqueFd> open;
    std::vector<JobFile> batch;
    for (; at < end; ++at) {
      ASSIGN_OR_RETURN(UniqueFd file, open_found(found.files[at]));
      spare_page_cache(file.get(), found.files[at].identity.size);
      batch.push_back({found.files[at].name, file.get()});
      open.push_back(std::move(file));
    }
    RETURN_IF_ERROR(job.add_files(batch));
  }
  return {};
}

Result<Sent> send_archive(Job& job, TarReader& archive, Progress& progress) {
  Sent sent;
  for (;;) {
    ASSIGN_OR_RETURN(const std::optional<TarMember> member, archive.next());
    if (!member) return sent;
    ASSIGN_OR_RETURN(PipeEnds pipe, make_pipe());
    RETURN_IF_ERROR(job.add_files({{member->name, pipe.reading.get()}}));
    pipe.reading.reset();
    fcntl(pipe.writing.get(), F_SETFL, O_NONBLOCK);  // its own description, nobody shares it
    Status copied = archive.copy_to(pipe.writing.get(), [&](std::uint64_t bytes) {
      sent.bytes += bytes;
      progress.update(sent.bytes);
    });
    if (!copied.ok()) return end_of(job, std::move(copied).error());
    sent.files += 1;
  }
}

}  // namespace aierase::ctl
