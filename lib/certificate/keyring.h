// The public keys of a store, with the time and the part of the log that each speaks for: what
// somebody needs who verifies, as a file.
//
// Contract: pure. A keyring is whole only if its keys follow one another without a gap and each
// change is a rotation that the keys before and after have signed; anything else is refused. It
// proves nothing by itself: whoever puts it into a trust directory vouches for its first keys.
// Specified in: aierase-certificate(5) TRUST; Sigstore trusted_root.json.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "certificate/rotation.h"
#include "domain/authority.h"

namespace aierase::certificate {

struct KeyringKey {
  domain::KeyPurpose purpose = domain::KeyPurpose::signer;
  crypto::PublicKey key{};
  UtcTime from{};
  std::optional<UtcTime> until;  // none: in force
  std::uint64_t first_leaf = 0;
  std::optional<std::uint64_t> end_leaf;  // the first that is its successor's
};

// Whether a signer may speak for that leaf, or a log key for the head over so many leaves.
bool speaks_for_leaf(const KeyringKey& signer, std::uint64_t leaf);
bool speaks_for_head(const KeyringKey& log_key, std::uint64_t size);

struct Keyring {
  Uuid store;
  std::vector<KeyringKey> keys;        // in the order they came
  std::vector<std::string> rotations;  // bodies of their leaves
};

// From the rows of a store; `rotations` in order.
Result<Keyring> make_keyring(const Uuid& store, const std::vector<domain::AuthorityKey>& keys,
                             std::vector<std::string> rotations);
// As it was when the log had so many leaves.
Keyring keyring_of_head(Keyring keyring, std::uint64_t size);
Result<std::string> keyring_json(const Keyring& keyring);
Result<Keyring> parse_keyring(std::string_view text);
// Whether `later` has every key of `earlier`, and goes on from there.
bool continues(const Keyring& later, const Keyring& earlier);

// The log keys as Sigstore's verifiers read them.
Result<std::string> trusted_root_json(const Keyring& keyring);

}  // namespace aierase::certificate
