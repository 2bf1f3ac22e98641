#include "certificate/log_check.h"

#include "base/json.h"
#include "certificate/bundle.h"

namespace aierase::certificate {
namespace {

using translog::NoteVerdict;

Check failed(std::string name, std::string detail) {
  return {std::move(name), CheckResult::failed, std::move(detail)};
}

std::string leaves(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " leaf" : " leaves");
}

std::string period_of(const KeyringKey& key) {
  return "heads behind leaf " + std::to_string(key.first_leaf) +
         (key.end_leaf ? " up to " + leaves(*key.end_leaf) : " to the present");
}

Check judge(const translog::SignedNote& note, const translog::Checkpoint& head,
            const TrustStore& trust, HeadFinding& finding) {
  for (const TrustedLog& log : trust.logs) {
    if (log.origin != head.origin) continue;
    finding.known_log = true;
    const NoteVerdict verdict = translog::check_note(note, head.origin, log.role.key);
    if (verdict == NoteVerdict::not_signed) continue;
    if (verdict == NoteVerdict::forged) {
      return failed("checkpoint",
                    "The signature of the log does not hold: the checkpoint was "
                    "changed.");
    }
    if (trust.revoked.count(key_id(log.role.key)) != 0) {
      return failed("checkpoint", "The key of the log that signed this checkpoint, SHA256:" +
                                      key_id(log.role.key) +
                                      ", was revoked here: nothing that it signed counts.");
    }
    if (!speaks_for_head(log.role, head.size)) {
      return failed("checkpoint", "The key that signed this checkpoint of " + leaves(head.size) +
                                      " was not in force for it: it spoke for " +
                                      period_of(log.role) + ".");
    }
    finding.key_id = translog::note_key_id(head.origin, log.role.key);
    return {"checkpoint", CheckResult::passed,
            "The log " + head.origin + " has signed " + leaves(head.size) + "."};
  }
  if (finding.known_log) {
    return failed("checkpoint", "The checkpoint bears no signature by a trusted key of the log " +
                                    quoted(head.origin) +
                                    ". If its keys were rotated since, fetch its keyring "
                                    "anew.");
  }
  return {"checkpoint", CheckResult::not_checked,
          "No key of the log " + quoted(head.origin) +
              " is trusted here, so nothing shows that the log has signed this."};
}

constexpr std::size_t kCachedHeads = 64;

}  // namespace

const HeadFinding& HeadCache::look(const std::string& note, const TrustStore& trust) {
  const auto known = known_.find(note);
  if (known != known_.end()) return known->second;
  if (known_.size() == kCachedHeads) known_.clear();
  return known_.emplace(note, check_head(note, trust)).first->second;
}

HeadFinding check_head(std::string_view text, const TrustStore& trust) {
  HeadFinding finding;
  const Result<translog::SignedNote> note = translog::parse_note(text);
  if (!note.ok()) {
    finding.check = failed("checkpoint", "This is no checkpoint: " + note.error().message + ".");
    return finding;
  }
  const Result<translog::Checkpoint> head = translog::parse_checkpoint(note->text);
  if (!head.ok()) {
    finding.check = failed("checkpoint", "This is no checkpoint: " + head.error().message + ".");
    return finding;
  }
  finding.head = *head;
  finding.check = judge(*note, *head, trust, finding);
  return finding;
}

HeadOf head_of(const HeadFinding& finding) {
  return finding.check.result == CheckResult::passed ? HeadOf::the_log : HeadOf::anybody;
}

Check compare_head(const HeadFinding& finding, const Continuity& kept) {
  if (!finding.head) return failed("consistency", "There is no checkpoint in it to compare.");
  if (finding.check.result != CheckResult::failed) {
    return kept.check(*finding.head, head_of(finding));
  }
  return {"consistency", CheckResult::not_checked,
          "Not compared: the checkpoint in it does not hold."};
}

Check check_log_entry(const LogEntry& entry, const std::string& expected_body,
                      const TrustedKey& signer, const TrustStore& trust, HeadCache* heads) {
  if (entry.body != expected_body) {
    return failed("log", "The log entry is of another statement, signature or key.");
  }
  const HeadFinding finding =
      heads != nullptr ? heads->look(entry.checkpoint, trust) : check_head(entry.checkpoint, trust);
  if (!finding.head) return failed("log", finding.check.detail);
  const translog::Checkpoint& head = *finding.head;
  if (head.size != entry.size || head.root != entry.root) {
    return failed("log", "The proof is of another head than the checkpoint beside it.");
  }
  if (signer.role && head.origin != translog::origin_of(signer.store)) {
    return failed("log", "It is in the log " + quoted(head.origin) +
                             ", which is not that of the store whose key signed it.");
  }
  const Digest leaf = translog::leaf_hash(as_bytes(entry.body));
  if (translog::root_of_inclusion(leaf, entry.leaf, head.size, entry.hashes) != head.root) {
    return failed("log", "The proof does not lead from leaf " + std::to_string(entry.leaf) +
                             " to the root that the log has signed.");
  }
  if (finding.check.result != CheckResult::passed) {
    return {"log", finding.check.result, finding.check.detail};
  }
  if (finding.key_id != entry.log_id) {
    return failed("log", "The log entry names another key than the one that signed.");
  }
  return {"log", CheckResult::passed,
          "It is leaf " + std::to_string(entry.leaf) + " of the log " + head.origin +
              ", which has signed " + leaves(head.size) + "."};
}

}  // namespace aierase::certificate
