// Who may add to a certificate, what it becomes by it, and what is not signed.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/limits.h"
#include "certificate/bundle.h"
#include "certificate/verify.h"
#include "crypto/primitives.h"
#include "fault/support/crashes.h"
#include "fault/support/inspect.h"

namespace aierase::test {
namespace {

using domain::Validation;
using lifecycle::AmendRequest;

class AnAmendedCertificate : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(done(world.init(domain::PeopleRule::two_person)));
    ASSERT_TRUE(done(world.open()));
    ASSERT_TRUE(done(world.import(small_asset("m:1", 1))));
    erase("m:1");
    id = *world.store->show_asset(world.asset("m:1").id)->certificate;
  }
  void erase(const std::string& name) {
    const auto asked = world.request({name});
    ASSERT_TRUE(done(asked));
    ASSERT_TRUE(done(world.store->approve(bob(), asked->plan.id, to_hex(asked->plan.digest))));
    ASSERT_TRUE(done(world.execute()));
  }
  AmendRequest evidence(std::vector<std::string> closes) const {
    AmendRequest request;
    request.actor = bob();
    request.certificate = id;
    request.evidence =
        domain::EvidenceFile{"tapes.pdf", crypto::sha256(as_bytes("tapes")), 5, "application/pdf"};
    request.closes = std::move(closes);
    request.reason = "the tapes were burnt";
    return request;
  }
  Errc refusal(const AmendRequest& request) {
    const auto amended = world.store->amend(request);
    return amended.ok() ? Errc::unexpected : amended.error().code;
  }
  Result<lifecycle::ValidateReport> validate(Validation verdict, const std::string& reason) {
    lifecycle::ValidateRequest request;
    request.actor = bob();
    request.certificate = id;
    request.verdict = verdict;
    request.reason = reason;
    return world.store->validate(request);
  }
  // As a stranger reads the certificate with all that was said of it.
  certificate::VerifyReport told() {
    certificate::TrustStore trust;
    trust.add(world.store->signer(), "signer.pem");
    const auto read = [&](const auto& row) {
      crypto::Signature signature{};
      std::copy(row.signature.begin(), row.signature.end(), signature.begin());
      return certificate::verify_bundle(
          certificate::bundle_json(row.statement, signature, world.store->signer()).value(), trust);
    };
    certificate::VerifyReport report = read(world.store->show_certificate(id).value());
    std::vector<certificate::AmendmentSummary> said;
    const auto rows = world.store->amendments(id);
    EXPECT_TRUE(done(rows));
    for (const catalog::AmendmentRow& row : *rows) {
      const certificate::VerifyReport one = read(row);
      EXPECT_TRUE(one.verified && one.amendment);
      if (one.amendment) said.push_back(*one.amendment);
    }
    certificate::amend(report, std::move(said));
    return report;
  }
  bool check_says(const std::string& code) {
    const auto findings = check_all(world, lifecycle::CheckDepth::structure);
    return to_string(findings).find(code) != std::string::npos;
  }

  World world;
  Uuid id;
};

TEST_F(AnAmendedCertificate, HasEachVerdictAndItsOwnStatementAsBefore) {
  const std::string before = world.store->show_certificate(id)->statement;
  ASSERT_TRUE(done(validate(Validation::escalated, "a copy was seen")));
  ASSERT_TRUE(done(validate(Validation::accepted, "it is gone")));
  const auto report = told();
  EXPECT_TRUE(report.verified);
  ASSERT_EQ(report.amendments.size(), 2U);
  EXPECT_EQ(report.amendments[0].validation, Validation::escalated);
  EXPECT_EQ(report.amendments[1].validation, Validation::accepted);
  EXPECT_EQ(world.store->show_certificate(id)->statement, before);
  const auto acts = world.store->validations(id);
  EXPECT_EQ(acts->front().amendment, 1U);
  EXPECT_EQ(acts->back().amendment, 2U);
}

TEST_F(AnAmendedCertificate, LosesAResidualByEvidenceOnce) {
  const auto amended = world.store->amend(evidence({"plaintext-elsewhere", "plaintext-elsewhere"}));
  ASSERT_TRUE(done(amended));
  EXPECT_EQ(amended->number, 1U);
  EXPECT_EQ(std::count(amended->open.begin(), amended->open.end(), "plaintext-elsewhere"), 0);
  EXPECT_EQ(refusal(evidence({"plaintext-elsewhere"})), Errc::usage) << "closed already";
  EXPECT_EQ(refusal(evidence({"no-such-code"})), Errc::usage);
  ASSERT_TRUE(done(world.store->amend(evidence({}))));
  EXPECT_TRUE(told().verified);
}

