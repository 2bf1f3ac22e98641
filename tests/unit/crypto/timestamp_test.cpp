#include "crypto/timestamp.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace aierase::crypto {
namespace {

std::string vector_file(const std::string& name) {
  std::ifstream file(AIERASE_SOURCE_DIR "/tests/vectors/timestamp/" + name, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  EXPECT_FALSE(content.str().empty()) << name;
  return content.str();
}

// An answer of openssl over 64 times the letter Z.
class ATimeStamp : public testing::Test {
 protected:
  const std::string response_ = vector_file("response.tsr");
  const std::string authority_ = vector_file("authority.pem");
  const std::string stranger_ = vector_file("stranger.pem");
  const Bytes data_ = Bytes(64, std::byte{'Z'});
};

TEST_F(ATimeStamp, TellsItsTimeUnderItsAuthorityAlsoWhenThatHasExpired) {
  const auto stamp = verify_timestamp(as_bytes(response_), data_, {authority_});
  ASSERT_TRUE(stamp.ok()) << stamp.error().message;
  EXPECT_EQ(to_rfc3339(stamp->time), "2026-11-21T12:26:07Z");
}

TEST_F(ATimeStamp, IsNeitherBelievedNorWrongWhereItsAuthorityIsNotTrusted) {
  EXPECT_TRUE(read_timestamp(as_bytes(response_), data_).ok());
  for (const std::vector<std::string>& trusted :
       {std::vector<std::string>(), std::vector<std::string>{stranger_}}) {
    EXPECT_EQ(verify_timestamp(as_bytes(response_), data_, trusted).error().code,
              Errc::signer_unknown);
  }
  EXPECT_TRUE(verify_timestamp(as_bytes(response_), data_, {stranger_, authority_}).ok());
}

TEST_F(ATimeStamp, WhoseSignatureIsChangedIsWrongWhoeverIsTrusted) {
  std::string changed = response_;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  for (const std::vector<std::string>& trusted :
       {std::vector<std::string>(), std::vector<std::string>{stranger_},
        std::vector<std::string>{authority_}}) {
    EXPECT_EQ(verify_timestamp(as_bytes(changed), data_, trusted).error().code,
              Errc::verification_failed);
  }
}

TEST_F(ATimeStamp, IsCheckedUnderNoTextThatIsBroken) {
  const std::string cut = authority_.substr(0, authority_.size() / 2);
  for (const std::string& broken :
       {std::string(), std::string("no certificate"), cut, authority_ + cut, cut + authority_}) {
    EXPECT_EQ(check_authorities(broken).error().code, Errc::invalid_input);
    EXPECT_EQ(verify_timestamp(as_bytes(response_), data_, {broken}).error().code,
              Errc::invalid_input);
  }
  EXPECT_TRUE(check_authorities(stranger_ + "a remark\n" + authority_).ok());
}

TEST_F(ATimeStamp, OfOtherDataIsRefused) {
  const Bytes other(64, std::byte{'Y'});
  EXPECT_FALSE(read_timestamp(as_bytes(response_), other).ok());
  EXPECT_FALSE(verify_timestamp(as_bytes(response_), other, {authority_}).ok());
}

TEST_F(ATimeStamp, WithAnyByteChangedIsRefusedOrSaysTheSame) {
  for (std::size_t at = 0; at < response_.size(); ++at) {
    std::string changed = response_;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    const auto stamp = verify_timestamp(as_bytes(changed), data_, {authority_});
    if (!stamp.ok()) continue;
    EXPECT_EQ(to_rfc3339(stamp->time), "2026-11-21T12:26:07Z") << "byte " << at;
  }
}

TEST_F(ATimeStamp, ThatIsCutOrHasMoreBehindItIsRefused) {
  EXPECT_FALSE(read_timestamp(as_bytes(response_ + "x"), data_).ok());
  EXPECT_FALSE(read_timestamp({}, data_).ok());
  for (std::size_t size = 0; size < response_.size(); size += 17) {
    EXPECT_FALSE(read_timestamp(as_bytes(response_.substr(0, size)), data_).ok());
  }
  EXPECT_EQ(read_timestamp(Bytes(70'000), data_).error().code, Errc::resource_limit);
}

TEST(ARequestForATimeStamp, IsTheSameForTheSameData) {
  const Bytes data(64, std::byte{'Z'});
  const auto request = timestamp_request(data);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(*request, timestamp_request(data).value());
  // SEQUENCE { version 1, { { sha256, NULL }, digest }, certReq TRUE }
  EXPECT_EQ(to_hex(ByteView(*request).first(24)),
            "30390201013031300d060960864801650304020105000420");
  EXPECT_EQ(to_hex(ByteView(*request).last(3)), "0101ff");
}

}  // namespace
}  // namespace aierase::crypto
