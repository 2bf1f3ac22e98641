// Gathering what a disposal statement says, while it can still be read.
//
// Contract: one DispositionFacts per round, which must not outlive core and plan; draft() reads
// manifest, lineage and exports of one asset, whose key the caller found at its leaf and still has
// open, and returns certificate::draft_statement of it. Reads only. Locked memory: one workspace
// for all manifests.
#pragma once

#include <map>
#include <string>

#include "base/secret_bytes.h"
#include "domain/disposition.h"
#include "lifecycle/core.h"

namespace aierase::lifecycle {

class DispositionFacts {
 public:
  static Result<DispositionFacts> of_round(Core& core, const domain::Plan& plan);
  Result<std::string> draft(const domain::Asset& asset, ByteView dek, const Uuid& certificate);

 private:
  DispositionFacts(Core& core, const domain::Plan& plan, SecretBytes workspace)
      : core_(&core), plan_(&plan), workspace_(std::move(workspace)) {}
  Status add_content(const domain::Asset& asset, ByteView dek);
  Status add_lineage(const domain::Asset& asset);
  Status add_epochs(const domain::Asset& asset);
  Status add_policy(const domain::Asset& asset);
  void add_sources(const domain::Asset& asset);
  void add_removed(const domain::Source& source, const std::optional<FileInfo>& there);

  Core* core_;
  const domain::Plan* plan_;
  SecretBytes workspace_;
  std::uint64_t epoch_ = 0;
  std::vector<domain::Approval> approvals_;  // of the plan, that count
  domain::DispositionRecord record_;         // what all assets of the round share stays in it
};

}  // namespace aierase::lifecycle
