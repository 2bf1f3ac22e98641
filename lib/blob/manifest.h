// The sealed manifest: which files an asset has, in which order, where their bytes lie.
//
// Contract: pure. Plain form: canonical JSON `aierase/manifest/v1`; sealed form: a sealed message
// (crypto/primitives.h) under manifest_key(dek), associated data = store || asset. Every read and
// verify goes through it. Specified in: aierase-store(5) MANIFEST.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"
#include "crypto/keys.h"
#include "crypto/primitives.h"
#include "domain/asset.h"

namespace aierase::blob {

Result<Bytes> seal_manifest(const domain::Manifest& manifest, const crypto::Dek& dek,
                            const Uuid& store, const Uuid& asset);
// verification_failed: another store's, another asset's, another key's, or changed.
Result<domain::Manifest> open_manifest(ByteView sealed, const crypto::Dek& dek, const Uuid& store,
                                       const Uuid& asset);
// The same for a caller who opens many: the key raw inside somebody's reveal(), and a workspace of
// kManifestWorkspaceBytes of locked memory, which holds key material afterwards.
Result<domain::Manifest> open_manifest(ByteView sealed, ByteView dek, const Uuid& store,
                                       const Uuid& asset, ByteSpan workspace);
inline constexpr std::size_t kManifestWorkspaceBytes =
    crypto::kKeyBytes + crypto::kSealWorkspaceBytes;
// The plain form: canonical, so equal manifests have equal text; at most limits::kManifestBytes.
Result<std::string> manifest_text(const domain::Manifest& manifest);
// The plain form's own checks, for the fuzz target: limits, order, extents inside their blobs.
Result<domain::Manifest> parse_manifest(std::string_view json);

}  // namespace aierase::blob
