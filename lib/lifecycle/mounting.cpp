// The key for a mounted view: under a lease, and a use of the asset for as long as it lasts.

#include <algorithm>

#include "base/limits.h"
#include "lifecycle/core.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

// What has been in use for months must not look unused after a power cut.
constexpr auto kNoteEvery = std::chrono::hours(1);

std::string holder_text(const Holder& holder) {
  std::string text = "at " + holder.mount_point;
  if (holder.pid != 0) text += ", by process " + std::to_string(holder.pid);
  if (!holder.unit.empty()) text += " of " + holder.unit;
  return text;
}

Status note_use(Core& core, const std::vector<Uuid>& assets) {
  return transact(
      core, ReserveShare::none,
      [&](catalog::Transaction& transaction, catalog::StoreState&) -> Status {
        for (const Uuid& asset : assets) {
          RETURN_IF_ERROR(transaction.put_event(asset, domain::AssetEvent::mounted, core.now()));
        }
        return {};
      });
}

Status record(Core& core, const Holder& holder, const Uuid& asset) {
  return transact(
      core, ReserveShare::none,
      [&](catalog::Transaction& transaction, catalog::StoreState&) -> Status {
        RETURN_IF_ERROR(transaction.put_event(asset, domain::AssetEvent::mounted, holder.since));
        return transaction.add_event(
            {holder.since, holder.actor, "mount", asset_text(asset), "", "", holder_text(holder)});
      });
}

}  // namespace

Status note_mounts(Core& core) {
  const std::chrono::seconds now = core.since_boot();
  if (now < core.next_mount_note) return {};
  const std::vector<Uuid> mounted = core.keys.mounted();
  if (mounted.empty()) return {};
  core.next_mount_note = now + kNoteEvery;
  Status noted = note_use(core, mounted);
  // What was noted before is there; erasing does not wait for room on the disk.
  return !noted.ok() && noted.error().code == Errc::no_space ? Status() : noted;
}

Result<MountTicket> Store::begin_mount(MountRequest request) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.alive());  // no tree write: living models are served whatever a round does
  RETURN_IF_ERROR(check_text("the mount point", request.holder.mount_point, limits::kPathBytes));
  MountTicket ticket;
  ASSIGN_OR_RETURN(ticket.asset, core.living_asset(request.asset));
  if (ticket.asset.kind == domain::AssetKind::dataset_key) {
    return make_error(Errc::invalid_input,
                      ticket.asset.name.text() + " is a dataset-key: it has no files to mount",
                      "aierase export hands a key out", asset_text(request.asset));
  }
  RETURN_IF_ERROR(check_usable(core, request.holder.actor, ticket.asset));
  ASSIGN_OR_RETURN(crypto::Dek dek, core.dek_of(ticket.asset));
  ASSIGN_OR_RETURN(ticket.manifest, core.manifest_of(ticket.asset, dek));
  ticket.reader = {core.blob_directory(), core.store(), ticket.asset.id};
  request.holder.since = core.now();
  RETURN_IF_ERROR(record(core, request.holder, ticket.asset.id));
  ticket.lease = core.keys.lease(ticket.asset.id, std::move(dek), std::move(request.holder));
  core.changed(domain::IdType::asset, ticket.asset.id);
  return ticket;
}

Status Store::end_mount(const Uuid& asset) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.alive());
  core.changed(domain::IdType::asset, asset);
  return note_use(core, {asset});
}

}  // namespace aierase::lifecycle
