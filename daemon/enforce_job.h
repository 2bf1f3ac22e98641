// A run of enforce as a job.
//
// Contract: one page at a time on the store thread, so that other acts and a hold get between. Of a
// client that vanishes the run ends where it is; the next one completes it. Specified in:
// org.aierase1(5) Policy.Enforce.
#pragma once

#include <memory>

#include "daemon/jobs.h"
#include "lifecycle/enforcing.h"

namespace aierase::daemon {

std::unique_ptr<JobWork> make_enforcement(Jobs& jobs, std::shared_ptr<JobChannel> channel,
                                          lifecycle::EnforceRequest request);

}  // namespace aierase::daemon
