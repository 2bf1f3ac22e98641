// What changes for one asset when another policy comes into force: `policy load` shows what becomes
// due sooner before it is done, and what loses protection.
//
// Contract: pure. Both decisions are of the same asset, facts and moment.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/evaluate.h"

namespace aierase::policy {

enum class Shift { none, sooner, later };

struct Change {
  Shift erasure = Shift::none;  // of the moment from which it is erased unattended
  Shift floor = Shift::none;    // sooner: it is kept for a shorter time, or without a floor
  std::optional<UtcTime> erasure_before, erasure_after;  // none: never unattended
  std::vector<std::string> sentences;                    // what becomes weaker; empty where nothing
  bool weakens() const { return !sentences.empty(); }
};

// From when on an unattended run may erase it, as things stand; none: not at all.
std::optional<UtcTime> unattended_erasure(const Decision& decision);

Change compare(const Decision& before, const Decision& after);

}  // namespace aierase::policy
