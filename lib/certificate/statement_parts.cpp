#include "certificate/statement_parts.h"

#include <algorithm>

#include "base/time.h"
#include "certificate/canonical_text.h"
#include "certificate/statement.h"
#include "crypto/primitives.h"

namespace aierase::certificate {
namespace {

using domain::AssetKind;
using domain::DispositionRecord;

constexpr std::string_view kNoPeopleEntry =
    "not applicable: name, title, organisation, location and contact have no entry in people.toml";
constexpr std::string_view kNoOwnSignature =
    "not applicable: identified by the host's credentials, not by a signature of their own";
constexpr std::string_view kNoAccount = "not applicable: has no account on this host";

std::string_view or_else(std::string_view value, std::string_view reason) {
  return value.empty() ? reason : value;
}

std::string entry_part(const domain::PersonEntry& entry) {
  constexpr std::string_view kNone = "not applicable: people.toml says nothing of it";
  return ObjectText()
      .text("name", entry.name)
      .text("title", or_else(entry.title, kNone))
      .text("organisation", or_else(entry.organisation, kNone))
      .text("location", or_else(entry.location, kNone))
      .text("contact", or_else(entry.contact, kNone))
      .finish();
}

// What was signed stands there whole, in base64, so that nothing between here and ssh-keygen can
// change a byte of it.
std::string signature_part(const domain::SignedBy& by, const domain::SignedText* kept) {
  ObjectText object;
  object.text("key", by.key)
      .text("text_sha256", to_hex(by.text))
      .text("signature_sha256", to_hex(by.signature))
      .text("carried_by", by.carrier.login);
  if (kept == nullptr) return object.finish();
  object.text("public_key", kept->key)
      .text("text_base64", to_base64(as_bytes(kept->text)))
      .text("signature_base64", to_base64(as_bytes(kept->signature)));
  return object.finish();
}

ObjectText person(std::string_view role, const domain::Actor& actor, UtcTime time) {
  ObjectText object;
  object.text("role", role).text("login", actor.login).text("at", to_rfc3339(time));
  if (actor.uid == domain::kNoUid) {
    object.text("uid", kNoAccount).text("audit_login_uid", kNoAccount);
    return object;
  }
  object.number("uid", actor.uid);
  if (actor.audit_login_uid) {
    object.number("audit_login_uid", *actor.audit_login_uid);
  } else {
    object.text("audit_login_uid", "unknown");
  }
  return object;
}

// With what people.toml said of him, and his signature where he gave one.
ObjectText who_decided(std::string_view role, const domain::Actor& actor, UtcTime time,
                       const std::optional<domain::SignedBy>& by, const domain::SignedText* kept) {
  ObjectText object = person(role, actor, time);
  if (actor.person) {
    object.text("person", actor.person->id).raw("contact_details", entry_part(*actor.person));
  } else {
    object.text("contact_details", kNoPeopleEntry);
  }
  if (by) {
    object.raw("signature", signature_part(*by, kept));
  } else {
    object.text("signature", kNoOwnSignature);
  }
  return object;
}

std::string standing_part(const domain::StandingUse& standing) {
  return ObjectText()
      .text("id", standing.id.text())
      .text("retention_class", standing.retention_class)
      .text("rules_sha256", to_hex(standing.rules))
      .text("given_at", to_rfc3339(standing.given))
      .text("valid_from", to_rfc3339(standing.from))
      .text("valid_until", to_rfc3339(standing.until))
      .number("log_index", standing.log_index)
      .finish();
}

std::string approver(const domain::Approval& approval, const DispositionRecord& record) {
  const domain::SignedText* kept = nullptr;
  if (approval.signed_by) {
    const auto found = record.signed_texts.find(approval.signed_by->signature);
    if (found != record.signed_texts.end()) kept = &found->second;
  }
  ObjectText object =
      who_decided("approver", approval.actor, approval.time, approval.signed_by, kept);
  if (approval.standing) object.raw("standing_approval", standing_part(*approval.standing));
  return object.finish();
}

std::string lineage(const std::vector<domain::LineageName>& names) {
  ArrayText array;
  for (const domain::LineageName& name : names) {
    ObjectText object;
    object.text("asset", domain::id_text(domain::IdType::asset, name.asset))
        .text("name", name.name.text())
        .text("relation", domain::to_text(name.relation))
        .text("state", domain::to_text(name.state));
    if (!name.kept_because.empty()) object.text("kept_because", name.kept_because);
    array.raw(object.finish());
  }
  return array.finish();
}

// Paths and sizes of kinds whose files are no subjects, since their digests may not be shown.
std::string file_list(const DispositionRecord& record) {
  if (domain::carries_digest(record.asset.kind)) {
    return json_text("not applicable: each file is a subject");
  }
  ArrayText array;
  for (const domain::FileEntry& file : record.files) {
    array.raw(ObjectText().number("bytes", file.bytes).text("path", file.path).finish());
  }
  return array.finish();
}

std::string manifest_digest(const DispositionRecord& record) {
  if (domain::carries_digest(record.asset.kind)) return to_hex(record.manifest_sha256);
  return "not applicable: no digest of a " + std::string(domain::to_text(record.asset.kind)) +
         " is ever shown, since its content could be guessed";
}

std::string people_rule_sentence(const DispositionRecord& record) {
  if (record.people_rule == domain::PeopleRule::two_person) {
    const bool asked =
        std::any_of(record.approvals.begin(), record.approvals.end(),
                    [](const domain::Approval& approval) { return !approval.standing; });
    return asked ? "one person requested, another approved"
                 : "the nightly run requested; whoever approved had done so in advance, for a "
                   "retention class";
  }
  return requester_approved(record)
             ? "one person requested and approved; the store is single-operator"
             : "two persons acted, but the store is single-operator and would not have asked for "
               "the second";
}

std::string slot_object(const domain::SlotAssurance& slot, std::uint64_t from, std::uint64_t to) {
  ObjectText object;
  object.number("epoch_from", from)
      .number("epoch_to", to)
      .text("kind", slot.kind)
      .text("level", domain::to_text(slot.level))
      .text("reason", slot.reason)
      .text("path", or_else(slot.path, "not applicable: the slot is not a file"))
      .text("filesystem", or_else(slot.filesystem, "not applicable: not on a file system"))
      .text("device", or_else(slot.device, "not applicable: the kernel names no device"))
      .text("device_model", or_else(slot.device_model, "not applicable: the kernel names no model"))
      .text("device_serial",
            or_else(slot.device_serial, "not applicable: the kernel names no serial number"))
      .raw("may_have_copied", array_of_texts(slot.may_have_copied));
  return object.finish();
}

bool same_slot(const domain::SlotAssurance& a, const domain::SlotAssurance& b) {
  return a.level == b.level && a.kind == b.kind && a.path == b.path && a.reason == b.reason &&
         a.filesystem == b.filesystem && a.device == b.device && a.device_model == b.device_model &&
         a.device_serial == b.device_serial && a.may_have_copied == b.may_have_copied;
}

}  // namespace

std::string known_by_account(std::string_view role, const domain::Actor& actor, UtcTime time) {
  return person(role, actor, time)
      .text("contact_details", kNoPeopleEntry)
      .text("signature", kNoOwnSignature)
      .finish();
}

std::string decider_part(std::string_view role, const domain::Actor& actor, UtcTime time,
                         const std::optional<domain::SignedBy>& by,
                         const domain::SignedText* kept) {
  return who_decided(role, actor, time, by, kept).finish();
}

std::string_view or_none(std::string_view text) {
  return text.empty() ? kNoneGiven : text;
}

std::string machine_text(std::string_view digest) {
  return std::string(or_else(digest, "not applicable: the host has no machine id"));
}

std::string tool_part(std::string_view version, std::string_view build) {
  return ObjectText()
      .text("name", "aierase")
      .text("version", version)
      .text("build", or_else(build, "not applicable: built without a build id"))
      .finish();
}

bool requester_approved(const DispositionRecord& record) {
  return std::any_of(record.approvals.begin(), record.approvals.end(), [&](const auto& approval) {
    return domain::same_person(approval.actor, record.requester);
  });
}

Digest configuration_commitment(const Digest& salt, const std::vector<domain::FileEntry>& files) {
  const Digest digest = crypto::sha256(as_bytes(domain::sha256sum_lines(files)));
  crypto::Sha256 hash;
  hash.update(salt);
  hash.update(digest);
  return hash.finish();
}

std::string subjects_part(const DispositionRecord& record) {
  ArrayText subjects;
  const auto add = [&](std::string_view name, std::string_view algorithm, const Digest& digest) {
    subjects.raw(ObjectText()
                     .text("name", name)
                     .raw("digest", ObjectText().text(algorithm, to_hex(digest)).finish())
                     .finish());
  };
  if (record.asset.kind == AssetKind::dataset_key) {
    add(record.asset.name.text(), "aierase_kcv_v1", record.asset.kcv);
  } else if (record.asset.kind == AssetKind::configuration) {
    add(record.asset.name.text(), "aierase_commitment_v1",
        configuration_commitment(record.configuration_salt, record.files));
  } else {
    for (const domain::FileEntry& file : record.files) {
      subjects.raw(ObjectText()
                       .text("name", file.path)
                       .raw("digest", ObjectText().text("sha256", to_hex(file.sha256)).finish())
                       .raw("annotations", ObjectText().number("bytes", file.bytes).finish())
                       .finish());
    }
  }
  return subjects.finish();
}

std::string asset_part(const DispositionRecord& record) {
  const domain::Asset& asset = record.asset;
  ArrayText custodians;
  for (const domain::Custodian& custodian : asset.custodians) custodians.text(custodian.text());
  ObjectText object;
  object.text("id", domain::id_text(domain::IdType::asset, asset.id))
      .text("name", asset.name.text())
      .text("version", or_else(asset.name.version(), "not applicable: the name has no version"))
      .text("kind", domain::to_text(asset.kind))
      .number("bytes", asset.bytes)
      .number("file_count", asset.file_count)
      .raw("files", file_list(record))
      .text("manifest_sha256", manifest_digest(record))
      .text("key_check_value", to_hex(asset.kcv))
      .text("imported_at", to_rfc3339(asset.created))
      .text("imported_by", asset.importer.login)
      .raw("custodians", custodians.finish())
      .text("classification", "not applicable: not recorded")
      .text("retention_class", record.policy.retention_class)
      .raw("lineage", ObjectText()
                          .raw("parents", lineage(record.parents))
                          .raw("dependants", lineage(record.dependants))
                          .finish());
  return object.finish();
}

std::string disposal_part(const DispositionRecord& record) {
  ArrayText approvals;
  for (const domain::Approval& approval : record.approvals) {
    approvals.raw(ObjectText()
                      .text("login", approval.actor.login)
                      .text("at", to_rfc3339(approval.time))
                      .text("decision", domain::to_text(approval.decision))
                      .raw("as_custodian", array_of_texts(approval.capacities))
                      .number("log_index", approval.log_index)
                      .finish());
  }
  const bool two = record.people_rule == domain::PeopleRule::two_person;
  ObjectText object;
  object.text("plan", domain::id_text(domain::IdType::plan, record.plan))
      .text("plan_digest", to_hex(record.plan_digest))
      .text("requester", record.requester.login)
      .text("reason", or_none(record.reason))
      .text("ticket", or_none(record.ticket))
      .text("requested_at", to_rfc3339(record.requested))
      .raw("approvals", approvals.finish())
      .text("people_rule", two ? "two-person" : "single-operator")
      .text("people_rule_text", people_rule_sentence(record))
      .text("executor",
            "the daemon of this store, by the approved plan; no person acts in between");
  return object.finish();
}

std::string people_part(const DispositionRecord& record) {
  ArrayText people;
  people.raw(known_by_account("importer", record.asset.importer, record.asset.created));
  people.raw(known_by_account("requester", record.requester, record.requested));
  for (const domain::Approval& approval : record.approvals) {
    people.raw(approver(approval, record));
  }
  return people.finish();
}

std::string method_part(const DispositionRecord&, const Claim& claim) {
  return ObjectText()
      .text("method", to_text(claim.method))
      .text("technique", "cryptographic-erase")
      .text("claim", claim.sentence)
      .raw("purge_claimed", claim.method == Method::purge ? "true" : "false")
      .text("purge_reason", claim.purge_reason)
      .text("standard", "NIST SP 800-88 Rev. 2 terms")
      .finish();
}

std::string keys_part(const DispositionRecord& record) {
  return ObjectText()
      .text("level", "data key of this asset alone, a leaf of the key tree; no other asset uses it")
      .text("key_check_value", to_hex(record.asset.kcv))
      .text("algorithm", "AES-256-GCM (FLOE v1 for files)")
      .text("derivation", "HKDF-SHA-256; FLOE: HKDF-SHA-384")
      .number("strength_bits", 256)
      .text("rng", "getrandom(2) of the Linux kernel")
      .text("module", "OpenSSL 3.0, not FIPS-validated here")
      .raw("tree", ObjectText().number("fan_out", 64).number("height", 5).finish())
      .text("wrapping",
            "the data key stood in a tree node under fresh node keys, the root node under a root "
            "secret derived from the slot secret of one epoch")
      .text("destruction",
            "the tree was re-keyed without this leaf under a new root secret; the slot secret "
            "before it "
            "was overwritten with zeros and read back, as those of earlier epochs had been")
      .text("escrow", "none: this store keeps no escrow, backup or recovery copy of any key")
      .text("error_handling",
            "a slot that does not read back as zeros stops the store; nothing is signed then")
      .finish();
}

std::string assurance_part(const DispositionRecord& record) {
  const domain::EpochRecord& lowest = lowest_epoch(record.epochs);
  return ObjectText()
      .text("level", domain::to_text(lowest.assurance.level))
      .text("text", level_sentence(lowest.assurance.level))
      .text("reason", lowest.assurance.reason)
      .number("epochs", record.epochs.size())
      .number("epoch_from", record.epochs.front().epoch)
      .number("epoch_to", record.epochs.back().epoch)
      .number("lowest_epoch", lowest.epoch)
      .finish();
}

std::string root_slots_part(const DispositionRecord& record) {
  ArrayText slots;
  const auto& epochs = record.epochs;
  for (std::size_t first = 0; first < epochs.size();) {
    std::size_t last = first;
    while (last + 1 < epochs.size() &&
           same_slot(epochs[first].assurance, epochs[last + 1].assurance)) {
      ++last;
    }
    slots.raw(slot_object(epochs[first].assurance, epochs[first].epoch, epochs[last].epoch));
    first = last + 1;
  }
  return slots.finish();
}

std::string media_part(const DispositionRecord& record) {
  const domain::SlotAssurance& slot = record.epochs.back().assurance;
  return ObjectText()
      .text("manufacturer", "not applicable: the kernel names it in the model, where it knows it")
      .text("model", or_else(slot.device_model, "not applicable: the kernel names no model"))
      .text("serial_number",
            or_else(slot.device_serial, "not applicable: the kernel names no serial number"))
      .text("property_number", "not applicable: not recorded")
      .text("type", "home of the root slot: " + slot.kind)
      .text("source", "host " + record.host)
      .text("classification", "not applicable: not recorded")
      .text("condition", "operational")
      .text("destination", "stays in use in this host; one asset was erased, not the medium")
      .finish();
}

std::string source_part(const DispositionRecord& record) {
  ArrayText sources;
  for (const domain::Source& source : record.asset.sources) {
    ObjectText object;
    object.text("description", source.description)
        .text("filesystem", or_else(source.filesystem, "unknown"))
        .text("history", domain::to_text(source.history))
        .number("files", source.files)
        .number("bytes", source.bytes)
        .text("asserted_by", source.asserted_by ? std::string_view(source.asserted_by->login)
                                                : "not applicable: observed, not asserted")
        .text("removed_at", source.removed_at ? to_rfc3339(*source.removed_at)
                                              : "not applicable: no removal was reported");
    sources.raw(object.finish());
  }
  return ObjectText()
      .text("history", domain::to_text(record.asset.source_history))
      .text("text", history_sentence(record.asset.source_history, history_word(record.asset)))
      .raw("sources", sources.finish())
      .raw("still_present", array_of_texts(record.sources_still_present))
      .raw("not_visible", array_of_texts(record.sources_not_visible))
      .finish();
}

std::string exports_part(const DispositionRecord& record) {
  ArrayText exports;
  for (const domain::ExportRecord& copy : record.exports) {
    exports.raw(ObjectText()
                    .text("at", to_rfc3339(copy.time))
                    .text("by", copy.actor.login)
                    .text("kind", domain::to_text(copy.kind))
                    .text("medium", domain::to_text(copy.medium))
                    .text("scope", copy.scope)
                    .text("destination", or_else(copy.destination, "unknown"))
                    .text("fate", "not under the control of this store")
                    .finish());
  }
  return exports.finish();
}

std::string ciphertext_part(const DispositionRecord& record) {
  ArrayText blobs;
  for (const domain::BlobEntry& blob : record.blobs) {
    blobs.raw(ObjectText()
                  .text("id", blob.id.hex())
                  .number("bytes", blob.bytes)
                  .text("seal_id", to_hex(blob.seal_id))
                  .text("floe_header_sha256", to_hex(crypto::sha256(blob.floe_header)))
                  .finish());
  }
  return ObjectText()
      .raw("blobs", blobs.finish())
      .text("fate", "unlinked after the erase; without the key it is not readable")
      .finish();
}

std::string residuals_part(const DispositionRecord& record) {
  ArrayText residuals;
  for (const Residual& residual : residuals_of(record)) {
    residuals.raw(ObjectText().text("code", residual.code).text("text", residual.text).finish());
  }
  return residuals.finish();
}

std::string not_claimed_part() {
  ArrayText sentences;
  for (const std::string_view sentence : not_claimed()) sentences.text(sentence);
  return sentences.finish();
}

}  // namespace aierase::certificate
