// Signing (DSSE) and the file that people collect: a Sigstore bundle v0.3 with one signature.
//
// Contract: sign_statement demands the proof that the key is destroyed; no other way leads to the
// signature of a certificate, since refusal.h signs refusals alone. bundle_json is deterministic
// and needs no key: it may be re-made at any time around the stored statement and signature.
// Specified in: aierase-certificate(5) BUNDLE; DSSE v1; Sigstore bundle v0.3.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/uuid.h"
#include "certificate/log_entry.h"
#include "crypto/signature.h"
#include "domain/destroyed_proof.h"

namespace aierase::certificate {

// "DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload
std::string pre_authentication_encoding(std::string_view payload_type, std::string_view payload);

Result<crypto::Signature> sign_statement(const domain::DestroyedProof& proof,
                                         std::string_view statement,
                                         const crypto::SigningKey& signer);

// Key hint of a bundle and key id of the DSSE signature: the fingerprint in hex.
std::string key_id(const crypto::PublicKey& key);

Result<std::string> bundle_json(std::string_view statement, const crypto::Signature& signature,
                                const crypto::PublicKey& key,
                                const std::optional<LogEntry>& log = std::nullopt);

// The body of a certificate's log leaf: canonical JSON of a Rekor v2 dsse 0.0.2 entry. Of the
// statement it has the SHA-256 alone.
Result<std::string> log_entry_body(std::string_view statement, const crypto::Signature& signature,
                                   const crypto::PublicKey& key);
Result<std::string> log_entry_body(const Digest& statement, const crypto::Signature& signature,
                                   const crypto::PublicKey& key);

}  // namespace aierase::certificate
