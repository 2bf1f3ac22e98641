#include "certificate/archive_check.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/certificate/sample_archive.h"

namespace aierase::certificate {
namespace {

using PackedFile = std::pair<std::string, std::string>;

ArchiveReport look(const std::vector<PackedFile>& files,
                   const TrustStore& trust = sample::everybody()) {
  ArchiveCheck check({&trust, 2, nullptr});
  for (const auto& [name, content] : files) check.add(name, content);
  return check.finish();
}

// As `aierase certificate bundle` writes it.
std::vector<PackedFile> archive() {
  const sample::Story story;
  const sample::Section section = sample::section_of(story);
  std::vector<PackedFile> files;
  for (const auto& [member, content] : section.members) {
    files.emplace_back(section_folder(section.name) + "/" + member_name(member), content);
  }
  const ArchiveReport report = look(files);
  std::vector<PackedFile> leading{{std::string(kReadme), readme()},
                                  {std::string(kIndexPage), index_page(report.sections)}};
  std::vector<ArchivedFile> rows;
  for (const auto& [name, content] : leading) rows.push_back(file_row(name, content));
  rows.insert(rows.end(), report.files.begin(), report.files.end());
  leading.emplace_back(kIndex, index_json(report.sections, rows));
  files.insert(files.begin(), leading.begin(), leading.end());
  return files;
}

const Check& index_check(const ArchiveReport& report) {
  return report.checks.back();
}

TEST(AnArchive, IsVerifiedAndItsIndexFollowsFromIt) {
  const ArchiveReport report = look(archive());
  EXPECT_TRUE(is_verified(report));
  EXPECT_EQ(index_check(report).result, CheckResult::passed);
  const Json index = parse_json(archive()[2].second).value();
  EXPECT_EQ(index["sections"][0]["certificates"].size(), 2U);
  EXPECT_EQ(index["assets"][0]["certificates"].size(), 2U);
  EXPECT_EQ(index["files"].size(), archive().size() - 1);
}

TEST(AnArchive, OfAnUnknownStoreIsUnknownAndNotFailed) {
  const ArchiveReport report = look(archive(), {});
  EXPECT_FALSE(is_verified(report));
  EXPECT_EQ(outcome_of(report), Errc::signer_unknown);
}

TEST(EveryFileOfAnArchive, IsMissedWhereItIsGone) {
  const std::vector<PackedFile> files = archive();
  for (std::size_t gone = 0; gone < files.size(); ++gone) {
    std::vector<PackedFile> rest = files;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(gone));
    EXPECT_EQ(outcome_of(look(rest)), Errc::verification_failed) << files[gone].first;
  }
}

TEST(EveryFileOfAnArchive, IsRejectedWhereAByteIsChangedOrTheEndIsCut) {
  const std::vector<PackedFile> files = archive();
  for (std::size_t at = 0; at < files.size(); ++at) {
    const std::string& whole = files[at].second;
    std::vector<PackedFile> changed = files;
    for (std::size_t byte = 0; byte < whole.size(); byte += 1 + whole.size() / 16) {
      changed[at].second = whole;
      changed[at].second[byte] = static_cast<char>(whole[byte] ^ 0x04);
      EXPECT_FALSE(is_verified(look(changed))) << files[at].first << ", byte " << byte;
    }
    changed[at].second = whole.substr(0, whole.size() - 1);
    EXPECT_FALSE(is_verified(look(changed))) << files[at].first;
  }
}

TEST(EveryFileOfAnArchive, HasItsPlace) {
  const std::vector<PackedFile> files = archive();
  for (std::size_t at = 0; at + 1 < files.size(); ++at) {
    std::vector<PackedFile> swapped = files;
    std::swap(swapped[at], swapped[at + 1]);
    EXPECT_FALSE(is_verified(look(swapped))) << files[at].first;
    std::vector<PackedFile> doubled = files;
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(at), files[at]);
    EXPECT_FALSE(is_verified(look(doubled))) << files[at].first;
  }
}

TEST(AFileThatIsNoneOfAnArchive, IsRefusedAndNamed) {
  for (const char* name : {"x", "notes/a.txt", "../README", "section.json", "/README"}) {
    EXPECT_EQ(limit_of_member(name), 0U) << name;
    std::vector<PackedFile> files = archive();
    files.emplace_back(name, "x");
    const ArchiveReport report = look(files);
    EXPECT_FALSE(is_verified(report));
    EXPECT_NE(report.checks[0].detail.find("is no file of an archive"), std::string::npos);
  }
}

TEST(TheNameOfAMember, IsReadBackAsItWasWritten) {
  const std::string id = sample::certificate_id(0x31);
  for (const Member& member :
       {Member{Part::section, 0, 0, {}}, Member{Part::consistency, 0, 0, {}},
        Member{Part::entries, 1'234'567'890'123, 0, {}}, Member{Part::record, 7, 0, {}},
        Member{Part::policy, 7, 123, {}}, Member{Part::certificate, 0, 0, id}}) {
    EXPECT_EQ(parse_member_name(member_name(member)), member) << member_name(member);
  }
  for (const char* name : {"entries/7", "entries/0000000000007", "entries/-00000000007",
                           "records/000000000007", "policies/000000000007/1.toml",
                           "certificates/000000000007.c-abcdef.json", "", "entries/"}) {
    EXPECT_FALSE(parse_member_name(name)) << name;
  }
  const SectionName section{sample::record().store, 3, 301};
  EXPECT_EQ(parse_section_folder(section_folder(section)), section);
  EXPECT_FALSE(parse_section_folder(section_folder({section.store, 4, 3})));
}

TEST(WhatASectionSaysOfItself, IsReadToTheLetter) {
  const SectionFacts facts = sample::facts_of(sample::Story().log, 3);
  Json good = parse_json(section_json(facts).value()).value();
  const auto refused = [&](const char* member, Json value) {
    Json changed = good;
    changed[member] = std::move(value);
    return !parse_section(dump_canonical(changed).value()).ok();
  };
  EXPECT_FALSE(refused("host", "another"));
  EXPECT_TRUE(refused("more", 1));
  EXPECT_TRUE(refused("schema", "aierase/archive-section/v2"));
  EXPECT_TRUE(refused("first", 300));
  EXPECT_TRUE(refused("size", 2));
  EXPECT_TRUE(refused("before", Json::array()));
  const Json one = {{{"first", 9}, {"last", 9}, {"why", "not-matched"}}};
  EXPECT_TRUE(refused("left_out", one)) << "nothing was to be matched";
  good["match"] = {"name=acme/*"};
  EXPECT_FALSE(refused("left_out", one));
  EXPECT_TRUE(refused("left_out", {{{"first", 9}, {"last", 9}, {"why", "outside-period"}}}));
  EXPECT_TRUE(refused("left_out", {{{"first", 9}, {"last", 8}, {"why", "not-matched"}}}));
  EXPECT_TRUE(refused("left_out", {{{"first", 9}, {"last", 9}, {"why", "forgotten"}}}));
  EXPECT_TRUE(refused("left_out", {{{"first", 9}, {"last", 301}, {"why", "not-matched"}}}));
}

TEST(TheIndexForPeople, ShowsNothingOfAStrangerAsMarkup) {
  SectionReport section;
  section.facts.name = {sample::record().store, 0, 9};
  section.facts.host = "<script>alert(1)</script>";
  section.certificates.push_back(
      {1, {"c-x", "a-x", "\"><img src=x>", "model", "EA1", "p-x", "", ""}});
  const std::string page = index_page({section});
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

}  // namespace
}  // namespace aierase::certificate
