#include "lifecycle/publishing.h"

#include <algorithm>

#include "lifecycle/reserve.h"
#include "translog/note.h"

namespace aierase::lifecycle {
namespace {

constexpr std::size_t kLeavesPerSlice = 4 * translog::kTileWidth;
constexpr auto kPause = std::chrono::minutes(10);

// Two heads of one size and different roots, or one that lost leaves: nothing is signed any more.
Error forked(std::uint64_t size) {
  return make_error(Errc::damaged,
                    "the log in the database is not the one whose head over " +
                        std::to_string(size) + " leaves was signed",
                    "no head that contradicts it is signed: run `aierase check`, and put the "
                    "database back as it was last in use");
}

Status no_log_key() {
  return make_error(Errc::wrong_state, "the key of the log cannot be read: no head is signed",
                    "`aierase doctor` says which file is meant");
}

}  // namespace

translog::TileWriter::Put Publisher::put_tile() {
  return [this](const translog::TileName& name, std::span<const Digest> hashes) -> Status {
    const std::string path = translog::tile_path(name);
    if (name.width == translog::kTileWidth) filled_.push_back(path);
    return files_.put(path, translog::encode_tile(hashes));
  };
}

// Where the files of the last publication are whole, behind them; else from the first leaf on.
Status Publisher::open_tree(const std::optional<domain::SignedHead>& last) {
  if (tree_) return {};
  filled_.clear();
  tree_.emplace();
  if (!last) return {};
  Result<translog::TileWriter> behind = translog::TileWriter::behind(last->size, files_.reader());
  if (behind.ok() && behind->state().root == last->root) tree_ = std::move(*behind);
  return {};
}

Status Publisher::add_bundle(std::span<const domain::LogLeaf> leaves,
                             const std::optional<domain::SignedHead>& last) {
  std::vector<std::string> bodies;
  for (const domain::LogLeaf& leaf : leaves) {
    ASSIGN_OR_RETURN(std::string body, translog::leaf_body(leaf));
    bodies.push_back(std::move(body));
  }
  const std::string path = translog::entries_path(leaves.front().index / translog::kTileWidth,
                                                  static_cast<unsigned>(leaves.size()));
  ASSIGN_OR_RETURN(const Bytes bundle, translog::encode_entries(bodies));
  RETURN_IF_ERROR(files_.put(path, bundle));
  if (leaves.size() == translog::kTileWidth) filled_.push_back(path);
  for (const domain::LogLeaf& leaf : leaves) {
    if (leaf.index < tree_->size()) continue;
    RETURN_IF_ERROR(tree_->add(leaf.leaf_hash, put_tile()));
    if (last && tree_->size() == last->size && tree_->state().root != last->root) {
      return forked(last->size);
    }
  }
  return {};
}

Status Publisher::add_leaves(const catalog::StoreState& state,
                             const std::optional<domain::SignedHead>& last) {
  const std::uint64_t from = tree_->size() - tree_->size() % translog::kTileWidth;
  const std::uint64_t wanted = std::min<std::uint64_t>(kLeavesPerSlice, state.log.size - from);
  ASSIGN_OR_RETURN(const std::vector<domain::LogLeaf> leaves,
                   core_.view().log_leaves(from, static_cast<std::size_t>(wanted)));
  if (leaves.size() != wanted) {
    return make_error(Errc::damaged, "the database holds fewer leaves than its log has",
                      "run `aierase check`");
  }
  for (std::size_t at = 0; at < leaves.size(); at += translog::kTileWidth) {
    const std::size_t count = std::min<std::size_t>(translog::kTileWidth, leaves.size() - at);
    RETURN_IF_ERROR(add_bundle(std::span(leaves).subspan(at, count), last));
  }
  return {};
}

// The file of a head that is durable: whoever was killed or refused in between comes back to it.
Status Publisher::show(const domain::SignedHead& head) {
  ASSIGN_OR_RETURN(const bool shown, files_.has_checkpoint(head.checkpoint));
  return shown ? Status() : files_.put_checkpoint(head.checkpoint);
}

Status Publisher::sign_head(const catalog::StoreState& state) {
  if (tree_->state().root != state.log.root) {
    return make_error(Errc::damaged, "the leaves of the log do not hash to its root",
                      "nothing is signed over them: run `aierase check`");
  }
  RETURN_IF_ERROR(tree_->finish(put_tile()));
  RETURN_IF_ERROR(files_.settle());
  domain::SignedHead head{state.log.size, state.log.root, core_.now(), {}};
  ASSIGN_OR_RETURN(head.checkpoint,
                   translog::sign_checkpoint(
                       {translog::origin_of(core_.store()), head.size, head.root}, *core_.log_key));
  // Durable before anybody sees it: what was signed once is never contradicted.
  RETURN_IF_ERROR(transact(core_, ReserveShare::none,
                           [&](catalog::Transaction& transaction, catalog::StoreState&) {
                             return transaction.add_signed_head(head);
                           }));
  RETURN_IF_ERROR(show(head));
  for (const std::string& path : filled_) files_.drop_partials(path);
  filled_.clear();
  return {};
}

Result<Progress> Publisher::next_slice() {
  RETURN_IF_ERROR(core_.alive());
  ASSIGN_OR_RETURN(const catalog::StoreState state, core_.view().state());
  ASSIGN_OR_RETURN(const std::optional<domain::SignedHead> last, core_.view().last_signed_head());
  if (last && (last->size > state.log.size ||
               (last->size == state.log.size && last->root != state.log.root))) {
    return forked(last->size);
  }
  if (last && state_of_files_ == Files::doubted) return write_again(*last);
  if (last && last->size == state.log.size) {
    RETURN_IF_ERROR(show(*last));
    return Progress::done;
  }
  if (!core_.log_key) return no_log_key().error();
  RETURN_IF_ERROR(open_tree(last));
  RETURN_IF_ERROR(add_leaves(state, last));
  if (tree_->size() < state.log.size) return Progress::more;
  RETURN_IF_ERROR(sign_head(state));
  return Progress::done;
}

Result<Progress> Publisher::slice() {
  Result<Progress> progress = next_slice();
  if (!progress.ok()) {
    tree_.reset();
    files_.forget();
    state_of_files_ = Files::believed;
    fault_ = progress.error();
    again_at_ = core_.since_boot() + kPause;
  } else if (*progress == Progress::done) {
    fault_.reset();
    wanted_ = false;
  }
  return progress;
}

void Publisher::write_missing() {
  tree_.reset();
  files_.forget();
  state_of_files_ = Files::doubted;
  wanted_ = true;
}

Progress Publisher::keep_up() {
  if (!wanted_ || core_.stop || core_.since_boot() < again_at_) return Progress::done;
  const Result<Progress> progress = slice();
  return progress.ok() ? *progress : Progress::done;
}

Status Publisher::start() {
  ASSIGN_OR_RETURN(const std::optional<domain::SignedHead> last, core_.view().last_signed_head());
  ASSIGN_OR_RETURN(wanted_, core_.view().has_certificate_from(last ? last->size : 0));
  if (!last) return {};
  const Status shown = show(*last);
  if (!shown.ok()) fault_ = shown.error();
  return {};
}

// What is missing is written; what says otherwise is named, and stays.
Result<Progress> Publisher::write_again(const domain::SignedHead& last) {
  if (!tree_) {
    filled_.clear();
    tree_.emplace();
  }
  catalog::StoreState upto;
  upto.log.size = last.size;
  RETURN_IF_ERROR(add_leaves(upto, last));
  if (tree_->size() < last.size) return Progress::more;
  RETURN_IF_ERROR(tree_->finish(put_tile()));
  RETURN_IF_ERROR(files_.settle());
  RETURN_IF_ERROR(show(last));
  state_of_files_ = Files::written_again;
  return Progress::more;  // leaves may have come since
}

template <typename Make>
Result<std::optional<translog::Proof>> Publisher::prove(const domain::SignedHead& head, Make make) {
  if (state_of_files_ == Files::doubted) {
    ASSIGN_OR_RETURN(const Progress progress, slice());
    static_cast<void>(progress);
    return std::optional<translog::Proof>();
  }
  ASSIGN_OR_RETURN(const std::optional<domain::SignedHead> last, core_.view().last_signed_head());
  if (!last || last->size < head.size) {
    return make_error(Errc::unexpected, "a head of the log is not among those that were signed");
  }
  translog::TileNodes nodes(last->size, files_.reader());
  Result<translog::Proof> proof = make(nodes);
  if (proof.ok()) {
    state_of_files_ = Files::believed;
    return std::optional<translog::Proof>(std::move(*proof));
  }
  // A disk that cannot be read now is no reason to write a million files.
  const bool by_files =
      proof.error().code == Errc::not_found || proof.error().code == Errc::damaged;
  if (!by_files || state_of_files_ == Files::written_again) return proof.error();
  tree_.reset();
  files_.forget();
  state_of_files_ = Files::doubted;
  return std::optional<translog::Proof>();
}

Result<std::optional<translog::Proof>> Publisher::inclusion(std::uint64_t leaf,
                                                            const domain::SignedHead& head) {
  ASSIGN_OR_RETURN(const std::optional<domain::LogLeaf> row, core_.view().log_leaf(leaf));
  if (!row) return make_error(Errc::damaged, "a leaf of the log is not in the database");
  return prove(head, [&](translog::NodeSource& nodes) -> Result<translog::Proof> {
    ASSIGN_OR_RETURN(translog::Proof proof, translog::inclusion_proof(nodes, leaf, head.size));
    if (translog::root_of_inclusion(row->leaf_hash, leaf, head.size, proof) == head.root) {
      return proof;
    }
    return make_error(Errc::damaged,
                      "leaf " + std::to_string(leaf) + " does not lead to the root that was signed",
                      "run `aierase check`");
  });
}

Result<std::optional<translog::Proof>> Publisher::consistency(std::uint64_t old_size,
                                                              const domain::SignedHead& head) {
  return prove(head, [&](translog::NodeSource& nodes) -> Result<translog::Proof> {
    ASSIGN_OR_RETURN(translog::Proof proof,
                     translog::consistency_proof(nodes, old_size, head.size));
    ASSIGN_OR_RETURN(const domain::LogState before, translog::state_at(nodes, old_size));
    if (translog::is_consistent(old_size, before.root, head.size, head.root, proof)) return proof;
    return make_error(Errc::damaged, "the published tiles do not lead to the root that was signed",
                      "run `aierase check`");
  });
}

Result<std::optional<std::vector<Digest>>> Publisher::subtrees(const domain::SignedHead& earlier,
                                                               const domain::SignedHead& head) {
  return prove(head, [&](translog::NodeSource& nodes) -> Result<std::vector<Digest>> {
    ASSIGN_OR_RETURN(domain::LogState before, translog::state_at(nodes, earlier.size));
    if (before.root == earlier.root) return std::move(before.frontier);
    return make_error(Errc::damaged, "the published tiles do not lead to the root that was signed",
                      "run `aierase check`");
  });
}

}  // namespace aierase::lifecycle
