#include "lifecycle/disposing.h"

#include <algorithm>

#include "certificate/statement.h"

namespace aierase::lifecycle {

DispositionFacts::DispositionFacts(Core& core, const domain::Plan& plan)
    : core_(core), plan_(plan), now_(core.now()) {}

Status DispositionFacts::add_content(const domain::Asset& asset, const crypto::Dek& dek,
                                     domain::DispositionRecord& record) {
  ASSIGN_OR_RETURN(domain::Manifest manifest, core_.manifest_of(asset, dek));
  record.files = std::move(manifest.files);
  record.blobs = std::move(manifest.blobs);
  record.configuration_salt = manifest.configuration_salt;
  if (asset.kind != domain::AssetKind::dataset_key) {
    record.manifest_sha256 = crypto::sha256(as_bytes(domain::sha256sum_lines(record.files)));
  }
  return {};
}

Status DispositionFacts::add_lineage(const domain::Asset& asset,
                                     domain::DispositionRecord& record) {
  ASSIGN_OR_RETURN(const std::vector<domain::LineageEdge> edges, core_.view().lineage(asset.id));
  for (const domain::LineageEdge& edge : edges) {
    const bool is_child = edge.child == asset.id;
    ASSIGN_OR_RETURN(domain::LineageName name,
                     core_.lineage_name(is_child ? edge.parent : edge.child, edge.relation));
    const auto kept =
        std::find_if(plan_.kept.begin(), plan_.kept.end(),
                     [&](const domain::KeptDependant& keep) { return keep.asset == name.asset; });
    if (!is_child && kept != plan_.kept.end()) name.kept_because = kept->reason;
    (is_child ? record.parents : record.dependants).push_back(std::move(name));
  }
  return {};
}

Result<std::string> DispositionFacts::draft(const domain::Asset& asset, const crypto::Dek& dek,
                                            const Uuid& certificate) {
  ASSIGN_OR_RETURN(const catalog::StoreState state, core_.view().state());
  domain::DispositionRecord record;
  record.certificate = certificate;
  record.store = core_.store();
  record.host = core_.settings.host.host;
  record.machine_id_digest = core_.settings.host.machine_id_digest;
  record.tool_version = core_.settings.host.tool_version;
  record.tool_build = core_.settings.host.tool_build;
  record.asset = asset;
  RETURN_IF_ERROR(add_content(asset, dek, record));
  RETURN_IF_ERROR(add_lineage(asset, record));
  ASSIGN_OR_RETURN(record.exports, core_.view().exports(asset.id));
  for (const domain::Source& source : asset.sources) {
    if (source.description.empty() || source.description.front() != '/') continue;
    const Result<std::optional<FileInfo>> there = core_.env().stat(source.description);
    if (there.ok() && *there) record.sources_still_present.push_back(source.description);
  }
  record.plan = plan_.id;
  record.plan_digest = plan_.digest;
  record.requester = plan_.requester;
  record.reason = plan_.reason;
  record.ticket = plan_.ticket;
  record.requested = plan_.created;
  record.approvals = plan_.approvals;
  record.people_rule = state.people_rule;
  record.retention_class = asset.retention;
  record.holds = {now_, 0};
  const auto known = epochs_.find(asset.first_epoch);
  if (known != epochs_.end()) {
    record.epochs = known->second;
  } else {
    ASSIGN_OR_RETURN(record.epochs, core_.view().epochs(asset.first_epoch, state.epoch));
    epochs_[asset.first_epoch] = record.epochs;
  }
  record.at_rest = core_.at_rest();
  record.host_findings = core_.settings.host.findings;
  return certificate::draft_statement(record);
}

}  // namespace aierase::lifecycle
