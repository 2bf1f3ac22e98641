#include "lifecycle/log_files.h"

#include <algorithm>

#include "base/limits.h"

namespace aierase::lifecycle {
namespace {

constexpr unsigned kDirectoryMode = 0755;
constexpr unsigned kFileMode = 0644;
// 256 entries of at most 65,535 bytes, each behind its length.
constexpr std::size_t kBundleBytes = translog::kTileWidth * (std::size_t{2} + 0xffff);

}  // namespace

Result<std::vector<Digest>> LogFiles::tile(const translog::TileName& name) const {
  Result<Bytes> content =
      read_file(env_, directory_ + "/" + translog::tile_path(name), translog::kTileBytes);
  if (!content.ok() && content.error().code == Errc::not_found &&
      name.width < translog::kTileWidth) {
    content = read_file(env_, directory_ + "/" + translog::tile_path({name.level, name.index}),
                        translog::kTileBytes);
  }
  if (!content.ok()) return std::move(content).error();
  return translog::parse_tile(*content);
}

Status LogFiles::make_directories(const std::string& path) {
  if (known_.count(path) != 0) return {};
  if (path.size() > directory_.size()) RETURN_IF_ERROR(make_directories(parent_of(path)));
  const Status made = env_.make_directory(path, kDirectoryMode);
  if (!made.ok() && made.error().code != Errc::already_exists) return made;
  // Also of one that is there: whoever made it may not have lived to sync it.
  unsynced_.insert(parent_of(path));
  known_.insert(path);
  return {};
}

Result<std::string> LogFiles::write_aside(ByteView content) {
  std::string aside = directory_ + "/.new";
  const Status gone = env_.unlink(aside);  // of a process that did not get to its end
  if (!gone.ok() && gone.error().code != Errc::not_found) return gone.error();
  OpenHow how;
  how.mode = OpenMode::create_new;
  how.permissions = kFileMode;
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file, env_.open(aside, how));
  RETURN_IF_ERROR(file->write_at(0, content));
  RETURN_IF_ERROR(file->sync());
  return aside;
}

Status LogFiles::put(const std::string& path, ByteView content) {
  const std::string target = directory_ + "/" + path;
  RETURN_IF_ERROR(make_directories(parent_of(target)));
  const Result<Bytes> there = read_file(env_, target, kBundleBytes);
  if (there.ok()) {
    if (std::equal(there->begin(), there->end(), content.begin(), content.end())) {
      unsynced_.insert(parent_of(target));
      return {};
    }
    return make_error(Errc::damaged,
                      "the published file " + target + " is not what the log of this store holds",
                      "find out who changed it, then remove it: it is written anew", target);
  }
  if (there.error().code != Errc::not_found) return there.error();
  ASSIGN_OR_RETURN(const std::string aside, write_aside(content));
  RETURN_IF_ERROR(env_.rename(aside, target));
  unsynced_.insert(parent_of(target));
  return {};
}

Status LogFiles::settle() {
  for (const std::string& directory : unsynced_) RETURN_IF_ERROR(env_.sync_directory(directory));
  unsynced_.clear();
  return {};
}

Status LogFiles::put_checkpoint(const std::string& note) {
  RETURN_IF_ERROR(make_directories(directory_));
  ASSIGN_OR_RETURN(const std::string aside, write_aside(as_bytes(note)));
  RETURN_IF_ERROR(env_.replace(aside, directory_ + "/checkpoint"));
  return env_.sync_directory(directory_);
}

Result<bool> LogFiles::has_checkpoint(const std::string& note) const {
  const Result<Bytes> there = read_file(env_, directory_ + "/checkpoint", limits::kNoteBytes);
  if (there.ok()) return as_text(*there) == note;
  if (there.error().code == Errc::not_found) return false;
  return there.error();
}

void LogFiles::forget() {
  known_.clear();
  unsynced_.clear();
}

void LogFiles::drop_partials(const std::string& full_path) {
  const std::string directory = directory_ + "/" + full_path + ".p";
  const Result<std::vector<std::string>> names = env_.list(directory);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    if (!env_.unlink(directory + "/" + name).ok()) return;
  }
  if (env_.remove_directory(directory).ok()) known_.erase(directory);
}

}  // namespace aierase::lifecycle
