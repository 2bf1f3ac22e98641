// Export and key release: a copy out of our hands, recorded before its first byte leaves (I6).

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/limits.h"
#include "lifecycle/core.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

Result<domain::FileEntry> pick_file(const domain::Manifest& manifest,
                                    const std::optional<std::string>& path) {
  if (!path) {
    if (manifest.files.size() == 1) return manifest.files.front();
    return make_error(
        Errc::usage,
        "a range is of one file, and this asset has " + std::to_string(manifest.files.size()),
        "name it with --file");
  }
  const auto found =
      std::find_if(manifest.files.begin(), manifest.files.end(),
                   [&](const domain::FileEntry& file) { return file.path == *path; });
  if (found == manifest.files.end()) {
    return make_error(Errc::not_found, "there is no file " + quoted(*path) + " in this asset",
                      "`aierase show` lists its files");
  }
  return *found;
}

Status narrow(const ExportRequest& request, ExportTicket& ticket, std::string& scope) {
  if (!request.file && !request.range) return {};
  ASSIGN_OR_RETURN(const domain::FileEntry file, pick_file(ticket.manifest, request.file));
  ticket.manifest.files = {file};
  scope = file.path;
  if (!request.range) return {};
  const auto [first, last] = *request.range;
  if (last < first || last >= file.bytes) {
    return make_error(Errc::invalid_input, "the range " + std::to_string(first) + "-" +
                                               std::to_string(last) + " is not inside " +
                                               file.path + " of " + std::to_string(file.bytes) +
                                               " bytes");
  }
  ticket.first = first;
  ticket.length = last - first + 1;
  scope += "[" + std::to_string(first) + "-" + std::to_string(last) + "]";
  return {};
}

Status record(Core& core, const ExportRequest& request, const domain::Asset& asset,
              const std::string& scope) {
  domain::ExportRecord row;
  row.asset = asset.id;
  row.time = core.now();
  row.actor = request.actor;
  row.kind = asset.kind == domain::AssetKind::dataset_key ? domain::ExportKind::key_release
                                                          : domain::ExportKind::plaintext;
  row.medium = request.medium;
  row.scope = scope;
  row.destination = request.destination;
  return transact(core, ReserveShare::none,
                  [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                    RETURN_IF_ERROR(transaction.add_export(row));
                    ASSIGN_OR_RETURN(std::string text,
                                     dump_canonical(Json{{"asset", asset.id.hex()},
                                                         {"kind", domain::to_text(row.kind)},
                                                         {"scope", scope},
                                                         {"destination", row.destination},
                                                         {"by", actor_json(row.actor)}}));
                    const translog::LogRecord leaf{"export", row.time, std::move(text),
                                                   translog::Visibility::committed};
                    return core.append_log(transaction, state, {&leaf, 1});
                  });
}

}  // namespace

Result<ExportTicket> Store::begin_export(ExportRequest request) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.alive());  // no tree write: living models are served whatever a round does
  RETURN_IF_ERROR(check_text("the destination", request.destination, limits::kPathBytes));
  ExportTicket ticket;
  ASSIGN_OR_RETURN(ticket.asset, core.living_asset(request.asset));
  RETURN_IF_ERROR(check_usable(core, request.actor, ticket.asset));
  ASSIGN_OR_RETURN(crypto::Dek dek, core.dek_of(ticket.asset));
  std::string scope = "all";
  if (ticket.asset.kind == domain::AssetKind::dataset_key) {
    ASSIGN_OR_RETURN(ticket.key, core.payload_of(ticket.asset, dek));
  } else {
    ASSIGN_OR_RETURN(ticket.manifest, core.manifest_of(ticket.asset, dek));
    RETURN_IF_ERROR(narrow(request, ticket, scope));
  }
  ticket.reader = {core.blob_directory(), core.store(), ticket.asset.id};
  RETURN_IF_ERROR(record(core, request, ticket.asset, scope));
  ticket.lease = core.keys.lease(ticket.asset.id, std::move(dek));
  return ticket;
}

}  // namespace aierase::lifecycle
