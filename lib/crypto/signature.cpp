#include "crypto/signature.h"

#include <sodium.h>

#include <algorithm>

#include "crypto/primitives.h"
#include "crypto/raw.h"

namespace aierase::crypto {
namespace {

constexpr std::size_t kSeedBytes = 32;
constexpr std::size_t kPrivateBytes = 64;
static_assert(kPrivateBytes == crypto_sign_ed25519_SECRETKEYBYTES);
static_assert(kSeedBytes == crypto_sign_ed25519_SEEDBYTES);

// SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 33 bytes, no unused bits }: RFC 8410.
constexpr std::array<unsigned char, 12> kDerPrefix{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                   0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
constexpr std::string_view kPemBegin = "-----BEGIN PUBLIC KEY-----";
constexpr std::string_view kPemEnd = "-----END PUBLIC KEY-----";
constexpr std::size_t kMaxPemBytes = 4096;

Error not_a_key(std::string_view why) {
  return make_error(Errc::invalid_input, "no Ed25519 public key in PEM: " + std::string(why),
                    "`openssl pkey -in KEY -pubout` writes this form.");
}

std::string without_line_ends(std::string_view text) {
  std::string joined;
  std::copy_if(text.begin(), text.end(), std::back_inserter(joined),
               [](char c) { return c != '\n' && c != '\r'; });
  return joined;
}

}  // namespace

Result<SigningKey> SigningKey::generate() {
  ASSIGN_OR_RETURN(const SecretBytes seed, SecretBytes::random(kSeedBytes));
  return from_seed(seed);
}

Result<SigningKey> SigningKey::from_seed(const SecretBytes& seed32) {
  if (seed32.size() != kSeedBytes) {
    return make_error(Errc::invalid_input, "the seed of a signing key is 32 bytes");
  }
  ASSIGN_OR_RETURN(SecretBytes key, SecretBytes::zeroed(kPrivateBytes));
  PublicKey public_key{};
  const int result = seed32.reveal([&](ByteView seed) {
    return key.fill([&](ByteSpan out) {
      return crypto_sign_ed25519_seed_keypair(raw(ByteSpan(public_key)), raw(out), raw(seed));
    });
  });
  if (result != 0) return make_error(Errc::unexpected, "libsodium cannot make a signing key");
  return SigningKey(std::move(key), public_key);
}

Result<Signature> SigningKey::sign(ByteView message) const {
  if (key_.size() != kPrivateBytes) {
    return make_error(Errc::unexpected, "a signature is asked of a key that was moved away");
  }
  Signature signature{};
  const int result = key_.reveal([&](ByteView key) {
    return crypto_sign_ed25519_detached(raw(ByteSpan(signature)), nullptr, raw(message),
                                        message.size(), raw(key));
  });
  if (result != 0) return make_error(Errc::unexpected, "libsodium cannot sign");
  return signature;
}

Result<SecretBytes> SigningKey::seed() const {
  ASSIGN_OR_RETURN(SecretBytes seed, SecretBytes::zeroed(kSeedBytes));
  if (key_.size() != kPrivateBytes) {
    return make_error(Errc::unexpected, "the seed is asked of a key that was moved away");
  }
  key_.reveal([&](ByteView key) {
    seed.fill([&](ByteSpan out) { crypto_sign_ed25519_sk_to_seed(raw(out), raw(key)); });
  });
  return seed;
}

bool is_valid_public_key(const PublicKey& key) {
  return crypto_core_ed25519_is_valid_point(raw(ByteView(key))) == 1;
}

bool verify_signature(const PublicKey& key, ByteView message, const Signature& signature) {
  return crypto_sign_ed25519_verify_detached(raw(ByteView(signature)), raw(message), message.size(),
                                             raw(ByteView(key))) == 0;
}

Bytes public_key_der(const PublicKey& key) {
  const ByteView prefix = std::as_bytes(std::span(kDerPrefix));
  Bytes der(kDerPrefix.size() + key.size());
  std::copy(key.begin(), key.end(), std::copy(prefix.begin(), prefix.end(), der.begin()));
  return der;
}

std::string public_key_pem(const PublicKey& key) {
  // 44 bytes are 60 characters: one line of at most 64.
  std::string pem(kPemBegin);
  pem += '\n' + to_base64(public_key_der(key)) + '\n';
  pem += kPemEnd;
  pem += '\n';
  return pem;
}

Result<PublicKey> parse_public_key_pem(std::string_view pem) {
  if (pem.size() > kMaxPemBytes) return not_a_key("the text is too long");
  const std::string joined = without_line_ends(pem);
  const std::string_view text(joined);
  if (text.size() < kPemBegin.size() + kPemEnd.size() ||
      text.substr(0, kPemBegin.size()) != kPemBegin ||
      text.substr(text.size() - kPemEnd.size()) != kPemEnd) {
    return not_a_key("the BEGIN and END lines of a public key are missing");
  }
  const std::optional<Bytes> der =
      from_base64(text.substr(kPemBegin.size(), text.size() - kPemBegin.size() - kPemEnd.size()));
  if (!der) return not_a_key("the body is not base64");
  const ByteView prefix = std::as_bytes(std::span(kDerPrefix));
  PublicKey key{};
  if (der->size() != prefix.size() + key.size() ||
      !std::equal(prefix.begin(), prefix.end(), der->begin())) {
    return not_a_key("it is a key of another kind");
  }
  std::copy(der->end() - static_cast<std::ptrdiff_t>(key.size()), der->end(), key.begin());
  return key;
}

Digest key_fingerprint(const PublicKey& key) {
  return sha256(public_key_der(key));
}

}  // namespace aierase::crypto
