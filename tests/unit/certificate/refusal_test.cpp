// The record of a plan that ended otherwise than done: what it says, and what no reader believes.
#include "certificate/refusal.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "certificate/signed_act.h"
#include "certificate/verify.h"
#include "unit/certificate/sample_refusal.h"
#include "unit/certificate/ssh_sample.h"

namespace aierase::certificate {
namespace {

using domain::ItemState;
using domain::PlanState;

using sample::refusal;

std::string text_of(const domain::RefusalRecord& record) {
  const auto statement = RefusalStatement::of(record);
  EXPECT_TRUE(statement.ok()) << statement.error().message;
  return statement.ok() ? statement->text() : std::string();
}

std::string refusal_fault_of(std::string_view statement) {
  const JsonDocument read = read_json(statement).value();
  return refusal_fault(read.root()).value_or("");
}

VerifyReport verified(const std::string& statement) {
  const auto key = sample::signer();
  const auto kept = RefusalStatement::kept(statement);
  // What our own signing refuses somebody else may have signed: here with the way of certificates.
  const std::string bundle =
      kept.ok() ? bundle_json(statement, kept->sign(key).value(), key.public_key()).value()
                : sample::bundle_of(statement, key);
  TrustStore trust;
  trust.add(key.public_key(), "store.pem");
  return verify_bundle(bundle, trust);
}

std::string fault_after(PlanState outcome, const std::function<void(Json&)>& change) {
  Json json = parse_json(text_of(refusal(outcome))).value();
  change(json);
  const std::string text = dump_canonical(json).value();
  EXPECT_FALSE(RefusalStatement::kept(text).ok()) << "it would have been signed";
  const VerifyReport report = verified(text);
  EXPECT_FALSE(report.verified);
  EXPECT_FALSE(report.refusal);
  for (const Check& check : report.checks) {
    if (check.name == "statement") return check.detail;
  }
  return "no such check";
}

TEST(TheRecordOfARefusal, IsVerifiedAndSaysThatItIsNoCertificate) {
  const PlanState outcomes[] = {PlanState::rejected, PlanState::cancelled, PlanState::expired,
                                PlanState::stale,    PlanState::failed,    PlanState::partial};
  for (const PlanState outcome : outcomes) {
    SCOPED_TRACE(std::string(domain::to_text(outcome)));
    const VerifyReport report = verified(text_of(refusal(outcome)));
    ASSERT_TRUE(report.verified);
    ASSERT_TRUE(report.refusal);
    EXPECT_EQ(report.refusal->outcome, outcome);
    EXPECT_EQ(report_json(report).at("record"), "refusal");
    EXPECT_EQ(report_json(report).at("outcome"), std::string(domain::to_text(outcome)));
    const std::string text = statement_text(report.statement).value();
    const std::string title = text.substr(0, text.find('\n'));
    EXPECT_EQ(title, outcome == PlanState::partial
                         ? "RECORD OF WHAT WAS NOT ERASED - this is no certificate"
                         : "RECORD THAT NOTHING WAS ERASED - this is no certificate");
    EXPECT_NE(text.find("still in use"), std::string::npos);
  }
}

TEST(TheRecordOfARefusal, SaysWhoWantedWhatAndWhoEndedItWhy) {
  const std::string text = text_of(refusal(PlanState::partial));
  EXPECT_EQ(text, text_of(refusal(PlanState::partial))) << "not deterministic";
  const Json json = parse_json(text).value();
  EXPECT_EQ(dump_canonical(json).value(), text) << "not canonical";
  const Json& predicate = json.at("predicate");
  const std::string plan = domain::id_text(domain::IdType::plan, sample::uuid_of(0x44));
  EXPECT_EQ(json.at("subject").at(0).at("name"), plan);
  EXPECT_EQ(json.at("subject").at(0).at("digest").at("sha256"), to_hex(sample::digest_of("plan")));
  EXPECT_EQ(predicate.at("plan").at("requester"), "olga");
  EXPECT_EQ(predicate.at("plan").at("reason"), "end of the pilot");
  EXPECT_EQ(predicate.at("ended").at("by"), "carl");
  EXPECT_EQ(predicate.at("ended").at("as_custodian"), Json::array({"carl"}));
  EXPECT_EQ(predicate.at("policy").at("at_request_sha256"), to_hex(sample::digest_of("policy")));
  EXPECT_EQ(predicate.at("items").at(0).at("certificate"),
            domain::id_text(domain::IdType::certificate, sample::uuid_of(0xC0)));
  EXPECT_EQ(predicate.at("items").at(1).at("reasons"), Json::array({"held for \"Case 7\""}));
  EXPECT_EQ(predicate.at("text"), "1 asset was not erased by it, 1 asset was");
  EXPECT_EQ(predicate.at("people").size(), 3U);
}

TEST(TheRecordOfARefusal, IsNotBelievedWhereItContradictsItself) {
  const auto in = [](Json& json) -> Json& { return json["predicate"]; };
  const auto rejected = [](const std::function<void(Json&)>& change) {
    return fault_after(PlanState::rejected, change);
  };
  const auto has = [](const std::string& text, const char* part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  has(rejected([&](Json& j) { in(j)["outcome"] = "done"; }), "outcome");
  has(rejected([&](Json& j) { in(j)["outcome"] = "partial"; }), "outcome");
  has(rejected([&](Json& j) { j["subject"][0]["name"] = "p-other"; }), "subject");
  has(rejected([&](Json& j) { j["subject"][0]["digest"]["sha256"] = std::string(64, '0'); }),
      "subject");
  has(rejected([&](Json& j) { in(j)["items"][0]["state"] = "erased"; }), "contradict");
  has(rejected([&](Json& j) { in(j)["items"][0]["state"] = "gone"; }), "state");
  has(rejected([&](Json& j) { in(j)["items"][1]["asset"] = in(j)["items"][0]["asset"]; }), "twice");
  has(rejected([&](Json& j) { in(j)["items"] = Json::array(); }), "no item");
  has(rejected([&](Json& j) { in(j)["not_erased"] = 7; }), "what its items say");
  has(rejected([&](Json& j) { in(j)["text"] = "all was erased"; }), "what its items say");
  has(rejected([&](Json& j) { in(j)["people"].erase(0); }), "not named");
  has(rejected([&](Json& j) { in(j)["people"][0]["uid"] = 1002; }), "two people");
  has(rejected([&](Json& j) { in(j)["people"][0].erase("uid"); }), "neither uid nor entry");
  has(rejected([&](Json& j) { in(j)["policy"]["at_end_sha256"] = "none"; }), "policy");
  has(rejected([&](Json& j) { in(j)["ended"].erase("at"); }), "times");
  has(rejected([&](Json& j) { in(j).erase("store"); }), "lacks store");
  has(rejected([&](Json& j) { in(j)["schema_version"] = 2; }), "schema_version");
  has(fault_after(PlanState::partial, [&](Json& j) { in(j)["items"][0].erase("certificate"); }),
      "contradict");
}

TEST(TheRecordOfARefusal, IsOfHostileJsonAnAnswerAndNeverACrash) {
  for (const char* text :
       {"{}", "[]", "1", "{\"predicateType\":3}",
        "{\"predicateType\":\"https://aierase.org/refusal/v1\"}",
        "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":0,"
        "\"predicateType\":\"https://aierase.org/refusal/v1\",\"predicate\":[]}"}) {
    EXPECT_NE(refusal_fault_of(text), "") << text;
  }
}

TEST(TheSignatureOfRefusals, IsNotToBeHadForADisposal) {
  EXPECT_EQ(RefusalStatement::kept(sample::statement_of(sample::record())).error().code,
            Errc::damaged);
  EXPECT_EQ(RefusalStatement::kept("no JSON").error().code, Errc::damaged);
  EXPECT_FALSE(RefusalStatement::of(refusal(PlanState::done)).ok());
}

// Whoever ends a plan must be able to: what has no known end is left out before the record is.
TEST(TheRecordOfARefusal, FitsWhateverThePlanIs) {
  domain::RefusalRecord record = refusal(PlanState::rejected);
  record.plan.items.clear();
  for (std::size_t i = 0; i < limits::kItemsPerPlan; ++i) {
    domain::PlanItem one = sample::refused_item(1, ItemState::dropped);
    one.asset = Uuid::random();
    one.reasons.assign(6, {Errc::legal_hold, std::string(1'000, 'x')});
    record.plan.items.push_back(one);
  }
  const std::string text = text_of(record);
  EXPECT_LT(text.size(), limits::kCertificateBytes / 8);
  const VerifyReport report = verified(text);
  EXPECT_TRUE(report.verified);
  EXPECT_NE(parse_json(text)->at("predicate").at("left_out"), "nothing");
  record.plan.items.resize(3);
  EXPECT_EQ(parse_json(text_of(record))->at("predicate").at("left_out"), "nothing");
}

TEST(TheRecordOfARefusal, TakesAHostNameOfAnyBytes) {
  domain::RefusalRecord record = refusal(PlanState::cancelled);
  record.host = "v\xff\x01";
  EXPECT_TRUE(verified(text_of(record)).verified);
}

domain::RefusalRecord signed_rejection(const std::function<void(DecisionAct&)>& change) {
  domain::RefusalRecord record = refusal(PlanState::rejected);
  ActPlan plan;
  plan.store = record.store;
  plan.host = record.host;
  plan.plan = record.plan.id;
  plan.digest = record.plan.digest;
  plan.requester = "olga";
  plan.reason = record.plan.reason;
  plan.asset_count = 1;
  plan.assets = {record.plan.items.front().name};
  DecisionAct act{ActDecision::reject, sample::time_at(10'000), "still in use", {plan}};
  change(act);
  const ssh_sample::SoftwareKey key(SshKeyType::ed25519);
  const std::string text = render(act).value();
  record.signed_text = domain::SignedText{text, key.sign(text), key.line()};
  record.ending.signed_by = domain::SignedBy{
      crypto::sha256(as_bytes(text)), crypto::sha256(as_bytes(record.signed_text->signature)),
      SshPublicKey::from_line(key.line()).value().fingerprint(), sample::actor(1001, "olga")};
  return record;
}

TEST(ARejectionThatWasSigned, StandsThereWholeAndHasToBeThisOne) {
  const auto fault = [](const std::function<void(DecisionAct&)>& change) {
    return refusal_fault_of(text_of(signed_rejection(change)));
  };
  EXPECT_EQ(fault([](DecisionAct&) {}), "");
  EXPECT_NE(fault([](DecisionAct& act) { act.comment = "another reason"; }), "");
  EXPECT_NE(fault([](DecisionAct& act) { act.decision = ActDecision::approve; }), "");
  EXPECT_NE(fault([](DecisionAct& act) { act.plans[0].plan = sample::uuid_of(0x45); }), "");
  EXPECT_NE(fault([](DecisionAct& act) { act.plans[0].store = sample::uuid_of(0x56); }), "");
  EXPECT_NE(fault([](DecisionAct& act) { act.plans[0].digest = sample::digest_of("x"); }), "");
  Json same = parse_json(text_of(signed_rejection([](DecisionAct&) {}))).value();
  same["predicate"]["people"][0]["person"] = "carl";
  same["predicate"]["people"].back()["person"] = "carl";
  EXPECT_NE(refusal_fault_of(same.dump()).find("the requester rejected"), std::string::npos)
      << "two accounts of one entry";
  Json json = parse_json(text_of(signed_rejection([](DecisionAct&) {}))).value();
  json["predicate"]["people"].back()["signature"]["key"] = "SHA256:another";
  EXPECT_NE(refusal_fault_of(json.dump()), "");
}

}  // namespace
}  // namespace aierase::certificate
