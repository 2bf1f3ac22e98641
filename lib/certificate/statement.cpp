#include "certificate/statement.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "certificate/canonical_text.h"
#include "certificate/statement_parts.h"
#include "certificate/tpm_evidence.h"

namespace aierase::certificate {
namespace {

using domain::DispositionRecord;

// Members of the draft that TX3 fills. A null can be found by its text: inside a JSON string every
// quotation mark has a backslash before it, so `"evidence":null` stands nowhere else, and no key
// of a statement comes from outside.
constexpr std::string_view kEvidence = "evidence";
constexpr std::string_view kVerification = "verification";
constexpr std::string_view kIntentAt = "intent_at";
constexpr std::string_view kVerifiedZeroAt = "verified_zero_at";

// In a bundle the statement stands in base64, beside evidence, signature and keys.
constexpr std::size_t kDraftBytes = limits::kCertificateBytes / 4 * 3 - (1 << 20);

Error unfit(std::string why) {
  return make_error(Errc::invalid_input, "no statement can be made of this record: " + why);
}

Status check_configuration_digests(const DispositionRecord& record) {
  for (const domain::FileEntry& file : record.files) {
    if (file.sha256 == Digest{}) {
      return unfit("the digest of " + quoted(file.path) +
                   " is missing, which its commitment hides");
    }
  }
  return {};
}

// What would make a statement untrue or unsignable is refused before anything is destroyed.
Status check_record(const DispositionRecord& record) {
  if (record.epochs.empty()) return unfit("it names no epoch");
  if (record.holds.holds_found != 0) return unfit("a hold was found");
  if (record.approvals.empty()) return unfit("it names no approval");
  if (std::any_of(record.approvals.begin(), record.approvals.end(), [](const auto& approval) {
        return approval.decision != domain::Decision::approve;
      })) {
    return unfit("it names a rejection among the approvals");
  }
  if (record.people_rule == domain::PeopleRule::two_person && requester_approved(record)) {
    return unfit("the requester approved, in a store that asks for two people");
  }
  if (domain::carries_digest(record.asset.kind) && record.files.empty()) {
    return unfit("the asset has no file");
  }
  if (record.asset.kind == domain::AssetKind::configuration) {
    RETURN_IF_ERROR(check_configuration_digests(record));
  }
  return {};
}

std::string store_part(const DispositionRecord& record) {
  return ObjectText()
      .text("id", record.store.text())
      .text("host", record.host)
      .text("machine_id_sha256", machine_text(record.machine_id_digest))
      .text("at_rest", domain::to_text(record.at_rest))
      .finish();
}

std::string times_part(const DispositionRecord& record) {
  const auto last = std::max_element(record.approvals.begin(), record.approvals.end(),
                                     [](const auto& a, const auto& b) { return a.time < b.time; });
  return ObjectText()
      .text("requested_at", to_rfc3339(record.requested))
      .text("approved_at", to_rfc3339(last->time))
      .raw(kIntentAt, "null")
      .raw(kVerifiedZeroAt, "null")
      .finish();
}

std::string validation_part() {
  return ObjectText()
      .text("state", "awaiting")
      .text("text", "acceptance by a custodian follows and is recorded apart from this statement")
      .text("validator", "not applicable: awaited")
      .finish();
}

std::string predicate(const DispositionRecord& record) {
  ObjectText object;
  object.number("schema_version", 1)
      .text("certificate_id", domain::id_text(domain::IdType::certificate, record.certificate))
      .text("outcome", "erased")
      .raw("store", store_part(record))
      .raw("asset", asset_part(record))
      .raw("disposal", disposal_part(record))
      .raw("policy", policy_part(record))
      .raw("holds", ObjectText()
                        .text("checked_at", to_rfc3339(record.holds.time))
                        .number("found", record.holds.holds_found)
                        .finish())
      .raw("method", method_part(record, claim_of(record)))
      .raw("keys", keys_part(record))
      .raw("assurance", assurance_part(record))
      .raw("root_slots", root_slots_part(record))
      .raw("media", media_part(record))
      .raw("source", source_part(record))
      .raw("exports", exports_part(record))
      .raw("ciphertext", ciphertext_part(record))
      .raw(kEvidence, "null")
      .raw(kVerification, "null")
      .raw("times", times_part(record))
      .raw("people", people_part(record))
      .raw("tool", tool_part(record.tool_version, record.tool_build))
      .raw("residuals", residuals_part(record))
      .raw("not_claimed", not_claimed_part())
      .raw("validation", validation_part());
  return object.finish();
}

// Eight bytes at a time: statements are ASCII but for a rare name.
bool is_ascii(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::uint64_t all = 0;
  for (; text.size() >= sizeof all; text.remove_prefix(sizeof all)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    all |= word;
  }
  return (all & kHighBits) == 0 && std::all_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x80;
         });
}

