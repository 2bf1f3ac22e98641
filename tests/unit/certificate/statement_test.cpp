#include "certificate/statement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/json.h"
#include "certificate/canonical_text.h"
#include "certificate/claims.h"
#include "unit/certificate/sample_record.h"

namespace aierase::certificate {
namespace {

using domain::AssetKind;
using domain::Level;
using domain::SourceHistory;

Json parsed_statement(const domain::DispositionRecord& record) {
  return parse_json(sample::statement_of(record)).value();
}

bool has_residual(const Json& statement, std::string_view code, std::string_view part = "") {
  const Json& residuals = statement["predicate"]["residuals"];
  return std::any_of(residuals.begin(), residuals.end(), [&](const Json& residual) {
    return residual["code"] == code &&
           residual["text"].get<std::string>().find(part) != std::string::npos;
  });
}

domain::DispositionRecord dataset_key_record() {
  auto record = sample::record();
  record.asset.kind = AssetKind::dataset_key;
  record.asset.file_count = 1;
  record.asset.bytes = 32;
  record.files = {sample::file("training.key", 32, "the key itself")};
  record.blobs.clear();
  return record;
}

domain::DispositionRecord configuration_record() {
  auto record = sample::record();
  record.asset.kind = AssetKind::configuration;
  record.configuration_salt = sample::digest_of("salt");
  sample::set_files(record, {sample::file("prompt.txt", 12, "be polite")});
  return record;
}

domain::ExportRecord export_to(domain::ExportMedium medium) {
  domain::ExportRecord record;
  record.time = sample::time_at(50);
  record.actor = sample::actor(1003, "eve");
  record.medium = medium;
  record.scope = "all";
  record.destination = "/mnt/usb/out";
  return record;
}

// Leaves of a JSON value; none may be empty.
void expect_no_blank(const Json& value, const std::string& path) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) expect_no_blank(member, path + "/" + key);
  } else if (value.is_array()) {
    for (const Json& item : value) expect_no_blank(item, path + "/");
  } else {
    EXPECT_FALSE(value.is_null()) << path;
    EXPECT_NE(value, "") << path;
  }
}

TEST(TheStatementOfAFixedRecord, IsTheCheckedInVector) {
  const std::string file = AIERASE_SOURCE_DIR "/tests/vectors/statement_v1.json";
  std::ifstream stream(file, std::ios::binary);
  std::stringstream expected;
  expected << stream.rdbuf();
  const std::string actual = sample::statement_of(sample::record());
  if (actual != expected.str()) {
    const std::string found = AIERASE_BINARY_DIR "/statement_v1.json.actual";
    std::ofstream(found, std::ios::binary) << actual;
    FAIL() << "the statement changed: compare " << file << " with " << found
           << ", and copy it by hand only where the change of the format is meant";
  }
}

TEST(AStatement, IsCanonicalJson) {
  auto record = sample::record();
  record.reason = "quote \" backslash \\ tab \t bell \a newline \n slash / \x7f é € 😀";
  record.ticket = "";
  const std::string statement = sample::statement_of(record);
  const auto json = parse_json(statement);
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_EQ(dump_canonical(*json).value(), statement);
  EXPECT_EQ((*json)["predicate"]["disposal"]["reason"], record.reason);
}

TEST(CanonicalText, EscapesAsTheJsonLibraryDoes) {
  for (int code = 1; code < 0x80; ++code) {
    for (std::size_t at = 0; at < 20; ++at) {
      std::string text(20, 'a');
      text[at] = static_cast<char>(code);
      EXPECT_EQ(json_text(text), dump_canonical(Json(text)).value()) << code << " at " << at;
    }
  }
  const std::string others = "\x7f é € 😀 \" \\ \"\\ \x01\x1f end";
  for (std::size_t from = 0; from < 4; ++from) {
    const std::string text = "xxxx" + others.substr(0, 1) + std::string(from, ' ') + others;
    EXPECT_EQ(json_text(text), dump_canonical(Json(text)).value());
  }
}

TEST(AStatement, IsTheSameForTheSameRecord) {
  EXPECT_EQ(sample::statement_of(sample::record()), sample::statement_of(sample::record()));
}

