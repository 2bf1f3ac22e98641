// What a device signs when a round destroys: the intents of its assets, as one digest.

#include "certificate/tpm_evidence.h"
#include "lifecycle/core.h"

namespace aierase::lifecycle {
namespace {

using domain::IntentStep;
using Leaves = std::span<const Digest>;

// The largest power of two below the number of leaves.
std::size_t left_part(Leaves leaves) {
  std::size_t size = 1;
  while (size * 2 < leaves.size()) size *= 2;
  return size;
}

Digest root_over(Leaves leaves) {
  if (leaves.size() == 1) return leaves.front();
  const std::size_t left = left_part(leaves);
  return translog::node_hash(root_over(leaves.first(left)), root_over(leaves.subspan(left)));
}

void add_steps(Leaves leaves, std::size_t index, std::vector<IntentStep>& steps) {
  if (leaves.size() == 1) return;
  const std::size_t left = left_part(leaves);
  if (index < left) {
    add_steps(leaves.first(left), index, steps);
    steps.push_back({IntentStep::Side::right, root_over(leaves.subspan(left))});
  } else {
    add_steps(leaves.subspan(left), index - left, steps);
    steps.push_back({IntentStep::Side::left, root_over(leaves.first(left))});
  }
}

}  // namespace

Result<Intents> intents_of(const Core& core, const catalog::EraseRound& round) {
  std::vector<std::string> texts;
  std::vector<Digest> leaves;
  for (const catalog::RoundItem& item : round.items) {
    ASSIGN_OR_RETURN(const std::optional<domain::Asset> asset, core.view().asset(item.asset));
    ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, core.view().plan_head(item.plan));
    if (!asset || !plan) {
      return make_error(Errc::damaged, "an asset or a plan of the round is not in the catalog");
    }
    texts.push_back(certificate::intent_text(
        {core.store(), item.asset, asset->kcv, item.plan, plan->digest, round.from_epoch}));
    leaves.push_back(translog::leaf_hash(as_bytes(texts.back())));
  }
  if (leaves.empty()) return make_error(Errc::damaged, "the erase round names no asset");
  Intents intents;
  intents.digest = root_over(leaves);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    domain::IntentPath path;
    path.intent = std::move(texts[i]);
    add_steps(leaves, i, path.steps);
    intents.paths.push_back(std::move(path));
  }
  return intents;
}

}  // namespace aierase::lifecycle
