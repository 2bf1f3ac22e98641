// The people of a statement: what an approver signed has to hold, and has to be about this plan.
#include "certificate/people_check.h"

#include <gtest/gtest.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "certificate/signed_act.h"
#include "certificate/verify.h"
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
  const JsonDocument read = read_json(predicate.dump()).value();
  return people_fault(read.root()).value_or("");
}

std::string cut_of(const Json& predicate) {
  const JsonDocument read = read_json(predicate.dump()).value();
  return cut_of_approvers(read.root());
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

TEST(AnApproverWhoSigned, SignedATextThatNamesThisAsset) {
  DecisionAct act = act_about(sample::record());
  act.plans[0].assets = {domain::AssetName::parse("old/junk:1").value()};
  EXPECT_EQ(fault_of(predicate_of(signed_record(act))),
            "what an approver signed does not name this asset");
  act.plans[0].assets.push_back(sample::record().asset.name);
  act.plans[0].asset_count = 2;
  const Json predicate = predicate_of(signed_record(act));
  EXPECT_EQ(fault_of(predicate), "");
  EXPECT_EQ(cut_of(predicate), "");
}

TEST(AnApproverWhoSigned, OfALongPlanMayHaveSignedATextThatIsCutBeforeThisAsset) {
  DecisionAct act = act_about(sample::record());
  std::vector<domain::AssetName>& named = act.plans[0].assets;
  named.assign(limits::kNamesPerSignedPlan, domain::AssetName::parse("old/junk:1").value());
  act.plans[0].asset_count = named.size() + 1;
  const Json predicate = predicate_of(signed_record(act));
  EXPECT_EQ(fault_of(predicate), "");
  EXPECT_EQ(cut_of(predicate).find(" Not checked: of 21 assets a signed text names the first 20"),
            0U);
  named.back() = sample::record().asset.name;
  EXPECT_EQ(cut_of(predicate_of(signed_record(act))), "");
}

TEST(AnApproverWhoSigned, DidSoBeforeTheTextEnded) {
  const std::string late = "what an approver signed was not valid any more when it counted";
  const auto until = [](std::int64_t seconds) {
    DecisionAct act = act_about(sample::record());
    act.valid_until = sample::time_at(seconds);
    return fault_of(predicate_of(signed_record(act)));
  };
  EXPECT_EQ(until(201), "");
  EXPECT_EQ(until(200), late) << "the moment it counted";
  EXPECT_EQ(until(-10'000), late);
  Json predicate = predicate_of(signed_record(act_about(sample::record())));
  predicate["people"].back()["at"] = "yesterday";
  EXPECT_EQ(fault_of(predicate), late);
}

TEST(AnApproverWhoSigned, IsAnotherPersonThanWhoAskedHoweverTheyAreSpelled) {
  const std::string one = "it speaks of two people, but the requester approved";
  Json predicate = predicate_of(signed_record(act_about(sample::record())));
  Json& requester = predicate["people"][1];
  Json& approver = predicate["people"].back();
  requester["person"] = "carl";
  EXPECT_EQ(fault_of(predicate), one) << "account and entry against the entry alone";
  approver["uid"] = 1002U;
  EXPECT_EQ(fault_of(predicate), one) << "another account of the same entry";
  requester["person"] = "olga";
  EXPECT_EQ(fault_of(predicate), "");
  approver["uid"] = 1001U;
  EXPECT_EQ(fault_of(predicate), one) << "the same account under another entry";
  requester.erase("person");
  EXPECT_EQ(fault_of(predicate), one) << "account and entry against the account alone";
}

TEST(AnApproverWhoSigned, IsAnotherPersonThanWhoAsked) {
  Json predicate = predicate_of(signed_record(act_about(sample::record())));
  predicate["people"].back()["uid"] = 1001U;
  EXPECT_EQ(fault_of(predicate), "it speaks of two people, but the requester approved");
  predicate["people"].back()["uid"] = "none";
  predicate["people"].back().erase("person");
  EXPECT_EQ(fault_of(predicate), "a person has neither uid nor entry");
}

// ---- in advance ---------------------------------------------------------------------------------

domain::DispositionRecord record_in_advance() {
  domain::DispositionRecord record = sample::record();
  domain::Approval& approval = record.approvals.front();
  approval.standing = domain::StandingUse{sample::uuid_of(0x77),
                                          "pilots",
                                          sample::digest_of("rules"),
                                          sample::time_at(-90),
                                          sample::time_at(-100),
                                          sample::time_at(400),
                                          39};
  return record;
}

StandingApproval text_in_advance(const domain::DispositionRecord& record) {
  const domain::StandingUse& terms = *record.approvals.front().standing;
  return {terms.id,    record.store, record.host, terms.retention_class,
          terms.rules, "carl",       terms.from,  terms.until};
}

domain::DispositionRecord signed_in_advance(const StandingApproval& act) {
  const SoftwareKey key(SshKeyType::ed25519);
  domain::DispositionRecord record = record_in_advance();
  const domain::SignedText text{render(act).value(), key.sign(render(act).value()), key.line()};
  domain::SignedBy by{crypto::sha256(as_bytes(text.text)), crypto::sha256(as_bytes(text.signature)),
                      SshPublicKey::from_line(key.line()).value().fingerprint(),
                      sample::actor(1001, "olga")};
  record.signed_texts.emplace(by.signature, text);
  record.approvals.front().signed_by = std::move(by);
  return record;
}

TEST(AnApprovalInAdvance, SaysForWhichClassAndUntilWhen) {
  const Json predicate = predicate_of(record_in_advance());
  EXPECT_EQ(fault_of(predicate), "");
  const Json& standing = predicate.at("people").back().at("standing_approval");
  EXPECT_EQ(standing.at("retention_class"), "pilots");
  EXPECT_EQ(standing.at("valid_until"), to_rfc3339(sample::time_at(400)));
  const Result<std::string> text = statement_text(sample::statement_of(record_in_advance()));
  ASSERT_TRUE(text.ok());
  EXPECT_NE(text->find("in advance, for what the class pilots makes due"), std::string::npos)
      << *text;
}

TEST(AnApprovalInAdvance, WasInForceWhenItCountedAndWhenTheErasureBegan) {
  const Json good = predicate_of(record_in_advance());
  const auto with = [&](const char* key, const std::string& value) {
    Json predicate = good;
    predicate["people"].back()["standing_approval"][key] = value;
    return fault_of(predicate);
  };
  const std::string late = "an approval in advance was not in force when it counted";
  EXPECT_EQ(with("valid_until", to_rfc3339(sample::time_at(200))), late) << "the moment it counted";
  EXPECT_EQ(with("valid_until", to_rfc3339(sample::time_at(301))), late) << "the intent";
  EXPECT_EQ(with("valid_until", to_rfc3339(sample::time_at(302))), "");
  EXPECT_EQ(with("valid_from", to_rfc3339(sample::time_at(201))), late);
  EXPECT_EQ(with("given_at", "yesterday"), "an approval in advance says not when");
  EXPECT_EQ(with("retention_class", "others"),
            "an approval in advance is for a class that did not apply");
}

TEST(AnApprovalInAdvance, ThatIsSignedIsTheOneThatCounted) {
  const StandingApproval good = text_in_advance(record_in_advance());
  EXPECT_EQ(fault_of(predicate_of(signed_in_advance(good))), "");
  using Change = void (*)(StandingApproval&);
  const Change changes[] = {
      [](StandingApproval& act) { act.id = sample::uuid_of(0x78); },
      [](StandingApproval& act) { act.store = sample::uuid_of(0x56); },
      [](StandingApproval& act) { act.retention_class = "default"; },
      [](StandingApproval& act) { act.rules = sample::digest_of("other rules"); },
      [](StandingApproval& act) { act.valid_from += std::chrono::seconds(1); },
      [](StandingApproval& act) { act.valid_until -= std::chrono::seconds(1); },
  };
  for (const Change change : changes) {
    StandingApproval act = good;
    change(act);
    EXPECT_EQ(fault_of(predicate_of(signed_in_advance(act))),
              "what an approver signed is not the approval in advance that counted");
  }
  const Json plan_text = predicate_of(signed_record(act_about(sample::record())));
  Json mixed = plan_text;
  mixed["people"].back()["standing_approval"] =
      predicate_of(record_in_advance())["people"].back()["standing_approval"];
  EXPECT_EQ(fault_of(mixed), "what an approver signed is not the approval in advance that counted");
}

// Each against each, this would take a minute.
TEST(TheApproversOfAHostileStatement, AreNoTrapHoweverManyThereAre) {
  constexpr std::size_t kMany = 40'000;
  std::string classes, people;
  for (std::size_t i = 0; i < kMany; ++i) {
    const std::string name = "\"a class of the same length " + std::to_string(100'000 + i) + '"';
    classes += (i == 0 ? "" : ",") + name;
    people += R"({"role":"approver","person":"p","at":"2026-01-02T00:00:00Z","standing_approval":{)"
              R"("given_at":"2026-01-01T00:00:00Z","valid_from":"2026-01-01T00:00:00Z",)"
              R"("valid_until":"2027-01-01T00:00:00Z","retention_class":)" +
              name + "}},";
  }
  const std::string text =
      R"({"holds":{"found":0},"disposal":{"approvals":[1],"people_rule":"single-operator"},)"
      R"("times":{"intent_at":"2026-01-03T00:00:00Z"},"policy":{"classes":[)" +
      classes + R"(]},"people":[)" + people + R"({"role":"requester","uid":7}]})";
  const std::clock_t start = std::clock();
  const JsonDocument read = read_json(text).value();
  EXPECT_EQ(people_fault(read.root()).value_or(""), "");
  EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, 4);
}

}  // namespace
}  // namespace aierase::certificate
