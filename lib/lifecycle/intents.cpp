// What a device signs when a round destroys: the intents of its assets, as one digest.

#include "certificate/tpm_evidence.h"
#include "lifecycle/core.h"

namespace aierase::lifecycle {
namespace {

struct Lines {
  std::vector<std::string> texts;
  std::vector<Digest> leaves;
};

Result<Lines> lines_of(const Core& core, const catalog::EraseRound& round) {
  Lines lines;
  for (const catalog::RoundItem& item : round.items) {
    ASSIGN_OR_RETURN(const std::optional<domain::Asset> asset, core.view().asset(item.asset));
    ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, core.view().plan_head(item.plan));
    if (!asset || !plan) {
      return make_error(Errc::damaged, "an asset or a plan of the round is not in the catalog");
    }
    lines.texts.push_back(certificate::intent_text(
        {core.store(), item.asset, asset->kcv, item.plan, plan->digest, round.from_epoch}));
    lines.leaves.push_back(translog::leaf_hash(as_bytes(lines.texts.back())));
  }
  if (lines.leaves.empty()) return make_error(Errc::damaged, "the erase round names no asset");
  return lines;
}

}  // namespace

Result<Digest> intents_digest(const Core& core, const catalog::EraseRound& round) {
  if (round.items.empty()) return move_digest(core, round.from_epoch);
  ASSIGN_OR_RETURN(const Lines lines, lines_of(core, round));
  return translog::replay(lines.leaves).root;
}

Result<std::vector<domain::IntentPath>> intent_paths(const Core& core,
                                                     const catalog::EraseRound& round) {
  ASSIGN_OR_RETURN(Lines lines, lines_of(core, round));
  const certificate::IntentTree tree(std::move(lines.leaves));
  std::vector<domain::IntentPath> paths;
  for (std::size_t i = 0; i < lines.texts.size(); ++i) {
    paths.push_back({std::move(lines.texts[i]), tree.steps(i)});
  }
  return paths;
}

}  // namespace aierase::lifecycle
