#include "certificate/keyring.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "certificate/bundle.h"
#include "certificate/json_reading.h"
#include "translog/note.h"

namespace aierase::certificate {
namespace {

constexpr const char* kKeyringSchema = "aierase/keyring/v1";
constexpr JsonLimits kLimits{limits::kKeyringBytes, 16, 100'000};

std::string der_text(const crypto::PublicKey& key) {
  return to_base64(crypto::public_key_der(key));
}

Json key_json(const KeyringKey& key, const Uuid& store) {
  Json json{{"purpose", domain::to_text(key.purpose)},
            {"key_id", key_id(key.key)},
            {"public_key", der_text(key.key)},
            {"valid_from", to_rfc3339(key.from)},
            {"first_leaf", key.first_leaf}};
  if (key.purpose == domain::KeyPurpose::log) {
    json["verifier_key"] = translog::verifier_key(translog::origin_of(store), key.key);
  }
  if (key.until) json["valid_until"] = to_rfc3339(*key.until);
  if (key.end_leaf) json["end_leaf"] = *key.end_leaf;
  return json;
}

Result<std::uint64_t> leaf_member(JsonView json, const char* member) {
  if (const auto number = json[member].number()) return *number;
  return malformed(std::string(member) + " is no number");
}

Result<KeyringKey> read_key(JsonView json, const Uuid& store) {
  RETURN_IF_ERROR(check_members(json, "a key",
                                {"first_leaf", "key_id", "public_key", "purpose", "valid_from"},
                                {"end_leaf", "valid_until", "verifier_key"}));
  KeyringKey key;
  ASSIGN_OR_RETURN(const std::string purpose, text_member(json, "purpose"));
  const auto known = domain::parse_key_purpose(purpose);
  if (!known) return malformed("a key is for " + quoted(purpose) + ", not for signer or log");
  key.purpose = *known;
  ASSIGN_OR_RETURN(key.key, key_member(json, "public_key"));
  RETURN_IF_ERROR(expect_text(json, "key_id", key_id(key.key)));
  if ((key.purpose == domain::KeyPurpose::log) != json.contains("verifier_key")) {
    return malformed("verifier_key is there for log keys, and for them alone");
  }
  if (key.purpose == domain::KeyPurpose::log) {
    RETURN_IF_ERROR(expect_text(json, "verifier_key",
                                translog::verifier_key(translog::origin_of(store), key.key)));
  }
  ASSIGN_OR_RETURN(key.from, time_member(json, "valid_from"));
  ASSIGN_OR_RETURN(key.first_leaf, leaf_member(json, "first_leaf"));
  if (json.contains("valid_until")) {
    ASSIGN_OR_RETURN(key.until, time_member(json, "valid_until"));
  }
  if (json.contains("end_leaf")) {
    ASSIGN_OR_RETURN(key.end_leaf, leaf_member(json, "end_leaf"));
  }
  return key;
}

std::vector<KeyringKey> keys_for(const Keyring& keyring, domain::KeyPurpose purpose) {
  std::vector<KeyringKey> keys;
  for (const KeyringKey& key : keyring.keys) {
    if (key.purpose == purpose) keys.push_back(key);
  }
  return keys;
}

bool is_handed_over(const KeyringKey& from, const KeyringKey& to, UtcTime when) {
  return from.until == when && to.from == when && from.end_leaf == to.first_leaf &&
         to.first_leaf > from.first_leaf;
}

// The keys are those that the rotations lead to, one after the other.
Status check_chain(const Keyring& keyring) {
  const std::vector<KeyringKey> signers = keys_for(keyring, domain::KeyPurpose::signer);
  const std::vector<KeyringKey> logs = keys_for(keyring, domain::KeyPurpose::log);
  const std::size_t count = keyring.rotations.size() + 1;
  if (signers.size() != count || logs.size() != count) {
    return malformed("there is not one signer and one log key more than rotations");
  }
  if (signers.front().first_leaf != 0 || logs.front().first_leaf != 0 || signers.back().until ||
      logs.back().until || signers.back().end_leaf || logs.back().end_leaf) {
    return malformed("the keys do not go from the first leaf to the present");
  }
  for (std::size_t i = 0; i + 1 < count; ++i) {
    ASSIGN_OR_RETURN(const KeyRotation rotation, read_rotation(keyring.rotations[i]));
    const bool follows = rotation.store == keyring.store &&
                         rotation.previous == KeyPair{signers[i].key, logs[i].key} &&
                         rotation.next == KeyPair{signers[i + 1].key, logs[i + 1].key} &&
                         is_handed_over(signers[i], signers[i + 1], rotation.time) &&
                         is_handed_over(logs[i], logs[i + 1], rotation.time) &&
                         signers[i + 1].first_leaf == logs[i + 1].first_leaf;
    if (!follows) return malformed("a rotation does not lead from one key to the next");
  }
  return {};
}

}  // namespace

bool speaks_for_leaf(const KeyringKey& signer, std::uint64_t leaf) {
  return leaf >= signer.first_leaf && (!signer.end_leaf || leaf < *signer.end_leaf);
}

bool speaks_for_head(const KeyringKey& log_key, std::uint64_t size) {
  return size > log_key.first_leaf && (!log_key.end_leaf || size <= *log_key.end_leaf);
}

Result<Keyring> make_keyring(const Uuid& store, const std::vector<domain::AuthorityKey>& keys,
                             std::vector<std::string> rotations) {
  Keyring keyring{store, {}, std::move(rotations)};
  for (const domain::AuthorityKey& row : keys) {
    for (KeyringKey& earlier : keyring.keys) {
      if (earlier.purpose != row.purpose || earlier.end_leaf) continue;
      earlier.until = row.since;
      earlier.end_leaf = row.first_leaf;
    }
    keyring.keys.push_back({row.purpose, row.public_key, row.since, {}, row.first_leaf, {}});
  }
  RETURN_IF_ERROR(check_chain(keyring));
  return keyring;
}

Keyring keyring_of_head(Keyring keyring, std::uint64_t size) {
  std::erase_if(keyring.keys, [size](const KeyringKey& key) {
    return key.first_leaf != 0 && key.first_leaf >= size;
  });
  for (KeyringKey& key : keyring.keys) {
    if (!key.end_leaf || *key.end_leaf < size) continue;
    key.until.reset();
    key.end_leaf.reset();
  }
  keyring.rotations.resize(keys_for(keyring, domain::KeyPurpose::signer).size() - 1);
  return keyring;
}

Result<std::string> keyring_json(const Keyring& keyring) {
  Json keys = Json::array();
  for (const KeyringKey& key : keyring.keys) keys.push_back(key_json(key, keyring.store));
  Json rotations = Json::array();
  for (const std::string& body : keyring.rotations) {
    ASSIGN_OR_RETURN(Json envelope, parse_json(body, kLimits));
    rotations.push_back(std::move(envelope));
  }
  return dump_pretty(Json{{"schema", kKeyringSchema},
                          {"store", keyring.store.hex()},
                          {"origin", translog::origin_of(keyring.store)},
                          {"keys", std::move(keys)},
                          {"rotations", std::move(rotations)}});
}

Result<Keyring> parse_keyring(std::string_view text) {
  ASSIGN_OR_RETURN(const JsonDocument document, read_json(text, kLimits));
  const JsonView json = document.root();
  RETURN_IF_ERROR(
      check_members(json, "the keyring", {"keys", "origin", "rotations", "schema", "store"}));
  RETURN_IF_ERROR(expect_text(json, "schema", kKeyringSchema));
  Keyring keyring;
  ASSIGN_OR_RETURN(keyring.store, uuid_member(json, "store"));
  RETURN_IF_ERROR(expect_text(json, "origin", translog::origin_of(keyring.store)));
  if (!json["keys"].is_array() || !json["rotations"].is_array()) {
    return malformed("keys or rotations is no list");
  }
  for (const JsonView one : json["keys"]) {
    ASSIGN_OR_RETURN(KeyringKey key, read_key(one, keyring.store));
    keyring.keys.push_back(std::move(key));
  }
  for (const JsonView one : json["rotations"]) {
    ASSIGN_OR_RETURN(std::string body, dump_canonical(one.json()));
    keyring.rotations.push_back(std::move(body));
  }
  RETURN_IF_ERROR(check_chain(keyring));
  return keyring;
}

bool continues(const Keyring& later, const Keyring& earlier) {
  return later.store == earlier.store && later.keys.size() >= earlier.keys.size() &&
         std::equal(earlier.keys.begin(), earlier.keys.end(), later.keys.begin(),
                    [](const KeyringKey& a, const KeyringKey& b) {
                      return a.purpose == b.purpose && a.key == b.key &&
                             a.first_leaf == b.first_leaf;
                    });
}

Result<std::string> trusted_root_json(const Keyring& keyring) {
  const std::string origin = translog::origin_of(keyring.store);
  Json logs = Json::array();
  for (const KeyringKey& key : keyring.keys) {
    if (key.purpose != domain::KeyPurpose::log) continue;
    Json valid{{"start", to_rfc3339(key.from)}};
    if (key.until) valid["end"] = to_rfc3339(*key.until);
    logs.push_back({{"baseUrl", "https://" + origin},
                    {"hashAlgorithm", "SHA2_256"},
                    {"logId", {{"keyId", to_base64(translog::note_key_id(origin, key.key))}}},
                    {"publicKey",
                     {{"keyDetails", "PKIX_ED25519"},
                      {"rawBytes", der_text(key.key)},
                      {"validFor", std::move(valid)}}}});
  }
  return dump_pretty(
      Json{{"mediaType", "application/vnd.dev.sigstore.trustedroot+json;version=0.1"},
           {"tlogs", std::move(logs)},
           {"certificateAuthorities", Json::array()},
           {"ctlogs", Json::array()},
           {"timestampAuthorities", Json::array()}});
}

}  // namespace aierase::certificate
