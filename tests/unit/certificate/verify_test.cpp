#include "certificate/verify.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "certificate/bundle.h"
#include "unit/certificate/sample_record.h"
#include "unit/certificate/sample_tpm.h"

namespace aierase::certificate {
namespace {

TrustStore trust_of(const crypto::SigningKey& key) {
  TrustStore trust;
  trust.add(key.public_key(), "/etc/aierase/trust/store.pem");
  return trust;
}

const Check& check_named(const VerifyReport& report, std::string_view name) {
  static const Check missing{"missing", CheckResult::failed, "no such check"};
  for (const Check& check : report.checks) {
    if (check.name == name) return check;
  }
  ADD_FAILURE() << "no check is named " << name;
  return missing;
}

// Signs a changed statement with the trusted key: what remains is the check of its content.
VerifyReport verify_changed(const std::function<void(Json&)>& change) {
  const auto key = sample::signer();
  Json json = *parse_json(sample::statement_of(sample::record()));
  change(json);
  return verify_bundle(sample::bundle_of(dump_canonical(json).value(), key), trust_of(key));
}

std::string refusal(const std::function<void(Json&)>& change) {
  const VerifyReport report = verify_changed(change);
  EXPECT_FALSE(report.verified);
  EXPECT_EQ(report.outcome, Errc::verification_failed);
  EXPECT_EQ(check_named(report, "signature").result, CheckResult::passed);
  const Check& statement = check_named(report, "statement");
  return statement.result == CheckResult::failed ? statement.detail : "";
}

void use_level(Json& p, const char* level) {
  p["assurance"]["level"] = level;
  for (Json& slot : p["root_slots"]) slot["level"] = level;
}

TEST(AGenuineBundle, IsVerified) {
  const auto key = sample::signer();
  const std::string statement = sample::statement_of(sample::record());
  const VerifyReport report = verify_bundle(sample::bundle_of(statement, key), trust_of(key));
  for (const Check& check : report.checks) {
    EXPECT_NE(check.result, CheckResult::failed) << check.name << ": " << check.detail;
  }
  EXPECT_TRUE(report.verified);
  EXPECT_EQ(report.statement, statement);
  EXPECT_EQ(report.signer, "SHA256:" + key_id(key.public_key()));
  EXPECT_EQ(check_named(report, "log").result, CheckResult::not_checked);
  EXPECT_NE(check_named(report, "assurance").detail.find("EA1"), std::string::npos);
  EXPECT_NE(check_named(report, "assurance").detail.find("CE not claimed"), std::string::npos);
}

TEST(BundlesOfEveryKind, AreVerified) {
  const auto key = sample::signer();
  for (const auto kind : {domain::AssetKind::adapter, domain::AssetKind::embedding_index,
                          domain::AssetKind::dataset_key, domain::AssetKind::configuration}) {
    auto record = sample::record();
    record.asset.kind = kind;
    const VerifyReport report =
        verify_bundle(sample::bundle_of(sample::statement_of(record), key), trust_of(key));
    EXPECT_TRUE(report.verified) << check_named(report, "statement").detail;
  }
}

TEST(EveryStatementThatCanBeMade, PassesItsOwnCheck) {
  const auto key = sample::signer();
  for (const auto level : {domain::Level::ea0, domain::Level::ea1, domain::Level::ea2,
                           domain::Level::ea3, domain::Level::ea4}) {
    for (const auto history :
         {domain::SourceHistory::encrypted_from_first_write, domain::SourceHistory::retrofitted,
          domain::SourceHistory::unknown}) {
      const bool in_tpm = level >= domain::Level::ea2;
      auto record = in_tpm ? sample::tpm_record(level) : sample::record();
      for (auto& epoch : record.epochs) epoch.assurance.level = level;
      record.asset.source_history = history;
      record.people_rule = domain::PeopleRule::single_operator;
      record.at_rest = domain::AtRest::none;
      record.sources_still_present = {"/srv/models/reviewer"};
      domain::ExportRecord copy;
      copy.actor = sample::actor(1003, "eve");
      copy.medium = domain::ExportMedium::stream;
      record.exports = {copy};
      const std::string statement =
          in_tpm ? sample::tpm_statement_of(record) : sample::statement_of(record);
      const VerifyReport report = verify_bundle(sample::bundle_of(statement, key), trust_of(key));
      EXPECT_TRUE(report.verified)
          << check_named(report, "statement").detail << check_named(report, "residuals").detail;
    }
  }
}

TEST(ABundleOfAStrangersKey, IsUnknownAndItsSignatureIsNotCalledGood) {
  const std::string bundle =
      sample::bundle_of(sample::statement_of(sample::record()), sample::signer(0x43));
  const VerifyReport report = verify_bundle(bundle, trust_of(sample::signer()));
  EXPECT_FALSE(report.verified);
  EXPECT_EQ(report.outcome, Errc::signer_unknown);
  EXPECT_EQ(report.signer.find("UNKNOWN (SHA256:"), 0U);
  EXPECT_EQ(check_named(report, "signature").result, CheckResult::not_checked);
  EXPECT_EQ(check_named(report, "signer").result, CheckResult::failed);
  EXPECT_TRUE(report.statement.empty());
}

TEST(AStatement, ThatNoVerifierWouldReadIsRefusedBeforeAnythingIsDestroyed) {
  domain::DispositionRecord record = sample::record();
  record.reason.assign(std::size_t{47} << 20, 'r');
  const auto draft = draft_statement(record);
  ASSERT_FALSE(draft.ok());
  EXPECT_EQ(draft.error().code, Errc::resource_limit);
  record.reason.assign(std::size_t{46} << 20, 'r');
  const auto key = sample::signer();
  const std::string bundle = sample::bundle_of(sample::statement_of(record), key);
  EXPECT_TRUE(verify_bundle(bundle, trust_of(key)).verified);
}

TEST(AnEmptyTrustStore, KnowsNobody) {
  const std::string bundle =
      sample::bundle_of(sample::statement_of(sample::record()), sample::signer());
  EXPECT_EQ(verify_bundle(bundle, {}).outcome, Errc::signer_unknown);
}

TEST(ASignatureOfAnotherKeyUnderATrustedName, Fails) {
  const auto trusted = sample::signer();
  const std::string statement = sample::statement_of(sample::record());
  const auto forged = sign_statement(sample::proof(), statement, sample::signer(0x43));
  const auto bundle = bundle_json(statement, *forged, trusted.public_key());
  const VerifyReport report = verify_bundle(*bundle, trust_of(trusted));
  EXPECT_FALSE(report.verified);
  EXPECT_EQ(report.outcome, Errc::verification_failed);
  EXPECT_EQ(check_named(report, "signature").result, CheckResult::failed);
  EXPECT_TRUE(report.statement.empty());
}

// T10: whatever byte is changed, the bundle is rejected, or still says exactly the same.
TEST(ABundleWithAnyByteChanged, IsRejectedOrSaysTheSame) {
  const auto key = sample::signer();
  const TrustStore trust = trust_of(key);
  const std::string statement = sample::statement_of(sample::record());
  const std::string good = sample::bundle_of(statement, key);
  std::size_t rejected = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char mask : {'\x01', '\x20'}) {
      std::string changed = good;
      changed[at] = static_cast<char>(changed[at] ^ mask);
      const VerifyReport report = verify_bundle(changed, trust);
      if (!report.verified) {
        ++rejected;
      } else {
        EXPECT_EQ(report.statement, statement) << "byte " << at;
      }
    }
  }
  EXPECT_EQ(rejected, good.size() * 2);
}

