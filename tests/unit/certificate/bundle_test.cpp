#include "certificate/bundle.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "certificate/statement.h"
#include "unit/certificate/sample_record.h"

namespace aierase::certificate {
namespace {

// A directory of its own per test, gone with it.
class RecipeFolder {
 public:
  RecipeFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "aierase-cert-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~RecipeFolder() { std::filesystem::remove_all(path_); }
  RecipeFolder(const RecipeFolder&) = delete;
  RecipeFolder& operator=(const RecipeFolder&) = delete;
  std::string write(const std::string& name, std::string_view content) const {
    const std::filesystem::path file = path_ / name;
    std::ofstream(file, std::ios::binary) << content;
    return file.string();
  }

 private:
  std::filesystem::path path_;
};

// Runs the commands of aierase-certificate(5) on a bundle; 0 where openssl says it holds.
int run_recipe(const std::string& bundle, const std::string& pem) {
  const std::string command = "sh '" AIERASE_SOURCE_DIR
                              "/tests/cli/openssl_recipe_test.sh' '" AIERASE_SOURCE_DIR
                              "/man/aierase-certificate.5' '" +
                              bundle + "' '" + pem + "' >/dev/null 2>&1";
  return std::system(command.c_str());
}

TEST(ThePreAuthenticationEncoding, IsThatOfTheDsseSpecification) {
  EXPECT_EQ(pre_authentication_encoding("http://example.com/HelloWorld", "hello world"),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  EXPECT_EQ(pre_authentication_encoding("", ""), "DSSEv1 0  0 ");
}

TEST(ASignature, HoldsOverTheEncodingAndNotOverTheStatementAlone) {
  const auto key = sample::signer();
  const std::string statement = sample::statement_of(sample::record());
  const auto signature = sign_statement(sample::proof(), statement, key);
  ASSERT_TRUE(signature.ok());
  const std::string encoded = pre_authentication_encoding(kPayloadType, statement);
  EXPECT_TRUE(crypto::verify_signature(key.public_key(), as_bytes(encoded), *signature));
  EXPECT_FALSE(crypto::verify_signature(key.public_key(), as_bytes(statement), *signature));
}

TEST(ABundle, HasTheMembersThatSigstoreNames) {
  const auto key = sample::signer();
  const std::string statement = sample::statement_of(sample::record());
  const std::string bundle = sample::bundle_of(statement, key);
  const Json json = *parse_json(bundle);
  EXPECT_EQ(dump_canonical(json).value(), bundle);
  EXPECT_EQ(json["mediaType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
  EXPECT_EQ(json["verificationMaterial"]["publicKey"]["hint"], key_id(key.public_key()));
  EXPECT_EQ(json["verificationMaterial"]["tlogEntries"], Json::array());
  const Json& envelope = json["dsseEnvelope"];
  EXPECT_EQ(envelope["payloadType"], "application/vnd.in-toto+json");
  ASSERT_EQ(envelope["signatures"].size(), 1U);
  EXPECT_EQ(as_text(*from_base64(envelope["payload"].get<std::string>())), statement);
}

TEST(ABundle, IsTheSameWheneverItIsMade) {
  const auto key = sample::signer();
  const std::string statement = sample::statement_of(sample::record());
  EXPECT_EQ(sample::bundle_of(statement, key), sample::bundle_of(statement, key));
}

TEST(TheLogEntryOfACertificate, IsARekorDsseBody) {
  const auto key = sample::signer();
  const std::string statement = sample::statement_of(sample::record());
  const auto signature = sign_statement(sample::proof(), statement, key);
  const auto body = log_entry_body(statement, *signature, key.public_key());
  ASSERT_TRUE(body.ok());
  const Json json = *parse_json(*body);
  EXPECT_EQ(dump_canonical(json).value(), *body);
  EXPECT_EQ(json["kind"], "dsse");
  EXPECT_EQ(json["apiVersion"], "0.0.2");
  const Json& entry = json["spec"]["dsseV002"];
  EXPECT_EQ(entry["payloadHash"]["algorithm"], "SHA2_256");
  EXPECT_EQ(entry["payloadHash"]["digest"], to_base64(sample::digest_of(statement)));
  ASSERT_EQ(entry["signatures"].size(), 1U);
  EXPECT_EQ(entry["signatures"][0]["content"], to_base64(*signature));
  EXPECT_EQ(entry["signatures"][0]["verifier"]["keyDetails"], "PKIX_ED25519");
  EXPECT_EQ(entry["signatures"][0]["verifier"]["publicKey"]["rawBytes"],
            to_base64(crypto::public_key_der(key.public_key())));
}

TEST(TheRecipeOfTheManual, VerifiesABundleWithOpensslAlone) {
  const RecipeFolder folder;
  const auto key = sample::signer();
  const std::string bundle = sample::bundle_of(sample::statement_of(sample::record()), key);
  const std::string pem = folder.write("key.pem", crypto::public_key_pem(key.public_key()));
  EXPECT_EQ(run_recipe(folder.write("good.json", bundle), pem), 0);
}

TEST(TheRecipeOfTheManual, VerifiesALargeBundle) {
  const RecipeFolder folder;
  const auto key = sample::signer();
  auto record = sample::record();
  std::vector<domain::FileEntry> files;
  for (int i = 0; i < 5000; ++i) {
    files.push_back(sample::file("shard-" + std::to_string(i), 7, std::to_string(i)));
  }
  sample::set_files(record, std::move(files));
  const std::string bundle = sample::bundle_of(sample::statement_of(record), key);
  const std::string pem = folder.write("key.pem", crypto::public_key_pem(key.public_key()));
  EXPECT_EQ(run_recipe(folder.write("large.json", bundle), pem), 0);
}

TEST(TheRecipeOfTheManual, RefusesAChangedStatementAndAnotherKey) {
  const RecipeFolder folder;
  const auto key = sample::signer();
  const std::string statement = sample::statement_of(sample::record());
  const auto signature = sign_statement(sample::proof(), statement, key);
  std::string changed = statement;
  changed.replace(changed.find("end of the pilot"), 3, "END");
  const std::string bundle = bundle_json(changed, *signature, key.public_key()).value();
  const std::string pem = folder.write("key.pem", crypto::public_key_pem(key.public_key()));
  EXPECT_NE(run_recipe(folder.write("changed.json", bundle), pem), 0);
  const std::string other =
      folder.write("other.pem", crypto::public_key_pem(sample::signer(0x43).public_key()));
  EXPECT_NE(run_recipe(folder.write("good.json", sample::bundle_of(statement, key)), other), 0);
}

}  // namespace
}  // namespace aierase::certificate
