// Import: intent row, blobs, then one transaction {leaf, manifest, asset} (erasure-design section
// 6).

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "blob/manifest.h"
#include "lifecycle/core.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

constexpr std::size_t kGeneratedKeyBytes = 32;

Status check_request(const ImportRequest& request, domain::PeopleRule rule) {
  if (request.labels.size() > limits::kLabelsPerAsset) {
    return make_error(Errc::resource_limit,
                      "more than " + std::to_string(limits::kLabelsPerAsset) + " labels");
  }
  for (const auto& [key, value] : request.labels) {
    RETURN_IF_ERROR(domain::check_label(key, value));
  }
  RETURN_IF_ERROR(check_custodians(request.custodians, rule));
  if (request.lineage.size() > limits::kLineagePerAsset) {
    return make_error(Errc::resource_limit,
                      "more than " + std::to_string(limits::kLineagePerAsset) + " lineage edges");
  }
  return {};
}

// Some class that applies may ask for more than the slot reaches: such an asset must not come in.
Status check_assurance(Core& core, const catalog::ReadView& view, const domain::Asset& asset) {
  ASSIGN_OR_RETURN(const policy::Decision ruling, core.retention.decide(view, asset, core.now()));
  const domain::Level wanted = ruling.terms.require_assurance;
  if (wanted == domain::Level::ea0) return {};
  ASSIGN_OR_RETURN(const SlotReview review, review_slot(core));
  const domain::Level reached = review.record.assurance.level;
  if (reached >= wanted) return {};
  return make_error(Errc::assurance_required,
                    "the policy asks for " + std::string(domain::to_text(wanted)) + " for " +
                        asset.name.text() + ", and this store's root slot reaches " +
                        std::string(domain::to_text(reached)),
                    "`aierase doctor` tells the way to a higher level", asset.name.text());
}

// The worst history of all sources decides; no source at all is unknown.
domain::SourceHistory worst_history(const std::vector<domain::Source>& sources) {
  if (sources.empty()) return domain::SourceHistory::unknown;
  domain::SourceHistory worst = domain::SourceHistory::encrypted_from_first_write;
  for (const domain::Source& source : sources) {
    if (source.history == domain::SourceHistory::retrofitted) return source.history;
    if (source.history == domain::SourceHistory::unknown) worst = source.history;
  }
  return worst;
}

bool is_leaving(domain::AssetState state) {
  return state == domain::AssetState::retired || state == domain::AssetState::erasing;
}

// Whose wish it is that it goes, and why; empty where no plan tells.
Result<std::string> wish_behind(const catalog::ReadView& view, const Uuid& asset) {
  ASSIGN_OR_RETURN(const std::optional<Uuid> id, view.open_plan_of(asset));
  if (!id) return std::string();
  ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, view.plan_head(*id));
  if (!plan) return make_error(Errc::damaged, "an open plan is not in the catalog");
  return " (" + plan->requester.login + " asked for it: " + plan->reason + ")";
}

// What is about to go gets no descendants any more: one of them alone would stop an erasure that
// people have agreed to. What it supersedes may be on its way out.
Status check_parents(Core& core, const domain::Actor& actor,
                     const std::vector<domain::LineageEdge>& edges) {
  for (const domain::LineageEdge& edge : edges) {
    if (edge.relation == domain::Relation::supersedes) continue;
    ASSIGN_OR_RETURN(const domain::Asset parent, core.known_asset(edge.parent));
    if (!is_leaving(parent.state)) continue;
    Status refusal = check_usable(core, actor, parent);  // counts the attempt
    if (refusal.ok() || refusal.error().code != Errc::wrong_state) return refusal;
    ASSIGN_OR_RETURN(const std::string wish, wish_behind(core.view(), parent.id));
    Error error = std::move(refusal).error();
    error.message = parent.name.text() + " is " + std::string(domain::to_text(parent.state)) +
                    wish + ", so nothing comes in any more that is " +
                    std::string(domain::to_text(edge.relation)) + " it";
    return error;
  }
  return {};
}

