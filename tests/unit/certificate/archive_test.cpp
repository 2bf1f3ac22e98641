#include "certificate/archive_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/limits.h"
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

std::vector<PackedFile> section_files(const sample::Section& section) {
  std::vector<PackedFile> files;
  for (const auto& [member, content] : section.members) {
    files.emplace_back(section_folder(section.name) + "/" + member_name(member), content);
  }
  return files;
}

std::vector<PackedFile> section_files() {
  return section_files(sample::section_of(sample::Story()));
}

// As `aierase certificate bundle` writes it, and as whoever changed some of the files can: what
// leads an archive follows from them, and nobody has signed it.
std::vector<PackedFile> with_index(std::vector<PackedFile> files) {
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

std::vector<PackedFile> archive() {
  return with_index(section_files());
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

// That it is refused by what is checked of the section, with an index that follows from it.
bool is_refused(const std::vector<PackedFile>& files) {
  const ArchiveReport report = look(with_index(files));
  EXPECT_EQ(index_check(report).result, CheckResult::passed);
  return outcome_of(report) == Errc::verification_failed;
}

TEST(EveryFileOfASection, IsMissedWhereItIsGone) {
  const std::vector<PackedFile> files = section_files();
  for (std::size_t gone = 0; gone < files.size(); ++gone) {
    // The approval from before the section: who decided earlier is the word of who made it.
    if (files[gone].first.ends_with("records/000000000001.json")) continue;
    std::vector<PackedFile> rest = files;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(gone));
    EXPECT_TRUE(is_refused(rest)) << files[gone].first;
  }
}

TEST(EveryFileOfASection, IsRejectedWhereAByteIsChangedOrItsEndIsCut) {
  const std::vector<PackedFile> files = section_files();
  for (std::size_t at = 1; at < files.size(); ++at) {
    const std::string& whole = files[at].second;
    std::vector<PackedFile> changed = files;
    for (std::size_t byte = 0; byte < whole.size(); byte += 1 + whole.size() / 16) {
      changed[at].second = whole;
      changed[at].second[byte] = static_cast<char>(whole[byte] ^ 0x04);
      EXPECT_TRUE(is_refused(changed)) << files[at].first << ", byte " << byte;
    }
    changed[at].second = whole.substr(0, whole.size() / 2);
    EXPECT_TRUE(is_refused(changed)) << files[at].first;
  }
}

// Signed by nobody: the host, and a period that is shorter than the leaves show.
TEST(WhatASectionSaysOfItself, IsRejectedWhereItIsNotTheWordOfWhoeverMadeIt) {
  const std::vector<PackedFile> files = section_files();
  const SectionFacts told = parse_section(files[0].second).value();
  for (std::size_t byte = 0; byte < files[0].second.size(); ++byte) {
    std::vector<PackedFile> changed = files;
    changed[0].second[byte] = static_cast<char>(changed[0].second[byte] ^ 0x04);
    if (is_refused(changed)) continue;
    const SectionFacts facts = parse_section(changed[0].second).value();
    EXPECT_TRUE(facts.host != told.host || *facts.from > *told.from) << "byte " << byte;
  }
}

TEST(EveryFileOfASection, HasItsPlace) {
  const std::vector<PackedFile> files = section_files();
  for (std::size_t at = 0; at + 1 < files.size(); ++at) {
    std::vector<PackedFile> swapped = files;
    std::swap(swapped[at], swapped[at + 1]);
    EXPECT_TRUE(is_refused(swapped)) << files[at].first;
    std::vector<PackedFile> doubled = files;
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(at), files[at]);
    EXPECT_TRUE(is_refused(doubled)) << files[at].first;
  }
}

TEST(WhatLeadsAnArchive, FollowsFromTheRestAndHasItsPlace) {
  const std::vector<PackedFile> files = archive();
  for (std::size_t at = 0; at < 3; ++at) {
    std::vector<PackedFile> changed = files;
    changed[at].second += " ";
    EXPECT_FALSE(is_verified(look(changed))) << files[at].first;
    changed = files;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(at));
    EXPECT_FALSE(is_verified(look(changed))) << files[at].first;
    changed = files;
    std::swap(changed[at], changed[at + 1]);
    EXPECT_FALSE(is_verified(look(changed))) << files[at].first;
  }
}

