#include "certificate/trust_store.h"

#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "certificate/bundle.h"
#include "crypto/timestamp.h"
#include "translog/note.h"

namespace aierase::certificate {
namespace {

constexpr std::size_t kPemBytes = 4096;

Result<std::string> text_of(Env& env, const std::string& path, std::size_t limit) {
  Result<Bytes> content = read_file(env, path, limit);
  if (!content.ok()) return std::move(content).error().in("trusted file " + path);
  return std::string(as_text(*content));
}

Status read_pem(Env& env, const std::string& path, TrustStore& store) {
  ASSIGN_OR_RETURN(const std::string text, text_of(env, path, kPemBytes));
  Result<crypto::PublicKey> key = crypto::parse_public_key_pem(text);
  if (!key.ok()) return std::move(key).error().in("trusted key " + path);
  store.add(*key, path);
  return {};
}

Status read_keyring(Env& env, const std::string& path, TrustStore& store) {
  ASSIGN_OR_RETURN(const std::string text, text_of(env, path, limits::kKeyringBytes));
  Result<Keyring> keyring = parse_keyring(text);
  if (!keyring.ok()) return std::move(keyring).error().in("keyring " + path);
  return store.add(*keyring, path);
}

Status read_authority(Env& env, const std::string& path, TrustStore& store) {
  ASSIGN_OR_RETURN(std::string text, text_of(env, path, limits::kTimeStampBytes));
  Status readable = crypto::check_authorities(text);
  if (!readable.ok()) return std::move(readable).error().in("time stamping authority " + path);
  store.time_authorities.push_back(std::move(text));
  return {};
}

Error two_histories(const std::string& one, const std::string& other) {
  return make_error(Errc::invalid_input,
                    "the keyrings " + quoted(one) + " and " + quoted(other) +
                        " are of one store, and none continues the other",
                    "compare their keys with those that the owner of the store names, and take "
                    "the wrong one out of the directory",
                    other);
}

// A fingerprint per line, and behind it whatever its reader wants to remember.
Status read_revoked(Env& env, const std::string& path, TrustStore& store) {
  ASSIGN_OR_RETURN(const std::string text, text_of(env, path, limits::kKeyringBytes));
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line.front() == '#') continue;
    line = line.substr(0, line.find(' '));
    if (line.starts_with(kFingerprintPrefix)) line.remove_prefix(kFingerprintPrefix.size());
    if (!is_fingerprint(line)) {
      return make_error(
          Errc::invalid_input,
          path + ":" + std::to_string(number) + ": " + quoted(line) + " is no fingerprint",
          "a line begins with SHA256: and 64 hexadecimal digits, as `aierase verify` "
          "shows them",
          path);
    }
    store.revoked.emplace(line);
  }
  return {};
}

}  // namespace

bool is_fingerprint(std::string_view text) {
  constexpr std::size_t kDigits = 64;
  return text.size() == kDigits && from_hex(text).has_value();
}

const TrustedKey* TrustStore::signer(std::string_view fingerprint) const {
  const TrustedKey* found = nullptr;
  for (const TrustedKey& one : keys) {
    if (key_id(one.key) != fingerprint) continue;
    if (one.role) return &one;
    found = &one;
  }
  return found;
}

bool TrustStore::has_keyring_of(const Uuid& store) const {
  return std::any_of(keyrings.begin(), keyrings.end(),
                     [&](const TrustedKeyring& one) { return one.keyring.store == store; });
}

Status TrustStore::add(const Keyring& keyring, const std::string& file) {
  const auto known = std::find_if(keyrings.begin(), keyrings.end(), [&](const TrustedKeyring& one) {
    return one.keyring.store == keyring.store;
  });
  if (known != keyrings.end()) {
    if (continues(known->keyring, keyring)) return {};
    if (!continues(keyring, known->keyring)) return two_histories(known->file, file);
    // What the earlier one says of a key that was rotated since holds no more.
    std::erase_if(keys,
                  [&](const TrustedKey& one) { return one.role && one.store == keyring.store; });
    std::erase_if(logs, [&](const TrustedLog& one) {
      return one.origin == translog::origin_of(keyring.store);
    });
    keyrings.erase(known);
  }
  keyrings.push_back({file, keyring});
  for (const KeyringKey& key : keyring.keys) {
    if (key.purpose == domain::KeyPurpose::signer) {
      keys.push_back({file, key.key, key, keyring.store});
    } else {
      logs.push_back({file, translog::origin_of(keyring.store), key});
    }
  }
  return {};
}

void TrustStore::add(const crypto::PublicKey& key, std::string file) {
  keys.push_back({std::move(file), key, std::nullopt, Uuid()});
}

Result<TrustStore> TrustStore::load(Env& env, const std::string& directory) {
  TrustStore store;
  ASSIGN_OR_RETURN(const std::optional<FileInfo> info, env.stat(directory));
  if (!info) return store;
  ASSIGN_OR_RETURN(const std::vector<std::string> names, env.list(directory));
  for (const std::string& name : names) {
    const std::string path = directory + "/" + name;
    if (name.ends_with(".tsa.pem")) {
      RETURN_IF_ERROR(read_authority(env, path, store));
    } else if (name.ends_with(".pem")) {
      RETURN_IF_ERROR(read_pem(env, path, store));
    }
    if (name.ends_with(".keyring.json")) RETURN_IF_ERROR(read_keyring(env, path, store));
    if (name == "revoked") RETURN_IF_ERROR(read_revoked(env, path, store));
  }
  return store;
}

Result<TrustStore> TrustStore::of_key(std::string_view pem, std::string origin) {
  TrustStore store;
  ASSIGN_OR_RETURN(const crypto::PublicKey key, crypto::parse_public_key_pem(pem));
  store.add(key, std::move(origin));
  return store;
}

Result<TrustStore> TrustStore::of_keyring(std::string_view json, const std::string& origin) {
  TrustStore store;
  ASSIGN_OR_RETURN(const Keyring keyring, parse_keyring(json));
  RETURN_IF_ERROR(store.add(keyring, origin));
  return store;
}

}  // namespace aierase::certificate
