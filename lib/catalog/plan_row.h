// Row numbers of plans, shared by the files about plans.
// Contract: a row number is never shown outside the catalog.
#pragma once

#include <cstdint>

#include "catalog/connection.h"

namespace aierase::catalog {

// Errc::not_found where there is none.
Result<std::int64_t> plan_row_number(Connection& connection, const Uuid& plan);

}  // namespace aierase::catalog
