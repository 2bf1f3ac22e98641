#include "certificate/section_check.h"

#include <gtest/gtest.h>

#include <functional>

#include "unit/certificate/section_verdict.h"

namespace aierase::certificate {
namespace {

using sample::after;
using sample::faults;
using sample::Section;
using sample::Verdict;

TEST(ASectionOfAnArchive, HoldsAndIsWhole) {
  const sample::Story story;
  const SectionReport report = sample::report_of(sample::section_of(story), sample::everybody());
  EXPECT_EQ(faults(report.integrity), "");
  EXPECT_EQ(faults(report.completeness), "");
  EXPECT_EQ(report.signer, SectionReport::Signer::trusted);
  EXPECT_EQ(report.fingerprint, "SHA256:" + key_id(sample::signer().public_key()));
  EXPECT_EQ(report.log_fingerprint, "SHA256:" + key_id(sample::log_signer().public_key()));
  ASSERT_EQ(report.certificates.size(), 2U);
  EXPECT_EQ(report.certificates[0].leaf, 5U);
  EXPECT_EQ(report.certificates[0].summary.id, sample::certificate_id(0x31));
  EXPECT_EQ(report.certificates[0].summary.name, sample::record().asset.name.text());
  EXPECT_FALSE(report.certificates[0].summary.manifest_sha256.empty());
  EXPECT_EQ(report.records.size(), 3U);
  EXPECT_EQ(report.left_out, 0U);
}

TEST(ASectionOfAnArchive, OfAnUnknownStoreIsHeldAgainstItsOwnKeysAndSaysSo) {
  const sample::Story story;
  const SectionReport report = sample::report_of(sample::section_of(story), {});
  EXPECT_EQ(report.signer, SectionReport::Signer::unknown);
  EXPECT_TRUE(holds(report.integrity));
  EXPECT_EQ(report.integrity[1].result, CheckResult::not_checked);
  const Verdict forged = after(
      [](Section& section) {
        section.members[{Part::checkpoint, 0, 0, {}}] =
            sample::Story().log.checkpoint(301, sample::log_signer(0x70));
      },
      {});
  EXPECT_TOLD(forged.integrity, "checkpoint:");
}

TEST(ASectionOfAnArchive, WithAnotherKeyringThanIsTrustedFails) {
  const UtcTime since = from_unix(1'700'000'000);
  const Keyring other =
      make_keyring(sample::record().store,
                   {{domain::KeyPurpose::signer, sample::signer(0x11).public_key(), since, 0},
                    {domain::KeyPurpose::log, sample::signer(0x12).public_key(), since, 0}},
                   {})
          .value();
  const Verdict verdict = after([](Section&) {}, sample::trust_of(other));
  EXPECT_TOLD(verdict.integrity, "not that which is trusted here");
}

TEST(ASectionOfAnArchive, WithARevokedKeyFailsByName) {
  TrustStore trust = sample::everybody();
  trust.revoked.insert(key_id(sample::signer().public_key()));
  EXPECT_TOLD(after([](Section&) {}, trust).integrity, "was revoked here");
  trust.revoked = {key_id(sample::log_signer().public_key())};
  EXPECT_TOLD(after([](Section&) {}, trust).integrity, "checkpoint:");
}

TEST(AnArchivedCertificate, ThatIsMissingIsNamedByItsLeaf) {
  const Verdict verdict = after([](Section& section) {
    section.members.erase({Part::certificate, 290, 0, sample::certificate_id(0x32)});
  });
  EXPECT_EQ(verdict.integrity, "");
  EXPECT_TOLD(verdict.completeness, "the record of leaf 290 is missing");
}

TEST(AnArchivedCertificate, ThatIsNamedAsLeftOutIsCountedAndNotMissing) {
  const sample::Story story;
  Section section = sample::section_of(story);
  section.members.erase({Part::certificate, 290, 0, sample::certificate_id(0x32)});
  sample::restate(section, story.log, [](SectionFacts& facts) {
    facts.match = {"name=acme/*"};
    facts.left_out = {{280, 291, LeftOutWhy::not_matched}};
  });
  const SectionReport report = sample::report_of(section, sample::everybody());
  EXPECT_EQ(faults(report.completeness), "");
  EXPECT_EQ(report.left_out, 1U);
}

TEST(AnArchivedCertificate, UnderTheNameOfAnotherFails) {
  const Verdict verdict = after([](Section& section) {
    const Member one{Part::certificate, 5, 0, sample::certificate_id(0x31)};
    const Member two{Part::certificate, 290, 0, sample::certificate_id(0x32)};
    std::swap(section.members[one], section.members[two]);
  });
  EXPECT_TOLD(verdict.integrity, "2 of 2 certificates failed");
  EXPECT_TOLD(verdict.completeness, "2 of 2 certificates, refusals and amendments failed");
}

TEST(AnArchivedCertificate, OfAnotherLogFailsAlthoughItVerifies) {
  const Verdict verdict = after([](Section& section) {
    sample::Log other(sample::record().store);
    other.fill(5);
    sample::log_statement(other, sample::statement_numbered(0x33), sample::signer());
    section.members.erase({Part::certificate, 5, 0, sample::certificate_id(0x31)});
    section.members[{Part::certificate, 5, 0, sample::certificate_id(0x33)}] =
        sample::logged_bundle(other, 5, 6, sample::statement_numbered(0x33), sample::signer(),
                              sample::log_signer());
  });
  EXPECT_TOLD(verdict.integrity, "leaf 5 of the log is another");
}

TEST(ALeafOfASection, ThatIsDroppedAddedOrReplacedIsFound) {
  const auto entries = [](Section& section) -> std::string& {
    return section.members[{Part::entries, 256, 0, {}}];
  };
  const sample::Story story;
  const sample::Log& log = story.log;
  EXPECT_TOLD(
      after([&](Section& s) { entries(s) = sample::entries_of(log, 256, 300); }).completeness,
      "ends at leaf 300 of 301");
  EXPECT_TOLD(after([&](Section& s) {
                s.members.erase({Part::entries, 2, 0, {}});
              }).completeness,
              "leaves are missing behind leaf 2");
  EXPECT_TOLD(after([&](Section& s) {
                sample::Log changed = log;
                std::swap(changed.bodies[270], changed.bodies[271]);
                entries(s) = sample::entries_of(changed, 256, 301);
              }).completeness,
              "do not lead to the head");
  EXPECT_TOLD(after([&](Section& s) {
                sample::Log changed = log;
                changed.bodies[270] = "{}";
                entries(s) = sample::entries_of(changed, 256, 301);
              }).completeness,
              "leaf 270 has no known form");
  EXPECT_TOLD(after([&](Section& s) { entries(s) += "x"; }).completeness, "leaves: Refused");
}

TEST(AHeadOfASection, ThatIsForgedMissingOrOfAnotherSizeIsFound) {
  const sample::Story story;
  const auto with_head = [&](Part part, const std::string& note) {
    return after([&](Section& s) { s.members[{part, 0, 0, {}}] = note; });
  };
  const std::string stranger = story.log.checkpoint(301, sample::log_signer(0x70));
  EXPECT_TOLD(with_head(Part::checkpoint, stranger).integrity, "no signature by a trusted key");
  const Uuid other_store = sample::uuid_of(0x77);
  TrustStore both = sample::everybody();
  both.logs.push_back({"other", translog::origin_of(other_store), both.logs.front().role});
  sample::Log elsewhere(other_store);
  elsewhere.bodies = story.log.bodies;
  const std::string another = elsewhere.checkpoint(301, sample::log_signer());
  EXPECT_TOLD(after(
                  [&](Section& s) {
                    s.members[{Part::checkpoint, 0, 0, {}}] = another;
                  },
                  both)
                  .integrity,
              "the head of another log");
  const std::string earlier = story.log.checkpoint(300, sample::log_signer());
  EXPECT_TOLD(with_head(Part::checkpoint, earlier).integrity, "another number of leaves");
  const Verdict missing = after([](Section& s) { s.members.erase({Part::checkpoint, 0, 0, {}}); });
  EXPECT_TOLD(missing.completeness, "no head of these leaves is signed");
  sample::Log other(sample::record().store);
  other.fill(2);
  const std::string fork = other.checkpoint(2, sample::log_signer());
  const Verdict forked = with_head(Part::checkpoint_before, fork);
  EXPECT_TOLD(forked.completeness, "the leaves before are not those that were signed");
  EXPECT_TOLD(forked.integrity, "does not lead from one head to the other");
}

TEST(ARecordOfADecision, ThatTheLogDidNotCommitToFails) {
  const auto changed = [](std::uint64_t leaf, const std::function<void(OpenedLeaf&)>& change) {
    return after([&](Section& section) {
             std::string& text = section.members[{Part::record, leaf, 0, {}}];
             OpenedLeaf opened = parse_opened(text).value();
             change(opened);
             text = opened_json(opened).value();
           })
        .integrity;
  };
  EXPECT_TOLD(changed(3, [](OpenedLeaf& one) { one.record = R"({"matter":"case 8"})"; }),
              "leaf 3 of the log is another");
  EXPECT_TOLD(changed(3, [](OpenedLeaf& one) { one.time += std::chrono::hours(1); }),
              "leaf 3 of the log is another");
  EXPECT_TOLD(changed(1, [](OpenedLeaf& one) { one.record = R"({"by":"mallory"})"; }),
              "does not lead to the head");
  EXPECT_TOLD(changed(1, [](OpenedLeaf& one) { one.proof.pop_back(); }),
              "does not lead to the head");
  EXPECT_TOLD(changed(3, [](OpenedLeaf& one) { one.leaf = 4; }), "it is of another leaf");
}

TEST(AHoldOrPolicy, ThatIsWithheldIsNamed) {
  EXPECT_TOLD(after([](Section& s) {
                s.members.erase({Part::record, 3, 0, {}});
              }).completeness,
              "leaf 3, hold-placed, is missing");
  EXPECT_TOLD(after([](Section& s) {
                s.members.erase({Part::policy, 4, 0, {}});
              }).completeness,
              "a text of the policy of leaf 4 is missing");
  const Verdict changed = after([](Section& s) {
    s.members[{Part::policy, 4, 0, {}}] += "# milder\n";
  });
  EXPECT_TOLD(changed.integrity, "is not the text that came into force");
}

TEST(ATextOfAPolicy, MayBeLeftOutWhereAMatchWasAskedForAndItsRecordMayNot) {
  const sample::Story story;
  const auto completeness = [&](const Member& without) {
    return after([&](Section& section) {
             sample::restate(section, story.log,
                             [](SectionFacts& facts) { facts.match = {"name=acme/*"}; });
             section.members.erase({Part::policy, 4, 0, {}});
             section.members.erase(without);
           })
        .completeness;
  };
  EXPECT_EQ(completeness({Part::policy, 4, 0, {}}), "");
  EXPECT_TOLD(completeness({Part::record, 4, 0, {}}), "leaf 4, policy-loaded, is missing");
}

TEST(ASectionThatSaysNothingOfItself, CannotBeComplete) {
  const Verdict verdict = after([](Section& s) { s.members.erase({Part::section, 0, 0, {}}); });
  EXPECT_TOLD(verdict.completeness, "section.json is missing or broken");
  EXPECT_TOLD(after([](Section& s) {
                s.members.erase({Part::keyring, 0, 0, {}});
              }).integrity,
              "keyring is missing");
}

TEST(AMemberOutOfItsPlace, IsNamed) {
  const sample::Story story;
  const Section section = sample::section_of(story);
  SectionCheck check(section.name, {&sample::everybody(), 1, nullptr});
  for (const auto& [member, content] : section.members) check.add(member, content);
  const Member first{Part::certificate, 5, 0, sample::certificate_id(0x31)};
  check.add(first, section.members.at(first));
  EXPECT_TOLD(faults(check.finish().integrity), "stands twice, or not in its place");
}

TEST(AHeadThatTheReaderKept, IsComparedWithTheLeavesOfTheSection) {
  const sample::Story story;
  const Section section = sample::section_of(story);
  for (const std::uint64_t size : {2U, 100U, 301U}) {
    Continuity kept(story.log.head(size));
    EXPECT_EQ(faults(sample::report_of(section, sample::everybody(), &kept).completeness), "")
        << size;
  }
  translog::Checkpoint forged = story.log.head(100);
  forged.root = sample::digest_of("another history");
  Continuity fork(forged, HeadOf::the_log);
  EXPECT_TOLD(faults(sample::report_of(section, sample::everybody(), &fork).completeness),
              "FORKED");
}

}  // namespace
}  // namespace aierase::certificate