struct Content {
  domain::Manifest manifest;
  std::optional<SecretBytes> key;  // of a dataset key
};

// Keys and configurations can be guessed: whoever has nothing to do with one that is there learns
// nothing by importing guesses under its name.
Status check_may_compare(const domain::Asset& there, const domain::Asset& asset) {
  if (there.kind != domain::AssetKind::dataset_key &&
      there.kind != domain::AssetKind::configuration) {
    return {};
  }
  if (there.kind != asset.kind || domain::same_person(there.importer, asset.importer) ||
      domain::is_custodian(asset.importer, there.custodians)) {
    return {};
  }
  return make_error(
      Errc::already_exists,
      there.name.text() +
          " exists and is never overwritten; whether it has this content is told to "
          "its importer and its custodians alone",
      "import it under another version, e.g. " + std::string(there.name.base()) + ":2",
      asset_text(there.id));
}

// Whether the living asset of that name holds exactly this content.
Result<bool> same_content(Core& core, const domain::Asset& there, domain::AssetKind kind,
                          const Content& content) {
  if (there.kind != kind) return false;
  ASSIGN_OR_RETURN(const crypto::Dek dek, core.dek_of(there));
  if (kind == domain::AssetKind::dataset_key) {
    if (!content.key) return false;
    ASSIGN_OR_RETURN(const SecretBytes key, core.payload_of(there, dek));
    return key.equals(*content.key);
  }
  ASSIGN_OR_RETURN(const domain::Manifest manifest, core.manifest_of(there, dek));
  return domain::sha256sum_lines(manifest.files) == domain::sha256sum_lines(content.manifest.files);
}

Result<Bytes> seal_payload(const Core& core, const ImportTicket& ticket, const SecretBytes& key) {
  ASSIGN_OR_RETURN(const crypto::SealKey seal, crypto::payload_key(ticket.dek));
  Bytes associated = copy_of(core.store().view());
  append(associated, ticket.asset.view());
  return key.reveal([&](ByteView plain) { return crypto::seal_message(seal, associated, plain); });
}

// The clocks of a class may run from it, so the history of the older one says whose doing it was.
Status tell_superseded(Core& core, catalog::Transaction& transaction, const domain::Asset& asset,
                       const std::vector<domain::LineageEdge>& edges) {
  for (const domain::LineageEdge& edge : edges) {
    if (edge.relation != domain::Relation::supersedes) continue;
    RETURN_IF_ERROR(transaction.add_event(
        {asset.created, asset.importer, "superseded", asset_text(edge.parent), "", "",
         "by " + asset.name.text() + " (" + asset_text(asset.id) + ")"}));
    core.changed(domain::IdType::asset, edge.parent);
  }
  return {};
}

Status write_asset(Core& core, ImportTicket& ticket, const Content& content) {
  domain::Asset& asset = ticket.draft;
  ASSIGN_OR_RETURN(asset.kcv, crypto::key_check_value(ticket.dek, core.store(), ticket.asset));
  ASSIGN_OR_RETURN(const Bytes manifest,
                   blob::seal_manifest(content.manifest, ticket.dek, core.store(), ticket.asset));
  Bytes payload;
  if (content.key) {
    ASSIGN_OR_RETURN(payload, seal_payload(core, ticket, *content.key));
  }
  std::vector<Uuid> blobs;
  for (const domain::BlobEntry& blob : content.manifest.blobs) blobs.push_back(blob.id);
  return transact(
      core, ReserveShare::none,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        asset.leaf = state.next_leaf;
        asset.first_epoch = state.epoch;
        asset.created = core.now();
        if (state.next_leaf >= keytree::kLeaves) {
          return make_error(Errc::resource_limit, "the key tree of this store is full");
        }
        state.next_leaf += 1;
        CatalogNodes nodes(transaction);
        const keytree::LeafInsert leaf{*asset.leaf, &ticket.dek};
        ASSIGN_OR_RETURN(const domain::NodeBatch batch,
                         keytree::insert(nodes, core.store(), core.root, {&leaf, 1}));
        RETURN_IF_ERROR(transaction.put_nodes(batch.put));
        RETURN_IF_ERROR(transaction.insert_asset(asset, manifest, payload, blobs, ticket.edges));
        RETURN_IF_ERROR(check_assurance(core, transaction, asset));
        RETURN_IF_ERROR(bind_future_holds(core, transaction, asset.id));
        RETURN_IF_ERROR(transaction.add_event(
            {asset.created, asset.importer, "import", asset_text(asset.id), "", "active", ""}));
        RETURN_IF_ERROR(tell_superseded(core, transaction, asset, ticket.edges));
        return transaction.end_import(ticket.asset);
      });
}

