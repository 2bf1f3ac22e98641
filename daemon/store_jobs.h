// Jobs without files of the client's: a check of the store, the export of a certificate.
//
// Contract: a check takes one page at a time on the store thread, so that other acts and a hold get
// between. Specified in: org.aierase1(5) Manager.Check, Certificate.Export.
#pragma once

#include <memory>
#include <vector>

#include "daemon/jobs.h"
#include "lifecycle/store.h"

namespace aierase::daemon {

std::unique_ptr<JobWork> make_check(Jobs& jobs, std::shared_ptr<JobChannel> channel,
                                    std::vector<Uuid> assets, lifecycle::CheckDepth depth);
// Writes the bundle of `row`, with its proof, into the descriptor.
std::unique_ptr<JobWork> make_certificate_export(std::shared_ptr<JobChannel> channel,
                                                 catalog::CertificateRow row,
                                                 lifecycle::LogProof proof, UniqueFd file);

}  // namespace aierase::daemon
