// What the record behind a leaf of the log names, for an archive of evidence.
//
// Contract: rows of the database may be anything: what cannot be read is Errc::damaged.
// Specified in: aierase-certificate(5) ARCHIVES.
#pragma once

#include "base/result.h"
#include "base/uuid.h"
#include "lifecycle/core.h"

namespace aierase::lifecycle {

Error no_record_of(const domain::LogLeaf& leaf);
// The plan or hold, under that member of its record.
Result<Uuid> named_in(const domain::LogLeaf& leaf, const char* key);

}  // namespace aierase::lifecycle
