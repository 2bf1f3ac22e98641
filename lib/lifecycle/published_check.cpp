#include "lifecycle/published_check.h"

#include <algorithm>

#include "base/limits.h"
#include "lifecycle/publishing.h"

namespace aierase::lifecycle {
namespace {

constexpr std::size_t kPublishedPerStep = 4 * translog::kTileWidth;
constexpr std::size_t kPublishedBytes = translog::kTileWidth * (std::size_t{2} + 0xffff);

// The bodies of a full bundle behind those that are expected.
bool begins_with(ByteView content, ByteView expected) {
  return content.size() >= expected.size() &&
         std::equal(expected.begin(), expected.end(), content.begin());
}

}  // namespace

Result<bool> PublishedCheck::step(const Tell& tell) {
  if (!head_) {
    ASSIGN_OR_RETURN(head_, core_.view().last_signed_head());
    if (!head_) return false;
    RETURN_IF_ERROR(check_checkpoint(tell));
  }
  const std::uint64_t wanted =
      std::min<std::uint64_t>(kPublishedPerStep, head_->size - tree_.size());
  ASSIGN_OR_RETURN(const std::vector<domain::LogLeaf> leaves,
                   core_.view().log_leaves(tree_.size(), static_cast<std::size_t>(wanted)));
  if (leaves.size() != wanted) {
    return make_error(Errc::damaged, "the database holds fewer leaves than were signed");
  }
  for (std::size_t at = 0; at < leaves.size(); at += translog::kTileWidth) {
    const std::size_t count = std::min<std::size_t>(translog::kTileWidth, leaves.size() - at);
    RETURN_IF_ERROR(check_bundle(std::span(leaves).subspan(at, count), tell));
  }
  if (tree_.size() < head_->size) return true;
  RETURN_IF_ERROR(tree_.finish(compare_tile(tell)));
  if (found_ == Found::incomplete && core_.publisher) core_.publisher->write_missing();
  return false;
}

// One that is not full any more may have been removed since: the full one then begins with it.
Status PublishedCheck::compare(const std::string& path, const std::string& full_path,
                               ByteView expected, const Tell& tell) {
  const std::string directory = Publisher::directory_of(core_) + "/";
  Result<Bytes> content = read_file(core_.env(), directory + path, kPublishedBytes);
  if (!content.ok() && content.error().code == Errc::not_found && full_path != path) {
    content = read_file(core_.env(), directory + full_path, kPublishedBytes);
    if (content.ok() && begins_with(*content, expected)) return {};
  }
  if (!content.ok() && content.error().code == Errc::not_found) {
    found_ = Found::incomplete;
    tell(Fault::missing, directory + path);
    return {};
  }
  if (!content.ok() && content.error().code == Errc::io) return content.error();
  const bool same =
      content.ok() && content->size() == expected.size() && begins_with(*content, expected);
  if (!same) tell(Fault::differs, directory + path);
  return {};
}

Status PublishedCheck::check_checkpoint(const Tell& tell) {
  return compare("checkpoint", "checkpoint", as_bytes(head_->checkpoint), tell);
}

Status PublishedCheck::check_bundle(std::span<const domain::LogLeaf> leaves, const Tell& tell) {
  const std::uint64_t bundle = leaves.front().index / translog::kTileWidth;
  std::vector<std::string> bodies;
  for (const domain::LogLeaf& leaf : leaves) {
    ASSIGN_OR_RETURN(std::string body, translog::leaf_body(leaf));
    bodies.push_back(std::move(body));
    RETURN_IF_ERROR(tree_.add(leaf.leaf_hash, compare_tile(tell)));
  }
  ASSIGN_OR_RETURN(const Bytes entries, translog::encode_entries(bodies));
  return compare(translog::entries_path(bundle, static_cast<unsigned>(leaves.size())),
                 translog::entries_path(bundle, translog::kTileWidth), entries, tell);
}

translog::TileWriter::Put PublishedCheck::compare_tile(const Tell& tell) {
  return [this, tell](const translog::TileName& name, std::span<const Digest> hashes) -> Status {
    return compare(translog::tile_path(name), translog::tile_path({name.level, name.index}),
                   translog::encode_tile(hashes), tell);
  };
}

}  // namespace aierase::lifecycle
