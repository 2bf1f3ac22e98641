// What a stranger asks of the log: its head, proofs, and whose keys these are.

#include "lifecycle/publishing.h"

namespace aierase::lifecycle {

// By the first head that has the leaf in it: the same for ever.
Result<std::optional<LogProof>> Store::prove(std::uint64_t leaf) {
  Core& core = *impl_;
  const std::optional<LogProof> not_yet;
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  if (leaf >= state.log.size) {
    return make_error(Errc::damaged, "a leaf of the log is not in the database",
                      "run `aierase check`");
  }
  ASSIGN_OR_RETURN(std::optional<domain::SignedHead> head, core.view().first_head_with(leaf));
  if (!head) {
    ASSIGN_OR_RETURN(const Progress progress, core.publisher->slice());
    static_cast<void>(progress);
    return not_yet;
  }
  ASSIGN_OR_RETURN(std::optional<translog::Proof> hashes, core.publisher->inclusion(leaf, *head));
  if (!hashes) return not_yet;
  LogProof proof;
  proof.hashes = std::move(*hashes);
  ASSIGN_OR_RETURN(const std::vector<domain::AuthorityKey> keys, core.view().authority_keys());
  for (const domain::AuthorityKey& key : keys) {
    const bool signs = key.purpose == domain::KeyPurpose::log && head->size > key.first_leaf;
    if (signs) proof.log_key = key.public_key;
  }
  proof.head = std::move(*head);
  proof.leaf = leaf;
  return std::optional<LogProof>(std::move(proof));
}

Result<std::optional<LogHead>> Store::log_head(std::optional<std::uint64_t> from) {
  Core& core = *impl_;
  const std::optional<LogHead> not_yet;
  ASSIGN_OR_RETURN(const Progress progress, core.publisher->slice());
  if (progress == Progress::more) return not_yet;
  ASSIGN_OR_RETURN(std::optional<domain::SignedHead> head, core.view().last_signed_head());
  if (!head) return make_error(Errc::unexpected, "a head of the log was signed and is not there");
  LogHead report;
  report.head = std::move(*head);
  if (!from) return std::optional<LogHead>(std::move(report));
  if (*from > report.head.size) {
    return make_error(Errc::verification_failed,
                      "the checkpoint to compare with ends at leaf " + std::to_string(*from) +
                          ", and this log has " + std::to_string(report.head.size),
                      "it is of another log, or leaves of this one were dropped");
  }
  ASSIGN_OR_RETURN(std::optional<translog::Proof> hashes,
                   core.publisher->consistency(*from, report.head));
  if (!hashes) return not_yet;
  report.consistency = std::move(*hashes);
  return std::optional<LogHead>(std::move(report));
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
