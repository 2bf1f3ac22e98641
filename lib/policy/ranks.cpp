#include "policy/ranks.h"

#include <algorithm>

namespace aierase::policy {
namespace {

bool has_place(const domain::Asset& asset) {
  return asset.state == domain::AssetState::active || asset.state == domain::AssetState::suspended;
}

bool is_newer(const Facts* a, const Facts* b) {
  if (a->asset->created != b->asset->created) return a->asset->created > b->asset->created;
  return a->asset->name > b->asset->name;
}

}  // namespace

void rank_versions(const PolicySet& set, std::vector<Facts>& group) {
  std::vector<Facts*> ordered;
  for (Facts& facts : group) {
    facts.ranks.clear();
    ordered.push_back(&facts);
  }
  std::sort(ordered.begin(), ordered.end(), is_newer);
  for (const RetentionClass& value : set.classes()) {
    if (!value.keep_last) continue;
    std::size_t place = 0;
    for (Facts* facts : ordered) {
      if (!applies(value, *facts)) continue;
      facts->ranks[value.name] = place;
      if (has_place(*facts->asset)) ++place;
    }
  }
}

}  // namespace aierase::policy