TEST(ABundleCutShortOrGrown, IsRejected) {
  const auto key = sample::signer();
  const TrustStore trust = trust_of(key);
  const std::string good = sample::bundle_of(sample::statement_of(sample::record()), key);
  for (std::size_t size = 0; size < good.size(); size += 7) {
    EXPECT_FALSE(verify_bundle(std::string_view(good).substr(0, size), trust).verified) << size;
  }
  EXPECT_FALSE(verify_bundle(good + "x", trust).verified);
  EXPECT_TRUE(verify_bundle(good + "\n", trust).verified);
}

TEST(ABundleOfAnotherShape, IsNamedAsSuch) {
  const auto key = sample::signer();
  const Json good = *parse_json(sample::bundle_of(sample::statement_of(sample::record()), key));
  const auto rejected = [&](const std::function<void(Json&)>& change) {
    Json json = good;
    change(json);
    const VerifyReport report = verify_bundle(dump_canonical(json).value(), trust_of(key));
    return check_named(report, "format").result == CheckResult::failed && report.checks.size() == 7;
  };
  EXPECT_FALSE(rejected([](Json&) {}));
  EXPECT_TRUE(rejected([](Json& json) { json["extra"] = 1; }));
  EXPECT_TRUE(rejected([](Json& json) { json.erase("mediaType"); }));
  EXPECT_TRUE(rejected([](Json& json) { json["mediaType"] = 7; }));
  EXPECT_TRUE(rejected([](Json& json) { json["dsseEnvelope"] = Json::array(); }));
  EXPECT_TRUE(rejected([](Json& json) { json["dsseEnvelope"]["payloadType"] = "text/plain"; }));
  EXPECT_TRUE(rejected([](Json& json) { json["dsseEnvelope"]["signatures"] = Json::array(); }));
  EXPECT_TRUE(rejected([](Json& json) {
    Json& signatures = json["dsseEnvelope"]["signatures"];
    signatures.push_back(signatures[0]);
  }));
  EXPECT_TRUE(rejected([](Json& json) { json["dsseEnvelope"]["signatures"][0]["sig"] = "AAAA"; }));
  EXPECT_TRUE(rejected([](Json& json) { json["dsseEnvelope"]["signatures"][0]["keyid"] = ""; }));
  EXPECT_TRUE(
      rejected([](Json& json) { json["verificationMaterial"]["publicKey"]["hint"] = "abc"; }));
  EXPECT_TRUE(rejected([](Json& json) { json["verificationMaterial"]["tlogEntries"] = "none"; }));
}

