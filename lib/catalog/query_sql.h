// The SQL text of an asset query, so that a test can ask SQLite how it would run it.
// Contract: pure; parameters are left as '?'. `after` is the row number that a cursor stands for.
#pragma once

#include <cstdint>
#include <string>

#include "catalog/catalog.h"

namespace aierase::catalog {

std::string query_sql(const AssetQuery& query, std::int64_t after);

}  // namespace aierase::catalog
