// The signed heads of the log between which the archive of a period lies.
//
// Contract: they are chosen so that the leaves between them show by their own times that the period
// is whole; read only. Specified in: aierase-certificate(5) ARCHIVES.
#pragma once

#include <cstdint>
#include <optional>

#include "catalog/catalog.h"

namespace aierase::lifecycle {

// The last head before `from` behind which, and before leaf `end`, there is still a leaf from
// before it: that leaf shows that nothing of the period is further back.
Result<std::optional<domain::SignedHead>> head_from_before(const catalog::ReadView& view,
                                                           UtcTime from, std::uint64_t end);
// The first head with a leaf from behind that moment, which shows that nothing up to it is further
// on; the newest where there is no such leaf yet. None: it is not signed yet.
Result<std::optional<domain::SignedHead>> head_behind(const catalog::ReadView& view,
                                                      UtcTime moment);

}  // namespace aierase::lifecycle
