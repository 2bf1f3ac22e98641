// The people of a statement: what an approver signed has to hold, and has to be about this plan.
#include "certificate/people_check.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "certificate/signed_act.h"
#include "unit/certificate/sample_record.h"
#include "unit/certificate/ssh_sample.h"

namespace aierase::certificate {
namespace {

using ssh_sample::SoftwareKey;

DecisionAct act_about(const domain::DispositionRecord& record) {
  ActPlan plan;
  plan.store = record.store;
  plan.host = record.host;
  plan.plan = record.plan;
  plan.digest = record.plan_digest;
  plan.requester = record.requester.login;
  plan.reason = record.reason;
  plan.asset_count = 1;
  plan.assets = {record.asset.name};
  return {ActDecision::approve, sample::time_at(10'000), "", {plan}};
}

// Carl has no account; he signed.
domain::DispositionRecord signed_record(const DecisionAct& act) {
  const SoftwareKey key(SshKeyType::ed25519);
  domain::DispositionRecord record = sample::record();
  domain::Approval& approval = record.approvals.front();
  approval.actor.uid = domain::kNoUid;
  approval.actor.audit_login_uid.reset();
  approval.actor.person = domain::PersonEntry{"carl", "Carl Carlson", "", "", "", "carl@example"};
  const domain::SignedText text{render(act).value(), key.sign(render(act).value()), key.line()};
  approval.signed_by = domain::SignedBy{
      crypto::sha256(as_bytes(text.text)), crypto::sha256(as_bytes(text.signature)),
      SshPublicKey::from_line(key.line()).value().fingerprint(), sample::actor(1001, "olga")};
  record.signed_texts.emplace(approval.signed_by->signature, text);
  return record;
}

Json predicate_of(const domain::DispositionRecord& record) {
  return parse_json(sample::statement_of(record)).value().at("predicate");
}

std::string fault_of(const Json& predicate) {
  return people_fault(predicate).value_or("");
}

TEST(AnApproverWhoSigned, StandsThereWithKeyTextAndWhoItIs) {
  const Json predicate = predicate_of(signed_record(act_about(sample::record())));
  EXPECT_EQ(fault_of(predicate), "");
  const Json& approver = predicate.at("people").back();
  EXPECT_EQ(approver.at("person"), "carl");
  EXPECT_FALSE(approver.at("uid").is_number());
  EXPECT_EQ(approver.at("contact_details").at("name"), "Carl Carlson");
  EXPECT_EQ(approver.at("signature").at("carried_by"), "olga");
}

TEST(AnApproverWhoSigned, SignedThisPlanOfThisStoreAndApprovedIt) {
  using Change = void (*)(DecisionAct&);
  const Change changes[] = {
      [](DecisionAct& act) { act.plans[0].plan = sample::uuid_of(0x45); },
      [](DecisionAct& act) { act.plans[0].digest = sample::digest_of("another"); },
      [](DecisionAct& act) { act.plans[0].store = sample::uuid_of(0x56); },
      [](DecisionAct& act) {
        act.decision = ActDecision::reject;
        act.comment = "no";
      },
  };
  for (const Change change : changes) {
    DecisionAct act = act_about(sample::record());
    change(act);
    EXPECT_EQ(fault_of(predicate_of(signed_record(act))),
              "what an approver signed is not about this plan");
  }
}

TEST(AnApproverWhoSigned, SignedWhatStandsThereWithTheKeyThatStandsThere) {
  const Json good = predicate_of(signed_record(act_about(sample::record())));
  const auto with = [&](const char* key, const std::string& value) {
    Json predicate = good;
    predicate["people"].back()["signature"][key] = value;
    return fault_of(predicate);
  };
  const std::string digests = "what an approver signed is not what its digests say";
  EXPECT_EQ(with("text_base64", to_base64(as_bytes("another"))), digests);
  EXPECT_EQ(with("text_base64", "%"), digests);
  EXPECT_EQ(with("signature_sha256", std::string(64, '0')), digests);
  EXPECT_EQ(with("key", "SHA256:another"), "an approver signed with another key than it names");
  EXPECT_EQ(with("public_key", "ssh-ed25519 AAAA"),
            "an approver signed with another key than it names");
  Json other = good;
  Json& part = other["people"].back()["signature"];
  const std::string text = "another text";
  part["text_base64"] = to_base64(as_bytes(text));
  part["text_sha256"] = to_hex(crypto::sha256(as_bytes(text)));
  EXPECT_EQ(fault_of(other), "the signature of an approver does not hold");
}

TEST(AnApproverWhoSigned, IsAnotherPersonThanWhoAsked) {
  Json predicate = predicate_of(signed_record(act_about(sample::record())));
  predicate["people"].back()["uid"] = 1001U;
  EXPECT_EQ(fault_of(predicate), "it speaks of two people, but the requester approved");
  predicate["people"].back()["uid"] = "none";
  predicate["people"].back().erase("person");
  EXPECT_EQ(fault_of(predicate), "a person has neither uid nor entry");
}

}  // namespace
}  // namespace aierase::certificate
