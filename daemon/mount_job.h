// A mounted view as a job: it runs for as long as the view is served.
//
// Contract: takes one descriptor, "device": of /dev/fuse, mounted by the client. The key is leased
// once it is there. Retiring or suspending the asset revokes the lease: then reads fail, the kernel
// drops its pages, the connection ends, and the job fails. Key and plaintext are gone before the
// lease ends, whatever the kernel or the client does. Specified in: org.aierase1(5) Asset.Mount.
#pragma once

#include <memory>

#include "daemon/jobs.h"
#include "lifecycle/store.h"

namespace aierase::daemon {

std::unique_ptr<JobWork> make_mount(Jobs& jobs, std::shared_ptr<JobChannel> channel,
                                    lifecycle::MountRequest request);

}  // namespace aierase::daemon