TEST_F(AnAmendedCertificate, IsFinalOnceAcceptedWithEverythingClosed) {
  ASSERT_TRUE(done(validate(Validation::accepted, "")));
  const auto first = world.store->amend(evidence({"plaintext-elsewhere"}));
  ASSERT_TRUE(done(first));
  EXPECT_EQ(told().amendments.back().outcome, "partial");
  ASSERT_TRUE(done(world.store->amend(evidence(first->open))));
  EXPECT_EQ(told().amendments.back().outcome, "final");
}

TEST_F(AnAmendedCertificate, TakesNoWordOfWhoMayNotValidate) {
  for (const domain::Actor& who : {alice(), person(0, "root"), person(1002, "carol")}) {
    AmendRequest request = evidence({});
    request.actor = who;
    EXPECT_EQ(refusal(request), Errc::access_denied) << who.login;
  }
  EXPECT_TRUE(world.store->amendments(id)->empty());
}

TEST_F(AnAmendedCertificate, TakesNothingThatIsIncomplete) {
  AmendRequest request = evidence({});
  request.reason.clear();
  EXPECT_EQ(refusal(request), Errc::usage);
  request = evidence({});
  request.evidence.reset();
  EXPECT_EQ(refusal(request), Errc::usage);
  for (const char* name : {"", "../x", "a\nb"}) {
    request = evidence({});
    request.evidence->name = name;
    EXPECT_EQ(refusal(request), Errc::usage) << name;
  }
  request = evidence({});
  request.evidence->media_type = "pdf";
  EXPECT_EQ(refusal(request), Errc::usage);
  request = evidence({});
  request.certificate = Uuid::random();
  EXPECT_EQ(refusal(request), Errc::not_found);
}

TEST_F(AnAmendedCertificate, NamesALaterErasureOfTheSameContentAlone) {
  ASSERT_TRUE(done(world.import(small_asset("again:1", 1))));
  ASSERT_TRUE(done(world.import(small_asset("other:1", 2))));
  erase("again:1");
  erase("other:1");
  AmendRequest request = evidence({});
  request.evidence.reset();
  request.again = *world.store->show_asset(world.asset("other:1").id)->certificate;
  EXPECT_EQ(refusal(request), Errc::invalid_input) << "other content";
  request.again = id;
  EXPECT_EQ(refusal(request), Errc::invalid_input) << "itself";
  const Uuid later = *world.store->show_asset(world.asset("again:1").id)->certificate;
  request.again = later;
  request.closes = {"plaintext-elsewhere"};
  EXPECT_EQ(refusal(request), Errc::usage) << "no evidence";
  request.closes.clear();
  ASSERT_TRUE(done(world.store->amend(request)));
  EXPECT_EQ(told().amendments.back().kind, domain::AmendmentKind::erased_again);
  std::swap(request.certificate, *request.again);
  EXPECT_EQ(refusal(request), Errc::invalid_input) << "the earlier one";
}

TEST_F(AnAmendedCertificate, HasAnEnd) {
  for (std::size_t i = 0; i < limits::kAmendmentsPerCertificate; ++i) {
    ASSERT_TRUE(done(world.store->amend(evidence({}))));
  }
  EXPECT_EQ(refusal(evidence({})), Errc::resource_limit);
  EXPECT_TRUE(done(validate(Validation::rejected, "a copy was seen"))) << "which is always heard";
  EXPECT_EQ(refusal(evidence({})), Errc::resource_limit);
  EXPECT_TRUE(told().verified);
}

TEST_F(AnAmendedCertificate, IsNotAmendedWhereItsRowIsNotWhatTheLogTookIn) {
  ASSERT_TRUE(done(world.store->amend(evidence({}))));
  EXPECT_FALSE(check_says("-altered"));
  const std::pair<const char*, const char*> changes[] = {
      {"UPDATE draft SET text = text || ' '", "certificate-altered"},
      {"UPDATE draft SET text = replace(text, '\"evidence\":null', '\"evidence\":1')",
       "certificate-altered"},
      {"UPDATE statement_end SET evidence = evidence || ' '", "certificate-altered"},
      {"UPDATE statement_end SET verification = '{}'", "certificate-altered"},
      {"UPDATE statement_end SET intent_at = verified_zero_at || ' '", "certificate-altered"},
      {"UPDATE statement_end SET verified_zero_at = '\"now\"'", "certificate-altered"},
      {"UPDATE amendment SET statement = replace(statement, 'vault', 'other') || ' '",
       "amendment-altered"}};
  for (const auto& [change, finding] : changes) {
    world.close();
    const auto kept = world.keep();
    EXPECT_TRUE(done(sql(world.disk, change)));
    ASSERT_TRUE(done(world.open()));
    EXPECT_EQ(refusal(evidence({})), Errc::damaged) << change;
    EXPECT_FALSE(validate(Validation::accepted, "").ok());
    EXPECT_TRUE(check_says(finding)) << change;
    world.close();
    world.go_back(*kept);
    ASSERT_TRUE(done(world.open()));
  }
}