// The same content from another place: that place, too, holds or held it in the clear.
Status add_new_sources(Core& core, const domain::Asset& there,
                       const std::vector<domain::Source>& sources) {
  std::vector<domain::Source> all = there.sources;
  std::vector<domain::Source> added;
  for (const domain::Source& source : sources) {
    const bool known = std::any_of(all.begin(), all.end(), [&](const domain::Source& one) {
      return one.description == source.description && one.filesystem == source.filesystem &&
             one.history == source.history && !one.removed_at;
    });
    if (known) continue;
    added.push_back(source);
    all.push_back(source);
  }
  if (added.empty()) return {};
  if (all.size() > limits::kSourcesPerAsset) {
    return make_error(Errc::resource_limit,
                      "with these it would have more than " +
                          std::to_string(limits::kSourcesPerAsset) + " sources on record",
                      {}, asset_text(there.id));
  }
  core.changed(domain::IdType::asset, there.id);
  return transact(core, ReserveShare::none,
                  [&](catalog::Transaction& transaction, catalog::StoreState&) {
                    return transaction.add_sources(there.id, added, worst_history(all));
                  });
}

Result<ImportReport> finish(Store& store, Core& core, ImportTicket ticket, Content content,
                            std::vector<domain::Source> sources) {
  RETURN_IF_ERROR(core.writable());
  domain::Asset& asset = ticket.draft;
  if (sources.size() > limits::kSourcesPerAsset) {
    return make_error(Errc::resource_limit,
                      "more than " + std::to_string(limits::kSourcesPerAsset) + " sources named");
  }
  asset.source_history = worst_history(sources);
  asset.sources = std::move(sources);
  for (const domain::FileEntry& file : content.manifest.files) asset.bytes += file.bytes;
  asset.file_count = content.manifest.files.size();
  if (content.key) {
    asset.bytes = content.key->size();
    asset.file_count = 1;
  }
  ASSIGN_OR_RETURN(const std::optional<Uuid> taken,
                   core.view().asset_named(asset.name, catalog::NameScope::living));
  if (taken) {
    ASSIGN_OR_RETURN(const domain::Asset there, core.known_asset(*taken));
    RETURN_IF_ERROR(check_may_compare(there, asset));
    ASSIGN_OR_RETURN(const bool same, same_content(core, there, asset.kind, content));
    if (same && there.state != domain::AssetState::active) {
      return make_error(Errc::wrong_state,
                        there.name.text() + " holds this content already and is " +
                            std::string(domain::to_text(there.state)),
                        there.state == domain::AssetState::suspended
                            ? "`aierase resume " + there.name.text() + "` makes it usable"
                            : "import it under another version to keep it",
                        asset_text(*taken));
    }
    if (there.kind != asset.kind) {
      return make_error(
          Errc::already_exists,
          there.name.text() + " is there as a " + std::string(domain::to_text(there.kind)) +
              ", and no asset changes its kind",
          "import it under another version, e.g. " + std::string(asset.name.base()) + ":2",
          asset_text(*taken));
    }
    if (!same) {
      return make_error(
          Errc::already_exists,
          asset.name.text() + " exists with other content and is never overwritten",
          "import it under another version, e.g. " + std::string(asset.name.base()) + ":2",
          asset_text(*taken));
    }
    RETURN_IF_ERROR(add_new_sources(core, there, asset.sources));
    ImportReport report;
    report.outcome = ImportOutcome::existing;
    ASSIGN_OR_RETURN(report.view, store.show_asset(*taken));
    return report;
  }
  // Once more: a parent may have been retired since the import began.
  RETURN_IF_ERROR(check_parents(core, asset.importer, ticket.edges));
  RETURN_IF_ERROR(check_slot_file(core));
  RETURN_IF_ERROR(write_asset(core, ticket, content));
  core.importing.erase(ticket.asset);
  core.changed(domain::IdType::asset, ticket.asset);
  ImportReport report;
  ASSIGN_OR_RETURN(report.view, store.show_asset(ticket.asset));
  return report;
}

