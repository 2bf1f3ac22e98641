// A fixed disposition record for the tests of certificates, and the keys to sign statements of it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "certificate/bundle.h"
#include "certificate/statement.h"
#include "crypto/primitives.h"
#include "crypto/signature.h"
#include "domain/destroyed_proof.h"
#include "domain/disposition.h"

// Only these two may make the parts of a DestroyedProof; the tests of certificates link neither
// of the real ones.
namespace aierase::rootslot {
class ReadBack {
 public:
  static domain::SlotReadBackProof proof(domain::SlotEvidence evidence) {
    return domain::SlotReadBackProof(std::move(evidence));
  }
};
}  // namespace aierase::rootslot
namespace aierase::lifecycle {
class KeyRing {
 public:
  static domain::KeysGoneProof proof() { return domain::KeysGoneProof(); }
};
}  // namespace aierase::lifecycle

namespace aierase::certificate::sample {

inline UtcTime time_at(std::int64_t seconds) {
  return from_unix(1'790'000'000 + seconds);
}

inline Uuid uuid_of(unsigned char fill) {
  Uuid uuid;
  uuid.bytes.fill(std::byte{fill});
  return uuid;
}

inline Digest digest_of(std::string_view text) {
  return crypto::sha256(as_bytes(text));
}

inline domain::Actor actor(std::uint32_t uid, std::string login) {
  domain::Actor result;
  result.uid = uid;
  result.login = std::move(login);
  result.audit_login_uid = uid;
  return result;
}

inline domain::EpochRecord epoch(std::uint64_t number, domain::Level level) {
  domain::EpochRecord record;
  record.epoch = number;
  record.started = time_at(static_cast<std::int64_t>(number) * 10);
  record.assurance.level = level;
  record.assurance.kind = "file";
  record.assurance.reason = "the slot is overwritten in place on ext4 on a partition";
  record.assurance.path = "/var/lib/aierase-root/slot";
  record.assurance.filesystem = "ext4";
  record.assurance.device = "vda1 (partition) on vda";
  record.assurance.device_model = "Example Disk 9";
  record.assurance.device_serial = "S-0042";
  record.assurance.may_have_copied = {"the host of this virtual machine (kvm)"};
  return record;
}

inline domain::FileEntry file(std::string path, std::uint64_t bytes, std::string_view content) {
  domain::FileEntry entry;
  entry.path = std::move(path);
  entry.bytes = bytes;
  entry.sha256 = digest_of(content);
  entry.blob = uuid_of(0x77);
  return entry;
}

inline void set_files(domain::DispositionRecord& record, std::vector<domain::FileEntry> files) {
  record.files = std::move(files);
  record.asset.file_count = record.files.size();
  record.asset.bytes = 0;
  for (const auto& entry : record.files) record.asset.bytes += entry.bytes;
  record.manifest_sha256 = crypto::sha256(as_bytes(domain::sha256sum_lines(record.files)));
}

inline domain::Approval approval(std::uint32_t uid, std::string login) {
  domain::Approval result;
  result.plan = uuid_of(0x44);
  result.actor = actor(uid, std::move(login));
  result.time = time_at(200);
  result.capacities = {"@ml-owners"};
  result.log_index = 41;
  return result;
}

inline domain::Source source(domain::SourceHistory history) {
  domain::Source result;
  result.description = "/srv/models/reviewer";
  result.filesystem = "ext4";
  result.history = history;
  result.files = 3;
  result.bytes = 5'003'072;
  if (history == domain::SourceHistory::encrypted_from_first_write) {
    result.description = "standard input";
    result.filesystem = "pipe";
    result.asserted_by = actor(1001, "olga");
  }
  return result;
}

inline domain::Asset asset() {
  domain::Asset result;
  result.id = uuid_of(0x11);
  result.name = domain::AssetName::parse("acme/reviewer:2.1").value();
  result.created = time_at(0);
  result.importer = actor(1001, "olga");
  result.source_history = domain::SourceHistory::retrofitted;
  result.kcv = digest_of("kcv");
  result.first_epoch = 3;
  result.custodians = {{domain::CustodianKind::group, "ml-owners", 2000}};
  result.labels = {{"patient", "label-with-personal-data"}};
  result.sources = {source(domain::SourceHistory::retrofitted)};
  return result;
}

inline domain::DispositionRecord record() {
  domain::DispositionRecord result;
  result.certificate = uuid_of(0xCC);
  result.store = uuid_of(0x55);
  result.host = "vault.example";
  result.machine_id_digest = to_hex(digest_of("machine"));
  result.tool_version = "0.1.0";
  result.tool_build = "00112233";
  result.asset = asset();
  set_files(result,
            {file("config.json", 2'048, "config"), file("model.safetensors", 5'000'000, "w"),
             file("tokenizer/vocab.txt", 1'024, "vocabulary")});
  domain::BlobEntry blob;
  blob.id = uuid_of(0x77);
  blob.bytes = result.asset.bytes;
  blob.seal_id = digest_of("seal");
  result.blobs = {blob};
  result.plan = uuid_of(0x44);
  result.plan_digest = digest_of("plan");
  result.requester = actor(1001, "olga");
  result.reason = "end of the pilot";
  result.ticket = "OPS-7";
  result.requested = time_at(100);
  result.approvals = {approval(1002, "carl")};
  result.policy.retention_class = "pilots";
  result.policy.classes = {"default", "pilots"};
  result.policy.version = digest_of("policy");
  result.policy.in_force_since = time_at(-5'000);
  result.policy.bases = {"internal: data protection handbook 4.2"};
  result.policy.due = time_at(250);
  result.holds.time = time_at(300);
  result.epochs = {epoch(3, domain::Level::ea1), epoch(4, domain::Level::ea1)};
  result.at_rest = domain::AtRest::unlock_secret;
  return result;
}

inline domain::DestructionEvidence evidence() {
  domain::DestructionEvidence result;
  result.slot.kind = "file";
  result.slot.epoch = 4;
  result.slot.verified_zero_at = time_at(302);
  result.slot.checks = {"copy 1 of 2 at offset 4096 read back as zeros with O_DIRECT",
                        "copy 2 of 2 at offset 1056768 read back as zeros with O_DIRECT"};
  result.intent_at = time_at(301);
  result.verified = {"key check value", "tree decodes without the leaf", "slot reads back as zeros",
                     "no key is cached"};
  return result;
}

inline std::string statement_of(const domain::DispositionRecord& from) {
  const auto draft = draft_statement(from);
  EXPECT_TRUE(draft.ok()) << draft.error().message;
  const auto statement = complete_statement(draft.value(), evidence());
  EXPECT_TRUE(statement.ok()) << statement.error().message;
  return statement.value();
}

inline crypto::SigningKey signer(unsigned char fill = 0x42) {
  Bytes seed(32, std::byte{fill});
  return crypto::SigningKey::from_seed(SecretBytes::copy_of(seed).value()).value();
}

inline domain::DestroyedProof proof() {
  return domain::DestroyedProof::combine(rootslot::ReadBack::proof(evidence().slot),
                                         lifecycle::KeyRing::proof());
}

inline std::string bundle_of(std::string_view statement, const crypto::SigningKey& key) {
  const auto signature = sign_statement(proof(), statement, key);
  return bundle_json(statement, signature.value(), key.public_key()).value();
}

}  // namespace aierase::certificate::sample
