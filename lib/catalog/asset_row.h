// Whole assets by their row number in the catalog, shared by the files about assets.
// Contract: `id` is the row number, never shown outside the catalog.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "catalog/catalog.h"
#include "catalog/connection.h"

namespace aierase::catalog {

std::string_view kind_text(domain::CustodianKind kind);  // "user", "group", "person"
std::optional<domain::CustodianKind> parse_custodian_kind(std::string_view text);

// Errc::not_found where there is none.
Result<std::int64_t> asset_row_number(Connection& connection, const Uuid& asset);
Result<domain::Asset> load_asset(Connection& connection, std::int64_t id);
Status insert_sources(Connection& connection, std::int64_t id, std::uint64_t position,
                      std::span<const domain::Source> sources);
Status insert_custodians(Connection& connection, std::int64_t id,
                         std::span<const domain::Custodian> custodians);

}  // namespace aierase::catalog