// Nothing where it was committed or ended. After a failed commit nobody knows whether the asset is
// there: its blobs wait for the next start, and for the check that removes them.
Result<std::optional<catalog::ImportIntent>> intent_of(const Core& core, const Uuid& asset) {
  RETURN_IF_ERROR(core.alive());
  ASSIGN_OR_RETURN(std::vector<catalog::ImportIntent> intents, core.view().imports());
  for (catalog::ImportIntent& one : intents) {
    if (one.asset == asset) return std::optional<catalog::ImportIntent>(std::move(one));
  }
  return std::optional<catalog::ImportIntent>();
}

}  // namespace

Result<ImportTicket> Store::begin_import(ImportRequest request) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.writable());
  RETURN_IF_ERROR(check_slot_file(core));  // before the first byte
  ASSIGN_OR_RETURN(const catalog::StoreState now_in_force, core.view().state());
  RETURN_IF_ERROR(check_request(request, now_in_force.people_rule));
  RETURN_IF_ERROR(check_class(core, request.retention));
  ImportTicket ticket;
  ticket.asset = Uuid::random();
  ASSIGN_OR_RETURN(ticket.draft.name, domain::AssetName::parse(request.name));
  ASSIGN_OR_RETURN(ticket.dek, crypto::Dek::random());
  ticket.draft.id = ticket.asset;
  ticket.draft.kind = request.kind;
  ticket.draft.importer = request.actor;
  ticket.draft.retention = request.retention;
  ticket.draft.custodians = request.custodians;
  for (auto& [key, value] : request.labels) ticket.draft.labels[key] = value;
  ticket.draft.created = core.now();
  // Before the first byte. Classes that select by lineage are asked when it is known to the
  // catalog.
  RETURN_IF_ERROR(check_assurance(core, core.view(), ticket.draft));
  for (const auto& [relation, text] : request.lineage) {
    ASSIGN_OR_RETURN(const Uuid parent, resolve_asset(text, catalog::NameScope::any));
    ticket.edges.push_back({ticket.asset, relation, parent});
  }
  std::sort(ticket.edges.begin(), ticket.edges.end());
  ticket.edges.erase(std::unique(ticket.edges.begin(), ticket.edges.end()), ticket.edges.end());
  RETURN_IF_ERROR(check_parents(core, request.actor, ticket.edges));
  ticket.writer = {core.blob_directory(), core.store(), ticket.asset};
  RETURN_IF_ERROR(transact(
      core, ReserveShare::none, [&](catalog::Transaction& transaction, catalog::StoreState&) {
        return transaction.start_import({ticket.asset, request.actor, core.now(), {}});
      }));
  core.importing.insert(ticket.asset);
  return ticket;
}

Result<std::vector<Uuid>> Store::reserve_blobs(const Uuid& asset, std::size_t count) {
  Core& core = *impl_;
  std::vector<Uuid> blobs;
  for (std::size_t i = 0; i < count; ++i) blobs.push_back(Uuid::random());
  RETURN_IF_ERROR(transact(core, ReserveShare::none,
                           [&](catalog::Transaction& transaction, catalog::StoreState&) {
                             return transaction.reserve_blobs(asset, blobs);
                           }));
  return blobs;
}

