#include "crypto/primitives.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <climits>
#include <cstdlib>
#include <string_view>

#include "base/random.h"
#include "crypto/raw.h"

namespace aierase::crypto {
namespace {

constexpr std::size_t kGcmKeyBytes = 32;
// libcrypto keeps the info of HKDF in a buffer of fixed size; ours are far shorter.
constexpr std::size_t kMaxInfoBytes = 1024;

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <typename T, auto Free>
using Owned = std::unique_ptr<T, Deleter<Free>>;

using Md = Owned<EVP_MD, EVP_MD_free>;
using MdContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using Mac = Owned<EVP_MAC, EVP_MAC_free>;
using MacContext = Owned<EVP_MAC_CTX, EVP_MAC_CTX_free>;
using Kdf = Owned<EVP_KDF, EVP_KDF_free>;
using KdfContext = Owned<EVP_KDF_CTX, EVP_KDF_CTX_free>;
using Cipher = Owned<EVP_CIPHER, EVP_CIPHER_free>;
using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

// Fetching by name is slow (a locked search through the providers), so it is done once. The
// objects are constant and counted; they go before libcrypto's own exit handler, which was
// registered earlier.
struct Algorithms {
  Md sha256{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  Md sha512{EVP_MD_fetch(nullptr, "SHA512", nullptr)};
  Mac hmac{EVP_MAC_fetch(nullptr, "HMAC", nullptr)};
  Kdf hkdf{EVP_KDF_fetch(nullptr, "HKDF", nullptr)};
  Cipher gcm{EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)};
};

const Algorithms& algorithms() {
  static const Algorithms kFetched;
  return kFetched;
}

Error library_failed(std::string_view what) {
  return make_error(Errc::unexpected, "libcrypto failed at " + std::string(what),
                    "Check that the OpenSSL default provider is enabled on this machine.");
}

OSSL_PARAM octets(const char* name, ByteView bytes) {
  // Parameters are declared without const; libcrypto only reads these.
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::byte*>(bytes.data()),
                                           bytes.size());
}

OSSL_PARAM text(const char* name, std::string_view value) {
  return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value.data()), value.size());
}

Status hkdf(int mode, std::string_view digest, ByteView key, ByteView salt, ByteView info,
            ByteSpan out) {
  if (info.size() > kMaxInfoBytes) {
    return make_error(Errc::invalid_input,
                      "the info of a key derivation has " + std::to_string(info.size()) +
                          " bytes; the limit is " + std::to_string(kMaxInfoBytes));
  }
  const KdfContext context(EVP_KDF_CTX_new(algorithms().hkdf.get()));
  if (context == nullptr) return library_failed("HKDF");
  std::array<OSSL_PARAM, 6> parameters{};
  std::size_t count = 0;
  parameters[count++] = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
  parameters[count++] = text(OSSL_KDF_PARAM_DIGEST, digest);
  parameters[count++] = octets(OSSL_KDF_PARAM_KEY, key);
  if (!salt.empty()) parameters[count++] = octets(OSSL_KDF_PARAM_SALT, salt);
  if (!info.empty()) parameters[count++] = octets(OSSL_KDF_PARAM_INFO, info);
  parameters[count] = OSSL_PARAM_construct_end();
  if (EVP_KDF_derive(context.get(), raw(out), out.size(), parameters.data()) != 1) {
    return library_failed("HKDF");
  }
  return {};
}

Status check_gcm(ByteView key, ByteView iv, ByteView associated, ByteView in, std::size_t out_bytes,
                 std::size_t tag_bytes) {
  if (key.size() != kGcmKeyBytes || iv.size() != kGcmIvBytes || tag_bytes != kGcmTagBytes ||
      in.size() != out_bytes) {
    return make_error(Errc::invalid_input,
                      "AES-256-GCM takes a key of 32 bytes, an IV of 12, a "
                      "tag of 16 and an output as long as its input");
  }
  if (in.size() > INT_MAX || associated.size() > INT_MAX) {
    return make_error(Errc::resource_limit, "AES-256-GCM takes less than 2 GiB at once here");
  }
  return {};
}

}  // namespace

struct Sha256::Impl {
  MdContext context{EVP_MD_CTX_new()};

  // The header's functions cannot fail: without SHA-256 nothing here could go on.
  void require(int result) const {
    if (result != 1) std::abort();
  }
  void start() { require(EVP_DigestInit_ex2(context.get(), algorithms().sha256.get(), nullptr)); }
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  impl_->start();
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView bytes) {
  impl_->require(EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()));
}

Digest Sha256::finish() {
  Digest digest{};
  impl_->require(EVP_DigestFinal_ex(impl_->context.get(), raw(ByteSpan(digest)), nullptr));
  impl_->start();
  return digest;
}

Digest sha256(ByteView bytes) {
  Digest digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), raw(ByteSpan(digest)), nullptr,
                 algorithms().sha256.get(), nullptr) != 1) {
    std::abort();
  }
  return digest;
}