TEST(AStatement, IsAnInTotoStatementWithOneSubjectPerFile) {
  const Json json = parsed_statement(sample::record());
  EXPECT_EQ(json["_type"], "https://in-toto.io/Statement/v1");
  EXPECT_EQ(json["predicateType"], "https://aierase.org/disposal/v1");
  ASSERT_EQ(json["subject"].size(), 3U);
  EXPECT_EQ(json["subject"][1]["name"], "model.safetensors");
  EXPECT_EQ(json["subject"][1]["digest"]["sha256"], to_hex(sample::digest_of("w")));
}

TEST(AStatement, LeavesNoFieldBlank) {
  auto bare = sample::record();
  bare.ticket.clear();
  bare.reason.clear();
  bare.machine_id_digest.clear();
  bare.tool_build.clear();
  bare.asset.name = domain::AssetName::parse("reviewer").value();
  bare.requester.audit_login_uid.reset();
  for (auto& epoch : bare.epochs) {
    epoch.assurance.path.clear();
    epoch.assurance.filesystem.clear();
    epoch.assurance.device.clear();
    epoch.assurance.device_model.clear();
    epoch.assurance.device_serial.clear();
  }
  const Json json = parsed_statement(bare);
  expect_no_blank(json, "");
  EXPECT_EQ(json["predicate"]["people"][1]["audit_login_uid"], "unknown");
  EXPECT_EQ(json["predicate"]["disposal"]["ticket"], "not applicable: none was given");
}

TEST(AStatement, NeverUsesTheWordsThatClaimTooMuch) {
  for (const auto& record : {sample::record(), dataset_key_record(), configuration_record()}) {
    const std::string statement = sample::statement_of(record);
    for (const char* word : {"Destroy", "GDPR", "certified", "EN 304 223", "unrecoverable"}) {
      EXPECT_EQ(statement.find(word), std::string::npos) << word;
    }
  }
}

TEST(AStatement, ContainsNoLabels) {
  const std::string statement = sample::statement_of(sample::record());
  EXPECT_EQ(statement.find("label-with-personal-data"), std::string::npos);
  EXPECT_EQ(statement.find("patient"), std::string::npos);
}

TEST(AStatement, CarriesWhatIsAddedAfterTheErase) {
  const Json json = parsed_statement(sample::record());
  const Json& p = json["predicate"];
  EXPECT_EQ(p["times"]["intent_at"], to_rfc3339(sample::time_at(301)));
  EXPECT_EQ(p["times"]["verified_zero_at"], to_rfc3339(sample::time_at(302)));
  EXPECT_EQ(p["evidence"]["course"], "undisturbed");
  EXPECT_EQ(p["evidence"]["checks"].size(), 2U);
  EXPECT_EQ(p["verification"]["checks"][3]["name"], "no key is cached");
  EXPECT_EQ(p["validation"]["state"], "awaiting");
}

TEST(AnEraseFinishedAfterARestart, IsMarkedRecovered) {
  auto evidence = sample::evidence();
  evidence.course = domain::DestructionEvidence::Course::recovered;
  const auto draft = draft_statement(sample::record());
  const auto statement = complete_statement(*draft, evidence);
  ASSERT_TRUE(statement.ok());
  EXPECT_EQ((*parse_json(*statement))["predicate"]["evidence"]["course"], "recovered");
}

TEST(AHostileText, CannotPoseAsTheOpenPlacesOfADraft) {
  auto record = sample::record();
  record.reason = R"("evidence":null,"verification":null,"intent_at":null)";
  record.ticket = R"(\"evidence":null)";
  const Json json = parsed_statement(record);
  EXPECT_EQ(json["predicate"]["disposal"]["reason"], record.reason);
  EXPECT_EQ(json["predicate"]["evidence"]["epoch"], 4);
}

TEST(ADraftThatIsNone, IsDamage) {
  const std::string statement = sample::statement_of(sample::record());
  EXPECT_EQ(complete_statement(statement, sample::evidence()).error().code, Errc::damaged);
  EXPECT_EQ(complete_statement("{}", sample::evidence()).error().code, Errc::damaged);
}

TEST(EvidenceWithoutAnyCheck, CompletesNothing) {
  const auto draft = draft_statement(sample::record());
  auto evidence = sample::evidence();
  evidence.slot.checks.clear();
  EXPECT_FALSE(complete_statement(*draft, evidence).ok());
  evidence = sample::evidence();
  evidence.verified.clear();
  EXPECT_FALSE(complete_statement(*draft, evidence).ok());
}

