// The signed record of a plan that ends otherwise than done: made in the transaction that ends it.
//
// Contract: used by the use cases that end plans, after the last row of plan and items was written.
// Where the signer's key cannot be read the plan ends all the same: the record is kept unsigned,
// the log commits to its bytes, and the next start that has the key signs them.
// Specified in: aierase-certificate(5) REFUSALS; R44.
#pragma once

#include "domain/refusal.h"
#include "lifecycle/core.h"

namespace aierase::lifecycle {

// The leaf that commits to a record which nobody could sign.
inline constexpr const char* kRefusalWaits = "refusal-unsigned";  // as certificate has it

Status record_refusal(Core& core, catalog::Transaction& transaction, catalog::StoreState& state,
                      const Uuid& plan, domain::PlanEnding ending);
// Of an earlier life without the key. What cannot be signed waits on, and doctor says so; back
// comes only what must stop the store.
Status sign_waiting_refusals(Core& core);

}  // namespace aierase::lifecycle
