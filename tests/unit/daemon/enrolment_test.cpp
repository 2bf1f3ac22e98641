#include "daemon/enrolment.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "unit/support/temp_directory.h"

namespace aierase::daemon {
namespace {

using domain::CustodianKind;

// Made by ssh-keygen; the private half was never kept.
constexpr std::string_view kDorasKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIf5VsRLZ/AJ8Yg75v2vliYayr53DZ0CNIY2OnPN+E38";

class AnEnrolment : public ::testing::Test {
 protected:
  void write(const std::string& lines) {
    std::ofstream(path) << lines;
    ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  }
  static std::string person(const std::string& id, const std::string& more) {
    return "[person.\"" + id + "\"]\nname = \"Dora Example\"\n" + more + "\n";
  }
  static std::string key_line() { return "ssh-key = \"" + std::string(kDorasKey) + "\""; }
  Errc refusal(const std::vector<std::string>& names) {
    const auto found = enrolment.custodians(names);
    return found.ok() ? Errc::unexpected : found.error().code;
  }

  test::TempDirectory directory;
  std::string path = directory / "people.toml";
  PosixEnv env;
  Enrolment enrolment{env, path};
  certificate::SshPublicKey key = certificate::SshPublicKey::from_line(kDorasKey).value();
};

TEST_F(AnEnrolment, WithoutAFileKnowsTheUsersOfTheHostAlone) {
  ASSERT_TRUE(enrolment.check().ok());
  const auto found = enrolment.custodians({"root", "@root"});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)[0], (domain::Custodian{CustodianKind::user, "root", 0}));
  EXPECT_EQ((*found)[1], (domain::Custodian{CustodianKind::group, "root", 0}));
  EXPECT_EQ(refusal({"dora-lind-of-nowhere"}), Errc::invalid_input);
  EXPECT_EQ(refusal({"@no-such-group-here"}), Errc::invalid_input);
  EXPECT_EQ(enrolment.signer(key).error().code, Errc::signer_unknown);
}

TEST_F(AnEnrolment, TakesAPersonWithoutAccountForNoUser) {
  write(person("dora.lind", key_line()));
  const auto found = enrolment.custodians({"dora.lind"});
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->front(),
            (domain::Custodian{CustodianKind::person, "dora.lind", domain::kNoUid}));
  const auto signer = enrolment.signer(key);
  ASSERT_TRUE(signer.ok()) << signer.error().message;
  EXPECT_EQ(signer->uid, domain::kNoUid);
  EXPECT_EQ(signer->login, "dora.lind");
  ASSERT_TRUE(signer->person);
  EXPECT_EQ(signer->person->name, "Dora Example");
  EXPECT_TRUE(signer->groups.empty());
}

TEST_F(AnEnrolment, KnowsTheAccountOfAPersonAndThePersonOfAnAccount) {
  write(person("dora", "uid = 1\n" + key_line()));  // daemon, on every Linux
  const auto signer = enrolment.signer(key);
  ASSERT_TRUE(signer.ok()) << signer.error().message;
  EXPECT_EQ(signer->uid, 1U);
  EXPECT_FALSE(signer->groups.empty());
  const auto entry = enrolment.entry_of(1);
  ASSERT_TRUE(entry.ok());
  ASSERT_TRUE(*entry);
  EXPECT_EQ((*entry)->id, "dora");
  EXPECT_FALSE(enrolment.entry_of(2)->has_value());
}

TEST_F(AnEnrolment, RefusesANameThatCouldMeanTwo) {
  write(person("root", key_line()));
  EXPECT_EQ(refusal({"root"}), Errc::invalid_input);
  EXPECT_EQ(enrolment.signer(key).error().code, Errc::invalid_input);
}

TEST_F(AnEnrolment, ReadsTheFileAnewAndNeverTakesABrokenOneForAnEmptyOne) {
  write(person("dora", key_line()));
  ASSERT_TRUE(enrolment.signer(key).ok());
  write(person("dora", "uid = 7"));
  EXPECT_EQ(enrolment.signer(key).error().code, Errc::signer_unknown);
  write("[person.dora]\nnom = \"Dora\"\n");
  EXPECT_FALSE(enrolment.check().ok());
  EXPECT_FALSE(enrolment.entry_of(1).ok());
  EXPECT_FALSE(enrolment.custodians({"root"}).ok());
  EXPECT_NE(enrolment.signer(key).error().code, Errc::signer_unknown);
  write(person("dora", key_line()));
  ASSERT_EQ(chmod(path.c_str(), 0666), 0);
  EXPECT_FALSE(enrolment.signer(key).ok()) << "anybody could have written it";
}

// ---- who somebody is today ----------------------------------------------------------------------

TEST_F(AnEnrolment, KnowsSomebodyAgainByAccountWithTheGroupsOfToday) {
  domain::Actor then;  // daemon, on every Linux
  then.uid = 1;
  then.login = "daemon";
  const auto now = enrolment.today(then, std::nullopt);
  ASSERT_TRUE(now.ok()) << now.error().message;
  ASSERT_TRUE(*now);
  EXPECT_FALSE((*now)->groups.empty());
  then.login = "somebody-else";
  EXPECT_FALSE(enrolment.today(then, std::nullopt)->has_value()) << "the number is another's now";
  then.uid = domain::kNoUid;
  EXPECT_FALSE(enrolment.today(then, std::nullopt)->has_value());
}

TEST_F(AnEnrolment, KnowsNobodyAgainWhoWasStruckOut) {
  write(person("dora", "uid = 1\n" + key_line()));
  domain::Actor then;
  then.uid = 1;
  then.login = "daemon";
  then.person = domain::PersonEntry{"dora", "Dora Example", "", "", "", ""};
  EXPECT_TRUE(enrolment.today(then, std::nullopt)->has_value());
  EXPECT_TRUE(enrolment.today(then, std::string(kDorasKey))->has_value());
  write(person("dora", "uid = 1"));
  EXPECT_TRUE(enrolment.today(then, std::nullopt)->has_value()) << "still there, by the account";
  EXPECT_FALSE(enrolment.today(then, std::string(kDorasKey))->has_value()) << "without the key";
  write(person("emil", "uid = 1\n" + key_line()));
  EXPECT_FALSE(enrolment.today(then, std::nullopt)->has_value()) << "that is emil now";
  EXPECT_FALSE(enrolment.today(then, std::string(kDorasKey))->has_value());
  write("[person.dora]\nnom = \"Dora\"\n");
  EXPECT_FALSE(enrolment.today(then, std::nullopt).ok()) << "a broken file tells nothing";
}

}  // namespace
}  // namespace aierase::daemon