TEST(ARecordThatWouldMakeAnUntrueStatement, IsRefusedBeforeTheErase) {
  const auto refused = [](auto change) {
    auto record = sample::record();
    change(record);
    const auto draft = draft_statement(record);
    return !draft.ok() && draft.error().code == Errc::invalid_input;
  };
  EXPECT_FALSE(refused([](auto&) {}));
  EXPECT_TRUE(refused([](auto& record) { record.epochs.clear(); }));
  EXPECT_TRUE(refused([](auto& record) { record.holds.holds_found = 1; }));
  EXPECT_TRUE(refused([](auto& record) { record.approvals.clear(); }));
  EXPECT_TRUE(refused([](auto& record) { record.files.clear(); }));
  EXPECT_TRUE(refused([](auto& record) { record.reason = "\xff"; }));
  EXPECT_TRUE(refused([](auto& record) { record.approvals[0].actor.uid = 1001; }));
  EXPECT_TRUE(
      refused([](auto& record) { record.approvals[0].decision = domain::Decision::reject; }));
}

TEST(AStatementOfADatasetKey, HasTheKeyCheckValueAndNoDigestAnywhere) {
  const auto record = dataset_key_record();
  const std::string statement = sample::statement_of(record);
  const Json json = *parse_json(statement);
  ASSERT_EQ(json["subject"].size(), 1U);
  EXPECT_EQ(json["subject"][0]["name"], "acme/reviewer:2.1");
  EXPECT_EQ(json["subject"][0]["digest"].size(), 1U);
  EXPECT_EQ(json["subject"][0]["digest"]["aierase_kcv_v1"], to_hex(record.asset.kcv));
  EXPECT_EQ(json["predicate"]["asset"]["files"][0]["path"], "training.key");
  for (const Digest& hidden : {record.files[0].sha256, record.manifest_sha256}) {
    EXPECT_EQ(statement.find(to_hex(hidden)), std::string::npos);
    EXPECT_EQ(statement.find(to_base64(hidden)), std::string::npos);
  }
}

TEST(AStatementOfAConfiguration, HasACommitmentAndNoDigestAnywhere) {
  const auto record = configuration_record();
  const std::string statement = sample::statement_of(record);
  const Json json = *parse_json(statement);
  ASSERT_EQ(json["subject"].size(), 1U);
  Bytes committed = copy_of(record.configuration_salt);
  append(committed, record.manifest_sha256);
  EXPECT_EQ(json["subject"][0]["digest"]["aierase_commitment_v1"],
            to_hex(crypto::sha256(committed)));
  for (const Digest& hidden :
       {record.files[0].sha256, record.manifest_sha256, record.configuration_salt}) {
    EXPECT_EQ(statement.find(to_hex(hidden)), std::string::npos);
    EXPECT_EQ(statement.find(to_base64(hidden)), std::string::npos);
  }
}

TEST(AConfigurationWithoutDigestsToCommitTo, IsRefused) {
  auto record = configuration_record();
  record.files[0].sha256 = {};
  EXPECT_FALSE(draft_statement(record).ok());
}

