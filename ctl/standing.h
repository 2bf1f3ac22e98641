// Approvals in advance, of one retention class: given, revoked, and as a text to sign.
//
// Contract: as verbs/verbs.h. Specified in: aierase(1) approve, reject and show,
// aierase-approval(5).
#pragma once

#include "ctl/session.h"

namespace aierase::ctl {

Result<int> approve_standing(Session& session);
Result<int> reject_standing(Session& session);
Result<int> print_standing_request(Session& session);

}  // namespace aierase::ctl
