// Telling people what they should know of before they look: rows of the audit, each told once.
//
// Contract: tell() belongs into the transaction of what it tells of, so that neither is without the
// other; tell_new() has its own, for what was found without an act, and writes nothing where all of
// it was told before. What was told is taken by Store::take_notices(), once it is durable.
// Specified in: aierased(8) NOTICES.
#pragma once

#include <vector>

#include "domain/notice.h"
#include "lifecycle/core.h"

namespace aierase::lifecycle {

Status tell(Core& core, catalog::Transaction& transaction, const domain::Notice& notice);
Status tell_new(Core& core, const std::vector<domain::Notice>& notices);

// What the periodic work finds by itself: ends that come nearer, and a clock that is not believed.
Status look_for_notices(Core& core);

domain::Notice plan_waits(const domain::Plan& plan, UtcTime expires);
domain::Notice validation_waits(const domain::Plan& plan, std::size_t certificates, UtcTime since);

// For the nightly run, of what it found. An erasure that a ceiling brings within days, of an asset
// that no plan names yet; none while it is further away.
std::optional<domain::Notice> ceiling_comes(const domain::Asset& asset, UtcTime ceiling,
                                            UtcTime now);
// Of an asset or a plan that should be erased and waits.
domain::Notice overdue(const std::string& id, const std::string& name, UtcTime since,
                       const std::string& why);
// That brake or clock guard stopped a plan, or a run where there is none: `since` tells one time
// from another.
domain::Notice stopped(const std::string& id, UtcTime since, const std::string& why);

}  // namespace aierase::lifecycle
