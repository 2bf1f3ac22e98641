// What a certificate is about, for who has two hundred of them.
#include "certificate/erasure.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/certificate/sample_record.h"

namespace aierase::certificate {
namespace {

std::optional<Erasure> erasure_under(const crypto::SigningKey& trusted, const Json& statement) {
  TrustStore trust;
  trust.add(trusted.public_key(), "store.pem");
  const std::string text = dump_canonical(statement).value();
  return erasure_of(verify_bundle(sample::bundle_of(text, sample::signer()), trust));
}

TEST(AVerifiedCertificate, TellsWhatWasErasedWhenAndByWhom) {
  auto record = sample::record();
  record.approvals.push_back(sample::approval(1003, "dora"));
  const Json statement = parse_json(sample::statement_of(record)).value();
  const auto erasure = erasure_under(sample::signer(), statement);
  ASSERT_TRUE(erasure);
  const Json json = erasure_json(*erasure);
  EXPECT_EQ(json["certificate"], statement["predicate"]["certificate_id"]);
  EXPECT_EQ(json["asset"], statement["predicate"]["asset"]["id"]);
  EXPECT_EQ(json["name"], "acme/reviewer:2.1");
  EXPECT_EQ(json["outcome"], "erased");
  EXPECT_EQ(json["erased_at"], statement["predicate"]["times"]["verified_zero_at"]);
  EXPECT_EQ(json["requester"], "olga");
  EXPECT_EQ(json["approvers"], Json::array({"carl", "dora"}));
}

TEST(ACertificateThatDoesNotHold, TellsNothingOfWhatItIsAbout) {
  Json statement = parse_json(sample::statement_of(sample::record())).value();
  EXPECT_FALSE(erasure_under(sample::signer(0x43), statement)) << "nobody vouches for the signer";
  statement["predicate"]["outcome"] = "kept";
  EXPECT_FALSE(erasure_under(sample::signer(), statement)) << "it contradicts itself";
}

}  // namespace
}  // namespace aierase::certificate
