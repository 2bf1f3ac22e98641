// Whom a reader trusts: a directory of keys and keyrings, and what he has revoked.
//
// Contract: names of files do not matter but for their endings. A key that stands in a keyring is
// held to what that says of it, also where it lies beside it as a bare key. A file that is not of
// its form is an error, never left out. Specified in: aierase-certificate(5) TRUST.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "certificate/keyring.h"
#include "crypto/signature.h"

namespace aierase::certificate {

struct TrustedKey {
  std::string file;  // where it was read
  crypto::PublicKey key{};
  // Of one in a keyring: what part of which store's log it speaks for.
  std::optional<KeyringKey> role;
  Uuid store;
};
struct TrustedKeyring {
  std::string file;
  Keyring keyring;
};
struct TrustedLog {
  std::string file;
  std::string origin;
  KeyringKey role;
};

// 64 hexadecimal digits, as bundles and the list of revoked keys name a key.
bool is_fingerprint(std::string_view text);
inline constexpr std::string_view kFingerprintPrefix = "SHA256:";  // as people read it before that

struct TrustStore {
  std::vector<TrustedKey> keys;  // signers
  std::vector<TrustedLog> logs;
  std::vector<TrustedKeyring> keyrings;       // one of a store; its keys stand in the lists above
  std::set<std::string> revoked;              // fingerprints, 64 hexadecimal digits
  std::vector<std::string> time_authorities;  // certificates in PEM, one file each

  // *.pem (Ed25519 SubjectPublicKeyInfo, a signer), *.tsa.pem (certificates of a time stamping
  // authority), *.keyring.json, and the file `revoked`; nothing of these, or no directory, is an
  // empty store.
  static Result<TrustStore> load(Env& env, const std::string& directory);
  // `origin` says for people where it came from.
  static Result<TrustStore> of_key(std::string_view pem, std::string origin);
  static Result<TrustStore> of_keyring(std::string_view json, const std::string& origin);

  const TrustedKey* signer(std::string_view fingerprint) const;
  bool has_keyring_of(const Uuid& store) const;
  // Of two of one store the one that continues the other stays, whichever came first; two of which
  // none does are refused.
  Status add(const Keyring& keyring, const std::string& file);
  void add(const crypto::PublicKey& key, std::string file);
};

}  // namespace aierase::certificate