TEST(TheMethod, FollowsFromLevelSourceAndExportsAlone) {
  struct Row {
    Level level;
    SourceHistory history;
    std::optional<domain::ExportMedium> exported;
    const char* method;
  };
  using domain::ExportMedium;
  constexpr auto kFirst = SourceHistory::encrypted_from_first_write;
  const Row rows[] = {
      {Level::ea0, kFirst, {}, "none"},
      {Level::ea1, kFirst, {}, "clear"},
      {Level::ea2, kFirst, {}, "clear"},
      {Level::ea3, kFirst, {}, "purge"},
      {Level::ea4, kFirst, {}, "purge"},
      {Level::ea0, SourceHistory::retrofitted, {}, "none"},
      {Level::ea4, SourceHistory::retrofitted, {}, "clear"},
      {Level::ea4, SourceHistory::unknown, {}, "clear"},
      {Level::ea3, kFirst, ExportMedium::same_medium, "clear"},
      {Level::ea3, kFirst, ExportMedium::unknown, "clear"},
      {Level::ea3, kFirst, ExportMedium::other_medium, "purge"},
      {Level::ea3, kFirst, ExportMedium::stream, "purge"},
  };
  for (const Row& row : rows) {
    auto record = sample::record();
    record.asset.source_history = row.history;
    record.asset.sources = {sample::source(row.history)};
    for (auto& epoch : record.epochs) epoch.assurance.level = row.level;
    if (row.exported) record.exports = {export_to(*row.exported)};
    const Json method = parsed_statement(record)["predicate"]["method"];
    EXPECT_EQ(method["method"], row.method);
    EXPECT_EQ(method["purge_claimed"], std::string(row.method) == "purge");
    EXPECT_EQ(method["technique"], "cryptographic-erase");
    const bool claims_ce =
        method["claim"].get<std::string>().find("CE not claimed") == std::string::npos &&
        row.history != kFirst;
    EXPECT_FALSE(claims_ce) << method["claim"];
  }
}

TEST(TheAssurance, IsTheLowestOverAllEpochsOfTheAsset) {
  auto record = sample::record();
  record.epochs = {sample::epoch(3, Level::ea4), sample::epoch(4, Level::ea0),
                   sample::epoch(5, Level::ea3)};
  record.epochs[1].assurance.reason = "the slot lay on btrfs";
  EXPECT_EQ(assurance_of(record.epochs), Level::ea0);
  const Json json = parsed_statement(record);
  const Json& assurance = json["predicate"]["assurance"];
  EXPECT_EQ(assurance["level"], "EA0");
  EXPECT_EQ(assurance["epochs"], 3);
  EXPECT_EQ(assurance["epoch_from"], 3);
  EXPECT_EQ(assurance["epoch_to"], 5);
  EXPECT_EQ(assurance["lowest_epoch"], 4);
  EXPECT_EQ(json["predicate"]["root_slots"].size(), 3U);
  EXPECT_TRUE(has_residual(json, "assurance", "the slot lay on btrfs"));
  EXPECT_EQ(assurance_of({}), Level::ea0);
}

TEST(EpochsInOneSlot, AreNamedOnce) {
  const Json slots = parsed_statement(sample::record())["predicate"]["root_slots"];
  ASSERT_EQ(slots.size(), 1U);
  EXPECT_EQ(slots[0]["epoch_from"], 3);
  EXPECT_EQ(slots[0]["epoch_to"], 4);
}

TEST(ASingleOperatorStore, SaysThatOnePersonRequestedAndApproved) {
  auto record = sample::record();
  record.people_rule = domain::PeopleRule::single_operator;
  record.approvals = {sample::approval(1001, "olga")};
  const Json json = parsed_statement(record);
  EXPECT_EQ(json["predicate"]["disposal"]["people_rule"], "single-operator");
  EXPECT_EQ(json["predicate"]["disposal"]["people_rule_text"],
            "one person requested and approved; the store is single-operator");
  EXPECT_TRUE(has_residual(json, "single-operator"));
  record.approvals = {sample::approval(1002, "carl")};
  EXPECT_EQ(
      parsed_statement(record)["predicate"]["disposal"]["people_rule_text"].get<std::string>().find(
          "two persons acted"),
      0U);
  EXPECT_FALSE(has_residual(parsed_statement(sample::record()), "single-operator"));
}

TEST(TheResiduals, AreThereOnEveryStatement) {
  for (const auto& record : {sample::record(), dataset_key_record(), configuration_record()}) {
    const Json json = parsed_statement(record);
    for (const std::string_view code : kConstantResiduals) EXPECT_TRUE(has_residual(json, code));
  }
}

// Nothing on a certificate ties the key that signed the evidence to a device.
TEST(ThatTheKeyIsGone, IsTheWordOfTheHostAtEveryLevel) {
  for (const Level level : {Level::ea1, Level::ea3, Level::ea4}) {
    auto record = sample::record();
    record.asset.source_history = SourceHistory::encrypted_from_first_write;
    for (auto& epoch : record.epochs) epoch.assurance.level = level;
    const Json json = parsed_statement(record);
    EXPECT_TRUE(has_residual(json, "own-word", "word of this host"));
    const auto reason = json["predicate"]["method"]["purge_reason"].get<std::string>();
    const bool owned = reason.find("word of this host") != std::string::npos;
    EXPECT_EQ(owned, level == Level::ea4) << reason;
  }
}

