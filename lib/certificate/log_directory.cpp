// The log itself, as a directory of files: what is named when leaves are missing, changed, put
// elsewhere or said twice.

#include <algorithm>
#include <map>

#include "base/limits.h"
#include "certificate/evidence.h"
#include "certificate/log_check.h"
#include "translog/tile.h"

namespace aierase::certificate {
namespace {

constexpr std::size_t kBundleBytes = translog::kTileWidth * (std::size_t{2} + 0xffff);
// A log of more leaves is not gone through: it would not fit into memory.
constexpr std::uint64_t kLeaves = 1ULL << 26;

Error found(std::string what) {
  return make_error(Errc::verification_failed, std::move(what));
}

class LogReader {
 public:
  LogReader(const ReadLogFile& read, const HeadFinding& finding, Continuity* from)
      : read_(read), head_(*finding.head), head_of_(head_of(finding)), from_(from) {}

  // The first thing that is wrong.
  Status go_through() {
    if (head_.size > kLeaves) return found("the log has more leaves than are gone through here");
    const std::uint64_t tiles = (head_.size + translog::kTileWidth - 1) / translog::kTileWidth;
    for (std::uint64_t tile = 0; tile < tiles; ++tile) RETURN_IF_ERROR(read_leaves(tile));
    RETURN_IF_ERROR(tree_.finish(compare_tile()));
    remember_root();
    if (tree_.state().root == head_.root) {
      if (from_ != nullptr) from_->add_tree(head_.origin, std::move(roots_), head_of_);
      return {};
    }
    return found(
        "the leaves do not hash to the root that was signed: leaves were dropped, added, "
        "replaced or put in another order");
  }

 private:
  Result<Bytes> file(const std::string& path, std::size_t limit) {
    Result<Bytes> content = read_(path, limit);
    if (content.ok()) return content;
    return found("the file " + path + " cannot be read: the log is truncated, or its copy is (" +
                 content.error().message + ")");
  }

  translog::TileWriter::Put compare_tile() {
    return [this](const translog::TileName& name, std::span<const Digest> hashes) -> Status {
      const std::string path = translog::tile_path(name);
      ASSIGN_OR_RETURN(const Bytes content, file(path, translog::kTileBytes));
      if (content == translog::encode_tile(hashes)) return {};
      return found("the tile " + path + " is not that of the leaves below it");
    };
  }

  Status read_leaves(std::uint64_t tile) {
    const unsigned width = translog::tile_width(0, tile, head_.size);
    const std::string path = translog::entries_path(tile, width);
    ASSIGN_OR_RETURN(const Bytes bundle, file(path, kBundleBytes));
    const Result<std::vector<std::string>> bodies = translog::parse_entries(bundle);
    if (!bodies.ok()) return found("the entries in " + path + ": " + bodies.error().message);
    if (bodies->size() != width) {
      return found("the file " + path + " has " + std::to_string(bodies->size()) +
                   " entries, and should have " + std::to_string(width));
    }
    ASSIGN_OR_RETURN(const Bytes hashes,
                     file(translog::tile_path({0, tile, width}), translog::kTileBytes));
    return add_leaves(tile * translog::kTileWidth, *bodies, hashes);
  }

  Status add_leaves(std::uint64_t first, const std::vector<std::string>& bodies, ByteView hashes) {
    if (hashes.size() != bodies.size() * sizeof(Digest)) {
      return found("the tile of leaf " + std::to_string(first) + " has another length");
    }
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      const std::uint64_t index = first + i;
      const Digest leaf = translog::leaf_hash(as_bytes(bodies[i]));
      const ByteView said = hashes.subspan(i * sizeof(Digest), sizeof(Digest));
      if (!std::equal(said.begin(), said.end(), leaf.begin())) {
        return found("leaf " + std::to_string(index) + " is not the one whose hash is in the tree");
      }
      const auto [before, fresh] = seen_.emplace(leaf, index);
      if (!fresh) {
        return found("leaf " + std::to_string(index) + " repeats leaf " +
                     std::to_string(before->second));
      }
      remember_root();
      RETURN_IF_ERROR(tree_.add(leaf, compare_tile()));
    }
    return {};
  }

  // What the leaves so far hash to, at the size that the reader asks for.
  void remember_root() {
    if (from_ == nullptr) return;
    if (!from_->wants(tree_.size()) && tree_.size() != head_.size) return;
    roots_[tree_.size()] = tree_.state().root;
  }

  const ReadLogFile& read_;
  translog::Checkpoint head_;
  HeadOf head_of_;
  Continuity* from_;
  Continuity::Roots roots_;
  translog::TileWriter tree_;
  std::map<Digest, std::uint64_t> seen_;
};

}  // namespace

VerifyReport verify_log(const ReadLogFile& read, const TrustStore& trust, Continuity* from) {
  VerifyReport report;
  const Result<Bytes> note = read("checkpoint", limits::kNoteBytes);
  if (!note.ok()) {
    report.checks.push_back({"checkpoint", CheckResult::failed,
                             "There is no checkpoint in it: " + note.error().message + "."});
    return report;
  }
  const HeadFinding finding = check_head(as_text(*note), trust);
  report.checks.push_back(finding.check);
  if (!finding.head) return report;
  report.signer = (finding.known_log ? "log " : "UNKNOWN log ") + finding.head->origin;
  const Status whole = LogReader(read, finding, from).go_through();
  report.checks.push_back({"leaves", whole.ok() ? CheckResult::passed : CheckResult::failed,
                           whole.ok() ? "All " + std::to_string(finding.head->size) +
                                            " leaves are there, each once and in its place."
                                      : "Refused: " + whole.error().message + "."});
  if (from != nullptr) report.checks.push_back(compare_head(finding, *from));
  report.verified = std::all_of(report.checks.begin(), report.checks.end(),
                                [](const Check& c) { return c.result == CheckResult::passed; });
  const bool unknown = std::none_of(report.checks.begin(), report.checks.end(),
                                    [](const Check& c) { return c.result == CheckResult::failed; });
  report.outcome = unknown ? Errc::signer_unknown : Errc::verification_failed;
  return report;
}

}  // namespace aierase::certificate