Result<ImportReport> Store::finish_import(ImportTicket ticket, domain::Manifest manifest,
                                          std::vector<domain::Source> sources) {
  if (manifest.files.empty()) {
    return make_error(Errc::invalid_input, "there is nothing to import: no file was given");
  }
  if (ticket.draft.kind == domain::AssetKind::configuration) {
    crypto::random_bytes(manifest.configuration_salt);
  }
  Content content;
  content.manifest = std::move(manifest);
  return finish(*this, *impl_, std::move(ticket), std::move(content), std::move(sources));
}

Result<ImportReport> Store::finish_key_import(ImportTicket ticket, std::optional<SecretBytes> key,
                                              std::vector<domain::Source> sources) {
  if (key && (key->empty() || key->size() > limits::kDatasetKeyBytes)) {
    return make_error(Errc::invalid_input,
                      "a dataset key has 1 to " + std::to_string(limits::kDatasetKeyBytes) +
                          " bytes, this one has " + std::to_string(key->size()));
  }
  Content content;
  if (key) {
    content.key = std::move(key);
  } else {
    ASSIGN_OR_RETURN(SecretBytes generated, SecretBytes::random(kGeneratedKeyBytes));
    content.key = std::move(generated);
    domain::Source source;
    source.description = "generated by aierased";
    source.filesystem = "none";
    source.history = domain::SourceHistory::encrypted_from_first_write;
    source.files = 1;
    source.bytes = kGeneratedKeyBytes;
    sources = {source};
  }
  return finish(*this, *impl_, std::move(ticket), std::move(content), std::move(sources));
}

Result<std::vector<Uuid>> Store::blobs_to_abort(const Uuid& asset) {
  ASSIGN_OR_RETURN(std::optional<catalog::ImportIntent> intent, intent_of(*impl_, asset));
  return intent ? std::move(intent->blobs) : std::vector<Uuid>();
}

// Blobs first, the intent last: whatever is interrupted, what is left is still named by the intent.
Status Store::abort_import(const Uuid& asset) {
  Core& core = *impl_;
  core.importing.erase(asset);
  ASSIGN_OR_RETURN(const std::optional<catalog::ImportIntent> intent, intent_of(core, asset));
  if (!intent) return {};
  const Unlinked files = unlink_files(core.env(), core.blob_directory(), intent->blobs,
                                      Folders::may_be_missing, false);
  if (!files.synced.ok()) return core.fatal(files.synced.error());
  if (files.kept) return *files.kept;
  return transact(core, ReserveShare::half,
                  [&](catalog::Transaction& transaction, catalog::StoreState&) {
                    return transaction.end_import(asset);
                  });
}

Status Store::report_sources_removed(const domain::Actor& actor, const Uuid& asset,
                                     const std::vector<std::string>& descriptions) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.writable());
  ASSIGN_OR_RETURN(const domain::Asset known, core.living_asset(asset));
  if (known.importer.uid != actor.uid) {
    return make_error(Errc::access_denied, "only the importer of " + known.name.text() +
                                               " can say that its sources were removed");
  }
  for (const std::string& description : descriptions) {
    const bool named = std::any_of(
        known.sources.begin(), known.sources.end(),
        [&](const domain::Source& source) { return source.description == description; });
    if (!named) {
      return make_error(Errc::not_found,
                        known.name.text() + " has no source " + quoted(description));
    }
  }
  return transact(
      core, ReserveShare::none,
      [&](catalog::Transaction& transaction, catalog::StoreState&) -> Status {
        for (const std::string& description : descriptions) {
          RETURN_IF_ERROR(transaction.mark_source_removed(asset, description, core.now()));
        }
        return transaction.add_event(
            {core.now(), actor, "sources-removed", asset_text(asset), "", "", ""});
      });
}

}  // namespace aierase::lifecycle
