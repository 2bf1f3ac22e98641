#include "certificate/tpm_evidence.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "certificate/statement_check.h"
#include "unit/certificate/sample_tpm.h"

namespace aierase::certificate {
namespace {

using domain::Level;

StatementFindings findings_of(const Json& statement) {
  const JsonDocument read = read_json(statement.dump()).value();
  return check_statement(read.root());
}

std::string tpm_fault_of(const Json& statement) {
  return findings_of(statement).statement_fault.value_or("");
}

std::string fault_after(const std::function<void(sample::Words&)>& change) {
  const std::string text = sample::tpm_statement_of(sample::tpm_record(Level::ea4), change);
  return tpm_fault_of(*parse_json(text));
}

std::string fault_after_edit(const std::function<void(Json&)>& change) {
  Json json = *parse_json(sample::tpm_statement_of(sample::tpm_record(Level::ea4)));
  change(json["predicate"]);
  return tpm_fault_of(json);
}

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(EvidenceOfATpm, HoldsWhereTheTpmSignedZeroForThisErasure) {
  EXPECT_EQ(fault_after([](sample::Words&) {}), "");
}

TEST(EvidenceOfATpm, IsRefusedWhateverElseItSigned) {
  EXPECT_TRUE(
      says(fault_after([](sample::Words& words) { words.slot.contents[95] = std::byte{1}; }),
           "not zero"));
  EXPECT_TRUE(says(fault_after([](sample::Words& words) { words.slot.magic ^= 1U; }),
                   "no statement of a TPM"));
  EXPECT_TRUE(says(fault_after([](sample::Words& words) { words.counter.type = 0x801C; }),
                   "no statement of a TPM"));
  EXPECT_TRUE(
      says(fault_after([](sample::Words& words) { words.slot.bound_to = {}; }), "another erasure"));
}

// A zero index is soon defined: only the store's own count.
TEST(EvidenceOfATpm, IsOfTheSlotAndTheCounterOfThisStoreAlone) {
  const std::function<void(sample::Words&)> changes[] = {
      [](sample::Words& words) { words.slot.index += 4; },
      [](sample::Words& words) { words.slot.index ^= 1U; },                 // of the living epoch
      [](sample::Words& words) { words.slot.attributes |= 1U << 16U; },     // ppread
      [](sample::Words& words) { words.slot.attributes &= ~(1U << 29U); },  // never written
      [](sample::Words& words) { words.counter.index += 1; },
      [](sample::Words& words) { words.counter.attributes = sample::kSlotAttributes; }};
  for (const auto& change : changes) EXPECT_TRUE(says(fault_after(change), "another NV index"));
}

TEST(EvidenceOfATpm, NamesItsStore) {
  EXPECT_TRUE(
      says(fault_after_edit([](Json& p) { p["store"]["id"] = sample::uuid_of(0x56).text(); }),
           "the intent"));
}

// Whether evidence is needed is not for the evidence to say.
TEST(EvidenceOfATpm, CannotBeLeftOutBySayingThatTheSlotWasAFile) {
  EXPECT_TRUE(says(fault_after_edit([](Json& p) { p["evidence"].erase("tpm"); }), "no key of one"));
  EXPECT_TRUE(says(fault_after_edit([](Json& p) {
                     p["evidence"].erase("tpm");
                     p["evidence"]["slot_kind"] = "file";
                   }),
                   "another kind"));
  EXPECT_TRUE(says(fault_after_edit([](Json& p) { p["root_slots"][0]["epoch_to"] = 3; }),
                   "no root slot of the epoch"));
}

TEST(EvidenceOfATpm, IsNeededFromEA3UpWhateverTheKindOfTheSlot) {
  for (const Level level : {Level::ea2, Level::ea3, Level::ea4}) {
    domain::DispositionRecord record = sample::tpm_record(level);
    for (domain::EpochRecord& epoch : record.epochs) epoch.assurance.kind = "file";
    const std::string fault = tpm_fault_of(*parse_json(sample::statement_of(record)));
    EXPECT_EQ(says(fault, "no key of one"), level >= Level::ea3) << fault;
  }
}

TEST(EvidenceOfATpm, DoesNotSaveTheHostFromSayingThatTheKeyIsATpmsByItsWordAlone) {
  Json json = *parse_json(sample::tpm_statement_of(sample::tpm_record(Level::ea4)));
  EXPECT_EQ(findings_of(json).residuals_fault, std::nullopt);
  Json& residuals = json["predicate"]["residuals"];
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    if (residuals[i]["code"] == "own-word") residuals.erase(i--);
  }
  EXPECT_TRUE(says(findings_of(json).residuals_fault.value_or(""), "own-word is withheld"));
}

Digest end_of(Digest at, const std::vector<domain::IntentStep>& steps) {
  for (const domain::IntentStep& step : steps) {
    at = step.side == domain::IntentStep::Side::left ? translog::node_hash(step.neighbour, at)
                                                     : translog::node_hash(at, step.neighbour);
  }
  return at;
}

std::vector<Digest> leaves(std::size_t count) {
  std::vector<Digest> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(sample::digest_of(std::to_string(i)));
  return result;
}

TEST(TheTreeOfARound, LeadsFromEachIntentToTheRootOfRfc6962) {
  for (std::size_t count = 1; count <= 70; ++count) {
    const std::vector<Digest> all = leaves(count);
    const IntentTree tree(all);
    const Digest root = translog::replay(all).root;
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(end_of(all[i], tree.steps(i)), root) << i << " of " << count;
    }
  }
}

// 2^15 ways in 2^15 hashes; made anew for each way it would be 2^30, and no test ends so late.
TEST(TheTreeOfARound, IsHashedOnceForAllItsWays) {
  const std::vector<Digest> all = leaves(std::size_t{1} << 15U);
  const IntentTree tree(all);
  std::size_t steps = 0;
  for (std::size_t i = 0; i < all.size(); ++i) steps += tree.steps(i).size();
  EXPECT_EQ(steps, all.size() * 15);
  EXPECT_EQ(end_of(all[4711], tree.steps(4711)), translog::replay(all).root);
}

// What nobody asked for is shown to people all the same.
TEST(EvidenceOfATpm, HasToHoldAlsoWhereNoneIsNeeded) {
  Json json = *parse_json(sample::statement_of(sample::record()));
  EXPECT_EQ(tpm_fault_of(json), "");
  json["predicate"]["evidence"]["tpm"] = Json::object();
  EXPECT_TRUE(says(tpm_fault_of(json), "no key of one"));
}

}  // namespace
}  // namespace aierase::certificate
