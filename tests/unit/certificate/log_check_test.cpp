// A certificate in its log: what is accepted, and which sentence each attack gets.
#include "certificate/log_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "unit/certificate/sample_log.h"

namespace aierase::certificate {
namespace {

class ALoggedCertificate : public testing::Test {
 protected:
  ALoggedCertificate() : log_(sample::record().store) {
    log_.fill(5);
    statement_ = sample::statement_of(sample::record());
    leaf_ = sample::log_statement(log_, statement_, sample::signer());
    log_.fill(3);
  }
  std::string bundle(std::uint64_t size = 9) {
    return sample::logged_bundle(log_, leaf_, size, statement_, sample::signer(),
                                 sample::log_signer());
  }
  VerifyReport verify(const std::string& bundle) {
    return verify_bundle(bundle, sample::trust_of(sample::keyring()));
  }
  // The sentence of the check of that name, which has to have failed.
  static std::string failure(const VerifyReport& report, std::string_view name) {
    EXPECT_FALSE(report.verified);
    EXPECT_EQ(report.outcome, Errc::verification_failed);
    for (const Check& check : report.checks) {
      if (check.name == name && check.result == CheckResult::failed) return check.detail;
    }
    ADD_FAILURE() << name << " did not fail";
    return {};
  }
  static std::string changed(const std::string& bundle, const std::function<void(Json&)>& change) {
    Json json = *parse_json(bundle);
    change(json["verificationMaterial"]["tlogEntries"]);
    return dump_canonical(json).value();
  }
  static bool says(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  }

