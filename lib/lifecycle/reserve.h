// The reserve: a preallocated megabyte that lets an erasure finish on a full disk.
//
// Contract: transact() builds and commits one transaction; when the disk is full it gives back
// part of the reserve and builds it again. `build` must be repeatable. TX1 and TX2 may take the
// first half only, so that TX3 always finds the second (erasure-design section 5). `part` of the
// audit goes with the transaction; of the reserve it gets no more than the rows that must not be
// missing. With ReserveShare::all, the steps that can only go forward, it waits: the row of their
// beginning is durable, and an audit that cannot be written must not keep a certificate back.
#pragma once

#include <functional>

#include "lifecycle/core.h"

namespace aierase::lifecycle {

enum class ReserveShare { none, half, all };
using Build = std::function<Status(catalog::Transaction&, catalog::StoreState&)>;

Status transact(Core& core, ReserveShare share, const Build& build,
                AuditTrail::Part part = AuditTrail::Part::due);
Status create_reserve(Env& env, const std::string& directory);
Status give_back_reserve(Core& core);  // all of it
void refill_reserve(Core& core);       // best effort: a full disk is no reason to stop

}  // namespace aierase::lifecycle
