#include "certificate/statement_check.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/time.h"
#include "certificate/claims.h"
#include "certificate/naming.h"
#include "certificate/people_check.h"
#include "certificate/statement.h"
#include "certificate/tpm_evidence.h"
#include "crypto/primitives.h"

namespace aierase::certificate {
namespace {

using Fault = std::optional<std::string>;

constexpr std::string_view kPredicateParts[] = {
    "schema_version", "certificate_id", "outcome", "store",      "asset",       "disposal",
    "policy",         "holds",          "method",  "keys",       "assurance",   "root_slots",
    "media",          "source",         "exports", "ciphertext", "evidence",    "verification",
    "times",          "people",         "tool",    "residuals",  "not_claimed", "validation"};

#define RETURN_IF_FAULT(expression)      \
  do {                                   \
    Fault found_fault = (expression);    \
    if (found_fault) return found_fault; \
  } while (false)

std::optional<Digest> digest_of(std::string_view hex) {
  const std::optional<Bytes> bytes = hex.size() == 64 ? from_hex(hex) : std::nullopt;
  if (!bytes) return std::nullopt;
  Digest digest{};
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  return digest;
}

bool has_exactly(JsonView object, std::initializer_list<std::string_view> keys) {
  return object.is_object() && object.size() == keys.size() &&
         std::all_of(keys.begin(), keys.end(),
                     [&](std::string_view key) { return object.contains(key); });
}

Fault check_frame(JsonView statement) {
  if (!has_exactly(statement, {"_type", "predicate", "predicateType", "subject"})) {
    return "it is no in-toto statement: its members are not _type, subject, predicateType and "
           "predicate";
  }
  if (statement["_type"].text() != kStatementType) return "its _type is not that of in-toto v1";
  if (statement["predicateType"].text() != kPredicateType) {
    return "its predicateType is not that of a disposal: " +
           quoted(statement["predicateType"].text());
  }
  const JsonView predicate = statement["predicate"];
  if (!predicate.is_object()) return "its predicate is no object";
  if (predicate["schema_version"].number() != 1U) {
    return "its schema_version is not 1; a later aierase may know it";
  }
  for (const std::string_view part : kPredicateParts) {
    if (predicate[part].is_null()) return "its predicate lacks " + std::string(part);
  }
  if (predicate["outcome"].text() != "erased") return "its outcome is not \"erased\"";
  const std::string_view id = predicate["certificate_id"].text();
  if (id.size() != 28 || !domain::require_id(domain::IdType::certificate, id).ok()) {
    return "its certificate_id is not one";
  }
  return std::nullopt;
}

std::string_view algorithm_of(domain::AssetKind kind) {
  if (kind == domain::AssetKind::dataset_key) return "aierase_kcv_v1";
  if (kind == domain::AssetKind::configuration) return "aierase_commitment_v1";
  return "sha256";
}

Fault check_subject(JsonView subject, std::string_view algorithm, domain::FileEntry& file) {
  const bool shape = has_exactly(subject, {"name", "digest"}) ||
                     has_exactly(subject, {"name", "digest", "annotations"});
  if (!shape || subject["name"].text().empty()) return "a subject is not of the right form";
  file.path = subject["name"].text();
  const JsonView digests = subject["digest"];
  const std::optional<Digest> digest = digest_of(digests[algorithm].text());
  if (!has_exactly(digests, {algorithm}) || !digest) {
    return "the subject " + quoted(file.path) + " does not carry exactly one digest " +
           std::string(algorithm);
  }
  file.sha256 = *digest;
  if (subject.contains("annotations")) {
    const std::optional<std::uint64_t> bytes = subject["annotations"]["bytes"].number();
    if (!bytes) return "the size of " + quoted(file.path) + " is no number";
    file.bytes = *bytes;
  }
  return std::nullopt;
}

// A total that cannot wrap around to another sum.
Fault check_totals(JsonView asset, const std::vector<domain::FileEntry>& files) {
  std::uint64_t bytes = 0;
  for (const domain::FileEntry& file : files) {
    if (file.bytes > limits::kFileBytes) return "the size of " + quoted(file.path) + " is absurd";
    bytes += file.bytes;
  }
  if (asset["file_count"].number() != files.size()) {
    return "it has " + std::to_string(files.size()) + " files, and says otherwise";
  }
  if (asset["bytes"].number() != bytes) return "the sizes of its files do not add up";
  return std::nullopt;
}

Fault check_digests(JsonView asset, domain::AssetKind kind,
                    const std::vector<domain::FileEntry>& files) {
  if (domain::carries_digest(kind)) {
    RETURN_IF_FAULT(check_totals(asset, files));
    const Digest manifest = crypto::sha256(as_bytes(domain::sha256sum_lines(files)));
    if (asset["manifest_sha256"].text() != to_hex(manifest)) {
      return "manifest_sha256 does not follow from its files";
    }
    return std::nullopt;
  }
  if (files.size() != 1) return "a " + std::string(domain::to_text(kind)) + " is one subject";
  if (files[0].path != asset["name"].text()) return "its subject is not its asset";
  if (digest_of(asset["manifest_sha256"].text())) return "it shows a digest that must be hidden";
  if (kind == domain::AssetKind::dataset_key &&
      to_hex(files[0].sha256) != asset["key_check_value"].text()) {
    return "its subject and its key_check_value differ";
  }
  return std::nullopt;
}

Fault check_subjects(JsonView statement) {
  const JsonView subjects = statement["subject"];
  const JsonView asset = statement["predicate"]["asset"];
  const auto kind = domain::parse_asset_kind(asset["kind"].text());
  if (!kind) return "the kind of its asset is unknown";
  if (!digest_of(asset["key_check_value"].text())) return "it has no key_check_value";
  if (!subjects.is_array() || subjects.empty()) return "it names no subject";
  if (subjects.size() > limits::kFilesPerAsset) return "it names too many subjects";
  std::vector<domain::FileEntry> files(subjects.size());
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < files.size(); ++i) {
    RETURN_IF_FAULT(check_subject(subjects[i], algorithm_of(*kind), files[i]));
    if (!names.insert(files[i].path).second) {
      return "the subject " + quoted(files[i].path) + " stands twice";
    }
  }
  return check_digests(asset, *kind, files);
}

// The worst level of the slots named, and of every export its reach.
struct Facts {
  domain::Level level = domain::Level::ea0;
  domain::Level lowest_slot = domain::Level::ea4;
  domain::SourceHistory history = domain::SourceHistory::unknown;
  ExportReach reach = ExportReach::elsewhere_only;
};

Fault gather_facts(JsonView predicate, Facts& facts) {
  const auto level = domain::parse_level(predicate["assurance"]["level"].text());
  if (!level) return "its assurance level is unknown";
  facts.level = *level;
  const JsonView slots = predicate["root_slots"];
  if (!slots.is_array() || slots.empty()) return "it names no root slot";
  for (const JsonView slot : slots) {
    const auto slot_level = domain::parse_level(slot["level"].text());
    if (!slot_level) return "the level of a root slot is unknown";
    facts.lowest_slot = std::min(facts.lowest_slot, *slot_level);
  }
  const auto history = domain::parse_source_history(predicate["source"]["history"].text());
  if (!history) return "the history of its source is unknown";
  facts.history = *history;
  const JsonView exports = predicate["exports"];
  if (!exports.is_array()) return "its exports are no list";
  for (const JsonView copy : exports) {
    const auto medium = domain::parse_export_medium(copy["medium"].text());
    if (!medium) return "the medium of an export is unknown";
    if (reach_of(*medium) == ExportReach::own_medium_or_unknown) {
      facts.reach = ExportReach::own_medium_or_unknown;
    }
  }
  return std::nullopt;
}

Fault check_claims(JsonView predicate) {
  Facts facts;
  RETURN_IF_FAULT(gather_facts(predicate, facts));
  const std::string level(domain::to_text(facts.level));
  if (facts.level != facts.lowest_slot) {
    return "it says " + level + ", but the lowest of its root slots is " +
           std::string(domain::to_text(facts.lowest_slot));
  }
  const JsonView part = predicate["method"];
  const auto method = parse_method(part["method"].text());
  if (!method) return "its method is unknown";
  if (part["technique"].text() != "cryptographic-erase") return "its technique is unknown";
  if (part["purge_claimed"].truth() != (*method == Method::purge)) {
    return "its method and purge_claimed contradict each other";
  }
  const Method allowed = method_for(facts.level, facts.history, facts.reach);
  if (*method > allowed) {
    return "it claims the method " + std::string(to_text(*method)) + "; at " + level +
           ", with this source and these exports, it may claim at most " +
           std::string(to_text(allowed));
  }
  if (part["claim"].text() != claim_sentence(facts.level, facts.history, *method)) {
    return "its claim is not the one of its level and method";
  }
  if (predicate["assurance"]["text"].text() != level_sentence(facts.level)) {
    return "the text of its assurance is not the one of " + level;
  }
  return std::nullopt;
}

Fault check_times(JsonView predicate) {
  const JsonView times = predicate["times"];
  const auto intent = from_rfc3339(times["intent_at"].text());
  const auto zero = from_rfc3339(times["verified_zero_at"].text());
  if (!from_rfc3339(times["requested_at"].text()) || !from_rfc3339(times["approved_at"].text())) {
    return "the times of request and approval are missing";
  }
  if (!intent) return "the time of the intent is missing";
  if (!zero) return "verified_zero_at is missing: nothing says that the key is gone";
  if (*zero < *intent && predicate["evidence"]["clock"].text().empty()) {
    return "verified_zero_at lies before intent_at";
  }
  return std::nullopt;
}

Fault check_evidence(JsonView predicate) {
  const JsonView evidence = predicate["evidence"];
  const JsonView slot_checks = evidence["checks"];
  if (!slot_checks.is_array() || slot_checks.empty()) return "its evidence names no read-back";
  const std::string_view course = evidence["course"].text();
  if (course != "undisturbed" && course != "recovered") return "the course of the erase is unknown";
  const auto epoch = evidence["epoch"].number();
  if (!epoch || epoch != predicate["assurance"]["epoch_to"].number()) {
    return "the epoch whose secret died is not the last one of the asset";
  }
  RETURN_IF_FAULT(fault_of_tpm_evidence(predicate));
  const JsonView checks = predicate["verification"]["checks"];
  if (!checks.is_array() || checks.empty()) return "its verification names no check";
  for (const JsonView check : checks) {
    if (check["name"].text().empty() || check["result"].text() != "passed") {
      return "a check of its verification did not pass";
    }
  }
  return std::nullopt;
}

Fault check_all(JsonView statement) {
  RETURN_IF_FAULT(check_frame(statement));
  const JsonView predicate = statement["predicate"];
  RETURN_IF_FAULT(check_subjects(statement));
  RETURN_IF_FAULT(check_claims(predicate));
  RETURN_IF_FAULT(check_times(predicate));
  RETURN_IF_FAULT(check_evidence(predicate));
  return people_fault(predicate);
}

// The residuals that the other parts of the statement make necessary.
std::vector<std::string_view> needed_residuals(JsonView predicate) {
  std::vector<std::string_view> needed(std::begin(kConstantResiduals),
                                       std::end(kConstantResiduals));
  needed.push_back("source-history");
  const auto level = domain::parse_level(predicate["assurance"]["level"].text());
  if (level == domain::Level::ea0) needed.push_back("assurance");
  if (!predicate["exports"].empty()) needed.push_back("exports");
  if (!predicate["source"]["still_present"].empty()) needed.push_back("source-present");
  if (!predicate["source"]["not_visible"].empty()) needed.push_back("source-not-visible");
  if (predicate["store"]["at_rest"].text() == "none") needed.push_back("at-rest");
  if (predicate["disposal"]["people_rule"].text() == "single-operator") {
    needed.push_back("single-operator");
  }
  const JsonView slots = predicate["root_slots"];
  if (slots.is_array() && std::any_of(slots.begin(), slots.end(), [](JsonView slot) {
        return !slot["may_have_copied"].empty();
      })) {
    needed.push_back("slot-may-be-copied");
  }
  return needed;
}

Fault check_residuals(JsonView predicate) {
  const JsonView residuals = predicate["residuals"];
  if (!residuals.is_array()) return "the residuals are no list";
  std::set<std::string_view> codes;
  for (const JsonView residual : residuals) {
    if (residual["text"].text().empty()) return "a residual says nothing";
    codes.insert(residual["code"].text());
  }
  for (const std::string_view code : needed_residuals(predicate)) {
    if (codes.count(code) == 0) return "the residual " + std::string(code) + " is withheld";
  }
  return std::nullopt;
}

}  // namespace

StatementFindings check_statement(JsonView statement) {
  StatementFindings findings;
  findings.statement_fault = check_all(statement);
  const JsonView predicate = statement["predicate"];
  findings.residuals_fault = check_residuals(predicate);
  if (const auto level = domain::parse_level(predicate["assurance"]["level"].text())) {
    findings.assurance = std::string(domain::to_text(*level)) + ": " +
                         std::string(level_sentence(*level)) + " " +
                         std::string(predicate["method"]["claim"].text());
  }
  findings.residuals = std::to_string(predicate["residuals"].size()) +
                       " things that this certificate does not cover are listed in it.";
  return findings;
}

}  // namespace aierase::certificate
