// Amendments in a section of an archive: each is of the statement of its certificate and follows
// the one before, whatever the signer of the store would put into its log.
#include <gtest/gtest.h>

#include <algorithm>

#include "certificate/amendment.h"
#include "unit/certificate/section_verdict.h"

namespace aierase::certificate {
namespace {

using domain::AmendmentRecord;
using sample::faults;
using sample::Section;

class AnArchivedAmendment : public ::testing::Test {
 protected:
  AnArchivedAmendment() : before_(state_of_certificate(certificate_).value()) {
    sample::log_statement(log_, certificate_, sample::signer());
  }
  AmendmentRecord next(domain::Validation validation) const {
    AmendmentRecord record;
    const domain::DispositionRecord of = sample::record();
    record.store = of.store;
    record.host = "vault.example";
    record.certificate = sample::uuid_of(0x31);
    record.certificate_sha256 = crypto::sha256(as_bytes(certificate_));
    record.asset = of.asset.id;
    record.asset_name = of.asset.name;
    record.plan = of.plan;
    record.plan_digest = of.plan_digest;
    record.before = before_;
    record.validation = validation;
    record.actor = sample::actor(1002, "carl");
    record.time = sample::time_at(900);
    return record;
  }
  // Into the log, signed.
  void say(const AmendmentRecord& record) {
    statements_.push_back(AmendmentStatement::of(record)->text());
    before_.number = record.before.number + 1;
    before_.last_sha256 = crypto::sha256(as_bytes(statements_.back()));
    before_.validation = record.validation;
    sample::log_statement(log_, statements_.back(), sample::signer());
  }
  Section section() {
    log_.add(
        body_of(sample::opened_leaf(log_.bodies.size(), "export", sample::kLater, "{}")).value());
    Section made = sample::bare_section(log_);
    sample::add_certificate(made, log_, 0, 0x31);
    for (std::size_t i = 0; i < statements_.size(); ++i) {
      made.members[{Part::amendment, i + 1, 0, sample::certificate_id(0x31)}] =
          sample::logged_bundle(log_, i + 1, log_.bodies.size(), statements_[i], sample::signer(),
                                sample::log_signer());
    }
    return made;
  }
  std::string told() { return faults(sample::report_of(section(), sample::everybody()).integrity); }

  const std::string certificate_ = sample::statement_numbered(0x31);
  sample::Log log_{sample::record().store};
  domain::AmendedState before_;
  std::vector<std::string> statements_;
};

TEST_F(AnArchivedAmendment, HoldsBehindItsCertificateAndTheOneBefore) {
  say(next(domain::Validation::rejected));
  say(next(domain::Validation::accepted));
  const SectionReport report = sample::report_of(section(), sample::everybody());
  EXPECT_EQ(faults(report.integrity), "");
  EXPECT_EQ(faults(report.completeness), "");
  ASSERT_EQ(report.amendments.size(), 2U);
  EXPECT_EQ(report.amendments[1].summary.validation, domain::Validation::accepted);
}

TEST_F(AnArchivedAmendment, OfAnotherStatementOfThatCertificateFails) {
  AmendmentRecord record = next(domain::Validation::accepted);
  record.certificate_sha256 = sample::digest_of("another");
  record.before.last_sha256 = record.certificate_sha256;
  say(record);
  EXPECT_TOLD(told(), "it amends another statement");
}

TEST_F(AnArchivedAmendment, OfAnotherPlanThanItsCertificateFails) {
  AmendmentRecord record = next(domain::Validation::accepted);
  record.plan_digest = sample::digest_of("another");
  say(record);
  EXPECT_TOLD(told(), "it speaks of another store, asset or plan");
}

TEST_F(AnArchivedAmendment, ThatFollowsAnotherThanTheOneBeforeFails) {
  say(next(domain::Validation::rejected));
  AmendmentRecord record = next(domain::Validation::accepted);
  record.before.last_sha256 = sample::digest_of("another");
  say(record);
  EXPECT_TOLD(told(), "it follows another one than is here");
}

// The same as `verify` holds against files.
TEST_F(AnArchivedAmendment, ThatLosesAResidualWithoutClosingItFails) {
  before_.open.pop_back();
  say(next(domain::Validation::accepted));
  EXPECT_TOLD(told(), "it tells of other residuals than the one before");
}

TEST_F(AnArchivedAmendment, ThatTurnsTheVerdictWithoutOneFails) {
  say(next(domain::Validation::rejected));
  AmendmentRecord record = next(domain::Validation::accepted);
  record.kind = domain::AmendmentKind::evidence;
  record.evidence =
      domain::EvidenceFile{"tapes.pdf", sample::digest_of("tapes"), 5, "application/pdf"};
  say(record);
  EXPECT_TOLD(told(), "it changes the verdict without one");
}

TEST_F(AnArchivedAmendment, WithANumberThatWasTakenFails) {
  say(next(domain::Validation::rejected));
  before_ = state_of_certificate(certificate_).value();
  say(next(domain::Validation::accepted));
  EXPECT_TOLD(told(), "it stands behind amendment 1");
}

TEST_F(AnArchivedAmendment, BeforeWhichOneIsMissingIsCounted) {
  ++before_.number;
  before_.last_sha256 = sample::digest_of("one that is not here");
  say(next(domain::Validation::accepted));
  const SectionReport report = sample::report_of(section(), sample::everybody());
  EXPECT_EQ(faults(report.integrity), "");
  const bool told =
      std::any_of(report.completeness.begin(), report.completeness.end(), [](const Check& check) {
        return check.name == "amendments" && check.result == CheckResult::not_checked;
      });
  EXPECT_TRUE(told);
}

TEST_F(AnArchivedAmendment, InTheFolderOfCertificatesOrUnderAnotherNameFails) {
  say(next(domain::Validation::accepted));
  for (const Member& place : {Member{Part::certificate, 1, 0, sample::certificate_id(0x31)},
                              Member{Part::refusal, 1, 0, "p-irbcgq3eirbcgq3eirbcgq3eiq"},
                              Member{Part::amendment, 1, 0, sample::certificate_id(0x32)}}) {
    Section made = section();
    auto node = made.members.extract(Member{Part::amendment, 1, 0, sample::certificate_id(0x31)});
    node.key() = place;
    made.members.insert(std::move(node));
    EXPECT_NE(faults(sample::report_of(made, sample::everybody()).integrity), "")
        << member_name(place);
  }
}

}  // namespace
}  // namespace aierase::certificate
