#include "crypto/p256.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/primitives.h"
#include "crypto/signature.h"
#include "unit/support/vectors.h"

namespace aierase::crypto {
namespace {

template <std::size_t N>
std::array<std::byte, N> array_from_hex(const std::string& hex) {
  const Bytes bytes = test::unhex(hex);
  std::array<std::byte, N> array{};
  EXPECT_EQ(bytes.size(), N);
  std::copy_n(bytes.begin(), std::min(bytes.size(), N), array.begin());
  return array;
}

// RFC 6979, A.2.5: curve P-256, SHA-256, message "sample".
P256Point rfc6979_key() {
  return array_from_hex<65>(
      "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
      "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
}
P256Signature rfc6979_signature() {
  return {array_from_hex<32>("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"),
          array_from_hex<32>("f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8")};
}

TEST(AP256Signature, OfRfc6979Holds) {
  EXPECT_TRUE(verify_p256(rfc6979_key(), as_bytes("sample"), rfc6979_signature()));
}

TEST(AP256Signature, HoldsForNoOtherMessageNumberOrKey) {
  EXPECT_FALSE(verify_p256(rfc6979_key(), as_bytes("samples"), rfc6979_signature()));
  P256Signature other = rfc6979_signature();
  other.r[31] ^= std::byte{1};
  EXPECT_FALSE(verify_p256(rfc6979_key(), as_bytes("sample"), other));
  other = rfc6979_signature();
  std::swap(other.r, other.s);
  EXPECT_FALSE(verify_p256(rfc6979_key(), as_bytes("sample"), other));
  EXPECT_FALSE(verify_p256(rfc6979_key(), as_bytes("sample"), P256Signature{}));
  P256Signature huge;
  huge.r.fill(std::byte{0xFF});
  huge.s.fill(std::byte{0xFF});
  EXPECT_FALSE(verify_p256(rfc6979_key(), as_bytes("sample"), huge));
}

TEST(AP256Point, LiesOnTheCurveInItsUncompressedForm) {
  EXPECT_TRUE(is_valid_p256_point(rfc6979_key()));
  P256Point off = rfc6979_key();
  off.back() ^= std::byte{1};
  EXPECT_FALSE(is_valid_p256_point(off));
  EXPECT_FALSE(verify_p256(off, as_bytes("sample"), rfc6979_signature()));
  for (const int form : {0, 2, 3, 5, 6, 7}) {
    P256Point other = rfc6979_key();
    other.front() = static_cast<std::byte>(form);
    EXPECT_FALSE(is_valid_p256_point(other)) << form;
  }
  EXPECT_FALSE(is_valid_p256_point(P256Point{}));
}

TEST(AnEd25519Point, IsNeitherOfSmallOrderNorInASecondEncoding) {
  PublicKey key{};
  EXPECT_FALSE(is_valid_public_key(key)) << "order 4";
  key.front() = std::byte{1};
  EXPECT_FALSE(is_valid_public_key(key)) << "the neutral element";
  key.fill(std::byte{0xFF});
  EXPECT_FALSE(is_valid_public_key(key)) << "beyond the field";
  const auto seed = SecretBytes::copy_of(Bytes(32, std::byte{7}));
  EXPECT_TRUE(is_valid_public_key(SigningKey::from_seed(seed.value()).value().public_key()));
}

TEST(Sha512Digests, AreThoseOfFips180) {
  EXPECT_EQ(to_hex(sha512(as_bytes("abc"))),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

}  // namespace
}  // namespace aierase::crypto
