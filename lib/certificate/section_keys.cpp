#include "certificate/section_keys.h"

#include <algorithm>

#include "certificate/bundle.h"
#include "translog/note.h"

namespace aierase::certificate {
namespace {

bool is_same(const KeyringKey& a, const KeyringKey& b) {
  return a.purpose == b.purpose && a.key == b.key && a.first_leaf == b.first_leaf;
}

// What the reader knows of that store.
std::vector<KeyringKey> known_of(const TrustStore& trust, const Uuid& store) {
  std::vector<KeyringKey> known;
  for (const TrustedKey& one : trust.keys) {
    if (one.role && one.store == store) known.push_back(*one.role);
  }
  for (const TrustedLog& one : trust.logs) {
    if (one.origin == translog::origin_of(store)) known.push_back(one.role);
  }
  return known;
}

bool has_all(const std::vector<KeyringKey>& keys, const std::vector<KeyringKey>& of) {
  return std::all_of(of.begin(), of.end(), [&](const KeyringKey& wanted) {
    return std::any_of(keys.begin(), keys.end(),
                       [&](const KeyringKey& key) { return is_same(key, wanted); });
  });
}

bool any_revoked(const TrustStore& trust, const std::vector<KeyringKey>& keys) {
  return std::any_of(keys.begin(), keys.end(), [&](const KeyringKey& key) {
    return trust.revoked.count(key_id(key.key)) != 0;
  });
}

}  // namespace

SectionKeys SectionKeys::choose(std::string_view text, const Uuid& store, const TrustStore& given) {
  SectionKeys chosen;
  chosen.trust_ = given;
  const Result<Keyring> keyring = parse_keyring(text);
  if (!keyring.ok() || keyring->store != store) {
    chosen.check_.detail = keyring.ok() ? "The keyring is of another store."
                                        : "Refused: " + keyring.error().message + ".";
    return chosen;
  }
  chosen.keyring_ = *keyring;
  const std::vector<KeyringKey> known = known_of(given, store);
  if (!known.empty() && has_all(known, keyring->keys)) {
    chosen.trusted_ = true;
    chosen.check_ = {"keys", CheckResult::passed, "The keys of the store are trusted here."};
    return chosen;
  }
  if (!known.empty() && !has_all(keyring->keys, known)) {
    chosen.check_.detail =
        "The keyring in the archive is not that which is trusted here for this store.";
    return chosen;
  }
  if (!known.empty() && any_revoked(given, keyring->keys)) {
    chosen.check_.detail =
        "Among the keys in the archive is one that was revoked here, which vouches for none: fetch "
        "the keyring of the store anew.";
    return chosen;
  }
  TrustStore own;
  if (const Status added = own.add(*keyring, "the archive itself"); !added.ok()) {
    chosen.check_.detail = "Refused: " + added.error().message + ".";
    return chosen;
  }
  own.revoked = given.revoked;
  own.time_authorities = given.time_authorities;
  chosen.trust_ = std::move(own);
  chosen.trusted_ = !known.empty();
  chosen.check_ =
      chosen.trusted_
          ? Check{"keys", CheckResult::passed,
                  "The keys of the store continue those trusted here, by rotations that these "
                  "have signed."}
          : Check{"keys", CheckResult::not_checked,
                  "UNKNOWN: nobody here vouches for this store. Everything was held against the "
                  "keys in the archive itself."};
  return chosen;
}

std::string SectionKeys::fingerprint(domain::KeyPurpose purpose) const {
  std::string found;
  if (!keyring_) return found;
  for (const KeyringKey& key : keyring_->keys) {
    if (key.purpose == purpose) found = "SHA256:" + key_id(key.key);
  }
  return found;
}

bool SectionKeys::has_rotation(std::string_view body) const {
  return keyring_ && std::find(keyring_->rotations.begin(), keyring_->rotations.end(), body) !=
                         keyring_->rotations.end();
}

bool SectionKeys::is_trusted_root(std::string_view text) const {
  if (!keyring_) return false;
  const Result<std::string> expected = trusted_root_json(*keyring_);
  return expected.ok() && *expected == text;
}

}  // namespace aierase::certificate