Result<std::string> checked_utf8(std::string text) {
  if (!is_ascii(text) && !is_valid_utf8(text)) return unfit("a text in it is not valid UTF-8");
  return text;
}

struct Filling {
  std::string_view key;
  std::string_view value;  // canonical JSON
  std::size_t places = 0;  // found so far; one in a sound draft
};

// Quoted, as a key is.
bool ends_with_key(std::string_view text, std::string_view key) {
  if (text.size() < key.size() + 2) return false;
  text.remove_prefix(text.size() - key.size() - 2);
  return text.front() == '"' && text.back() == '"' && text.substr(1, key.size()) == key;
}

// Puts the values where the draft has null, in one pass over the text.
Result<std::string> filled(std::string_view draft, std::array<Filling, 4> fillings) {
  constexpr std::string_view kNullMember = ":null";
  std::size_t bytes = draft.size();
  for (const Filling& filling : fillings) bytes += filling.value.size();
  std::string result;
  result.reserve(bytes);
  std::size_t copied = 0;
  for (std::size_t at = draft.find(kNullMember); at != std::string_view::npos;
       at = draft.find(kNullMember, at + 1)) {
    for (Filling& filling : fillings) {
      if (!ends_with_key(draft.substr(0, at), filling.key)) continue;
      result += draft.substr(copied, at + 1 - copied);
      result += filling.value;
      copied = at + kNullMember.size();
      ++filling.places;
    }
  }
  for (const Filling& filling : fillings) {
    if (filling.places == 1) continue;
    return make_error(
        Errc::damaged,
        "the stored draft of a statement has no single open place for " + std::string(filling.key),
        "Run `aierase check`; the database was changed or damaged.");
  }
  result += draft.substr(copied);
  return result;
}

std::string evidence_part(const domain::DestructionEvidence& evidence) {
  const bool recovered = evidence.course == domain::DestructionEvidence::Course::recovered;
  const auto back = evidence.intent_at - evidence.slot.verified_zero_at;
  ObjectText object;
  object.text("slot_kind", evidence.slot.kind)
      .number("epoch", evidence.slot.epoch)
      .text("course", recovered ? "recovered" : "undisturbed")
      .text("course_text",
            recovered ? "the erase was interrupted; after the restart the store read the slot back "
                        "itself, at the time given"
                      : "the erase ran from intent to read-back without interruption")
      .raw("checks", array_of_texts(evidence.slot.checks));
  if (evidence.slot.tpm) object.raw("tpm", tpm_part(*evidence.slot.tpm, evidence.intent));
  if (back.count() > 0) {
    object.text("clock", "the clock of the host went back by " + std::to_string(back.count()) +
                             " seconds between intent and read-back");
  }
  return object.finish();
}

std::string verification_part(const domain::DestructionEvidence& evidence) {
  ArrayText checks;
  for (const std::string& name : evidence.verified) {
    checks.raw(ObjectText().text("name", name).text("result", "passed").finish());
  }
  return ObjectText()
      .text("method", "read-back of every copy of the slot; one failed check and nothing is signed")
      .raw("checks", checks.finish())
      .finish();
}

}  // namespace

// Before anything is destroyed: what no verifier would read must not become a certificate.
Result<std::string> draft_statement(const DispositionRecord& record) {
  RETURN_IF_ERROR(check_record(record));
  std::string draft = ObjectText()
                          .text("_type", kStatementType)
                          .text("predicateType", kPredicateType)
                          .raw("subject", subjects_part(record))
                          .raw("predicate", predicate(record))
                          .finish();
  if (draft.size() > kDraftBytes) {
    return make_error(Errc::resource_limit,
                      "its certificate would have " + std::to_string(draft.size()) +
                          " bytes; the limit is " + std::to_string(kDraftBytes),
                      "long signed texts stand on it whole: have fewer plans signed in one text");
  }
  return checked_utf8(std::move(draft));
}

EvidenceText::EvidenceText(const domain::DestructionEvidence& evidence)
    : names_checks_(!evidence.slot.checks.empty() && !evidence.verified.empty()),
      end_{evidence_part(evidence), verification_part(evidence),
           json_text(to_rfc3339(evidence.intent_at)),
           json_text(to_rfc3339(evidence.slot.verified_zero_at))} {}

Result<std::string> complete_statement(std::string_view draft, const EvidenceText& evidence) {
  if (!evidence.names_checks_) {
    return make_error(Errc::invalid_input, "the evidence names no check; nothing was verified");
  }
  ASSIGN_OR_RETURN(std::string statement,
                   filled(draft, {{{kEvidence, evidence.end_.evidence},
                                   {kVerification, evidence.end_.verification},
                                   {kIntentAt, evidence.end_.intent_at},
                                   {kVerifiedZeroAt, evidence.end_.verified_zero_at}}}));
  return checked_utf8(std::move(statement));
}

}  // namespace aierase::certificate
