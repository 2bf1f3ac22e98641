#include "lifecycle/unlinking.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "blob/layout.h"
#include "lifecycle/core.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

constexpr std::size_t kOwedAtMost = 16'384;  // assets

Status forget(Core& core, const std::vector<Uuid>& blobs) {
  return transact(
      core, ReserveShare::all,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        RETURN_IF_ERROR(transaction.forget_orphans(blobs));
        Json ids = Json::array();
        for (const Uuid& blob : blobs) ids.push_back(blob.hex());
        ASSIGN_OR_RETURN(std::string record, dump_canonical(Json{{"blobs", std::move(ids)}}));
        const translog::LogRecord leaf{"ciphertext-removed", core.now(), std::move(record),
                                       translog::Visibility::committed};
        return core.append_log(transaction, state, {&leaf, 1});
      });
}

// A file that is not there has gone only if its folder is.
Status seen_to_be_gone(Env& env, const std::string& folder) {
  ASSIGN_OR_RETURN(const std::optional<FileInfo> there, env.stat(folder));
  if (there) return {};
  return make_error(
      Errc::not_found, "there is no folder " + folder,
      "bring back the file system of the blobs; where its disk is lost for good, make "
      "the folder again");
}

}  // namespace

// Durable before any row forgets the name: a name that came back would belong to nobody.
Unlinked unlink_files(Env& env, const std::string& blob_directory, const std::vector<Uuid>& blobs,
                      Folders folders, const std::atomic<bool>& stop) {
  Unlinked files;
  std::set<std::string> directories;
  for (const Uuid& blob : blobs) {
    const std::string path = blob::blob_path(blob_directory, blob);
    Status gone = env.unlink(path);
    if (!gone.ok() && gone.error().code == Errc::not_found) {
      gone = folders == Folders::are_there ? seen_to_be_gone(env, parent_of(path)) : Status();
    }
    if (!gone.ok()) {
      if (!files.kept) files.kept = gone.error();
      continue;
    }
    files.gone.push_back(blob);
    directories.insert(parent_of(path));
    if (stop) break;
  }
  for (const std::string& directory : directories) {
    Status synced = env.sync_directory(directory);
    if (synced.ok() || synced.error().code == Errc::not_found) continue;
    files.synced = std::move(synced);
    break;
  }
  return files;
}

Unlinking::~Unlinking() {
  if (!under_way_) return;
  under_way_->stop = true;
  under_way_->answer.pop();
}

bool Unlinking::is_behind() const {
  return owed_ > kOwedAtMost;
}

Result<bool> Unlinking::step(Core& core) {
  if (!under_way_) {
    if (owed_ == 0 || core.since_boot() < paused_until_) return false;
    Status begun = begin(core);
    if (!begun.ok()) {
      pause(core, begun.error());
      return std::move(begun).error();
    }
    if (!under_way_) return false;
  }
  const std::optional<Unlinked> files = under_way_->answer.try_pop();
  if (!files) return false;
  under_way_.reset();
  const Status completed = complete(core, *files);
  if (!completed.ok() && completed.error().code == Errc::no_space && at_once_ > 1) {
    at_once_ = 1;  // for which the reserve has room
    owed_ += 1;
    return true;
  }
  if (!completed.ok()) {
    pause(core, completed.error());
    return completed.error();
  }
  at_once_ = std::min(2 * at_once_, kBlobsAtOnce);
  fault_.reset();
  if (files->kept) pause(core, *files->kept);
  return true;
}

// All of it is looked for then; meanwhile nothing else waits for what may never go.
void Unlinking::pause(const Core& core, Error why) {
  owed_ = 1;
  paused_until_ = core.since_boot() + kStuckPause;
  fault_ = std::move(why);
}

Status Unlinking::begin(Core& core) {
  ASSIGN_OR_RETURN(std::vector<Uuid> blobs, core.view().orphan_blobs(at_once_));
  if (blobs.size() < at_once_) owed_ = 0;
  if (blobs.empty()) return {};
  std::sort(blobs.begin(), blobs.end());  // as on disk: one folder after the other
  core.at_step(EraseStep::unlink);
  under_way_ = std::make_shared<Work>();
  const auto work = [&env = core.env(), directory = core.blob_directory(), blobs = std::move(blobs),
                     work = under_way_] {
    work->answer.push(unlink_files(env, directory, blobs, Folders::are_there, work->stop));
  };
  if (core.settings.aside) {
    core.settings.aside(work);
  } else {
    work();
  }
  return {};
}

Status Unlinking::complete(Core& core, const Unlinked& files) {
  if (!files.synced.ok()) return core.fatal(files.synced.error());
  if (!files.gone.empty()) RETURN_IF_ERROR(forget(core, files.gone));
  refill_reserve(core);
  return {};
}

}  // namespace aierase::lifecycle
