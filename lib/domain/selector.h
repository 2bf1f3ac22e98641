// Selectors: the one language of `--match K=V` and of a retention class's `match`.
//
// Contract: pure. parse_selector() accepts asset, name, label.KEY, retention, kind, custodian,
// state, derived-from, trained-on, unused-for and due-before; what it refuses is Errc::usage with
// the keys as hint. A name pattern is a shell glob over the name without its version, or over the
// whole name where the pattern has a ':'; label values are globs too. unused-for takes a duration,
// due-before a day or a time in UTC; all other values are compared as they are.
// Specified in: aierase(1) NAMES AND IDS, aierase-policy(5) SELECTORS.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/duration.h"
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
  trained_on,
  unused_for,
  due_before
};
// What it selects changes by time alone, or with the policy.
bool asks_for_time(SelectorKey key) noexcept;

struct Selector {
  SelectorKey key = SelectorKey::name;
  std::string label;  // of label.KEY alone
  std::string value;
  Duration period{};         // of unused-for
  UtcTime moment{};          // of due-before
  std::string text() const;  // "label.project=gauss", as it was written
  friend bool operator==(const Selector&, const Selector&) = default;
};

// Whatever an asset comes from, at any distance, erased ones too.
struct Ancestry {
  std::vector<AssetName> derived_from;  // itself, or what those are derived from
  std::vector<AssetName> trained_on;    // itself, or what it is derived from
};

// What the asset's own row does not say; only what the selectors at hand ask for has to be right.
struct MatchFacts {
  const Ancestry& ancestry;
  UtcTime now{};
  std::optional<UtcTime> idle_since = {};    // none: it is in use, or erased
  enum class Due { no, yes } due = Due::no;  // by the policy, before the moment of due-before
};

Result<Selector> parse_selector(std::string_view text);
// All of them at once; a key that can have one value only must not stand there twice.
Result<std::vector<Selector>> parse_selectors(const std::vector<std::string>& texts);

bool name_matches(std::string_view pattern, const AssetName& name);
bool matches(const Selector& selector, const Asset& asset, const MatchFacts& facts);
bool matches_all(const std::vector<Selector>& selectors, const Asset& asset,
                 const MatchFacts& facts);

}  // namespace aierase::domain
