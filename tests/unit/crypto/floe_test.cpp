#include "crypto/floe.h"

#include <gtest/gtest.h>

#include "unit/support/vectors.h"

namespace aierase::crypto {
namespace {

constexpr std::string_view kFloeAssociated = "This is AAD";

SealKey zero_key() {
  return SealKey::adopt(SecretBytes::zeroed(32).value()).value();
}

FloeParameters parameters_of(ByteView message, unsigned rotation_bits) {
  FloeParameters parameters;
  parameters.segment_bytes = get_be32(message.subspan(2));
  parameters.rotation_bits = rotation_bits;
  return parameters;
}

// Opens a whole FLOE message, the last segment being what remains.
Result<Bytes> open_floe(const SealKey& key, ByteView associated, ByteView message,
                        const FloeParameters& parameters) {
  const std::size_t header_bytes = std::min(message.size(), kFloeHeaderBytes);
  ASSIGN_OR_RETURN(const FloeDecryptor decryptor,
                   FloeDecryptor::start(key, associated, message.first(header_bytes), parameters));
  Aead aead;
  Bytes plaintext;
  ByteView rest = message.subspan(header_bytes);
  for (std::uint64_t number = 0;; ++number) {
    // Inner segments carry their mark; anything else has to be the end.
    const bool inner = rest.size() >= parameters.segment_bytes && get_be32(rest) == 0xFFFFFFFF;
    const ByteView segment = inner ? rest.first(parameters.segment_bytes) : rest;
    if (segment.size() < kFloeSegmentOverhead) {
      return make_error(Errc::verification_failed, "truncated");
    }
    Bytes opened(segment.size() - kFloeSegmentOverhead);
    RETURN_IF_ERROR(decryptor.open_segment(
        number, inner ? FloeDecryptor::Position::inner : FloeDecryptor::Position::final, segment,
        opened, aead));
    append(plaintext, opened);
    if (!inner) return plaintext;
    rest = rest.subspan(segment.size());
  }
}

Result<Bytes> seal_floe(const SealKey& key, ByteView associated, ByteView plaintext,
                        const FloeParameters& parameters) {
  ASSIGN_OR_RETURN(const FloeEncryptor encryptor,
                   FloeEncryptor::start(key, associated, parameters));
  Aead aead;
  Bytes message = copy_of(encryptor.header());
  const std::size_t room = parameters.segment_bytes - kFloeSegmentOverhead;
  for (std::uint64_t number = 0;; ++number) {
    const bool inner = plaintext.size() > room;
    const ByteView part = plaintext.first(std::min(plaintext.size(), room));
    Bytes segment(part.size() + kFloeSegmentOverhead);
    RETURN_IF_ERROR(encryptor.seal_segment(
        number, inner ? FloeEncryptor::Position::inner : FloeEncryptor::Position::final, part,
        segment, aead));
    append(message, segment);
    if (!inner) return message;
    plaintext = plaintext.subspan(part.size());
  }
}

class FloeVector : public testing::TestWithParam<const char*> {};

TEST_P(FloeVector, OpensAndIsSealedTheSameWay) {
  const std::string name = GetParam();
  const Bytes sealed = test::unhex(test::vector_text("floe/" + name + "_ct.txt"));
  const Bytes plaintext = test::unhex(test::vector_text("floe/" + name + "_pt.txt"));
  ASSERT_GT(sealed.size(), kFloeHeaderBytes);
  const bool rotates = name.find("rotation") != std::string::npos;
  const FloeParameters parameters = parameters_of(sealed, rotates ? 2 : 20);
  const SealKey key = zero_key();
  const ByteView associated = as_bytes(kFloeAssociated);
  const auto opened = open_floe(key, associated, sealed, parameters);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(*opened, plaintext);

  const auto ours = seal_floe(key, associated, plaintext, parameters);
  ASSERT_TRUE(ours.ok()) << ours.error().message;
  EXPECT_EQ(open_floe(key, associated, *ours, parameters).value(), plaintext);
  if (rotates) {
    // The keys do rotate: with the usual interval the same file does not open.
    EXPECT_FALSE(open_floe(key, associated, sealed, parameters_of(sealed, 20)).ok());
  }
}

INSTANTIATE_TEST_SUITE_P(Published, FloeVector,
                         testing::Values("cpp_GCM256_IV256_64", "cpp_GCM256_IV256_4K",
                                         "cpp_rotation", "go_GCM256_IV256_64", "go_GCM256_IV256_4K",
                                         "go_rotation", "java_GCM256_IV256_64",
                                         "java_GCM256_IV256_4K", "java_rotation",
                                         "java_lastSegAligned", "java_lastSegEmpty",
                                         "pub_java_GCM256_IV256_64", "pub_java_GCM256_IV256_4K",
                                         "pub_java_rotation", "rust_GCM256_IV256_64",
                                         "rust_GCM256_IV256_4K", "rust_rotation"),
                         [](const auto& each) { return std::string(each.param); });

class AFloeMessage : public testing::Test {
 protected:
  AFloeMessage() {
    parameters_.segment_bytes = 64;
    plaintext_.resize(100);  // segments of 32, 32, 32 and 4 bytes
    random_bytes(plaintext_);
    sealed_ = seal_floe(key_, associated_, plaintext_, parameters_).value();
  }
  Errc code_of(ByteView message) {
    const auto opened = open_floe(key_, associated_, message, parameters_);
    return opened.ok() ? Errc::unexpected : opened.error().code;
  }
  Bytes segments(std::initializer_list<std::size_t> order) const {
    Bytes message = copy_of(ByteView(sealed_).first(kFloeHeaderBytes));
    for (const std::size_t i : order) {
      const ByteView from = ByteView(sealed_).subspan(kFloeHeaderBytes + i * 64);
      append(message, from.first(std::min<std::size_t>(64, from.size())));
    }
    return message;
  }

