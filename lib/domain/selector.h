// Selectors: the one language of `--match K=V` and of a retention class's `match`.
//
// Contract: pure. parse_selector() accepts asset, name, label.KEY, retention, kind, custodian,
// state, derived-from and trained-on; what it refuses is Errc::usage with the keys as hint. A name
// pattern is a shell glob over the name without its version, or over the whole name where the
// pattern has a ':'; label values are globs too; all other values are compared as they are.
// Specified in: aierase(1) NAMES AND IDS, aierase-policy(5) SELECTORS.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/asset.h"

namespace aierase::domain {

enum class SelectorKey {
  asset,
  name,
  label,
  retention,
  kind,
  custodian,
  state,
  derived_from,
  trained_on
};

struct Selector {
  SelectorKey key = SelectorKey::name;
  std::string label;  // of label.KEY alone
  std::string value;
  std::string text() const;  // "label.project=gauss", as it was written
  friend bool operator==(const Selector&, const Selector&) = default;
};

// Whatever an asset comes from, at any distance, erased ones too.
struct Ancestry {
  std::vector<AssetName> derived_from;  // itself, or what those are derived from
  std::vector<AssetName> trained_on;    // itself, or what it is derived from
};

Result<Selector> parse_selector(std::string_view text);
// All of them at once; a key that can have one value only must not stand there twice.
Result<std::vector<Selector>> parse_selectors(const std::vector<std::string>& texts);

bool name_matches(std::string_view pattern, const AssetName& name);
bool matches(const Selector& selector, const Asset& asset, const Ancestry& ancestry);
bool matches_all(const std::vector<Selector>& selectors, const Asset& asset,
                 const Ancestry& ancestry);

}  // namespace aierase::domain
