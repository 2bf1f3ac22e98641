// Standing approvals: what a custodian approves in advance, of one retention class and up to a day.
//
// Contract: values. One is bound to the rules of its class as they were (`rules`), and counts for
// plans of the nightly run alone. What ends it before its day is a row beside it, never a change of
// it. Specified in: aierase-approval(5) STANDING APPROVALS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/time.h"
#include "base/uuid.h"
#include "domain/plan.h"

namespace aierase::domain {

struct StandingEnd {
  StandingCause cause = StandingCause::revoked;
  Actor actor;  // the person himself, or who brought other rules of the class into force
  UtcTime time{};
  std::string reason;
  std::uint64_t log_index = 0;
  std::optional<SignedBy> signed_by{};
};

struct StandingApproval {
  StandingUse terms;
  Actor actor;
  std::optional<SignedBy> signed_by{};  // none: by the account
  std::optional<StandingEnd> end{};     // none: not before its day
};

}  // namespace aierase::domain
