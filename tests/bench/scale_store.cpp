#include "bench/scale_store.h"

#include <filesystem>
#include <fstream>

#include "blob/manifest.h"
#include "lifecycle/core.h"
#include "lifecycle/reserve.h"

namespace aierase::bench {
namespace {

using lifecycle::Core;
using lifecycle::Store;

enum class Role { stays, single, in_plan, younger };

// Spreads singles and what is in the plan evenly over all positions.
class Roles {
 public:
  explicit Roles(std::size_t assets)
      : single_stride_(assets / kSingles),
        plan_stride_(std::max<std::size_t>(1, (assets - kSingles) / kInPlan)) {}

  Role next() {
    const std::size_t position = position_++;
    if (position % single_stride_ == 0 && singles_ < kSingles) {
      ++singles_;
      return Role::single;
    }
    if (position == 1) return Role::younger;
    if (others_++ % plan_stride_ == 0 && in_plan_ < kInPlan) {
      ++in_plan_;
      return Role::in_plan;
    }
    return Role::stays;
  }

 private:
  std::size_t single_stride_, plan_stride_;
  std::size_t position_ = 0, singles_ = 0, others_ = 0, in_plan_ = 0;
};

domain::Manifest manifest_of(const Uuid& blob) {
  domain::Manifest manifest;
  domain::FileEntry file;
  file.path = "model.safetensors";
  file.bytes = kBlobBytes / 2;
  file.sha256.fill(std::byte{7});
  file.blob = blob;
  manifest.files.push_back(file);
  domain::BlobEntry entry;
  entry.id = blob;
  entry.bytes = file.bytes;
  manifest.blobs.push_back(entry);
  return manifest;
}

Result<domain::Asset> asset_of(const Core& core, const crypto::Dek& dek, std::uint32_t leaf) {
  domain::Asset asset;
  asset.id = Uuid::random();
  ASSIGN_OR_RETURN(asset.name,
                   domain::AssetName::parse("org/model-" + std::to_string(leaf) + ":1"));
  asset.bytes = kBlobBytes / 2;
  asset.file_count = 1;
  asset.created = core.now();
  asset.importer = operator_actor();
  asset.leaf = leaf;
  asset.custodians = {{domain::CustodianKind::user, "ops", 1000}};
  asset.labels["team"] = "research";
  domain::Source source;
  source.description = "standard input";
  source.filesystem = "pipe";
  source.files = 1;
  source.bytes = asset.bytes;
  asset.sources.push_back(source);
  ASSIGN_OR_RETURN(asset.kcv, crypto::key_check_value(dek, core.store(), asset.id));
  return asset;
}

class Builder {
 public:
  Builder(Core& core, std::size_t assets) : core_(core), roles_(assets) {}

  Status add(std::size_t count) {
    std::vector<crypto::Dek> keys;
    for (std::size_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(crypto::Dek dek, crypto::Dek::random());
      keys.push_back(std::move(dek));
    }
    return lifecycle::transact(
        core_, lifecycle::ReserveShare::none,
        [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
          std::vector<keytree::LeafInsert> leaves;
          for (const crypto::Dek& dek : keys) {
            leaves.push_back({state.next_leaf, &dek});
            RETURN_IF_ERROR(add_one(transaction, dek, state.next_leaf++));
          }
          lifecycle::CatalogNodes nodes(transaction);
          ASSIGN_OR_RETURN(const domain::NodeBatch batch,
                           keytree::insert(nodes, core_.store(), core_.root, leaves));
          return transaction.put_nodes(batch.put);
        });
  }

  Chosen take() { return std::move(chosen_); }