// The index says of a page what it has become; what it tells people, nobody has signed.
TEST(APageThatTellsPeopleSomethingElse, IsNamedAlsoWhereTheIndexFollowsFromIt) {
  EXPECT_TRUE(has_own_pages(look(archive())));
  for (const std::size_t at : {0U, 1U}) {
    std::vector<PackedFile> files = archive();
    files[at].second = "All models were purged at EA4.\n";
    const SectionReport section = look(files).sections.at(0);
    std::vector<ArchivedFile> rows;
    for (const auto& [name, content] : files) {
      if (name != kIndex) rows.push_back(file_row(name, content));
    }
    files[2].second = index_json({section}, rows);
    const ArchiveReport report = look(files);
    EXPECT_EQ(index_check(report).result, CheckResult::passed);
    EXPECT_FALSE(has_own_pages(report)) << files[at].first;
    const Check& pages = report.checks.at(1);
    EXPECT_EQ(pages.result, CheckResult::not_checked);
    EXPECT_NE(pages.detail.find("Do not go by README or index.html"), std::string::npos);
  }
}

TEST(AnArchive, OfTwoHistoriesOfOneStoreIsAFork) {
  sample::Story later;
  later.other(1);
  sample::Story other;
  other.log.bodies[50] = other.log.bodies[51];
  std::vector<PackedFile> files = section_files();
  const sample::Section section = sample::section_of(later);
  for (const PackedFile& one : section_files(section)) files.push_back(one);
  EXPECT_TRUE(is_verified(look(with_index(files)))) << "of one history";
  std::vector<PackedFile> forked = section_files(sample::bare_section(other.log));
  for (const PackedFile& one : section_files()) forked.push_back(one);
  const ArchiveReport report = look(with_index(forked));
  EXPECT_FALSE(is_verified(report));
  ASSERT_EQ(report.sections.size(), 2U);
  const std::vector<Check>& checks = report.sections[1].completeness;
  EXPECT_TRUE(std::any_of(checks.begin(), checks.end(), [](const Check& check) {
    return check.detail.find("FORKED") != std::string::npos;
  }));
}

// The sentence about the archive itself.
std::string told_of(ArchiveCheck& check) {
  return check.finish().checks[0].detail;
}

TEST(AnArchive, IsReadUpToALimitForAllOfIt) {
  const TrustStore nobody;
  const auto folder = [](std::uint64_t size) {
    return section_folder({sample::record().store, 0, size}) + "/";
  };
  ArchiveCheck many_leaves({&nobody, 1, nullptr, nullptr});
  many_leaves.add(folder(1) + "section.json", "");
  many_leaves.add(folder(limits::kArchiveLeaves) + "section.json", "");
  EXPECT_NE(told_of(many_leaves).find("more than 4000000 leaves"), std::string::npos);
  ArchiveCheck long_sections({&nobody, 1, nullptr, nullptr});
  long_sections.add(folder(1) + "section.json", std::string(limits::kArchiveIndexBytes, ' '));
  long_sections.add(folder(2) + "section.json", " ");
  EXPECT_NE(told_of(long_sections).find("of what its sections say"), std::string::npos);
  ArchiveCheck many_files({&nobody, 1, nullptr, nullptr});
  for (std::size_t i = 0; i <= limits::kArchiveFiles; ++i) {
    many_files.add(folder(1) + member_name({Part::record, i, 0, {}}), "");
  }
  const ArchiveReport report = many_files.finish();
  EXPECT_EQ(report.files.size(), limits::kArchiveFiles);
  EXPECT_NE(report.checks[0].detail.find("more than 100000 files"), std::string::npos);
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

TEST(TheIndexForPeople, NamesAStoreAsEverythingElseForPeopleDoes) {
  SectionReport section;
  section.facts.name = {sample::record().store, 0, 9};
  const std::string page = index_page({section});
  EXPECT_NE(page.find("<bdi>" + sample::record().store.text() + "</bdi>"), std::string::npos);
}

TEST(TheIndexForPeople, ShowsNothingOfAStrangerAsMarkup) {
  SectionReport section;
  section.facts.name = {sample::record().store, 0, 9};
  section.facts.host = "<script>alert(1)</script>";
  section.certificates.push_back(
      {1, {"c-x", "a-x", "\"><img src=x>", "model", "EA1", "p-x", "", "", ""}});
  ArchivedAmendment amendment;
  amendment.leaf = 2;
  amendment.summary.certificate = "c-x";
  amendment.summary.sentence = "Accepted by <script>alert(1)</script>";
  section.amendments.push_back(amendment);
  const std::string page = index_page({section});
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

}  // namespace
}  // namespace aierase::certificate
