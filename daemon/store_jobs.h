// Jobs without files of the client's: a check of the store, the export of a certificate.
//
// Contract: a check takes one page at a time on the store thread, so that other acts and a hold get
// between. With a rate it waits after each page until as many bytes would have
// taken that long. Specified in: org.aierase1(5) Manager.Check, Certificate.Export.
#pragma once

#include <memory>
#include <vector>

#include "daemon/jobs.h"
#include "lifecycle/store.h"

namespace aierase::daemon {

struct CheckOrder {
  std::vector<Uuid> assets;  // empty: everything
  lifecycle::CheckDepth depth = lifecycle::CheckDepth::structure;
  std::uint64_t max_rate = 0;  // bytes of content a second; 0: as fast as it goes
};
std::unique_ptr<JobWork> make_check(Jobs& jobs, std::shared_ptr<JobChannel> channel,
                                    CheckOrder order);
// Writes the bundle of `record`, with its proof, into the descriptor.
std::unique_ptr<JobWork> make_certificate_export(std::shared_ptr<JobChannel> channel,
                                                 lifecycle::SignedRecord record,
                                                 lifecycle::LogProof proof, UniqueFd file);

}  // namespace aierase::daemon
