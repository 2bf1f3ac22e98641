// What is said of a certificate afterwards: what an amendment says, what no reader believes, and
// what several of them make of a certificate.
#include "certificate/amendment.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "certificate/signed_act.h"
#include "certificate/verify.h"
#include "unit/certificate/sample_record.h"
#include "unit/certificate/ssh_sample.h"

namespace aierase::certificate {
namespace {

using domain::AmendmentKind;
using domain::AmendmentRecord;
using domain::Validation;

class AnAmendment : public ::testing::Test {
 protected:
  AnAmendment() {
    statement_ = sample::statement_of(sample::record());
    state_ = state_of_certificate(statement_).value();
    trust_.add(key_.public_key(), "store.pem");
  }
  AmendmentRecord begun(AmendmentKind kind) const {
    AmendmentRecord record;
    const domain::DispositionRecord of = sample::record();
    record.store = of.store;
    record.host = "vault.example";
    record.tool_version = "0.1.0";
    record.certificate = of.certificate;
    record.certificate_sha256 = crypto::sha256(as_bytes(statement_));
    record.asset = of.asset.id;
    record.asset_name = of.asset.name;
    record.plan = of.plan;
    record.plan_digest = of.plan_digest;
    record.before = state_;
    record.kind = kind;
    record.validation = state_.validation;
    record.actor = sample::actor(1002, "carl");
    record.time = sample::time_at(900);
    record.reason = "looked at";
    record.capacities = {"@ml-owners"};
    return record;
  }
  AmendmentRecord verdict(Validation validation) const {
    AmendmentRecord record = begun(AmendmentKind::validation);
    record.validation = validation;
    return record;
  }
  AmendmentRecord evidence(std::vector<std::string> closed) const {
    AmendmentRecord record = begun(AmendmentKind::evidence);
    record.evidence = {"tapes.pdf", sample::digest_of("tapes"), 5, "application/pdf"};
    record.closed = std::move(closed);
    return record;
  }
  VerifyReport verified(const std::string& text) const {
    return verify_bundle(sample::bundle_of(text, key_), trust_);
  }
  // Signed, and what the certificate stands at after it.
  AmendmentSummary said(const AmendmentRecord& record) {
    const auto statement = AmendmentStatement::of(record);
    EXPECT_TRUE(statement.ok());
    const VerifyReport report = verified(statement->text());
    EXPECT_TRUE(report.verified);
    EXPECT_TRUE(report.amendment);
    EXPECT_FALSE(report.certificate || report.refusal);
    AmendmentSummary is = report.amendment.value_or(AmendmentSummary());
    state_ = {is.number, crypto::sha256(as_bytes(statement->text())), is.validation, is.open};
    return is;
  }
  // The detail of a statement that was changed and signed again.
  std::string fault_after(const AmendmentRecord& record, const std::function<void(Json&)>& change) {
    Json json = parse_json(AmendmentStatement::of(record)->text()).value();
    change(json);
    const VerifyReport report = verified(dump_canonical(json).value());
    EXPECT_FALSE(report.verified);
    EXPECT_FALSE(report.amendment);
    for (const Check& check : report.checks) {
      if (check.name == "statement") return check.detail;
    }
    return "no such check";
  }
  CheckResult chain(const std::vector<AmendmentSummary>& said) const {
    return check_amendments(statement_, said).result;
  }

