#include "certificate/statement_check.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/time.h"
#include "certificate/claims.h"
#include "certificate/json_lookup.h"
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

std::optional<std::uint64_t> number_at(const Json& object, std::string_view key) {
  const Json& value = at(object, key);
  if (!value.is_number_unsigned()) return std::nullopt;
  return value.get<std::uint64_t>();
}

std::optional<Digest> digest_of(std::string_view hex) {
  const std::optional<Bytes> bytes = hex.size() == 64 ? from_hex(hex) : std::nullopt;
  if (!bytes) return std::nullopt;
  Digest digest{};
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  return digest;
}

bool has_exactly(const Json& object, std::initializer_list<std::string_view> keys) {
  return object.is_object() && object.size() == keys.size() &&
         std::all_of(keys.begin(), keys.end(),
                     [&](std::string_view key) { return object.contains(key); });
}

Fault check_frame(const Json& statement) {
  if (!has_exactly(statement, {"_type", "predicate", "predicateType", "subject"})) {
    return "it is no in-toto statement: its members are not _type, subject, predicateType and "
           "predicate";
  }
  if (text_at(statement, "_type") != kStatementType) return "its _type is not that of in-toto v1";
  if (text_at(statement, "predicateType") != kPredicateType) {
    return "its predicateType is not that of a disposal: " +
           quoted(text_at(statement, "predicateType"));
  }
  const Json& predicate = at(statement, "predicate");
  if (!predicate.is_object()) return "its predicate is no object";
  if (number_at(predicate, "schema_version") != 1U) {
    return "its schema_version is not 1; a later aierase may know it";
  }
  for (const std::string_view part : kPredicateParts) {
    if (at(predicate, part).is_null()) return "its predicate lacks " + std::string(part);
  }
  if (text_at(predicate, "outcome") != "erased") return "its outcome is not \"erased\"";
  const std::string_view id = text_at(predicate, "certificate_id");
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

Fault check_subject(const Json& subject, std::string_view algorithm, domain::FileEntry& file) {
  const bool shape = has_exactly(subject, {"name", "digest"}) ||
                     has_exactly(subject, {"name", "digest", "annotations"});
  if (!shape || text_at(subject, "name").empty()) return "a subject is not of the right form";
  file.path = text_at(subject, "name");
  const Json& digests = at(subject, "digest");
  const std::optional<Digest> digest = digest_of(text_at(digests, algorithm));
  if (!has_exactly(digests, {algorithm}) || !digest) {
    return "the subject " + quoted(file.path) + " does not carry exactly one digest " +
           std::string(algorithm);
  }
  file.sha256 = *digest;
  if (subject.contains("annotations")) {
    const std::optional<std::uint64_t> bytes = number_at(at(subject, "annotations"), "bytes");
    if (!bytes) return "the size of " + quoted(file.path) + " is no number";
    file.bytes = *bytes;
  }
  return std::nullopt;
}

// A total that cannot wrap around to another sum.
Fault check_totals(const Json& asset, const std::vector<domain::FileEntry>& files) {
  std::uint64_t bytes = 0;
  for (const domain::FileEntry& file : files) {
    if (file.bytes > limits::kFileBytes) return "the size of " + quoted(file.path) + " is absurd";
    bytes += file.bytes;
  }
  if (number_at(asset, "file_count") != files.size()) {
    return "it has " + std::to_string(files.size()) + " files, and says otherwise";
  }
  if (number_at(asset, "bytes") != bytes) return "the sizes of its files do not add up";
  return std::nullopt;
}

Fault check_digests(const Json& asset, domain::AssetKind kind,
                    const std::vector<domain::FileEntry>& files) {
  if (domain::carries_digest(kind)) {
    RETURN_IF_FAULT(check_totals(asset, files));
    const Digest manifest = crypto::sha256(as_bytes(domain::sha256sum_lines(files)));
    if (text_at(asset, "manifest_sha256") != to_hex(manifest)) {
      return "manifest_sha256 does not follow from its files";
    }
    return std::nullopt;
  }
  if (files.size() != 1) return "a " + std::string(domain::to_text(kind)) + " is one subject";
  if (files[0].path != text_at(asset, "name")) return "its subject is not its asset";
  if (digest_of(text_at(asset, "manifest_sha256"))) return "it shows a digest that must be hidden";
  if (kind == domain::AssetKind::dataset_key &&
      to_hex(files[0].sha256) != text_at(asset, "key_check_value")) {
    return "its subject and its key_check_value differ";
  }
  return std::nullopt;
}

Fault check_subjects(const Json& statement) {
  const Json& subjects = at(statement, "subject");
  const Json& asset = at(at(statement, "predicate"), "asset");
  const auto kind = domain::parse_asset_kind(text_at(asset, "kind"));
  if (!kind) return "the kind of its asset is unknown";
  if (!digest_of(text_at(asset, "key_check_value"))) return "it has no key_check_value";
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

Fault gather_facts(const Json& predicate, Facts& facts) {
  const auto level = domain::parse_level(text_at(at(predicate, "assurance"), "level"));
  if (!level) return "its assurance level is unknown";
  facts.level = *level;
  const Json& slots = at(predicate, "root_slots");
  if (!slots.is_array() || slots.empty()) return "it names no root slot";
  for (const Json& slot : slots) {
    const auto slot_level = domain::parse_level(text_at(slot, "level"));
    if (!slot_level) return "the level of a root slot is unknown";
    facts.lowest_slot = std::min(facts.lowest_slot, *slot_level);
  }
  const auto history = domain::parse_source_history(text_at(at(predicate, "source"), "history"));
  if (!history) return "the history of its source is unknown";
  facts.history = *history;
  const Json& exports = at(predicate, "exports");
  if (!exports.is_array()) return "its exports are no list";
  for (const Json& copy : exports) {
    const auto medium = domain::parse_export_medium(text_at(copy, "medium"));
    if (!medium) return "the medium of an export is unknown";
    if (reach_of(*medium) == ExportReach::own_medium_or_unknown) {
      facts.reach = ExportReach::own_medium_or_unknown;
    }
  }
  return std::nullopt;
}

Fault check_claims(const Json& predicate) {
  Facts facts;
  RETURN_IF_FAULT(gather_facts(predicate, facts));
  const std::string level(domain::to_text(facts.level));
  if (facts.level != facts.lowest_slot) {
    return "it says " + level + ", but the lowest of its root slots is " +
           std::string(domain::to_text(facts.lowest_slot));
  }
  const Json& part = at(predicate, "method");
  const auto method = parse_method(text_at(part, "method"));
  if (!method) return "its method is unknown";
  if (text_at(part, "technique") != "cryptographic-erase") return "its technique is unknown";
  if (!at(part, "purge_claimed").is_boolean() ||
      at(part, "purge_claimed").get<bool>() != (*method == Method::purge)) {
    return "its method and purge_claimed contradict each other";
  }
  const Method allowed = method_for(facts.level, facts.history, facts.reach);
  if (*method > allowed) {
    return "it claims the method " + std::string(to_text(*method)) + "; at " + level +
           ", with this source and these exports, it may claim at most " +
           std::string(to_text(allowed));
  }
  return std::nullopt;
}

Fault check_times(const Json& predicate) {
  const Json& times = at(predicate, "times");
  const auto intent = from_rfc3339(text_at(times, "intent_at"));
  const auto zero = from_rfc3339(text_at(times, "verified_zero_at"));
  if (!from_rfc3339(text_at(times, "requested_at")) ||
      !from_rfc3339(text_at(times, "approved_at"))) {
    return "the times of request and approval are missing";
  }
  if (!intent) return "the time of the intent is missing";
  if (!zero) return "verified_zero_at is missing: nothing says that the key is gone";
  if (*zero < *intent && text_at(at(predicate, "evidence"), "clock").empty()) {
    return "verified_zero_at lies before intent_at";
  }
  return std::nullopt;
}

Fault check_evidence(const Json& predicate) {
  const Json& evidence = at(predicate, "evidence");
  const Json& slot_checks = at(evidence, "checks");
  if (!slot_checks.is_array() || slot_checks.empty()) return "its evidence names no read-back";
  const std::string_view course = text_at(evidence, "course");
  if (course != "undisturbed" && course != "recovered") return "the course of the erase is unknown";
  const auto epoch = number_at(evidence, "epoch");
  if (!epoch || epoch != number_at(at(predicate, "assurance"), "epoch_to")) {
    return "the epoch whose secret died is not the last one of the asset";
  }
  RETURN_IF_FAULT(fault_of_tpm_evidence(predicate));
  const Json& checks = at(at(predicate, "verification"), "checks");
  if (!checks.is_array() || checks.empty()) return "its verification names no check";
  for (const Json& check : checks) {
    if (text_at(check, "name").empty() || text_at(check, "result") != "passed") {
      return "a check of its verification did not pass";
    }
  }
  return std::nullopt;
}

Fault check_all(const Json& statement) {
  RETURN_IF_FAULT(check_frame(statement));
  const Json& predicate = at(statement, "predicate");
  RETURN_IF_FAULT(check_subjects(statement));
  RETURN_IF_FAULT(check_claims(predicate));
  RETURN_IF_FAULT(check_times(predicate));
  RETURN_IF_FAULT(check_evidence(predicate));
  return people_fault(predicate);
}

// The residuals that the other parts of the statement make necessary.
std::vector<std::string_view> needed_residuals(const Json& predicate) {
  std::vector<std::string_view> needed(std::begin(kConstantResiduals),
                                       std::end(kConstantResiduals));
  needed.push_back("source-history");
  const auto level = domain::parse_level(text_at(at(predicate, "assurance"), "level"));
  if (level == domain::Level::ea0) needed.push_back("assurance");
  if (!at(predicate, "exports").empty()) needed.push_back("exports");
  if (!at(at(predicate, "source"), "still_present").empty()) needed.push_back("source-present");
  if (!at(at(predicate, "source"), "not_visible").empty()) needed.push_back("source-not-visible");
  if (text_at(at(predicate, "store"), "at_rest") == "none") needed.push_back("at-rest");
  if (text_at(at(predicate, "disposal"), "people_rule") == "single-operator") {
    needed.push_back("single-operator");
  }
  const Json& slots = at(predicate, "root_slots");
  if (slots.is_array() && std::any_of(slots.begin(), slots.end(), [](const Json& slot) {
        return !at(slot, "may_have_copied").empty();
      })) {
    needed.push_back("slot-may-be-copied");
  }
  return needed;
}

Fault check_residuals(const Json& predicate) {
  const Json& residuals = at(predicate, "residuals");
  if (!residuals.is_array()) return "the residuals are no list";
  std::set<std::string_view> codes;
  for (const Json& residual : residuals) {
    if (text_at(residual, "text").empty()) return "a residual says nothing";
    codes.insert(text_at(residual, "code"));
  }
  for (const std::string_view code : needed_residuals(predicate)) {
    if (codes.count(code) == 0) return "the residual " + std::string(code) + " is withheld";
  }
  return std::nullopt;
}

}  // namespace

StatementFindings check_statement(const Json& statement) {
  StatementFindings findings;
  findings.statement_fault = check_all(statement);
  const Json& predicate = at(statement, "predicate");
  findings.residuals_fault = check_residuals(predicate);
  if (const auto level = domain::parse_level(text_at(at(predicate, "assurance"), "level"))) {
    findings.assurance = std::string(domain::to_text(*level)) + ": " +
                         std::string(level_sentence(*level)) + " " +
                         std::string(text_at(at(predicate, "method"), "claim"));
  }
  findings.residuals = std::to_string(at(predicate, "residuals").size()) +
                       " things that this certificate does not cover are listed in it.";
  return findings;
}

}  // namespace aierase::certificate