TEST(HostileBundles, AreAnsweredAndNeverCrash) {
  for (const std::string& bundle :
       {std::string(), std::string("null"), std::string("[]"), std::string("{}"),
        std::string(100'000, '['), std::string("\xff\xfe"), std::string("{\"mediaType\":{}}")}) {
    EXPECT_EQ(check_named(verify_bundle(bundle, {}), "format").result, CheckResult::failed);
    EXPECT_FALSE(statement_text(bundle).ok());
  }
}

TEST(ABundleWithALogEntryThatIsNone, IsRefused) {
  const auto key = sample::signer();
  Json json = *parse_json(sample::bundle_of(sample::statement_of(sample::record()), key));
  json["verificationMaterial"]["tlogEntries"].push_back(Json::object());
  const VerifyReport report = verify_bundle(dump_canonical(json).value(), trust_of(key));
  EXPECT_FALSE(report.verified);
  EXPECT_EQ(check_named(report, "format").result, CheckResult::failed);
}

TEST(AStatementThatClaimsPurgeBelowEA3, IsRefusedWhoeverSignedIt) {
  EXPECT_NE(refusal([](Json& json) {
              json["predicate"]["method"]["method"] = "purge";
              json["predicate"]["method"]["purge_claimed"] = true;
            }).find("at most clear"),
            std::string::npos);
  EXPECT_NE(refusal([](Json& json) {
              Json& p = json["predicate"];
              use_level(p, "EA4");
              p["method"]["method"] = "purge";
              p["method"]["purge_claimed"] = true;
            }).find("at most clear"),
            std::string::npos)
      << "a retrofitted source";
  EXPECT_NE(refusal([](Json& json) { use_level(json["predicate"], "EA0"); }).find("at most none"),
            std::string::npos);
}

TEST(AStatementThatContradictsItself, IsRefused) {
  const std::pair<const char*, std::function<void(Json&)>> rows[] = {
      {"lowest of its root slots", [](Json& p) { p["root_slots"][0]["level"] = "EA0"; }},
      {"contradict", [](Json& p) { p["method"]["purge_claimed"] = true; }},
      {"technique", [](Json& p) { p["method"]["technique"] = "overwrite"; }},
      {"its claim is not", [](Json& p) { p["method"]["claim"] = "Purge is claimed."; }},
      {"the text of its assurance", [](Json& p) { p["assurance"]["text"] = "All is gone."; }},
      {"verified_zero_at is missing", [](Json& p) { p["times"]["verified_zero_at"] = nullptr; }},
      {"lies before", [](Json& p) { p["times"]["verified_zero_at"] = "2020-01-01T00:00:00Z"; }},
      {"intent", [](Json& p) { p["times"].erase("intent_at"); }},
      {"lacks evidence", [](Json& p) { p["evidence"] = nullptr; }},
      {"lacks residuals", [](Json& p) { p.erase("residuals"); }},
      {"read-back", [](Json& p) { p["evidence"]["checks"] = Json::array(); }},
      {"did not pass", [](Json& p) { p["verification"]["checks"][0]["result"] = "failed"; }},
      {"epoch", [](Json& p) { p["evidence"]["epoch"] = 3; }},
      {"legal hold", [](Json& p) { p["holds"]["found"] = 1; }},
      {"nobody approved", [](Json& p) { p["disposal"]["approvals"] = Json::array(); }},
      {"requester approved", [](Json& p) { p["people"][2]["uid"] = 1001; }},
      {"do not add up", [](Json& p) { p["asset"]["bytes"] = 1; }},
      {"says otherwise", [](Json& p) { p["asset"]["file_count"] = 9; }},
      {"manifest_sha256", [](Json& p) { p["asset"]["manifest_sha256"] = std::string(64, 'a'); }},
      {"outcome", [](Json& p) { p["outcome"] = "kept"; }},
      {"schema_version", [](Json& p) { p["schema_version"] = 2; }},
      {"certificate_id", [](Json& p) { p["certificate_id"] = "c-abc"; }},
      {"kind", [](Json& p) { p["asset"]["kind"] = "teapot"; }},
  };
  for (const auto& [part, change] : rows) {
    const auto& apply = change;
    const std::string sentence = refusal([&apply](Json& json) { apply(json["predicate"]); });
    EXPECT_NE(sentence.find(part), std::string::npos) << part << " / " << sentence;
  }
}

TEST(AStatementWithTwoSubjectsOfOneName, IsRefused) {
  EXPECT_NE(refusal([](Json& json) {
              json["subject"][1]["name"] = json["subject"][0]["name"];
            }).find("stands twice"),
            std::string::npos);
}

TEST(AStatementWithForeignSubjects, IsRefused) {
  EXPECT_FALSE(refusal([](Json& json) { json["subject"] = Json::array(); }).empty());
  EXPECT_FALSE(refusal([](Json& json) { json["subject"][0]["digest"]["md5"] = "00"; }).empty());
  EXPECT_FALSE(refusal([](Json& json) { json["subject"][0]["digest"]["sha256"] = "AB"; }).empty());
  EXPECT_FALSE(refusal([](Json& json) { json["extra"] = 1; }).empty());
  EXPECT_FALSE(refusal([](Json& json) { json["predicateType"] = "https://x.example/"; }).empty());
  EXPECT_FALSE(
      refusal([](Json& json) { json["predicate"]["asset"]["kind"] = "dataset-key"; }).empty());
}

TEST(AStatementThatWithholdsAResidual, IsRefused) {
  for (const char* code : {"root-on-host", "plaintext-elsewhere", "learned", "slot-copy",
                           "source-history", "slot-may-be-copied", "own-word"}) {
    const VerifyReport report = verify_changed([code](Json& json) {
      Json& residuals = json["predicate"]["residuals"];
      for (std::size_t i = 0; i < residuals.size(); ++i) {
        if (residuals[i]["code"] == code) residuals.erase(i--);
      }
    });
    EXPECT_FALSE(report.verified) << code;
    EXPECT_NE(check_named(report, "residuals").detail.find(code), std::string::npos) << code;
  }
  EXPECT_FALSE(verify_changed([](Json& json) {
                 Json copy = {{"medium", "stream"}};
                 json["predicate"]["exports"].push_back(copy);
               }).verified);
}

TEST(TheReport, IsJsonWithEveryCheck) {
  const auto key = sample::signer();
  const std::string bundle = sample::bundle_of(sample::statement_of(sample::record()), key);
  const Json good = report_json(verify_bundle(bundle, trust_of(key)));
  EXPECT_EQ(good["verified"], true);
  EXPECT_EQ(good["checks"].size(), 7U);
  EXPECT_EQ(good["checks"][0]["name"], "format");
  EXPECT_EQ(good["checks"][0]["result"], "passed");
  EXPECT_FALSE(good.contains("error"));
  const Json unknown = report_json(verify_bundle(bundle, {}));
  EXPECT_EQ(unknown["verified"], false);
  EXPECT_EQ(unknown["error"], "signer_unknown");
}

TEST(TheTextOfAStatement, TellsWhatHowWhenWhoAndWhatIsNotCovered) {
  const auto text = statement_text(sample::statement_of(sample::record()));
  ASSERT_TRUE(text.ok());
  for (const char* part :
       {"acme/reviewer:2.1", "5,003,072 bytes", "model.safetensors", "cryptographic-erase",
        "CE not claimed", "EA1", "olga", "carl", "OPS-7", "end of the pilot", "handbook 4.2",
        "2026-09-21T", "NOT COVERED", "awaiting", "root slot"}) {
    EXPECT_NE(text->find(part), std::string::npos) << part << "\n" << *text;
  }
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 80U) << line;
    EXPECT_TRUE(line.empty() || line.back() != ' ') << line;
  }
}

TEST(TheTextOfAHostileStatement, ShowsControlCharactersInsteadOfObeyingThem) {
  auto record = sample::record();
  record.reason = "bad\x1b[2Jclear\nforged line\rback \xe2\x80\xae reversed";
  record.asset.sources[0].description = std::string(300, 'x');
  record.sources_still_present = {std::string(300, 'y')};
  const auto text = statement_text(sample::statement_of(record));
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(text->find('\x1b'), std::string::npos);
  EXPECT_EQ(text->find('\r'), std::string::npos);
  EXPECT_EQ(text->find("\nforged"), std::string::npos);
  EXPECT_EQ(text->find("\xe2\x80\xae"), std::string::npos);
  EXPECT_NE(text->find("bad\\x1B[2Jclear\\x0Aforged"), std::string::npos);
  record.reason = "done" + std::string(20, ' ') + "SIGNATURE" + std::string(4, ' ') + "holds";
  EXPECT_NE(statement_text(sample::statement_of(record))->find("done SIGNATURE holds"),
            std::string::npos);
}

TEST(TheTextOfAPoorStatement, SaysWhatIsNotStated) {
  const auto text = statement_text(R"({"predicate":{"asset":{"name":["x"]},"people":7}})");
  ASSERT_TRUE(text.ok());
  EXPECT_NE(text->find("not stated"), std::string::npos);
  EXPECT_FALSE(statement_text("{}").ok());
}

class ATrustDirectory : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "aierase-trust-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(path_); }
  void write(const std::string& name, std::string_view content) {
    std::ofstream(path_ + "/" + name, std::ios::binary) << content;
  }
  std::string path_;
  PosixEnv env_;
};

