#include "domain/selector.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/json.h"
#include "base/limits.h"

namespace aierase::domain {
namespace {

constexpr std::string_view kLabel = "label.";

struct KeyWord {
  std::string_view word;
  SelectorKey key;
};
constexpr std::array kKeyWords{
    KeyWord{"asset", SelectorKey::asset},
    KeyWord{"name", SelectorKey::name},
    KeyWord{"retention", SelectorKey::retention},
    KeyWord{"kind", SelectorKey::kind},
    KeyWord{"custodian", SelectorKey::custodian},
    KeyWord{"state", SelectorKey::state},
    KeyWord{"derived-from", SelectorKey::derived_from},
    KeyWord{"trained-on", SelectorKey::trained_on},
    KeyWord{"unused-for", SelectorKey::unused_for},
    KeyWord{"due-before", SelectorKey::due_before},
};

std::string_view word_of(SelectorKey key) {
  for (const KeyWord& entry : kKeyWords) {
    if (entry.key == key) return entry.word;
  }
  return "label";
}

Error refused(std::string message) {
  return make_error(Errc::usage, std::move(message),
                    "the keys are asset, name, label.KEY, retention, kind, custodian, state, "
                    "derived-from, trained-on, unused-for, due-before");
}

bool may_repeat(SelectorKey key) {
  return key == SelectorKey::label || key == SelectorKey::derived_from ||
         key == SelectorKey::trained_on;
}

Status read_moment(Selector& selector) {
  std::optional<UtcTime> moment = from_rfc3339(selector.value);
  if (!moment) moment = from_rfc3339(selector.value + "T00:00:00Z");
  if (!moment) {
    return make_error(Errc::usage, quoted(selector.value) + " is neither a day nor a time",
                      "2031-01-01, or 2031-01-01T12:00:00Z (UTC)");
  }
  selector.moment = *moment;
  return {};
}

Status read_period(Selector& selector) {
  Result<Duration> period = parse_duration(selector.value);
  if (!period.ok()) {
    return make_error(Errc::usage, period.error().message, period.error().hint);
  }
  if (period->count == 0) {
    return make_error(Errc::usage, quoted(selector.text()) + " matches whatever is not in use now",
                      "give the time that has gone by: unused-for='90 days'");
  }
  selector.period = *period;
  return {};
}

Status read_value(Selector& selector) {
  const std::string shown = quoted(selector.text());
  if (selector.value.size() > limits::kLabelValueBytes || !is_printable_utf8(selector.value)) {
    return refused("the value of " + shown + " is too long or not printable");
  }
  if (selector.key == SelectorKey::kind && !parse_asset_kind(selector.value)) {
    return make_error(Errc::usage, "there is no kind " + quoted(selector.value),
                      "model, adapter, checkpoint, dataset-key, embedding-index, configuration");
  }
  if (selector.key == SelectorKey::state && !parse_asset_state(selector.value)) {
    return make_error(Errc::usage, "there is no state " + quoted(selector.value),
                      "active, suspended, retired, erasing, erased");
  }
  if (selector.key == SelectorKey::unused_for) return read_period(selector);
  if (selector.key == SelectorKey::due_before) return read_moment(selector);
  return {};
}

bool any_name_matches(std::string_view pattern, const std::vector<AssetName>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](const AssetName& name) { return name_matches(pattern, name); });
}

bool is_asset(const std::string& typed, const Asset& asset) {
  if (asset.name.text() == typed) return true;
  const std::optional<IdPrefix> prefix = parse_id(typed);
  return prefix && prefix->type == IdType::asset && matches(*prefix, asset.id);
}

bool label_matches(const Selector& selector, const Asset& asset) {
  const auto found = asset.labels.find(selector.label);
  return found != asset.labels.end() && glob_match(selector.value, found->second);
}

}  // namespace

std::string Selector::text() const {
  const std::string word(word_of(key));
  return (key == SelectorKey::label ? word + "." + label : word) + "=" + value;
}

bool asks_for_time(SelectorKey key) noexcept {
  return key == SelectorKey::unused_for || key == SelectorKey::due_before;
}

Result<Selector> parse_selector(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) {
    return refused("a match is written K=V, not " + quoted(text));
  }
  const std::string_view key = text.substr(0, equals);
  Selector selector;
  selector.value = std::string(text.substr(equals + 1));
  const auto known = std::find_if(kKeyWords.begin(), kKeyWords.end(),
                                  [&](const KeyWord& entry) { return entry.word == key; });
  if (known != kKeyWords.end()) {
    selector.key = known->key;
  } else if (key.substr(0, kLabel.size()) == kLabel) {
    selector.key = SelectorKey::label;
    selector.label = std::string(key.substr(kLabel.size()));
    const Status fine = check_label(selector.label, {});
    if (!fine.ok()) return refused(fine.error().message);
  } else {
    return refused("there is no match by " + quoted(key));
  }
  RETURN_IF_ERROR(read_value(selector));
  return selector;
}

Result<std::vector<Selector>> parse_selectors(const std::vector<std::string>& texts) {
  std::vector<Selector> selectors;
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(Selector selector, parse_selector(text));
    const bool twice =
        std::any_of(selectors.begin(), selectors.end(),
                    [&](const Selector& earlier) { return earlier.key == selector.key; });
    if (twice && !may_repeat(selector.key)) {
      return refused("the match " + std::string(word_of(selector.key)) +
                     "= is given twice, and both at once match nothing");
    }
    selectors.push_back(std::move(selector));
  }
  return selectors;
}

bool name_matches(std::string_view pattern, const AssetName& name) {
  if (glob_match(pattern, name.text())) return true;
  return pattern.find(':') == std::string_view::npos && glob_match(pattern, name.base());
}

bool matches(const Selector& selector, const Asset& asset, const MatchFacts& facts) {
  switch (selector.key) {
    case SelectorKey::asset:
      return is_asset(selector.value, asset);
    case SelectorKey::name:
      return name_matches(selector.value, asset.name);
    case SelectorKey::label:
      return label_matches(selector, asset);
    case SelectorKey::retention:
      return asset.retention == selector.value;
    case SelectorKey::kind:
      return to_text(asset.kind) == selector.value;
    case SelectorKey::custodian:
      return std::any_of(
          asset.custodians.begin(), asset.custodians.end(),
          [&](const Custodian& custodian) { return custodian.text() == selector.value; });
    case SelectorKey::state:
      return to_text(asset.state) == selector.value;
    case SelectorKey::derived_from:
      return any_name_matches(selector.value, facts.ancestry.derived_from);
    case SelectorKey::trained_on:
      return any_name_matches(selector.value, facts.ancestry.trained_on);
    case SelectorKey::unused_for:
      return facts.idle_since && add(*facts.idle_since, selector.period) <= facts.now;
    case SelectorKey::due_before:
      return facts.due == MatchFacts::Due::yes;
  }
  return false;
}

bool matches_all(const std::vector<Selector>& selectors, const Asset& asset,
                 const MatchFacts& facts) {
  return std::all_of(selectors.begin(), selectors.end(),
                     [&](const Selector& selector) { return matches(selector, asset, facts); });
}

}  // namespace aierase::domain
