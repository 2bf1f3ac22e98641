#include "lifecycle/reserve.h"

#include <algorithm>

namespace aierase::lifecycle {
namespace {

constexpr std::uint64_t kReserveBytes = 1 << 20;

Status shrink_reserve(Core& core, std::uint64_t bytes) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, core.env().open(core.settings.directory + "/reserve",
                                                               {.mode = OpenMode::read_write}));
  ASSIGN_OR_RETURN(const FileInfo info, file->info());
  if (info.size <= bytes) return {};
  RETURN_IF_ERROR(file->truncate(bytes));
  return file->sync();
}

Status attempt(Core& core, const Build& build, AuditTrail::Part part) {
  ASSIGN_OR_RETURN(catalog::Transaction transaction, core.catalog->begin());
  ASSIGN_OR_RETURN(catalog::StoreState state, transaction.state());
  RETURN_IF_ERROR(build(transaction, state));
  return core.commit(transaction, state, part);
}

}  // namespace

Status transact(Core& core, ReserveShare share, const Build& build, AuditTrail::Part part) {
  if (share == ReserveShare::all) part = AuditTrail::Part::none;
  const AuditTrail::Part least = std::min(part, AuditTrail::Part::begun);
  Status done = attempt(core, build, part);
  // Before anything is taken of the reserve: calls that wait can wait longer.
  if (!done.ok() && done.error().code == Errc::no_space && share != ReserveShare::none &&
      part != least) {
    done = attempt(core, build, least);
  }
  if (!done.ok() && done.error().code == Errc::no_space && share != ReserveShare::none) {
    RETURN_IF_ERROR(shrink_reserve(core, kReserveBytes / 2));
    done = attempt(core, build, least);
  }
  if (!done.ok() && done.error().code == Errc::no_space && share == ReserveShare::all) {
    RETURN_IF_ERROR(shrink_reserve(core, 0));
    done = attempt(core, build, least);
  }
  if (!done.ok() && done.error().code == Errc::io) core.stop = true;
  return done;
}

Status give_back_reserve(Core& core) {
  return shrink_reserve(core, 0);
}

Status create_reserve(Env& env, const std::string& directory) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                   env.open(directory + "/reserve", {.mode = OpenMode::create_new}));
  RETURN_IF_ERROR(file->allocate(kReserveBytes));
  RETURN_IF_ERROR(file->truncate(kReserveBytes));
  RETURN_IF_ERROR(file->sync());
  return env.sync_directory(directory);
}

void refill_reserve(Core& core) {
  Result<std::unique_ptr<File>> file =
      core.env().open(core.settings.directory + "/reserve", {.mode = OpenMode::read_write});
  if (!file.ok()) return;
  const Result<FileInfo> info = (*file)->info();
  if (!info.ok() || info->size >= kReserveBytes) return;
  if (!(*file)->allocate(kReserveBytes).ok()) return;
  if (!(*file)->truncate(kReserveBytes).ok()) return;
  const Status synced = (*file)->sync();
  if (!synced.ok() && synced.error().code == Errc::io) core.stop = true;
}

}  // namespace aierase::lifecycle
