// What a stranger asks of the log: its head, proofs, and whose keys these are.

#include "lifecycle/publishing.h"

namespace aierase::lifecycle {

Status Store::publish_log() {
  ASSIGN_OR_RETURN(const domain::SignedHead head, impl_->publisher->publish());
  static_cast<void>(head);
  return {};
}

// By the first head that has the leaf in it: the same for ever.
Result<LogProof> Store::prove(std::uint64_t leaf) {
  Core& core = *impl_;
  ASSIGN_OR_RETURN(std::optional<domain::SignedHead> head, core.view().first_head_with(leaf));
  if (!head) {
    ASSIGN_OR_RETURN(head, core.publisher->publish());
  }
  LogProof proof;
  ASSIGN_OR_RETURN(proof.hashes, core.publisher->inclusion(leaf, *head));
  ASSIGN_OR_RETURN(const std::vector<domain::AuthorityKey> keys, core.view().authority_keys());
  for (const domain::AuthorityKey& key : keys) {
    const bool signs = key.purpose == domain::KeyPurpose::log && head->size > key.first_leaf;
    if (signs) proof.log_key = key.public_key;
  }
  proof.head = std::move(*head);
  proof.leaf = leaf;
  return proof;
}

Result<LogHead> Store::log_head(std::optional<std::uint64_t> from) {
  Core& core = *impl_;
  LogHead report;
  ASSIGN_OR_RETURN(report.head, core.publisher->publish());
  if (from) {
    if (*from > report.head.size) {
      return make_error(Errc::verification_failed,
                        "the checkpoint to compare with ends at leaf " + std::to_string(*from) +
                            ", and this log has " + std::to_string(report.head.size),
                        "it is of another log, or leaves of this one were dropped");
    }
    ASSIGN_OR_RETURN(report.consistency, core.publisher->consistency(*from, report.head));
  }
  return report;
}

Result<certificate::Keyring> Store::keyring() {
  Core& core = *impl_;
  ASSIGN_OR_RETURN(const std::vector<domain::AuthorityKey> keys, core.view().authority_keys());
  std::vector<std::string> rotations;
  for (const domain::AuthorityKey& key : keys) {
    if (key.purpose != domain::KeyPurpose::signer || key.first_leaf == 0) continue;
    ASSIGN_OR_RETURN(std::optional<domain::LogLeaf> leaf, core.view().log_leaf(key.first_leaf));
    if (!leaf) return make_error(Errc::damaged, "the leaf of a key rotation is not in the log");
    rotations.push_back(std::move(leaf->record));
  }
  return certificate::make_keyring(core.store(), keys, std::move(rotations));
}

}  // namespace aierase::lifecycle