 private:
  Status add_one(catalog::Transaction& transaction, const crypto::Dek& dek, std::uint32_t leaf) {
    const Uuid blob = Uuid::random();
    ASSIGN_OR_RETURN(domain::Asset asset, asset_of(core_, dek, leaf));
    ASSIGN_OR_RETURN(const Bytes manifest,
                     blob::seal_manifest(manifest_of(blob), dek, core_.store(), asset.id));
    const Role role = roles_.next();
    if (role == Role::in_plan) asset.labels["purpose"] = "log";
    if (role == Role::younger) {  // a log that stays, so that no run would empty the class
      asset.labels["purpose"] = "log";
      asset.created += std::chrono::days(30);
    }
    if (role != Role::stays) RETURN_IF_ERROR(write_blob(core_.blob_directory(), blob));
    std::vector<domain::LineageEdge> edges;
    if (role == Role::single) chosen_.singles.push_back(asset.id);
    if (role == Role::in_plan) {
      if (chosen_.in_plan.size() % 2 == 1) {
        edges.push_back({asset.id, domain::Relation::derived_from, chosen_.in_plan.back()});
      }
      chosen_.in_plan.push_back(asset.id);
    }
    RETURN_IF_ERROR(transaction.insert_asset(asset, manifest, {}, {&blob, 1}, edges));
    return transaction.add_event({asset.created, asset.importer, "import",
                                  lifecycle::asset_text(asset.id), "", "active", ""});
  }

  Core& core_;
  Roles roles_;
  Chosen chosen_;
};

// The store opened from below, where many assets fit into one commit.
Status open_core(Core& core) {
  ASSIGN_OR_RETURN(core.locator, Store::read_locator(core.settings));
  ASSIGN_OR_RETURN(core.slot, rootslot::open_file_slot(core.env(), {core.locator.slot_path}));
  ASSIGN_OR_RETURN(core.catalog,
                   catalog::Catalog::open(core.env(), core.settings.directory + "/catalog.db"));
  ASSIGN_OR_RETURN(const rootslot::SlotReading first, core.slot->read(0));
  if (!first.secret) return make_error(Errc::damaged, "the new slot is empty");
  ASSIGN_OR_RETURN(crypto::RootSecret root, core.root_of(*first.secret, first.epoch));
  return core.adopt_root(std::move(root));
}

}  // namespace

Status write_blob(const std::string& blobs, const Uuid& blob) {
  const std::string path = blob::blob_path(blobs, blob);
  std::error_code error;
  std::filesystem::create_directories(parent_of(path), error);
  std::ofstream file(path, std::ios::binary);
  file << std::string(kBlobBytes, 'x');
  file.close();
  if (error || !file) return make_error(Errc::io, "cannot write " + path);
  return {};
}

domain::Actor operator_actor() {
  domain::Actor actor;
  actor.uid = 1000;
  actor.login = "ops";
  actor.audit_login_uid = 1000;
  return actor;
}

lifecycle::StoreSettings settings_in(Env& env, const Clock& clock, const std::string& directory) {
  lifecycle::StoreSettings settings;
  settings.env = &env;
  settings.clock = &clock;
  settings.directory = directory + "/store";
  settings.host.host = "bench";
  settings.host.machine_id_digest = std::string(64, 'a');
  settings.host.tool_version = "0.1.0";
  settings.host.tool_build = "bench";
  return settings;
}

Result<Chosen> build_store(const lifecycle::StoreSettings& settings, const std::string& slot_path,
                           std::size_t assets) {
  RETURN_IF_ERROR(settings.env->make_directory(settings.directory, 0700));
  RETURN_IF_ERROR(settings.env->make_directory(parent_of(slot_path), 0700));
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<File> lock, Store::lock(settings));
    lifecycle::InitRequest request;
    request.actor = operator_actor();
    request.slot_path = slot_path;
    request.people_rule = domain::PeopleRule::single_operator;
    ASSIGN_OR_RETURN(const lifecycle::StatusReport made,
                     Store::initialise(settings, std::move(request)));
  }
  Core core;
  core.settings = settings;
  RETURN_IF_ERROR(open_core(core));
  Builder builder(core, assets);
  for (std::size_t done = 0; done < assets; done += kLocked) {
    RETURN_IF_ERROR(builder.add(std::min(kLocked, assets - done)));
  }
  return builder.take();
}

}  // namespace aierase::bench