TEST_F(ATrustDirectory, GivesEveryPemOfIt) {
  write("b.pem", crypto::public_key_pem(sample::signer(1).public_key()));
  write("a.pem", crypto::public_key_pem(sample::signer(2).public_key()));
  write("README", "not a key");
  const auto store = TrustStore::load(env_, path_);
  ASSERT_TRUE(store.ok()) << store.error().message;
  ASSERT_EQ(store->keys.size(), 2U);
  EXPECT_EQ(store->keys[0].file, path_ + "/a.pem");
  EXPECT_EQ(store->keys[0].key, sample::signer(2).public_key());
}

TEST_F(ATrustDirectory, WithABrokenKeyIsRefusedNamingTheFile) {
  write("broken.pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
  const auto store = TrustStore::load(env_, path_);
  ASSERT_FALSE(store.ok());
  EXPECT_NE(store.error().message.find("broken.pem"), std::string::npos);
}

TEST_F(ATrustDirectory, WithABrokenAuthorityOfTimeStampsIsRefusedNamingTheFile) {
  for (const std::string_view broken :
       {"", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA"}) {
    write("broken.tsa.pem", broken);
    const auto store = TrustStore::load(env_, path_);
    ASSERT_FALSE(store.ok()) << broken;
    EXPECT_NE(store.error().message.find("broken.tsa.pem"), std::string::npos);
  }
}

TEST_F(ATrustDirectory, ThatDoesNotExistIsAnEmptyStore) {
  const auto store = TrustStore::load(env_, path_ + "/nothing-here");
  ASSERT_TRUE(store.ok());
  EXPECT_TRUE(store->keys.empty());
}

}  // namespace
}  // namespace aierase::certificate