std::array<std::byte, 64> sha512(ByteView bytes) {
  std::array<std::byte, 64> digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), raw(ByteSpan(digest)), nullptr,
                 algorithms().sha512.get(), nullptr) != 1) {
    std::abort();
  }
  return digest;
}

Result<Digest> hmac_sha256(ByteView key, ByteView message) {
  const MacContext context(EVP_MAC_CTX_new(algorithms().hmac.get()));
  if (context == nullptr) return library_failed("HMAC");
  const std::array<OSSL_PARAM, 2> parameters{text(OSSL_MAC_PARAM_DIGEST, "SHA256"),
                                             OSSL_PARAM_construct_end()};
  // A null key would mean "the key of last time"; an empty one still needs an address.
  static constexpr std::byte kNothing{};
  const ByteView addressed = key.empty() ? ByteView(&kNothing, 0) : key;
  Digest digest{};
  std::size_t written = 0;
  if (EVP_MAC_init(context.get(), raw(addressed), addressed.size(), parameters.data()) != 1 ||
      EVP_MAC_update(context.get(), raw(message), message.size()) != 1 ||
      EVP_MAC_final(context.get(), raw(ByteSpan(digest)), &written, digest.size()) != 1 ||
      written != digest.size()) {
    return library_failed("HMAC");
  }
  return digest;
}

Status hkdf_sha256(ByteView ikm, ByteView salt, ByteView info, ByteSpan out) {
  return hkdf(EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND, "SHA256", ikm, salt, info, out);
}

Status hkdf_expand_sha384(ByteView prk, ByteView info, ByteSpan out) {
  return hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, "SHA384", prk, {}, info, out);
}

struct Aead::Impl {
  CipherContext context{EVP_CIPHER_CTX_new()};
};

Aead::Aead() : impl_(std::make_unique<Impl>()) {}
Aead::~Aead() = default;
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;

Status Aead::seal(ByteView key, ByteView iv, ByteView associated, ByteView plaintext, ByteSpan out,
                  ByteSpan tag) {
  RETURN_IF_ERROR(check_gcm(key, iv, associated, plaintext, out.size(), tag.size()));
  EVP_CIPHER_CTX* context = impl_->context.get();
  int written = 0;
  bool sealed =
      EVP_EncryptInit_ex2(context, algorithms().gcm.get(), raw(key), raw(iv), nullptr) == 1;
  if (sealed && !associated.empty()) {
    sealed = EVP_EncryptUpdate(context, nullptr, &written, raw(associated),
                               static_cast<int>(associated.size())) == 1;
  }
  if (sealed && !plaintext.empty()) {
    sealed = EVP_EncryptUpdate(context, raw(out), &written, raw(plaintext),
                               static_cast<int>(plaintext.size())) == 1;
  }
  std::array<std::byte, kGcmTagBytes> rest{};  // GCM never writes here
  sealed = sealed && EVP_EncryptFinal_ex(context, raw(ByteSpan(rest)), &written) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kGcmTagBytes, tag.data()) == 1;
  // No key schedule outlives the call.
  EVP_CIPHER_CTX_reset(context);
  if (!sealed) return library_failed("AES-256-GCM");
  return {};
}

Status Aead::open(ByteView key, ByteView iv, ByteView associated, ByteView ciphertext, ByteView tag,
                  ByteSpan out) {
  RETURN_IF_ERROR(check_gcm(key, iv, associated, ciphertext, out.size(), tag.size()));
  EVP_CIPHER_CTX* context = impl_->context.get();
  int written = 0;
  bool started =
      EVP_DecryptInit_ex2(context, algorithms().gcm.get(), raw(key), raw(iv), nullptr) == 1;
  if (started && !associated.empty()) {
    started = EVP_DecryptUpdate(context, nullptr, &written, raw(associated),
                                static_cast<int>(associated.size())) == 1;
  }
  if (started && !ciphertext.empty()) {
    started = EVP_DecryptUpdate(context, raw(out), &written, raw(ciphertext),
                                static_cast<int>(ciphertext.size())) == 1;
  }
  started = started && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kGcmTagBytes,
                                           const_cast<std::byte*>(tag.data())) == 1;
  std::array<std::byte, kGcmTagBytes> rest{};  // GCM never writes here
  const bool opened = started && EVP_DecryptFinal_ex(context, raw(ByteSpan(rest)), &written) == 1;
  EVP_CIPHER_CTX_reset(context);
  if (opened) return {};
  zeroize(out);  // what was written there is not authentic
  if (!started) return library_failed("AES-256-GCM");
  return make_error(Errc::verification_failed,
                    "the authentication tag does not match: wrong key, or altered data");
}

bool equal_constant_time(ByteView a, ByteView b) noexcept {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

void random_bytes(ByteSpan out) {
  fill_random(out);
}

}  // namespace aierase::crypto
