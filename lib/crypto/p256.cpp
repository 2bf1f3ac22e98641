#include "crypto/p256.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <memory>

#include "crypto/raw.h"

namespace aierase::crypto {
namespace {

template <auto Free>
struct P256Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <typename T, auto Free>
using P256Owned = std::unique_ptr<T, P256Deleter<Free>>;

using PKey = P256Owned<EVP_PKEY, EVP_PKEY_free>;
using PKeyContext = P256Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using VerifyContext = P256Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using Number = P256Owned<BIGNUM, BN_free>;
using EcdsaSignature = P256Owned<ECDSA_SIG, ECDSA_SIG_free>;

constexpr std::byte kUncompressed{0x04};

// Null unless the point lies on the curve.
PKey key_from(const P256Point& point) {
  if (point.front() != kUncompressed) return nullptr;
  char group[] = "prime256v1";
  P256Point encoded = point;  // parameters are declared without const
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded.data(), encoded.size()),
      OSSL_PARAM_construct_end()};
  const PKeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* made = nullptr;
  if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY,
                        const_cast<OSSL_PARAM*>(parameters)) != 1) {
    return nullptr;
  }
  PKey key(made);
  const PKeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (check == nullptr || EVP_PKEY_public_check(check.get()) != 1) return nullptr;
  return key;
}

// The form that libcrypto takes: SEQUENCE { INTEGER r, INTEGER s }. Empty: no memory.
Bytes der_of(const P256Signature& signature) {
  Number r(BN_bin2bn(raw(signature.r), 32, nullptr));
  Number s(BN_bin2bn(raw(signature.s), 32, nullptr));
  const EcdsaSignature pair(ECDSA_SIG_new());
  if (r == nullptr || s == nullptr || pair == nullptr) return {};
  if (ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());  // the pair owns them now
  static_cast<void>(s.release());
  const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (size <= 0) return {};
  Bytes der(static_cast<std::size_t>(size));
  auto* to = reinterpret_cast<unsigned char*>(der.data());
  if (i2d_ECDSA_SIG(pair.get(), &to) != size) return {};
  return der;
}

}  // namespace

bool is_valid_p256_point(const P256Point& point) {
  return key_from(point) != nullptr;
}

bool verify_p256(const P256Point& key, ByteView message, const P256Signature& signature) {
  const PKey point = key_from(key);
  if (point == nullptr) return false;
  const Bytes der = der_of(signature);
  const VerifyContext context(EVP_MD_CTX_new());
  if (der.empty() || context == nullptr) return false;
  if (EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, point.get(),
                              nullptr) != 1) {
    return false;
  }
  return EVP_DigestVerify(context.get(), raw(der), der.size(), raw(message), message.size()) == 1;
}

}  // namespace aierase::crypto