TEST(AnExportedAsset, SaysSoOnItsStatement) {
  auto record = sample::record();
  EXPECT_FALSE(has_residual(parsed_statement(record), "exports"));
  record.exports = {export_to(domain::ExportMedium::other_medium)};
  const Json json = parsed_statement(record);
  EXPECT_TRUE(has_residual(json, "exports", "1 export "));
  ASSERT_EQ(json["predicate"]["exports"].size(), 1U);
  EXPECT_EQ(json["predicate"]["exports"][0]["destination"], "/mnt/usb/out");
  EXPECT_EQ(json["predicate"]["exports"][0]["by"], "eve");
}

TEST(EachConditionOfTheRecord, HasItsResidual) {
  auto record = sample::record();
  record.sources_still_present = {"/srv/models/reviewer"};
  record.sources_removed = {
      {"/srv/emptied", sample::time_at(5), domain::RemovedSource::Left::empty_directory}};
  record.host_findings = {"unencrypted swap was active"};
  record.at_rest = domain::AtRest::none;
  domain::LineageName child;
  child.asset = sample::uuid_of(0x99);
  child.name = domain::AssetName::parse("acme/small").value();
  child.kept_because = "in service";
  record.dependants = {child};
  const Json json = parsed_statement(record);
  EXPECT_TRUE(has_residual(json, "source-present", "/srv/models/reviewer"));
  EXPECT_TRUE(has_residual(json, "source-removed", "nothing lay in it: /srv/emptied"));
  EXPECT_TRUE(
      has_residual(json, "source-removed", "at 2026-09-21T14:13:25Z by the program of olga"));
  EXPECT_TRUE(has_residual(json, "host", "unencrypted swap was active"));
  EXPECT_TRUE(has_residual(json, "at-rest"));
  EXPECT_TRUE(has_residual(json, "dependant", "acme/small (in service)"));
  EXPECT_TRUE(has_residual(json, "slot-may-be-copied", "kvm"));
  EXPECT_TRUE(has_residual(json, "own-word"));
  EXPECT_TRUE(has_residual(json, "source-history", "stored unencrypted before"));
  EXPECT_FALSE(has_residual(json, "assurance"));
}

TEST(AFileThatIsThereAgainAfterItsRemoval, IsToldAsPresent) {
  auto record = sample::record();
  record.sources_still_present = {"/srv/models/reviewer"};
  record.sources_removed = {
      {"/srv/models/reviewer", sample::time_at(5), domain::RemovedSource::Left::file}};
  const Json json = parsed_statement(record);
  EXPECT_TRUE(has_residual(json, "source-present", "reported as removed, and a file of its name"));
  EXPECT_FALSE(has_residual(json, "source-present", "still there, readable"));
}

TEST(AKeyThatTheDaemonMade, IsNotTheWordOfAPerson) {
  auto record = sample::record();
  record.asset.source_history = SourceHistory::encrypted_from_first_write;
  record.asset.sources = {sample::source(SourceHistory::encrypted_from_first_write)};
  const Json asserted = parsed_statement(record);
  EXPECT_TRUE(has_residual(asserted, "source-history", "asserted by the importing person"));
  record.asset.sources[0].asserted_by.reset();
  const Json made = parsed_statement(record);
  EXPECT_TRUE(has_residual(made, "source-history", "made the key itself"));
  EXPECT_FALSE(has_residual(made, "source-history", "asserted"));
  EXPECT_EQ(made["predicate"]["source"]["text"],
            "Encrypted from the first write: made by the daemon of this store itself.");
}

TEST(AClockThatWentBackDuringTheErase, IsSaidOnTheStatement) {
  auto evidence = sample::evidence();
  evidence.slot.verified_zero_at = sample::time_at(291);
  const auto statement = complete_statement(*draft_statement(sample::record()), evidence);
  const Json json = *parse_json(*statement);
  EXPECT_NE(json["predicate"]["evidence"]["clock"].get<std::string>().find("10 seconds"),
            std::string::npos);
}

}  // namespace
}  // namespace aierase::certificate
