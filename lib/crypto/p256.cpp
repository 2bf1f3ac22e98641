#include "crypto/p256.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>
#include <span>

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

// SubjectPublicKeyInfo of id-ecPublicKey on prime256v1, up to the point.
constexpr std::array<unsigned char, 26> kP256DerPrefix{
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
    0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
constexpr std::size_t kMaxSignatureBytes = 72;

}  // namespace

Bytes p256_public_key_der(const P256Point& point) {
  Bytes der = copy_of(std::as_bytes(std::span(kP256DerPrefix)));
  append(der, point);
  return der;
}

std::optional<P256Point> parse_p256_public_key_der(ByteView der) {
  P256Point point{};
  if (der.size() != kP256DerPrefix.size() + point.size()) return std::nullopt;
  const ByteView key = der.last(point.size());
  std::copy(key.begin(), key.end(), point.begin());
  const Bytes again = p256_public_key_der(point);
  if (!std::equal(again.begin(), again.end(), der.begin()) || !is_valid_p256_point(point)) {
    return std::nullopt;
  }
  return point;
}

std::optional<P256Signature> parse_p256_signature_der(ByteView der) {
  if (der.empty() || der.size() > kMaxSignatureBytes) return std::nullopt;
  const unsigned char* at = raw(der);
  const EcdsaSignature pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (pair == nullptr) return std::nullopt;
  P256Signature signature;
  const auto fill = [](const BIGNUM* number, std::array<std::byte, 32>& to) {
    return BN_bn2binpad(number, reinterpret_cast<unsigned char*>(to.data()), 32) == 32;
  };
  if (!fill(ECDSA_SIG_get0_r(pair.get()), signature.r) ||
      !fill(ECDSA_SIG_get0_s(pair.get()), signature.s)) {
    return std::nullopt;
  }
  const Bytes again = p256_signature_der(signature);
  if (!std::equal(again.begin(), again.end(), der.begin(), der.end())) return std::nullopt;
  return signature;
}

// Empty: no memory.
Bytes p256_signature_der(const P256Signature& signature) {
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

bool is_valid_p256_point(const P256Point& point) {
  return key_from(point) != nullptr;
}

bool verify_p256(const P256Point& key, ByteView message, const P256Signature& signature) {
  const PKey point = key_from(key);
  if (point == nullptr) return false;
  const Bytes der = p256_signature_der(signature);
  const VerifyContext context(EVP_MD_CTX_new());
  if (der.empty() || context == nullptr) return false;
  if (EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, point.get(),
                              nullptr) != 1) {
    return false;
  }
  return EVP_DigestVerify(context.get(), raw(der), der.size(), raw(message), message.size()) == 1;
}

}  // namespace aierase::crypto
