// SQLite's rollback journal beside the catalog, between two processes.
//
// Contract: it stays as it is where it may have to be played back, and that is SQLite's matter.
// Errors: Errc::io. Specified in aierase-store(5) CATALOG.
#pragma once

#include <string>

#include "base/env.h"
#include "base/result.h"

namespace aierase::catalog {

// Whether a journal lies beside the database at `path` that was begun and not ended.
Result<bool> journal_waits(Env& env, const std::string& path);

// Before SQLite opens the database at `path`: a journal that was ended is durably so.
Status settle_journal(Env& env, const std::string& path);

}  // namespace aierase::catalog
