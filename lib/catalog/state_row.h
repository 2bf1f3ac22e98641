// The one row of table `store`, as create() writes it first.
// Contract: inside the open transaction. Specified in: aierase-store(5) CATALOG.
#pragma once

#include "catalog/catalog.h"
#include "catalog/connection.h"

namespace aierase::catalog {

Status insert_state(Connection& connection, const StoreState& state);

}  // namespace aierase::catalog