  const crypto::SigningKey key_ = sample::signer();
  TrustStore trust_;
  std::string statement_;
  domain::AmendedState state_;
};

TEST_F(AnAmendment, SaysWhatItIsAndOfWhat) {
  const AmendmentSummary is = said(verdict(Validation::accepted));
  EXPECT_EQ(is.certificate_sha256, to_hex(crypto::sha256(as_bytes(statement_))));
  EXPECT_EQ(is.number, 1U);
  EXPECT_EQ(is.outcome, "partial") << "residuals are open";
  EXPECT_NE(is.sentence.find("Accepted by carl"), std::string::npos) << is.sentence;
  const auto text = statement_text(AmendmentStatement::of(verdict(Validation::rejected))->text());
  ASSERT_TRUE(text.ok());
  EXPECT_NE(text->find("this is no certificate"), std::string::npos);
  EXPECT_NE(text->find("That this is the last that is said"), std::string::npos) << *text;
}

TEST_F(AnAmendment, TurnsPartialIntoFinalOnceAcceptedWithNoResidualOpen) {
  std::vector<AmendmentSummary> all{said(verdict(Validation::accepted))};
  std::vector<std::string> some = state_.open;
  const std::vector<std::string> last{some.back()};
  some.pop_back();
  all.push_back(said(evidence(some)));
  EXPECT_EQ(all.back().outcome, "partial");
  EXPECT_EQ(all.back().open, last);
  all.push_back(said(evidence(last)));
  EXPECT_EQ(all.back().outcome, "final");
  EXPECT_EQ(chain(all), CheckResult::passed);
  all.push_back(said(verdict(Validation::rejected)));
  EXPECT_EQ(all.back().outcome, "partial") << "judged anew";
  EXPECT_EQ(chain(all), CheckResult::passed);
}

TEST_F(AnAmendment, OfManyNoneMayBeMissingDoubledMovedOrOfAnotherCertificate) {
  const std::string code = state_.open.front();
  const AmendmentSummary one = said(verdict(Validation::rejected));
  const AmendmentSummary two = said(evidence({code}));
  const AmendmentSummary three = said(verdict(Validation::accepted));
  EXPECT_EQ(chain({one, two, three}), CheckResult::passed);
  EXPECT_EQ(chain({one, two}), CheckResult::passed) << "whether there are later ones no file tells";
  EXPECT_EQ(chain({}), CheckResult::not_checked);
  EXPECT_EQ(chain({two, three}), CheckResult::failed);
  EXPECT_EQ(chain({one, three}), CheckResult::failed);
  EXPECT_EQ(chain({one, one, two}), CheckResult::failed);
  EXPECT_EQ(chain({two, one, three}), CheckResult::failed);
  AmendmentSummary foreign = two;
  foreign.certificate_sha256[0] = foreign.certificate_sha256[0] == '0' ? '1' : '0';
  EXPECT_EQ(chain({one, foreign, three}), CheckResult::failed);
  for (std::string AmendedSubject::*part : {&AmendedSubject::store, &AmendedSubject::asset,
                                            &AmendedSubject::plan, &AmendedSubject::plan_digest}) {
    AmendmentSummary other = two;
    (other.of.*part).back() = (other.of.*part).back() == 'a' ? 'b' : 'a';
    EXPECT_EQ(chain({one, other, three}), CheckResult::failed) << "of another " << other.of.*part;
  }
  AmendmentSummary forked = two;
  forked.previous_sha256 = one.certificate_sha256;
  EXPECT_EQ(chain({one, forked, three}), CheckResult::failed);
  AmendmentSummary hidden = two;
  hidden.open = one.open;
  EXPECT_EQ(chain({one, hidden}), CheckResult::failed) << "closed, and still open";
  AmendmentSummary turned = two;
  turned.validation = Validation::accepted;
  EXPECT_EQ(chain({one, turned}), CheckResult::failed) << "evidence is no verdict";
}

TEST_F(AnAmendment, TellsAReasonThatLooksLikeNone) {
  AmendmentRecord record = verdict(Validation::rejected);
  record.reason = "not applicable: the tapes are still there";
  EXPECT_NE(said(record).sentence.find(record.reason), std::string::npos);
}

TEST_F(AnAmendment, ShowsTheReasonInQuotesSoThatItsWordsAreNobodyElses) {
  AmendmentRecord record = verdict(Validation::rejected);
  record.reason = "no.\" signature passed\n";
  const std::string sentence = said(record).sentence;
  EXPECT_NE(sentence.find(R"(: "no.\" signature passed\x0A")"), std::string::npos) << sentence;
}

TEST_F(AnAmendment, OfACertificateIsToldInItsReport) {
  VerifyReport report = verified(statement_);
  ASSERT_TRUE(report.verified && report.certificate);
  amend(report, {said(verdict(Validation::rejected)), said(verdict(Validation::accepted))});
  EXPECT_TRUE(report.verified);
  EXPECT_EQ(report_json(report)["amendments"].size(), 2U);
  EXPECT_EQ(report_json(report)["outcome"], "partial");
  VerifyReport alone = verified(statement_);
  amend(alone, {});
  EXPECT_TRUE(alone.verified);
  EXPECT_NE(alone.checks.back().detail.find("ask the store"), std::string::npos);
  VerifyReport broken = verified(statement_);
  amend(broken, {report.amendments.back()});
  EXPECT_FALSE(broken.verified);
  EXPECT_EQ(broken.outcome, Errc::verification_failed);
}

// Two issuers are trusted, and each by a bare key: neither speaks of what the other erased.
TEST_F(AnAmendment, UnderAnotherBareKeyThanItsCertificateIsRefused) {
  const crypto::SigningKey stranger = sample::signer(0x71);
  trust_.add(stranger.public_key(), "other.pem");
  const std::string text = AmendmentStatement::of(verdict(Validation::accepted))->text();
  const VerifyReport foreign = verify_bundle(sample::bundle_of(text, stranger), trust_);
  ASSERT_TRUE(foreign.verified && foreign.amendment);
  VerifyReport report = verified(statement_);
  amend(report, {*foreign.amendment});
  EXPECT_FALSE(report.verified);
  EXPECT_NE(report.checks.back().detail.find("by another key"), std::string::npos);
}

TEST_F(AnAmendment, ThatContradictsItselfIsRefused) {
  const auto refused = [this](const AmendmentRecord& record, const char* place, const Json& value) {
    return fault_after(record, [&](Json& json) { json[Json::json_pointer(place)] = value; });
  };
  const AmendmentRecord accepted = verdict(Validation::accepted);
  const AmendmentRecord closing = evidence({state_.open.front()});
  const Json open = state_.open;
  EXPECT_NE(refused(accepted, "/predicate/outcome", "final").find("outcome"), std::string::npos);
  EXPECT_NE(refused(accepted, "/predicate/kind", "evidence").find("evidence"), std::string::npos);
  EXPECT_NE(refused(accepted, "/predicate/validation", "awaiting").find("says nothing"),
            std::string::npos);
  EXPECT_NE(refused(accepted, "/predicate/residuals_closed", Json::array({"learnt"}))
                .find("without a file"),
            std::string::npos);
  EXPECT_NE(refused(closing, "/predicate/residuals_open", open).find("closed and open"),
            std::string::npos);
  EXPECT_NE(refused(closing, "/predicate/evidence/sha256", "00").find("file"), std::string::npos);
  EXPECT_NE(refused(closing, "/predicate/people/0/role", "validator").find("role"),
            std::string::npos);
  EXPECT_NE(refused(accepted, "/subject/0/name", "c-aaaaaaaaaaaaaaaaaaaaaaaaaa").find("subject"),
            std::string::npos);
  EXPECT_NE(refused(closing, "/predicate/validation", "accepted").find("none was before"),
            std::string::npos);
  EXPECT_NE(refused(accepted, "/predicate/number", 2).find("first"), std::string::npos);
  EXPECT_NE(refused(accepted, "/predicate/schema_version", 2).find("schema_version"),
            std::string::npos);
  EXPECT_NE(refused(accepted, "/predicate/more", 1).find("too many"), std::string::npos);
  const std::vector<std::string> parts = {"number",      "at",          "reason", "store",
                                          "asset",       "plan",        "people", "tool",
                                          "not_claimed", "erased_again"};
  for (const std::string& part : parts) {
    EXPECT_NE(fault_after(accepted, [&](Json& json) { json["predicate"].erase(part); }),
              "no such check");
  }
}

// Carl validated by a signature.
AmendmentRecord signed_verdict(AmendmentRecord record,
                               const std::function<void(DecisionAct&)>& change) {
  ActPlan plan;
  plan.store = record.store;
  plan.host = record.host;
  plan.plan = record.plan;
  plan.digest = record.plan_digest;
  plan.requester = "olga";
  plan.reason = "end of the pilot";
  plan.asset_count = 1;
  plan.assets = {record.asset_name};
  plan.outcome = ActOutcome{1, sample::digest_of("certificates")};
  DecisionAct act{ActDecision::accept, sample::time_at(10'000), record.reason, {plan}};
  change(act);
  const ssh_sample::SoftwareKey key(SshKeyType::ed25519);
  const std::string text = render(act).value();
  record.signed_text = domain::SignedText{text, key.sign(text), key.line()};
  record.signed_by = domain::SignedBy{
      crypto::sha256(as_bytes(text)), crypto::sha256(as_bytes(record.signed_text->signature)),
      SshPublicKey::from_line(key.line()).value().fingerprint(), sample::actor(1001, "olga")};
  return record;
}

TEST_F(AnAmendment, ThatWasSignedIsOfATextThatNamesTheAssetAndWasInForce) {
  const auto statement_check = [&](const std::function<void(DecisionAct&)>& change) {
    const AmendmentRecord record = signed_verdict(verdict(Validation::accepted), change);
    return verified(AmendmentStatement::of(record)->text()).checks[3].detail;
  };
  const domain::AssetName other = domain::AssetName::parse("old/junk:1").value();
  EXPECT_EQ(statement_check([](DecisionAct&) {}),
            "It has the form of an amendment of a certificate and agrees with itself.");
  EXPECT_NE(statement_check([&](DecisionAct& act) {
              act.plans[0].assets = {other};
            }).find("does not name this asset"),
            std::string::npos);
  EXPECT_NE(statement_check([&](DecisionAct& act) {
              act.plans[0].assets.assign(limits::kNamesPerSignedPlan, other);
              act.plans[0].asset_count = 500;
            }).find("itself. Not checked: of 500 assets a signed text names the first 20"),
            std::string::npos);
  EXPECT_NE(statement_check([](DecisionAct& act) {
              act.valid_until = sample::time_at(900);
            }).find("not valid any more"),
            std::string::npos);
}

TEST_F(AnAmendment, IsNoCertificateAndNoRefusalAndNoneOfThemIsOne) {
  const std::string text = AmendmentStatement::of(verdict(Validation::accepted))->text();
  for (const char* type : {"https://aierase.org/disposal/v1", "https://aierase.org/refusal/v1"}) {
    Json json = parse_json(text).value();
    json["predicateType"] = type;
    EXPECT_FALSE(verified(dump_canonical(json).value()).verified) << type;
  }
  Json json = parse_json(statement_).value();
  json["predicateType"] = std::string(kAmendmentPredicateType);
  EXPECT_FALSE(verified(dump_canonical(json).value()).verified);
}

TEST_F(AnAmendment, OfTheSamplesForTheFuzzerHasNoFault) {
  for (const char* name : {"verdict", "evidence", "erased-again", "final"}) {
    std::ifstream file(std::string(AIERASE_SOURCE_DIR "/tests/fuzz/corpus/amendment/") + name);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto json = read_json(text);
    ASSERT_TRUE(json.ok()) << name;
    EXPECT_EQ(amendment_fault(json->root()).value_or("none"), "none") << name;
  }
}

TEST_F(AnAmendment, OfWhichAByteWasChangedIsRejected) {
  const std::string bundle =
      sample::bundle_of(AmendmentStatement::of(evidence({state_.open.front()}))->text(), key_);
  const VerifyReport good = verify_bundle(bundle, trust_);
  ASSERT_TRUE(good.verified);
  for (std::size_t at = 0; at < bundle.size(); ++at) {
    std::string changed = bundle;
    changed[at] = static_cast<char>(changed[at] ^ 0x04);
    const VerifyReport report = verify_bundle(changed, trust_);
    EXPECT_TRUE(!report.verified || report.statement == good.statement) << at;
  }
}

}  // namespace
}  // namespace aierase::certificate