  SealKey key_ = SealKey::random().value();
  ByteView associated_ = as_bytes("store and blob");
  FloeParameters parameters_;
  Bytes plaintext_;
  Bytes sealed_;
};

TEST_F(AFloeMessage, OpensWhole) {
  EXPECT_EQ(segments({0, 1, 2, 3}), sealed_);
  EXPECT_EQ(open_floe(key_, associated_, sealed_, parameters_).value(), plaintext_);
}

TEST_F(AFloeMessage, IsRefusedWhenCutExtendedOrReordered) {
  for (const auto& order : std::initializer_list<std::initializer_list<std::size_t>>{
           {}, {0}, {0, 1, 2}, {0, 1, 3}, {1, 0, 2, 3}, {0, 1, 2, 2, 3}, {0, 1, 2, 3, 3}, {3}}) {
    EXPECT_EQ(code_of(segments(order)), Errc::verification_failed);
  }
  for (std::size_t size = 0; size < sealed_.size(); ++size) {
    EXPECT_EQ(code_of(ByteView(sealed_).first(size)), Errc::verification_failed) << size;
  }
}

TEST_F(AFloeMessage, IsRefusedWhenAnyByteIsChanged) {
  for (std::size_t i = 0; i < sealed_.size(); ++i) {
    Bytes broken = sealed_;
    broken[i] ^= std::byte{1};
    EXPECT_EQ(code_of(broken), Errc::verification_failed) << i;
  }
}

TEST_F(AFloeMessage, BelongsToItsKeyPlaceAndParameters) {
  const SealKey other = SealKey::random().value();
  EXPECT_FALSE(open_floe(other, associated_, sealed_, parameters_).ok());
  EXPECT_FALSE(open_floe(key_, as_bytes("elsewhere"), sealed_, parameters_).ok());
  FloeParameters longer = parameters_;
  longer.segment_bytes = 65;
  EXPECT_FALSE(open_floe(key_, associated_, sealed_, longer).ok());
}

TEST_F(AFloeMessage, OpensAnySegmentAlone) {
  const auto decryptor = FloeDecryptor::start(
      key_, associated_, ByteView(sealed_).first(kFloeHeaderBytes), parameters_);
  ASSERT_TRUE(decryptor.ok());
  Aead aead;
  Bytes out(32);
  const ByteView third = ByteView(sealed_).subspan(kFloeHeaderBytes + 128, 64);
  ASSERT_TRUE(decryptor->open_segment(2, FloeDecryptor::Position::inner, third, out, aead).ok());
  EXPECT_TRUE(std::equal(out.begin(), out.end(), plaintext_.begin() + 64));
  EXPECT_FALSE(decryptor->open_segment(1, FloeDecryptor::Position::inner, third, out, aead).ok());
  EXPECT_FALSE(decryptor->open_segment(2, FloeDecryptor::Position::final, third, out, aead).ok());
  Bytes short_out(31);
  EXPECT_EQ(decryptor->open_segment(2, FloeDecryptor::Position::inner, third, short_out, aead)
                .error()
                .code,
            Errc::invalid_input);
}

TEST_F(AFloeMessage, DiffersEachTimeItIsSealed) {
  EXPECT_NE(seal_floe(key_, associated_, plaintext_, parameters_).value(), sealed_);
}

TEST_F(AFloeMessage, HasSegmentsOfTheRightSizesOnly) {
  const auto encryptor = FloeEncryptor::start(key_, associated_, parameters_);
  ASSERT_TRUE(encryptor.ok());
  Aead aead;
  Bytes out(64);
  using Position = FloeEncryptor::Position;
  const auto seal = [&](std::size_t size, Position position, std::size_t room) {
    return encryptor->seal_segment(0, position, Bytes(size), ByteSpan(out).first(room), aead).ok();
  };
  EXPECT_TRUE(seal(32, Position::inner, 64));
  EXPECT_TRUE(seal(32, Position::final, 64));
  EXPECT_TRUE(seal(0, Position::final, 32));
  EXPECT_FALSE(seal(31, Position::inner, 63));
  EXPECT_FALSE(seal(33, Position::final, 64));
  EXPECT_FALSE(seal(4, Position::final, 64));
  EXPECT_FALSE(
      encryptor->seal_segment(1ULL << 40, Position::final, {}, ByteSpan(out).first(32), aead).ok());
  EXPECT_TRUE(
      encryptor->seal_segment((1ULL << 40) - 1, Position::final, {}, ByteSpan(out).first(32), aead)
          .ok());
}

TEST_F(AFloeMessage, NeedsSaneParametersAndAKey) {
  parameters_.segment_bytes = 32;
  EXPECT_EQ(FloeEncryptor::start(key_, {}, parameters_).error().code, Errc::invalid_input);
  parameters_.segment_bytes = 64;
  parameters_.rotation_bits = 64;
  EXPECT_EQ(FloeEncryptor::start(key_, {}, parameters_).error().code, Errc::invalid_input);
  EXPECT_FALSE(FloeEncryptor::start(SealKey(), {}).ok());
}

TEST_F(AFloeMessage, OfOurOwnSegmentLengthComesBack) {
  const FloeParameters ours;
  for (const std::size_t size : {std::size_t{0}, std::size_t{kFloeSegmentPlaintext},
                                 std::size_t{kFloeSegmentPlaintext} + 1}) {
    Bytes plaintext(size);
    random_bytes(plaintext);
    const Bytes sealed = seal_floe(key_, associated_, plaintext, ours).value();
    const std::size_t segments_expected = size > kFloeSegmentPlaintext ? 2 : 1;
    EXPECT_EQ(sealed.size(), kFloeHeaderBytes + size + segments_expected * kFloeSegmentOverhead);
    EXPECT_EQ(open_floe(key_, associated_, sealed, ours).value(), plaintext);
  }
}

}  // namespace
}  // namespace aierase::crypto
