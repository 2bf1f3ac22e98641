// Export and key release: plaintext or key into the client's descriptors, recorded first.
//
// Contract: each medium that a job writes to has a durable record before its first byte. The key
// is leased: retiring or suspending the asset ends the job. Specified in: org.aierase1(5)
// Asset.Export.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/jobs.h"
#include "lifecycle/store.h"

namespace aierase::daemon {

std::unique_ptr<JobWork> make_export(Jobs& jobs, std::shared_ptr<JobChannel> channel,
                                     lifecycle::ExportRequest request);

}  // namespace aierase::daemon