TEST_F(AnAmendedCertificate, OfAVerdictThatSomebodyChangedSaysNothing) {
  constexpr const char* kSigner = "/slot-dir/signer.key";
  world.close();
  ASSERT_TRUE(done(world.disk.rename(kSigner, "/elsewhere")));
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(validate(Validation::rejected, "a copy was seen")));
  EXPECT_EQ(refusal(evidence({})), Errc::wrong_state) << "nobody can sign it";
  EXPECT_NE(to_string(*world.store->doctor()).find("verdict on an outcome waits"),
            std::string::npos);
  world.close();
  EXPECT_TRUE(done(sql(world.disk, "UPDATE validation SET verdict = 'accepted'")));
  ASSERT_TRUE(done(world.disk.rename("/elsewhere", kSigner)));
  ASSERT_TRUE(done(world.open()));
  EXPECT_TRUE(world.store->amendments(id)->empty());
  EXPECT_NE(to_string(*world.store->doctor()).find("not what the log committed to"),
            std::string::npos);
  EXPECT_TRUE(check_says("validation-altered"));
}

// Neither is anything signed on rows that were moved, taken away or added, nor does check miss
// them.
TEST_F(AnAmendedCertificate, OfWhichRowsWereMovedTakenAwayOrAddedIsNotAmended) {
  ASSERT_TRUE(done(world.import(small_asset("m:2", 2))));
  erase("m:2");
  const std::string other =
      "X'" + world.store->show_asset(world.asset("m:2").id)->certificate->hex() + "'";
  ASSERT_TRUE(done(validate(Validation::rejected, "a copy was seen")));
  ASSERT_TRUE(done(world.store->amend(evidence({}))));
  const std::string mine = "X'" + id.hex() + "'";
  const Uuid amended = id;
  const std::string copy =
      "INSERT INTO amendment (certificate, number, kind, issued, residuals, log_index, public_key, "
      "signature, statement) SELECT certificate, 3, kind, issued, residuals, 999, public_key, "
      "signature, statement FROM amendment WHERE number = 2";
  for (const std::string& change : std::vector<std::string>{
           "UPDATE amendment SET certificate = " + other + " WHERE certificate = " + mine,
           "DELETE FROM amendment WHERE number = 2", "DELETE FROM amendment WHERE number = 1",
           "DELETE FROM validation", "UPDATE amendment SET number = 7 WHERE number = 2",
           "UPDATE amendment SET residuals = '[]' WHERE number = 2",
           "UPDATE amendment SET kind = 'validation' WHERE number = 2",
           "UPDATE certificate SET validation = 'accepted' WHERE uuid = " + mine, copy}) {
    world.close();
    const auto kept = world.keep();
    EXPECT_TRUE(done(sql(world.disk, change))) << change;
    ASSERT_TRUE(done(world.open()));
    const bool later = change == "DELETE FROM amendment WHERE number = 1";  // check alone sees it
    EXPECT_EQ(refusal(evidence({})), later ? Errc::unexpected : Errc::damaged) << change;
    id = *world.store->show_asset(world.asset("m:2").id)->certificate;
    if (change.starts_with("UPDATE amendment SET certificate")) {
      EXPECT_EQ(refusal(evidence({})), Errc::damaged) << "as another one's";
    }
    id = amended;
    EXPECT_TRUE(check_says("-altered")) << change;
    world.close();
    world.go_back(*kept);
    ASSERT_TRUE(done(world.open()));
  }
  EXPECT_FALSE(check_says("-altered"));
}

// What stands beside the statement, for lists to be quick, is what the statement says.
TEST_F(AnAmendedCertificate, WithAnotherOutcomeLevelOrTimeBesideItIsFound) {
  for (const char* change :
       {"UPDATE certificate SET outcome = 'kept'",
        "UPDATE certificate SET assurance = iif(assurance = 'EA4', 'EA3', 'EA4')",
        "UPDATE certificate SET issued = issued + 1"}) {
    EXPECT_FALSE(check_says("-altered")) << change;
    world.close();
    const auto kept = world.keep();
    EXPECT_TRUE(done(sql(world.disk, change)));
    ASSERT_TRUE(done(world.open()));
    EXPECT_TRUE(check_says("certificate-altered")) << change;
    world.close();
    world.go_back(*kept);
    ASSERT_TRUE(done(world.open()));
  }
}

