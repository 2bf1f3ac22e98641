#include "certificate/log_entry.h"

#include "base/bytes.h"
#include "certificate/canonical_text.h"
#include "certificate/json_reading.h"

namespace aierase::certificate {
namespace {

Result<translog::Proof> read_hashes(JsonView list) {
  if (!list.is_array() || list.size() > 63) return malformed("hashes is no list of at most 63");
  translog::Proof hashes;
  for (const JsonView one : list) {
    ASSIGN_OR_RETURN(const Digest hash, digest_value(one, "hash"));
    hashes.push_back(hash);
  }
  return hashes;
}

Status read_inclusion(JsonView json, LogEntry& entry) {
  RETURN_IF_ERROR(check_members(json, "inclusionProof",
                                {"checkpoint", "hashes", "logIndex", "rootHash", "treeSize"}));
  ASSIGN_OR_RETURN(const std::uint64_t leaf, number_member(json, "logIndex"));
  if (leaf != entry.leaf) return malformed("the proof is of another leaf than the entry");
  ASSIGN_OR_RETURN(entry.size, number_member(json, "treeSize"));
  ASSIGN_OR_RETURN(entry.root, digest_member(json, "rootHash"));
  ASSIGN_OR_RETURN(entry.hashes, read_hashes(json["hashes"]));
  RETURN_IF_ERROR(check_members(json["checkpoint"], "checkpoint", {"envelope"}));
  ASSIGN_OR_RETURN(entry.checkpoint, text_member(json["checkpoint"], "envelope"));
  return {};
}

}  // namespace

std::string log_entry_json(const LogEntry& entry) {
  ArrayText hashes;
  for (const Digest& hash : entry.hashes) hashes.text(to_base64(hash));
  const std::string proof =
      ObjectText()
          .raw("checkpoint", ObjectText().text("envelope", entry.checkpoint).finish())
          .raw("hashes", hashes.finish())
          .text("logIndex", std::to_string(entry.leaf))
          .text("rootHash", to_base64(entry.root))
          .text("treeSize", std::to_string(entry.size))
          .finish();
  return ObjectText()
      .text("canonicalizedBody", to_base64(as_bytes(entry.body)))
      .raw("inclusionProof", proof)
      .raw("kindVersion", ObjectText().text("kind", "dsse").text("version", "0.0.2").finish())
      .raw("logId", ObjectText().text("keyId", to_base64(entry.log_id)).finish())
      .text("logIndex", std::to_string(entry.leaf))
      .finish();
}

Result<LogEntry> read_log_entry(JsonView json) {
  RETURN_IF_ERROR(
      check_members(json, "the log entry",
                    {"canonicalizedBody", "inclusionProof", "kindVersion", "logId", "logIndex"}));
  LogEntry entry;
  ASSIGN_OR_RETURN(entry.leaf, number_member(json, "logIndex"));
  RETURN_IF_ERROR(check_members(json["kindVersion"], "kindVersion", {"kind", "version"}));
  RETURN_IF_ERROR(expect_text(json["kindVersion"], "kind", "dsse"));
  RETURN_IF_ERROR(expect_text(json["kindVersion"], "version", "0.0.2"));
  RETURN_IF_ERROR(check_members(json["logId"], "logId", {"keyId"}));
  ASSIGN_OR_RETURN(entry.log_id, digest_member(json["logId"], "keyId"));
  ASSIGN_OR_RETURN(const Bytes body, base64_member(json, "canonicalizedBody"));
  entry.body = as_text(body);
  RETURN_IF_ERROR(read_inclusion(json["inclusionProof"], entry));
  return entry;
}

}  // namespace aierase::certificate
