// Standing approvals, for the rows of plans that name one.
// Contract: Errc::damaged where there is none of that id.
#pragma once

#include "catalog/connection.h"
#include "domain/plan.h"

namespace aierase::catalog {

Result<domain::StandingUse> standing_use(Connection& connection, const Uuid& id);

}  // namespace aierase::catalog