// What the earlier person said gets no signature behind what the later one said.
TEST_F(AnAmendedCertificate, IsNotJudgedByAnOldVerdictAgain) {
  ASSERT_TRUE(done(validate(Validation::accepted, "")));
  ASSERT_TRUE(done(validate(Validation::rejected, "a copy was seen")));
  for (const char* change :
       {"UPDATE validation SET amendment = NULL WHERE verdict = 'accepted'",
        "UPDATE validation SET amendment = NULL WHERE verdict = 'rejected'",
        "UPDATE validation SET amendment = NULL WHERE verdict = 'accepted';"
        "UPDATE log_leaf SET type = 'validation-unsigned' WHERE type = 'validation'"}) {
    world.close();
    const auto kept = world.keep();
    EXPECT_TRUE(done(sql(world.disk, change)));
    if (world.open().ok()) {
      EXPECT_EQ(world.store->amendments(id)->size(), 2U) << change;
      EXPECT_FALSE(validate(Validation::escalated, "again").ok() &&
                   world.store->amendments(id)->size() > 2)
          << change;
    }
    world.close();
    world.go_back(*kept);
    ASSERT_TRUE(done(world.open()));
  }
}

TEST_F(AnAmendedCertificate, HasVerdictsThatWaitedSignedInTheirOrder) {
  constexpr const char* kSigner = "/slot-dir/signer.key";
  ASSERT_TRUE(done(world.import(small_asset("m:2", 2))));
  erase("m:2");
  const Uuid other = *world.store->show_asset(world.asset("m:2").id)->certificate;
  world.close();
  ASSERT_TRUE(done(world.disk.rename(kSigner, "/elsewhere")));
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(validate(Validation::accepted, "")));
  world.close();
  // As if signing had failed once: the row does not stand as the log has it.
  EXPECT_TRUE(done(sql(world.disk, "UPDATE validation SET reason = 'x'")));
  ASSERT_TRUE(done(world.disk.rename("/elsewhere", kSigner)));
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(validate(Validation::rejected, "a copy was seen")));
  EXPECT_TRUE(world.store->amendments(id)->empty()) << "it waits behind the one before";
  const Uuid first = id;
  id = other;
  ASSERT_TRUE(done(validate(Validation::accepted, "")));
  ASSERT_TRUE(done(world.store->amend(evidence({})))) << "another certificate";
  EXPECT_EQ(world.store->amendments(other)->size(), 2U);
  id = first;
  EXPECT_EQ(refusal(evidence({})), Errc::wrong_state);
  world.close();
  EXPECT_TRUE(done(sql(world.disk, "UPDATE validation SET reason = '' WHERE reason = 'x'")));
  ASSERT_TRUE(done(world.open()));
  const auto report = told();
  EXPECT_TRUE(report.verified);
  ASSERT_EQ(report.amendments.size(), 2U);
  EXPECT_EQ(report.amendments[0].validation, Validation::accepted);
  EXPECT_EQ(report.amendments[1].validation, Validation::rejected);
  EXPECT_FALSE(check_says("-altered"));
}

TEST_F(AnAmendedCertificate, WhoseVerdictIsStuckStopsNoOther) {
  constexpr const char* kSigner = "/slot-dir/signer.key";
  ASSERT_TRUE(done(world.import(small_asset("m:2", 2))));
  erase("m:2");
  world.close();
  ASSERT_TRUE(done(world.disk.rename(kSigner, "/elsewhere")));
  ASSERT_TRUE(done(world.open()));
  ASSERT_TRUE(done(validate(Validation::accepted, "")));
  id = *world.store->show_asset(world.asset("m:2").id)->certificate;
  ASSERT_TRUE(done(validate(Validation::rejected, "a copy was seen")));
  world.close();
  EXPECT_TRUE(done(sql(world.disk, "UPDATE validation SET reason = 'x' WHERE reason = ''")));
  ASSERT_TRUE(done(world.disk.rename("/elsewhere", kSigner)));
  ASSERT_TRUE(done(world.open()));
  EXPECT_EQ(world.store->amendments(id)->size(), 1U);
}

}  // namespace
}  // namespace aierase::test
