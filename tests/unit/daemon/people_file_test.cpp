#include "daemon/people_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/bytes.h"
#include "base/limits.h"
#include "unit/support/temp_directory.h"

namespace aierase::daemon {
namespace {

// Made by ssh-keygen; the private halves were never kept.
constexpr std::string_view kBobsKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIf5VsRLZ/AJ8Yg75v2vliYayr53DZ0CNIY2OnPN+E38 bob@host";
constexpr std::string_view kAnnasKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINrQjAQhTKDMoVJ2AH54wKAN89ZvmPbvj58qDx6YveDp";

std::string two_people() {
  return "[person.bob]\n"
         "name = \"Bob Baker\"\n"
         "title = \"Head of Data Governance\"\n"
         "organisation = \"Example Corp\"\n"
         "location = \"Wien\"\n"
         "contact = \"bob@example.org\"\n"
         "uid = 1004\n"
         "ssh-key = \"" +
         std::string(kBobsKey) +
         "\"\n"
         "[person.\"anna.lind\"]\n"
         "name = \"Anna Lind\"\n"
         "ssh-key = [\"" +
         std::string(kAnnasKey) + "\"]\n";
}

People people_of(const std::string& text) {
  auto people = People::parse(text, "people.toml");
  EXPECT_TRUE(people.ok()) << (people.ok() ? "" : people.error().message);
  return people.ok() ? std::move(people).value() : People();
}

std::string refusal_of(const std::string& text) {
  const auto people = People::parse(text, "people.toml");
  EXPECT_FALSE(people.ok());
  return people.ok() ? "" : people.error().message;
}

certificate::SshPublicKey key_in(std::string_view line) {
  return certificate::SshPublicKey::from_line(line).value();
}

TEST(APeopleFile, GivesEachPersonInFull) {
  const People people = people_of(two_people());
  ASSERT_EQ(people.all().size(), 2U);
  const Person& bob = people.all().front();
  EXPECT_EQ(bob.id, "bob");
  EXPECT_EQ(bob.name, "Bob Baker");
  EXPECT_EQ(bob.title, "Head of Data Governance");
  EXPECT_EQ(bob.organisation, "Example Corp");
  EXPECT_EQ(bob.location, "Wien");
  EXPECT_EQ(bob.contact, "bob@example.org");
  EXPECT_EQ(bob.uid, 1004U);
  ASSERT_EQ(bob.keys.size(), 1U);
  EXPECT_EQ(people.all().back().id, "anna.lind");
  EXPECT_FALSE(people.all().back().uid.has_value());
}

TEST(APeopleFile, FindsAPersonByNameUidAndKey) {
  const People people = people_of(two_people());
  EXPECT_EQ(people.find("bob"), &people.all().front());
  EXPECT_EQ(people.find("bobby"), nullptr);
  EXPECT_EQ(people.by_uid(1004), &people.all().front());
  EXPECT_EQ(people.by_uid(0), nullptr);
  EXPECT_EQ(people.by_key(key_in(kBobsKey)), &people.all().front());
  EXPECT_EQ(people.by_key(key_in(kAnnasKey)), people.find("anna.lind"));
  EXPECT_EQ(People().by_key(key_in(kAnnasKey)), nullptr);
}

TEST(APeopleFile, NamesBothPersonsOfOneUidOrOneKey) {
  const std::string uid =
      refusal_of("[person.a]\nname=\"A\"\nuid=7\n[person.b]\nname=\"B\"\nuid=7\n");
  EXPECT_EQ(uid.find("people.toml:6:"), 0U) << uid;
  EXPECT_NE(uid.find("\"a\""), std::string::npos) << uid;
  EXPECT_NE(uid.find("\"b\""), std::string::npos) << uid;
  const std::string line = "ssh-key=\"" + std::string(kAnnasKey);
  const std::string key =
      refusal_of("[person.a]\nname=\"A\"\n" + line + "\"\n[person.b]\nname=\"B\"\n" + line +
                 " with another comment\"\n");
  EXPECT_EQ(key.find("people.toml:6:"), 0U) << key;
  EXPECT_NE(key.find("\"a\""), std::string::npos) << key;
  EXPECT_NE(key.find("\"b\""), std::string::npos) << key;
  EXPECT_NE(key.find(key_in(kAnnasKey).fingerprint()), std::string::npos) << key;
}

TEST(APeopleFile, RefusesWhatItDoesNotKnowWithItsPlace) {
  EXPECT_EQ(refusal_of("[person.a]\nname = \"A\"\nssh_key = \"x\"\n"),
            "people.toml:3:1: unknown key \"ssh_key\"");
  EXPECT_EQ(refusal_of("[person.a]\nname = \"A\"\nuid = 3\n[people.b]\n"),
            "people.toml:4:2: unknown key \"people\"");
  EXPECT_EQ(refusal_of("[person]\nname = \"A\"\n"), "people.toml:2:1: unknown key \"name\"");
  EXPECT_EQ(refusal_of("[person.a.b]\nname = \"A\"\n").find("people.toml:1:"), 0U);
  EXPECT_EQ(refusal_of("person = 3\n").find("people.toml:1:10: 'person' has to be a table"), 0U);
}

TEST(APeopleFile, RefusesWhatIsNoPerson) {
  const std::string person = "[person.a]\nname = \"A\"\n";
  for (const std::string& broken :
       {std::string("[person.a]\nuid = 7\n"), person, person + "uid = 0\n", person + "uid = -1\n",
        person + "uid = 4294967295\n", person + "uid = \"7\"\n", person + "ssh-key = []\n",
        person + "ssh-key = [1]\n", person + "ssh-key = \"ssh-rsa AAAA\"\n",
        person + "uid = 7\ntitle = \"two\\nlines\"\n", person + "uid = 7\ntitle = \"\"\n",
        person + "uid = 7\ncontact = \"" + std::string(limits::kPersonFieldBytes + 1, 'x') + "\"\n",
        std::string("[person.\"a b\"]\nname = \"A\"\nuid = 7\n"),
        std::string("[person.\"-a\"]\nname = \"A\"\nuid = 7\n"),
        std::string("[person.\"a\\\"b.c\"]\nname = \"A\"\nuid = 7\n"),
        "[person." + std::string(33, 'a') + "]\nname = \"A\"\nuid = 7\n"}) {
    const std::string why = refusal_of(broken);
    EXPECT_EQ(why.find("people.toml:"), 0U) << why;
  }
  EXPECT_TRUE(People::parse(person + "uid = 7\n", "people.toml").ok());
}

TEST(APeopleFile, TakesOneKeyOfAPersonOnce) {
  const std::string line = "\"" + std::string(kAnnasKey) + "\"";
  const std::string why =
      refusal_of("[person.a]\nname = \"A\"\nssh-key = [" + line + ", " + line + "]\n");
  EXPECT_NE(why.find("stands here twice"), std::string::npos) << why;
}

TEST(APeopleFile, HasALimitOfPersonsAndReadsThatManyAtOnce) {
  const auto of = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 1; i <= count; ++i) {
      text +=
          "[person.p" + std::to_string(i) + "]\nname = \"P\"\nuid = " + std::to_string(i) + "\n";
    }
    return text;
  };
  EXPECT_EQ(people_of(of(limits::kPeople)).all().size(), limits::kPeople);
  const auto beyond = People::parse(of(limits::kPeople + 1), "people.toml");
  ASSERT_FALSE(beyond.ok());
  EXPECT_EQ(beyond.error().code, Errc::resource_limit);
}