  sample::Log log_;
  std::string statement_;
  std::uint64_t leaf_ = 0;
};

TEST_F(ALoggedCertificate, IsVerifiedByTheKeyringAlone) {
  const VerifyReport report = verify(bundle());
  for (const Check& check : report.checks)
    EXPECT_EQ(check.result, CheckResult::passed) << check.detail;
  EXPECT_TRUE(report.verified);
  EXPECT_TRUE(verify(bundle(6)).verified);
}

TEST_F(ALoggedCertificate, WithoutItsProofIsRefusedWhereTheLogIsKnown) {
  const std::string bare = sample::bundle_of(statement_, sample::signer());
  EXPECT_TRUE(says(failure(verify(bare), "log"), "proof is missing"));
  TrustStore key_alone;
  key_alone.add(sample::signer().public_key(), "signer.pem");
  EXPECT_TRUE(verify_bundle(bare, key_alone).verified);
}

TEST_F(ALoggedCertificate, IsNotCalledLoggedWhereOnlyTheSignerIsKnown) {
  TrustStore key_alone;
  key_alone.add(sample::signer().public_key(), "signer.pem");
  const VerifyReport report = verify_bundle(bundle(), key_alone);
  EXPECT_TRUE(report.verified);
  EXPECT_EQ(report.checks.back().name, "log");
  EXPECT_EQ(report.checks.back().result, CheckResult::not_checked);
}

TEST_F(ALoggedCertificate, OfARevokedKeyIsRefused) {
  TrustStore trust = sample::trust_of(sample::keyring());
  trust.revoked.insert(key_id(sample::signer().public_key()));
  EXPECT_TRUE(says(failure(verify_bundle(bundle(), trust), "signer"), "revoked here"));
}

TEST_F(ALoggedCertificate, UnderACheckpointOfARevokedKeyIsRefused) {
  TrustStore trust = sample::trust_of(sample::keyring());
  trust.revoked.insert(key_id(sample::log_signer().public_key()));
  EXPECT_TRUE(says(failure(verify_bundle(bundle(), trust), "log"), "revoked here"));
  const HeadFinding head = check_head(log_.checkpoint(4, sample::log_signer()), trust);
  EXPECT_EQ(head.check.result, CheckResult::failed);
  EXPECT_FALSE(head.key_id);
}

TEST_F(ALoggedCertificate, WithTheProofOfAnotherLeafIsRefused) {
  const std::string other = changed(bundle(), [&](Json& entries) {
    entries[0]["inclusionProof"]["logIndex"] = "4";
    entries[0]["logIndex"] = "4";
  });
  EXPECT_TRUE(says(failure(verify(other), "log"), "does not lead from leaf 4"));
}

TEST_F(ALoggedCertificate, WithTheEntryOfAnotherStatementIsRefused) {
  auto record = sample::record();
  record.reason = "something else";
  sample::Log log(record.store);
  const std::uint64_t leaf =
      sample::log_statement(log, sample::statement_of(record), sample::signer());
  const std::string foreign =
      sample::logged_bundle(log, leaf, 1, statement_, sample::signer(), sample::log_signer());
  EXPECT_TRUE(says(failure(verify(foreign), "log"), "of another statement"));
}

TEST_F(ALoggedCertificate, WithACheckpointThatTheLogDidNotSignIsRefused) {
  const std::string forged =
      sample::logged_bundle(log_, leaf_, 9, statement_, sample::signer(), sample::log_signer(0x62));
  EXPECT_TRUE(says(failure(verify(forged), "log"), "no signature by a trusted key"));
}

TEST_F(ALoggedCertificate, InTheLogOfAnotherStoreIsRefused) {
  const Uuid other = Uuid::random();
  sample::Log log(other);
  const std::uint64_t leaf = sample::log_statement(log, statement_, sample::signer());
  TrustStore trust = sample::trust_of(sample::keyring());
  Keyring foreign = sample::keyring();
  foreign.store = other;
  foreign.keys[0].key = sample::signer(0x71).public_key();
  ASSERT_TRUE(trust.add(foreign, "other.keyring.json").ok());
  const std::string bundle =
      sample::logged_bundle(log, leaf, 1, statement_, sample::signer(), sample::log_signer());
  EXPECT_TRUE(says(failure(verify_bundle(bundle, trust), "log"), "not that of the store"));
}

TEST_F(ALoggedCertificate, ThatSpeaksOfAnotherStoreIsRefused) {
  auto record = sample::record();
  record.store = Uuid::random();
  const std::string statement = sample::statement_of(record);
  const std::uint64_t leaf = sample::log_statement(log_, statement, sample::signer());
  const std::string bundle = sample::logged_bundle(log_, leaf, leaf + 1, statement,
                                                   sample::signer(), sample::log_signer());
  EXPECT_TRUE(says(failure(verify(bundle), "statement"), "of the store"));
}

// Whoever is trusted for a store of his own may not sign for this one.
TEST_F(ALoggedCertificate, OfABareKeyIsRefusedWhereTheKeyringOfItsStoreIsTrusted) {
  const crypto::SigningKey stranger = sample::signer(0x71);
  TrustStore trust;
  trust.add(stranger.public_key(), "other.pem");
  EXPECT_TRUE(verify_bundle(sample::bundle_of(statement_, stranger), trust).verified);
  ASSERT_TRUE(trust.add(sample::keyring(), "store.keyring.json").ok());
  const VerifyReport report = verify_bundle(sample::bundle_of(statement_, stranger), trust);
  EXPECT_TRUE(says(failure(report, "statement"), "whose keyring is trusted here"));
  trust.add(sample::signer().public_key(), "store.pem");
  EXPECT_TRUE(verify_bundle(bundle(), trust).verified) << "its own key, bare and in its keyring";
}

TEST_F(ALoggedCertificate, ThatNamesItsStoreInOtherLettersIsRefused) {
  Json json = *parse_json(statement_);
  Json& id = json["predicate"]["store"]["id"];
  std::string letters = id.get<std::string>();
  std::transform(letters.begin(), letters.end(), letters.begin(), toupper);
  id = letters;
  const crypto::SigningKey stranger = sample::signer(0x71);
  TrustStore trust = sample::trust_of(sample::keyring());
  trust.add(stranger.public_key(), "other.pem");
  const std::string bundle = sample::bundle_of(dump_canonical(json).value(), stranger);
  EXPECT_TRUE(says(failure(verify_bundle(bundle, trust), "statement"), "names no store"));
}

// T10, with the proof: whatever byte is changed, it is rejected or still says exactly the same.
TEST_F(ALoggedCertificate, WithAnyByteChangedIsRejectedOrSaysTheSame) {
  const std::string good = bundle();
  const TrustStore trust = sample::trust_of(sample::keyring());
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string mutant = good;
    mutant[at] = static_cast<char>(mutant[at] ^ (at % 2 == 0 ? 0x01 : 0x20));
    const VerifyReport report = verify_bundle(mutant, trust);
    if (!report.verified) continue;
    ++accepted;
    EXPECT_EQ(report.statement, statement_) << "byte " << at;
    EXPECT_EQ(log_entry_of_bundle(mutant)->checkpoint, log_entry_of_bundle(good)->checkpoint);
  }
  EXPECT_LT(accepted, 4U);
}

// Keys that followed one another: each speaks for its part of the log.
class ARotatedStore : public testing::Test {
 protected:
  static constexpr std::uint64_t kRotation = 4;
  ARotatedStore() : log_(sample::record().store) {
    log_.fill(2);
    early_ = sample::log_statement(log_, statement_, old_signer_);
    log_.fill(1);
    const auto body = rotation_body(sample::record().store, when_,
                                    {&old_signer_, &old_log_, &new_signer_, &new_log_});
    EXPECT_TRUE(body.ok());
    rotation_ = body.value();
    EXPECT_EQ(log_.add(rotation_), kRotation);
    late_ = sample::log_statement(log_, statement_, new_signer_);
    forged_ = sample::log_statement(log_, statement_, old_signer_);
  }
  Result<Keyring> keyring(std::vector<std::string> rotations) const {
    const UtcTime since = from_unix(1'700'000'000);
    return make_keyring(sample::record().store,
                        {{domain::KeyPurpose::signer, old_signer_.public_key(), since, 0},
                         {domain::KeyPurpose::log, old_log_.public_key(), since, 0},
                         {domain::KeyPurpose::signer, new_signer_.public_key(), when_, kRotation},
                         {domain::KeyPurpose::log, new_log_.public_key(), when_, kRotation}},
                        std::move(rotations));
  }
  TrustStore trust() const { return sample::trust_of(keyring({rotation_}).value()); }

  const crypto::SigningKey old_signer_ = sample::signer(0x42), old_log_ = sample::signer(0x61);
  const crypto::SigningKey new_signer_ = sample::signer(0x43), new_log_ = sample::signer(0x62);
  const UtcTime when_ = from_unix(1'710'000'000);
  const std::string statement_ = sample::statement_of(sample::record());
  sample::Log log_;
  std::string rotation_;
  std::uint64_t early_ = 0, late_ = 0, forged_ = 0;
};

TEST_F(ARotatedStore, KeepsWhatWasSignedBeforeAndAfterVerifiable) {
  EXPECT_TRUE(
      verify_bundle(sample::logged_bundle(log_, early_, 3, statement_, old_signer_, old_log_),
                    trust())
          .verified);
  EXPECT_TRUE(
      verify_bundle(sample::logged_bundle(log_, early_, 6, statement_, old_signer_, new_log_),
                    trust())
          .verified);
  EXPECT_TRUE(verify_bundle(
                  sample::logged_bundle(log_, late_, 6, statement_, new_signer_, new_log_), trust())
                  .verified);
}

TEST_F(ARotatedStore, RefusesAnOldKeyThatWentOnSigning) {
  const VerifyReport certificate = verify_bundle(
      sample::logged_bundle(log_, forged_, 7, statement_, old_signer_, new_log_), trust());
  EXPECT_FALSE(certificate.verified);
  EXPECT_NE(report_json(certificate).dump().find("was not in force at leaf 6"), std::string::npos);
  const VerifyReport head = verify_bundle(
      sample::logged_bundle(log_, early_, 6, statement_, old_signer_, old_log_), trust());
  EXPECT_FALSE(head.verified);
  EXPECT_NE(report_json(head).dump().find("was not in force for it"), std::string::npos);
}

TEST_F(ARotatedStore, IsHeldToItsNewerKeyringWhereverTheOlderOneLies) {
  const Keyring newer = keyring({rotation_}).value();
  const Keyring older = keyring_of_head(newer, kRotation);
  ASSERT_EQ(older.keys.size(), 2U);
  const std::string late =
      sample::logged_bundle(log_, forged_, 7, statement_, old_signer_, new_log_);
  const std::string head =
      sample::logged_bundle(log_, early_, 6, statement_, old_signer_, old_log_);
  for (const auto& [first, second] : {std::pair(older, newer), std::pair(newer, older)}) {
    TrustStore both;
    ASSERT_TRUE(both.add(first, "a.keyring.json").ok());
    ASSERT_TRUE(both.add(second, "b.keyring.json").ok());
    EXPECT_EQ(both.keys.size(), 2U);
    EXPECT_EQ(both.logs.size(), 2U);
    EXPECT_FALSE(verify_bundle(late, both).verified);
    EXPECT_FALSE(verify_bundle(head, both).verified);
  }
}

TEST_F(ARotatedStore, HasNoTwoKeyringsOfWhichNoneContinuesTheOther) {
  TrustStore trusted = trust();
  Keyring other = keyring_of_head(keyring({rotation_}).value(), kRotation);
  other.keys[0].key = sample::signer(0x71).public_key();
  const Status added = trusted.add(other, "other.keyring.json");
  ASSERT_FALSE(added.ok());
  EXPECT_NE(added.error().message.find("store.keyring.json"), std::string::npos);
  EXPECT_NE(added.error().message.find("other.keyring.json"), std::string::npos);
}

TEST_F(ARotatedStore, HasAnAnswerOfItsOwnForEachThingThatIsWrong) {
  const std::string good = sample::logged_bundle(log_, late_, 7, statement_, new_signer_, new_log_);
  const auto answer = [&](const std::string& bundle, const TrustStore& trusted) {
    const VerifyReport report = verify_bundle(bundle, trusted);
    EXPECT_FALSE(report.verified);
    for (const Check& check : report.checks) {
      if (check.result == CheckResult::failed) return check.name + ": " + check.detail;
    }
    return std::string();
  };
  const auto changed = [&](const std::function<void(Json&)>& change) {
    Json json = *parse_json(good);
    change(json);
    return dump_canonical(json).value();
  };
  const auto revoking = [&](const crypto::SigningKey& key) {
    TrustStore trusted = trust();
    trusted.revoked.insert(key_id(key.public_key()));
    return trusted;
  };
  const std::map<std::string, std::string> answers{
      {"nobody is trusted", answer(good, {})},
      {"another signature", answer(changed([](Json& json) {
                                     json["dsseEnvelope"]["signatures"][0]["sig"] =
                                         to_base64(Bytes(64, std::byte{1}));
                                   }),
                                   trust())},
      {"a revoked signer", answer(good, revoking(new_signer_))},
      {"a revoked log key", answer(good, revoking(new_log_))},
      {"a signer after its time",
       answer(sample::logged_bundle(log_, forged_, 7, statement_, old_signer_, new_log_), trust())},
      {"a log key after its time",
       answer(sample::logged_bundle(log_, early_, 6, statement_, old_signer_, old_log_), trust())},
      {"no proof", answer(sample::bundle_of(statement_, new_signer_), trust())},
      {"a shorter proof", answer(changed([](Json& json) {
                                   Json& entry = json["verificationMaterial"]["tlogEntries"][0];
                                   entry["inclusionProof"]["hashes"].erase(0);
                                 }),
                                 trust())},
      {"a head of a stranger",
       answer(sample::logged_bundle(log_, late_, 7, statement_, new_signer_, sample::signer(0x70)),
              trust())}};
  std::set<std::string> told;
  for (const auto& [what, text] : answers) {
    EXPECT_FALSE(text.empty()) << what;
    EXPECT_TRUE(told.insert(text).second) << what << " is told as something else is: " << text;
  }
}

TEST_F(ARotatedStore, HasAKeyringThatComesBackAsItWasWritten) {
  const auto made = keyring({rotation_});
  ASSERT_TRUE(made.ok());
  const auto text = keyring_json(*made);
  const auto read = parse_keyring(*text);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(keyring_json(*read).value(), *text);
  EXPECT_TRUE(continues(*read, sample::keyring()));
  EXPECT_TRUE(speaks_for_leaf(read->keys[0], 3));
  EXPECT_FALSE(speaks_for_leaf(read->keys[0], kRotation));
  EXPECT_TRUE(speaks_for_head(read->keys[1], kRotation));
  EXPECT_FALSE(speaks_for_head(read->keys[1], kRotation + 1));
  EXPECT_TRUE(speaks_for_head(read->keys[3], kRotation + 1));
}

TEST_F(ARotatedStore, HasNoKeyringWithoutARotationThatAllFourKeysSigned) {
  EXPECT_FALSE(keyring({}).ok());
  EXPECT_FALSE(keyring({rotation_, rotation_}).ok());
  const auto stranger = sample::signer(0x77);
  const auto forged =
      rotation_body(sample::record().store, when_, {&stranger, &old_log_, &new_signer_, &new_log_});
  EXPECT_FALSE(keyring({forged.value()}).ok());
  Json envelope = *parse_json(rotation_);
  for (std::size_t i = 0; i < 4; ++i) {
    Json other = envelope;
    other["signatures"][i]["sig"] = to_base64(Bytes(64));
    EXPECT_FALSE(keyring({dump_canonical(other).value()}).ok()) << "signature " << i;
  }
}

TEST_F(ARotatedStore, HasAKeyringOfWhichNoByteCanBeChanged) {
  const std::string text = keyring_json(keyring({rotation_}).value()).value();
  for (std::size_t at = 0; at < text.size(); at += 3) {
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    const auto read = parse_keyring(changed);
    if (!read.ok()) continue;
    // The times of the first keys alone are the word of whoever hands the keyring over.
    Keyring same = *read;
    same.keys[0].from = same.keys[1].from = from_unix(1'700'000'000);
    EXPECT_EQ(keyring_json(same).value(), text) << "byte " << at;
  }
}

}  // namespace
}  // namespace aierase::certificate
