// Whether a file can be the blob that a manifest names: its length and its FLOE header, not yet its
// bytes. Shared by reading and by `check`.
//
// Contract: reads one header. Missing: Errc::not_found; anything else that does not fit:
// Errc::damaged with what differs. Specified in: aierase-store(5) BLOBS.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/env.h"
#include "base/result.h"
#include "domain/asset.h"

namespace aierase::blob {

Error damaged_blob(const std::string& path, std::string_view what);
Result<std::unique_ptr<File>> open_blob_file(Env& env, const std::string& path,
                                             const domain::BlobEntry& entry);

}  // namespace aierase::blob
