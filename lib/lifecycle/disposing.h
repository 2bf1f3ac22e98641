// Gathering what a disposal statement says, while it can still be read.
//
// Contract: one DispositionFacts per round; draft() reads manifest, lineage, exports and epochs of
// one asset, whose key the caller found at its leaf, and returns certificate::draft_statement of
// it. Reads only.
#pragma once

#include <map>
#include <string>

#include "domain/disposition.h"
#include "lifecycle/core.h"

namespace aierase::lifecycle {

class DispositionFacts {
 public:
  DispositionFacts(Core& core, const domain::Plan& plan);
  Result<std::string> draft(const domain::Asset& asset, const crypto::Dek& dek,
                            const Uuid& certificate);

 private:
  Status add_content(const domain::Asset& asset, const crypto::Dek& dek,
                     domain::DispositionRecord& record);
  Status add_lineage(const domain::Asset& asset, domain::DispositionRecord& record);

  Core& core_;
  const domain::Plan& plan_;
  const UtcTime now_;
  std::map<std::uint64_t, std::vector<domain::EpochRecord>> epochs_;  // by first epoch
};

}  // namespace aierase::lifecycle