TEST(AName, MeansThePersonTheUserOrBothInOne) {
  const People people = people_of(two_people());
  const auto both = people.resolve("bob", 1004);
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(both->person, people.find("bob"));
  EXPECT_EQ(both->uid, 1004U);
  const auto person_alone = people.resolve("anna.lind", std::nullopt);
  ASSERT_TRUE(person_alone.ok());
  EXPECT_EQ(person_alone->person, people.find("anna.lind"));
  EXPECT_FALSE(person_alone->uid.has_value());
  const auto user_alone = people.resolve("carol", 1100);
  ASSERT_TRUE(user_alone.ok());
  EXPECT_EQ(user_alone->person, nullptr);
  EXPECT_EQ(user_alone->uid, 1100U);
  const auto person_of_the_user = people.resolve("robert", 1004);
  ASSERT_TRUE(person_of_the_user.ok());
  EXPECT_EQ(person_of_the_user->person, people.find("bob"))
      << "two names of one uid are one person";
}

TEST(AName, IsRefusedWhereItCouldMeanTwoOrNobody) {
  const People people = people_of(two_people());
  const auto other_uid = people.resolve("bob", 1005);
  ASSERT_FALSE(other_uid.ok());
  EXPECT_EQ(other_uid.error().code, Errc::invalid_input);
  EXPECT_FALSE(people.resolve("anna.lind", 1005).ok());
  const auto nobody = people.resolve("dave", std::nullopt);
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.error().code, Errc::not_found);
}

TEST(APeopleFile, ThatIsMissingEnrolsNobody) {
  const test::TempDirectory directory;
  PosixEnv env;
  const auto people = People::load(env, directory / "people.toml");
  ASSERT_TRUE(people.ok());
  EXPECT_TRUE(people->all().empty());
}

TEST(APeopleFile, ThatOthersMayWriteIsRefused) {
  const test::TempDirectory directory;
  const std::string path = directory / "people.toml";
  std::ofstream(path) << two_people();
  PosixEnv env;
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  const auto sound = People::load(env, path);
  EXPECT_TRUE(sound.ok()) << sound.error().message;
  for (const mode_t mode : {mode_t{0664}, mode_t{0646}}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const auto refused = People::load(env, path);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::invalid_input);
  }
}

}  // namespace
}  // namespace aierase::daemon
