// Decisions of people, as the JSON objects of the interface: who decided, and by which signature.
//
// Contract: as records.h. Specified in: lib/bus/interfaces/org.aierase1.Plan.xml,
// aierase-approval(5).
#pragma once

#include <vector>

#include "base/json.h"
#include "lifecycle/signed_acts.h"
#include "lifecycle/standing.h"
#include "lifecycle/store.h"

namespace aierase::daemon {

Json person_json(const domain::Actor& actor);  // without uid, who has no account
Json given_json(const std::vector<domain::Approval>& approvals);
Json validation_json(const domain::ValidationAct& act);
// What was signed, beside its digests.
void add_signed_text(Json& decision, const domain::SignedText& text);
// An approval in advance, whole.
Json standing_json(const lifecycle::StandingView& view);
Json hand_in_json(const lifecycle::HandInReport& report);

}  // namespace aierase::daemon
