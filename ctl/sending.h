// How content gets into an import job: files in batches of 16, archive members through pipes.
//
// Contract: bounded memory and descriptors; never more than one batch ahead of the daemon. A file
// that is no longer the one that was found, or an archive that breaks off, is an error: the caller
// then drops the job, which leaves nothing behind.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "ctl/progress.h"
#include "ctl/session.h"
#include "ctl/tar.h"
#include "ctl/walk.h"

namespace aierase::ctl {

Status send_files(Job& job, const Found& found);

struct Sent {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};
Result<Sent> send_archive(Job& job, TarReader& archive, Progress& progress);

// A stream that is no file goes through a pipe of ours: only who reads it to its end knows that it
// was whole. Passed on directly, a pipeline that is interrupted would look like one that is done.
Status send_stream(Job& job, const std::string& name, int from, Progress& progress);

// Of a pipe that broke off: why the daemon let go of it is what the job's end says.
Error end_of(Job& job, Error pipe_error);

struct PipeEnds {
  UniqueFd reading;
  UniqueFd writing;
};
Result<PipeEnds> make_pipe();
// A pipe that holds more is faster; a refusal, or no pipe at all, costs only that.
void widen_pipe(int descriptor);

}  // namespace aierase::ctl
