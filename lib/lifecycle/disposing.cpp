#include "lifecycle/disposing.h"

#include <algorithm>

#include "blob/manifest.h"
#include "certificate/statement.h"
#include "lifecycle/standing.h"

namespace aierase::lifecycle {
namespace {

// As they stand in the log; those that have lapsed did not count.
Result<std::vector<domain::Approval>> approvals_that_count(Core& core, const domain::Plan& plan) {
  std::vector<domain::Approval> approvals;
  ASSIGN_OR_RETURN(const std::vector<StandingFacts> standing,
                   standing_facts(core, core.view(), plan, {}));
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  for (const domain::Approval& approval : plan.approvals) {
    const bool lapsed =
        approval.standing &&
        std::any_of(standing.begin(), standing.end(), [&](const StandingFacts& facts) {
          return facts.approval.terms.id == approval.standing->id && lapse_of(facts, clock);
        });
    if (!lapsed) approvals.push_back(approval);
  }
  return approvals;
}

}  // namespace

Result<DispositionFacts> DispositionFacts::of_round(Core& core, const domain::Plan& plan) {
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  ASSIGN_OR_RETURN(SecretBytes workspace, SecretBytes::zeroed(blob::kManifestWorkspaceBytes));
  DispositionFacts facts(core, plan, std::move(workspace));
  facts.epoch_ = state.epoch;
  domain::DispositionRecord& record = facts.record_;
  record.store = core.store();
  record.host = core.settings.host.host;
  record.machine_id_digest = core.settings.host.machine_id_digest;
  record.tool_version = core.settings.host.tool_version;
  record.tool_build = core.settings.host.tool_build;
  record.host_findings = core.settings.host.findings;
  record.at_rest = core.at_rest();
  record.plan = plan.id;
  record.plan_digest = plan.digest;
  record.requester = plan.requester;
  record.reason = plan.reason;
  record.ticket = plan.ticket;
  record.requested = plan.created;
  ASSIGN_OR_RETURN(facts.approvals_, approvals_that_count(core, plan));
  for (const domain::Approval& approval : plan.approvals) {
    if (!approval.signed_by) continue;
    const Digest& signature = approval.signed_by->signature;
    ASSIGN_OR_RETURN(std::optional<domain::SignedText> text, core.view().signed_text(signature));
    if (!text) return make_error(Errc::damaged, "a signed approval is not in the catalog any more");
    record.signed_texts.emplace(signature, std::move(*text));
  }
  record.people_rule = state.people_rule;
  record.policy.version = core.retention.set().version();
  if (core.retention.loaded()) record.policy.in_force_since = core.retention.loaded()->loaded;
  record.policy.timing = plan.timing;
  record.policy.due = agreed_due(plan);
  record.policy.origin = plan.origin;
  record.policy.brake = plan.brake;
  if (const domain::Approval* release = release_of(plan)) {
    record.policy.released_by = release->actor.login;
  }
  record.holds = {core.now(), 0};
  return facts;
}

Status DispositionFacts::add_content(const domain::Asset& asset, ByteView dek) {
  Result<domain::Manifest> manifest = workspace_.fill(
      [&](ByteSpan workspace) { return core_->manifest_of(asset, dek, workspace); });
  if (!manifest.ok()) return std::move(manifest).error();
  record_.files = std::move(manifest->files);
  record_.blobs = std::move(manifest->blobs);
  record_.configuration_salt = manifest->configuration_salt;
  record_.manifest_sha256 = {};
  if (asset.kind != domain::AssetKind::dataset_key) {
    record_.manifest_sha256 = crypto::sha256(as_bytes(domain::sha256sum_lines(record_.files)));
  }
  return {};
}

Status DispositionFacts::add_lineage(const domain::Asset& asset) {
  record_.parents.clear();
  record_.dependants.clear();
  ASSIGN_OR_RETURN(const std::vector<domain::LineageEdge> edges, core_->view().lineage(asset.id));
  for (const domain::LineageEdge& edge : edges) {
    const bool is_child = edge.child == asset.id;
    ASSIGN_OR_RETURN(domain::LineageName name,
                     core_->lineage_name(is_child ? edge.parent : edge.child, edge.relation));
    const auto kept =
        std::find_if(plan_->kept.begin(), plan_->kept.end(),
                     [&](const domain::KeptDependant& keep) { return keep.asset == name.asset; });
    if (!is_child && kept != plan_->kept.end()) name.kept_because = kept->reason;
    (is_child ? record_.parents : record_.dependants).push_back(std::move(name));
  }
  return {};
}

// Neighbours in a plan are of one age mostly: the epochs of the asset before serve again.
Status DispositionFacts::add_epochs(const domain::Asset& asset) {
  if (!record_.epochs.empty() && record_.epochs.front().epoch == asset.first_epoch) return {};
  ASSIGN_OR_RETURN(record_.epochs, core_->view().epochs(asset.first_epoch, epoch_));
  return {};
}

Status DispositionFacts::add_policy(const domain::Asset& asset) {
  ASSIGN_OR_RETURN(const policy::Decision ruling,
                   core_->retention.objections(core_->view(), asset, record_.holds.time));
  domain::PolicyApplied& policy = record_.policy;
  policy.retention_class = asset.retention;
  policy.classes = ruling.classes;
  policy.bases = ruling.terms.bases;
  // What was approved in advance speaks for what its class makes due, and for nothing else.
  const PolicyFacts facts = policy_facts(core_->retention, ruling);
  record_.approvals = approvals_;
  std::erase_if(record_.approvals, [&](const domain::Approval& approval) {
    return approval.standing && approval.standing->retention_class != facts.due_by;
  });
  policy.floors.clear();
  policy.below_floor.clear();
  if (ruling.floors_in_force.empty()) return {};
  policy.below_floor = plan_->below_floor;
  for (const domain::Reason& floor : ruling.floors_in_force) policy.floors.push_back(floor.text);
  return {};
}

// What lies in a directory that was emptied is not looked for: one name in it is all that is read.
void DispositionFacts::add_removed(const domain::Source& source,
                                   const std::optional<FileInfo>& there) {
  using Left = domain::RemovedSource::Left;
  Left left = Left::nothing;
  if (there && there->type == FileType::directory) {
    const Result<bool> empty = core_->env().is_empty(source.description);
    left = !empty.ok() ? Left::closed_directory
           : *empty    ? Left::empty_directory
                       : Left::filled_directory;
  } else if (there) {
    left = Left::file;
    record_.sources_still_present.push_back(source.description);
  }
  record_.sources_removed.push_back({source.description, *source.removed_at, left});
}

void DispositionFacts::add_sources(const domain::Asset& asset) {
  record_.sources_still_present.clear();
  record_.sources_removed.clear();
  record_.sources_not_visible.clear();
  for (const domain::Source& source : asset.sources) {
    const bool is_path = !source.description.empty() && source.description.front() == '/';
    if (!is_path) {
      if (source.removed_at) add_removed(source, std::nullopt);
      continue;
    }
    const Result<std::optional<FileInfo>> there = core_->env().stat(source.description);
    if (source.removed_at) add_removed(source, there.ok() ? *there : std::nullopt);
    if (there.ok() && *there) {
      if (!source.removed_at) record_.sources_still_present.push_back(source.description);
    } else if (!there.ok() || source.sight == domain::SourceSight::hidden) {
      record_.sources_not_visible.push_back(source.description);
    }
  }
}

Result<std::string> DispositionFacts::draft(const domain::Asset& asset, ByteView dek,
                                            const Uuid& certificate) {
  record_.certificate = certificate;
  record_.asset = asset;
  RETURN_IF_ERROR(add_policy(asset));
  RETURN_IF_ERROR(add_content(asset, dek));
  RETURN_IF_ERROR(add_lineage(asset));
  RETURN_IF_ERROR(add_epochs(asset));
  add_sources(asset);
  ASSIGN_OR_RETURN(record_.exports, core_->view().exports(asset.id));
  return certificate::draft_statement(record_);
}

}  // namespace aierase::lifecycle
