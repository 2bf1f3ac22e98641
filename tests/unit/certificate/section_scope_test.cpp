// How far a section reaches: over which period, of which history, with which decisions and keys.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/limits.h"
#include "certificate/section_keys.h"
#include "unit/certificate/section_verdict.h"

namespace aierase::certificate {
namespace {

using sample::after;
using sample::faults;
using sample::Section;
using sample::Verdict;

// The same leaves but for the last.
sample::Story with_another_end(sample::Story story) {
  story.log.bodies.pop_back();
  story.other(1, sample::kLater + 1);
  return story;
}

// Under the same key.
Section forked(const sample::Story& story) {
  return sample::section_of(with_another_end(story));
}

TEST(ASectionOfAFork, IsNotProvenByTheHistoryOfAnother) {
  const sample::Story story;
  sample::Story other;
  other.log.bodies[50] = other.log.bodies[51];
  Continuity kept(story.log.head(100), HeadOf::the_log);
  // The one tells what the log was at 100 leaves, the other what it became behind 150 leaves.
  const Section genuine = sample::section_of(story);
  EXPECT_EQ(faults(sample::report_of(genuine, sample::everybody(), &kept).completeness), "");
  const Section fork = sample::bare_section(other.log, 150);
  EXPECT_TOLD(faults(sample::report_of(fork, sample::everybody(), &kept).completeness), "FORKED");
}

TEST(ASectionOfAFork, ThatDoesNotLeadToItsHeadTeachesNothing) {
  const sample::Story story;
  Continuity kept(story.log.head(100));
  Section cut = sample::section_of(story);
  cut.members[{Part::entries, 256, 0, {}}] = sample::entries_of(story.log, 256, 300);
  kept.want(300);
  sample::report_of(cut, sample::everybody(), &kept);
  EXPECT_EQ(kept.check(story.log.head(300)).result, CheckResult::failed);
}

// Whoever has the public key of a signer makes a keyring of it and of a log key of his own.
TEST(ASectionOfAFork, IsNotToldByTheHeadOfAStrangersLogKey) {
  const sample::Story story;
  const sample::Story other = with_another_end(story);
  Section strange = sample::section_of(other);
  const UtcTime since = from_unix(1'700'000'000);
  const Keyring keyring =
      make_keyring(sample::record().store,
                   {{domain::KeyPurpose::signer, sample::signer().public_key(), since, 0},
                    {domain::KeyPurpose::log, sample::log_signer(0x70).public_key(), since, 0}},
                   {})
          .value();
  strange.members[{Part::keyring, 0, 0, {}}] = keyring_json(keyring).value();
  strange.members[{Part::checkpoint, 0, 0, {}}] =
      other.log.checkpoint(301, sample::log_signer(0x70));
  HeadsSeen heads;
  const TrustStore nobody;
  const auto look = [&](const Section& section) {
    SectionCheck check(section.name, {&nobody, 1, nullptr, &heads});
    for (const auto& [member, content] : section.members) check.add(member, content);
    return faults(check.finish().completeness);
  };
  look(sample::section_of(story));
  EXPECT_EQ(look(strange).find("FORKED"), std::string::npos);
}

TEST(ASectionOfAFork, IsToldByTwoHeadsOfOneSize) {
  const sample::Story story;
  HeadsSeen heads;
  const ArchiveReader reader{&sample::everybody(), 1, nullptr, &heads};
  const auto look = [&](const Section& section) {
    SectionCheck check(section.name, reader);
    for (const auto& [member, content] : section.members) check.add(member, content);
    return faults(check.finish().completeness);
  };
  EXPECT_EQ(look(sample::section_of(story)), "");
  EXPECT_EQ(look(sample::section_of(story)), "") << "the same again";
  EXPECT_TOLD(look(forked(story)), "FORKED: another section has another head of 301 leaves");
}

// As `aierase certificate bundle --from` and `--to` ask; the leaves tell whether it can be so.
Verdict asked(
    const std::function<void(SectionFacts&)>& change,
    const std::function<void(Section&)>& also = [](Section&) {}) {
  return after([&](Section& section) {
    sample::restate(section, sample::Story().log, change);
    also(section);
  });
}

TEST(ThePeriodOfASection, BeginsWhereALeafShowsIt) {
  EXPECT_EQ(asked([](SectionFacts&) {}).completeness, "");
  EXPECT_TOLD(asked([](SectionFacts& facts) { facts.from.reset(); }).completeness,
              "period: It says to have all from the first leaf on, and begins with leaf 2");
  EXPECT_TOLD(asked([](SectionFacts& facts) { facts.from = sample::time_at(15); }).completeness,
              "period: Nothing shows that the leaves before leaf 2 are from before the period");
}

TEST(ThePeriodOfASection, EndsWhereALeafShowsItAndElseSaysHowFarItWasSeen) {
  const sample::Story story;
  const auto period = [&](std::int64_t until) {
    Section section = sample::section_of(story);
    sample::restate(section, story.log,
                    [&](SectionFacts& facts) { facts.until = sample::time_at(until); });
    const SectionReport report = sample::report_of(section, sample::everybody());
    EXPECT_EQ(faults(report.completeness), "");
    return report.completeness[1];
  };
  EXPECT_EQ(period(sample::kLater - 1).result, CheckResult::passed);
  EXPECT_EQ(period(sample::kLater).result, CheckResult::not_checked);
  EXPECT_TOLD(period(sample::kLater).detail,
              "the last that tells its time is of " + to_rfc3339(sample::time_at(sample::kLater)));
}

TEST(ThePeriodOfASection, HasWhatStandsBetweenLeavesOfIt) {
  const auto left_out = [](std::uint64_t leaf, unsigned char number) {
    return asked(
        [&](SectionFacts& facts) {
          facts.left_out = {{leaf, leaf, LeftOutWhy::outside_period}};
        },
        [&](Section& section) {
          section.members.erase({Part::certificate, leaf, 0, sample::certificate_id(number)});
        });
  };
  EXPECT_TOLD(left_out(290, 0x32).completeness,
              "leaf 290 is left out as outside of the period, and stands within it");
  EXPECT_EQ(left_out(5, 0x31).completeness, "") << "so near to the beginning of the period";
}

// A section that begins with the first leaf, and has these opened.
SectionReport with_opened(const std::vector<OpenedLeaf>& logged,
                          const std::set<std::uint64_t>& here) {
  sample::Log log(sample::record().store);
  for (const OpenedLeaf& one : logged) sample::log_opened(log, one);
  Section section = sample::bare_section(log);
  for (const OpenedLeaf& one : logged) {
    if (here.count(one.leaf) == 0) continue;
    section.members[{Part::record, one.leaf, 0, {}}] = opened_json(one).value();
  }
  return sample::report_of(section, sample::everybody());
}

const Check& named(const std::vector<Check>& checks, const std::string& name) {
  return *std::find_if(checks.begin(), checks.end(),
                       [&](const Check& check) { return check.name == name; });
}

TEST(ADecision, ThatIsWithheldIsCountedAndSaidToBeTheMakersWord) {
  const std::vector<OpenedLeaf> logged = {
      sample::opened_leaf(0, "approval", 10, "{}"), sample::opened_leaf(1, "rejection", 20, "{}"),
      sample::opened_leaf(2, "validation", 30, R"({"verdict":"reject"})"),
      sample::opened_leaf(3, "standing-approval", 40, "{}")};
  const auto decisions = [&](const std::set<std::uint64_t>& here) {
    return named(with_opened(logged, here).completeness, "decisions");
  };
  EXPECT_EQ(decisions({0, 1, 2, 3}).result, CheckResult::passed);
  EXPECT_EQ(decisions({0, 1, 3}).result, CheckResult::not_checked);
  EXPECT_TOLD(decisions({0, 1, 3}).detail, "3 of 4 approvals");
  EXPECT_TOLD(decisions({0, 1, 3}).detail, "the word of whoever made the archive");
}

TEST(AHoldThatIsLifted, IsThereWithWhatPlacedIt) {
  const std::string hold = R"({"hold":")" + sample::uuid_of(0x51).hex() + R"("})";
  const std::string other = R"({"hold":")" + sample::uuid_of(0x52).hex() + R"("})";
  const auto complaint = [&](const std::string& placed) {
    return faults(with_opened({sample::opened_leaf(0, "hold-placed", 10, placed),
                               sample::opened_leaf(1, "hold-lifted", 20, hold)},
                              {0, 1})
                      .completeness);
  };
  EXPECT_EQ(complaint(hold), "");
  EXPECT_TOLD(complaint(other), "the record of the hold that leaf 1 lifts is missing");
}

TEST(ARecord, ThatNamesTooMuchIsNotKept) {
  const auto kept = [](const OpenedLeaf& opened) {
    const SectionReport report = with_opened({opened}, {0});
    EXPECT_EQ(holds(report.integrity), report.records.size() == 1);
    return !report.records.empty();
  };
  const auto by = [](std::size_t length) {
    return sample::opened_leaf(0, "approval", 10,
                               R"({"by":{"login":")" + std::string(length, 'x') + R"("}})");
  };
  EXPECT_TRUE(kept(by(limits::kPersonFieldBytes)));
  EXPECT_FALSE(kept(by(limits::kPersonFieldBytes + 1)));
  EXPECT_TRUE(kept(sample::opened_leaf(0, std::string(64, 'x'), 10, "{}")));
  EXPECT_FALSE(kept(sample::opened_leaf(0, std::string(65, 'x'), 10, "{}")));
  const auto policy = [](std::size_t files) {
    const std::string digest(64, '0');
    std::string rows;
    for (std::size_t i = 0; i < files; ++i) {
      rows += std::string(i == 0 ? "" : ",") + R"({"sha256":")" + digest + R"("})";
    }
    return sample::opened_leaf(0, "policy-loaded", 10, R"({"files":[)" + rows + "]}");
  };
  EXPECT_TRUE(kept(policy(limits::kPolicyFiles)));
  EXPECT_FALSE(kept(policy(limits::kPolicyFiles + 1)));
}

TEST(LeavesOfASection, AreNoMoreThanItsNameHas) {
  const sample::Story story;
  const Verdict verdict = after([&](Section& s) {
    sample::Log longer = story.log;
    longer.bodies.push_back(longer.bodies.back());
    s.members[{Part::entries, 256, 0, {}}] = sample::entries_of(longer, 256, 302);
  });
  EXPECT_TOLD(verdict.completeness, "there are leaves behind the last one");
}

TEST(AChangeOfKeys, ThatIsNotInTheKeyringIsFound) {
  sample::Log log(sample::record().store);
  const crypto::SigningKey signer = sample::signer(), log_key = sample::log_signer();
  const crypto::SigningKey next = sample::signer(0x43), next_log = sample::signer(0x62);
  log.add(rotation_body(sample::record().store, sample::time_at(10),
                        {&signer, &log_key, &next, &next_log})
              .value());
  sample::log_opened(log, sample::opened_leaf(1, "export", 20, "{}"));
  const SectionReport report = sample::report_of(sample::bare_section(log), sample::everybody());
  EXPECT_TOLD(faults(report.completeness), "1 of 1 changes of keys failed");
}

// K1, K2 that K1 has signed, and K3 that K2 has.
Keyring thrice() {
  const UtcTime since = from_unix(1'700'000'000);
  const Uuid store = sample::record().store;
  std::vector<domain::AuthorityKey> keys;
  std::vector<std::string> rotations;
  for (unsigned char i = 0; i < 3; ++i) {
    const auto at = [](unsigned char fill, unsigned char number) {
      return sample::signer(static_cast<unsigned char>(fill + number));
    };
    const UtcTime time = since + std::chrono::hours(i);
    keys.push_back({domain::KeyPurpose::signer, at(0x42, i).public_key(), time, i * 10U});
    keys.push_back({domain::KeyPurpose::log, at(0x61, i).public_key(), time, i * 10U});
    if (i == 0) continue;
    const unsigned char last = i - 1;
    const crypto::SigningKey old_signer = at(0x42, last), old_log = at(0x61, last);
    const crypto::SigningKey new_signer = at(0x42, i), new_log = at(0x61, i);
    rotations.push_back(
        rotation_body(store, time, {&old_signer, &old_log, &new_signer, &new_log}).value());
  }
  return make_keyring(store, keys, rotations).value();
}

TEST(TheKeysOfASection, AreNotVouchedForByARevokedOneAmongThem) {
  const std::string archived = keyring_json(thrice()).value();
  TrustStore trust = sample::trust_of(sample::keyring());
  EXPECT_TRUE(SectionKeys::choose(archived, sample::record().store, trust).is_trusted());
  trust.revoked.insert(key_id(sample::signer(0x43).public_key()));
  const SectionKeys keys = SectionKeys::choose(archived, sample::record().store, trust);
  EXPECT_FALSE(keys.is_trusted());
  EXPECT_TOLD(keys.check().detail, "was revoked here");
}

}  // namespace
}  // namespace aierase::certificate
