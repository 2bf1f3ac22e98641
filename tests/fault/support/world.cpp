#include "fault/support/world.h"

#include <algorithm>

#include "blob/asset_reader.h"
#include "blob/asset_writer.h"

namespace aierase::test {
namespace {

using lifecycle::Store;

class MemorySource final : public blob::ByteSource {
 public:
  explicit MemorySource(ByteView content) : left_(content) {}
  Result<std::size_t> read(ByteSpan to) override {
    const std::size_t size = std::min(to.size(), left_.size());
    std::copy_n(left_.begin(), size, to.begin());
    left_ = left_.subspan(size);
    return size;
  }

 private:
  ByteView left_;
};

class MemorySink final : public blob::ByteSink {
 public:
  Status write(ByteView from) override {
    append(bytes, from);
    return {};
  }
  Bytes bytes;
};

Result<std::vector<domain::Custodian>> custodians_of_this_host(
    const std::vector<std::string>& names) {
  std::vector<domain::Custodian> found;
  for (const std::string& name : names) {
    if (name == "bob") {
      found.push_back({domain::CustodianKind::user, name, 1001});
    } else if (name == "carol") {
      found.push_back({domain::CustodianKind::user, name, 1002});
    } else {
      return make_error(Errc::invalid_input, "there is no " + name + " on this host");
    }
  }
  return found;
}

Error differs(const std::string& what) {
  return make_error(Errc::verification_failed, what + " does not read back as imported");
}

// As the daemon makes it: the audit begins with the store that is kept.
lifecycle::StoreSettings without_audit(lifecycle::StoreSettings settings) {
  settings.audit = nullptr;
  return settings;
}

}  // namespace

domain::Actor person(std::uint32_t uid, std::string login) {
  domain::Actor actor;
  actor.uid = uid;
  actor.login = std::move(login);
  actor.audit_login_uid = uid;
  return actor;
}

Bytes content_of(std::uint64_t seed, std::size_t size) {
  Bytes content(size);
  std::uint64_t state = seed * 0x9E3779B97F4A7C15U + 1;
  for (std::byte& byte : content) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    byte = static_cast<std::byte>(state & 0xFFU);
  }
  return content;
}

ImportWish small_asset(const std::string& name, std::uint64_t seed) {
  ImportWish wish;
  wish.name = name;
  wish.files = {{"weights.bin", content_of(seed, 900)},
                {"config/a.json", content_of(seed + 1, 70)}};
  return wish;
}

std::string to_string(const Crash& crash) {
  if (crash.kind == Crash::Kind::killed) return "killed";
  static constexpr const char* kCuts[] = {"lose all", "keep all", "scatter", "tear"};
  return std::string("power cut (") + kCuts[static_cast<int>(crash.cut)] + ", seed " +
         std::to_string(crash.seed) + ")";
}

World::World() {
  host.host = "node7";
  host.machine_id_digest = std::string(64, 'a');
  host.tool_version = "0.1.0";
  host.tool_build = "feed";
  for (const char* directory : {kStoreDirectory, kSlotDirectory}) {
    if (!disk.make_directory(directory, 0700).ok()) std::abort();
  }
  if (!disk.sync_directory("/").ok()) std::abort();
}

lifecycle::StoreSettings World::settings() {
  lifecycle::StoreSettings settings;
  settings.env = &disk;
  settings.clock = &clock;
  settings.directory = kStoreDirectory;
  if (tpm) settings.tpm = tpm->settings();
  settings.coalesce = coalesce;
  settings.host = host;
  settings.find_custodians = find_custodians ? find_custodians : custodians_of_this_host;
  settings.person_today = [this](const domain::Actor& then, const std::optional<std::string>& key) {
    return person_today ? person_today(then, key)
                        : Result<std::optional<domain::Actor>>(std::optional(then));
  };
  settings.enrolled = enrolled;
  settings.audit = audit;
  settings.aside = aside;
  settings.at_step = [this](lifecycle::EraseStep step) {
    adversary.learn(disk, kStoreDirectory);
    if (hook) hook(step);
  };
  return settings;
}

Result<std::optional<crypto::UnlockSecret>> World::unlock_secret() const {
  if (!unlock) return std::optional<crypto::UnlockSecret>();
  ASSIGN_OR_RETURN(SecretBytes bytes, SecretBytes::copy_of(*unlock));
  ASSIGN_OR_RETURN(crypto::UnlockSecret secret, crypto::UnlockSecret::adopt(std::move(bytes)));
  return std::optional<crypto::UnlockSecret>(std::move(secret));
}

Status World::init(domain::PeopleRule rule) {
  lifecycle::InitRequest request;
  request.actor = alice();
  request.slot_path = kSlotPath;
  if (tpm) request.slot_kind = home.value_or(lifecycle::SlotKind::tpm2);
  request.people_rule = rule;
  ASSIGN_OR_RETURN(request.secret, unlock_secret());
  if (unlock) request.unlock = lifecycle::UnlockKind::credential;
  ASSIGN_OR_RETURN(const std::unique_ptr<File> lock, Store::lock(settings()));
  ASSIGN_OR_RETURN(const lifecycle::StatusReport report,
                   Store::initialise(without_audit(settings()), std::move(request)));
  uuid_ = report.state.store;
  adversary = Adversary(uuid_, unlock.value_or(Bytes()));
  return {};
}

Status World::open(Store::Adopt adopt) {
  close();
  ASSIGN_OR_RETURN(std::unique_ptr<File> lock, Store::lock(settings()));
  ASSIGN_OR_RETURN(const Store::Presence presence, Store::presence(settings()));
  if (presence == Store::Presence::absent) {
    return make_error(Errc::uninitialised, "there is no store");
  }
  // An init that was stopped after its last step left a store whose name nobody heard.
  const Result<lifecycle::SlotLocator> locator = Store::read_locator(settings());
  if (locator.ok() && locator->store != uuid_) {
    uuid_ = locator->store;
    adversary = Adversary(uuid_, unlock.value_or(Bytes()));
  }
  ASSIGN_OR_RETURN(std::optional<crypto::UnlockSecret> secret, unlock_secret());
  ASSIGN_OR_RETURN(store, Store::open(settings(), std::move(lock), std::move(secret), adopt));
  adversary.learn(disk, kStoreDirectory);
  return {};
}

void World::close() {
  store.reset();
}

void World::crash(const Crash& crash) {
  close();
  if (crash.kind == Crash::Kind::killed) {
    disk.restart();
  } else {
    disk.power_cut(crash.cut, crash.seed);
  }
  if (tpm) tpm->forget();
  if (tpm && (tpm->was_killed() || crash.kind == Crash::Kind::power_cut)) {
    tpm->kill();
    tpm->start();
  }
  adversary.learn(disk, kStoreDirectory);
}

void World::remember(const lifecycle::AssetView& view, const ImportWish& wish, Bytes key) {
  Imported imported;
  imported.id = view.asset.id;
  imported.name = wish.name;
  imported.files = wish.files;
  imported.key = std::move(key);
  imported.target = {view.asset.id, view.asset.leaf.value_or(0), view.asset.kcv};
  assets.push_back(std::move(imported));
}

Result<domain::Manifest> World::write_blobs(const lifecycle::ImportTicket& ticket,
                                            const ImportWish& wish) {
  blob::Progress progress;
  const blob::BlobReserver reserve = [&]() -> Result<Uuid> {
    ASSIGN_OR_RETURN(const std::vector<Uuid> blobs, store->reserve_blobs(ticket.asset, 1));
    return blobs.front();
  };
  domain::Manifest whole;
  whole.files.resize(wish.files.size());
  for (std::size_t pack = 0; pack < wish.packs; ++pack) {
    ASSIGN_OR_RETURN(blob::AssetWriter writer,
                     blob::AssetWriter::create(disk, ticket.writer, ticket.dek, reserve, progress));
    for (std::size_t i = pack; i < wish.files.size(); i += wish.packs) {
      MemorySource source(wish.files[i].bytes);
      RETURN_IF_ERROR(writer.add_file(wish.files[i].path, source));
    }
    ASSIGN_OR_RETURN(domain::Manifest part, writer.finish());
    for (std::size_t i = 0; i < part.files.size(); ++i) {
      whole.files[pack + i * wish.packs] = std::move(part.files[i]);
    }
    whole.blobs.insert(whole.blobs.end(), part.blobs.begin(), part.blobs.end());
  }
  return whole;
}

Status World::import(const ImportWish& wish, Ending ending) {
  lifecycle::ImportRequest request;
  request.actor = alice();
  request.name = wish.name;
  request.kind = wish.kind;
  request.custodians = wish.custodians;
  request.lineage = wish.lineage;
  ASSIGN_OR_RETURN(lifecycle::ImportTicket ticket, store->begin_import(std::move(request)));
  const Uuid id = ticket.asset;
  Result<domain::Manifest> manifest = write_blobs(ticket, wish);
  if (!manifest.ok() || ending == Ending::abort) {
    const Status aborted = store->abort_import(id);
    return manifest.ok() ? aborted : Status(manifest.error());
  }
  const Result<lifecycle::ImportReport> report =
      store->finish_import(std::move(ticket), std::move(manifest).value(), {});
  if (!report.ok() || report->outcome != lifecycle::ImportOutcome::created) {
    const Status aborted = store->abort_import(id);
    return report.ok() ? aborted : Status(report.error());
  }
  remember(report->view, wish);
  return {};
}

Status World::import_key(const std::string& name, std::optional<Bytes> key) {
  ImportWish wish;
  wish.name = name;
  lifecycle::ImportRequest request;
  request.actor = alice();
  request.name = name;
  request.kind = domain::AssetKind::dataset_key;
  request.custodians = wish.custodians;
  ASSIGN_OR_RETURN(lifecycle::ImportTicket ticket, store->begin_import(std::move(request)));
  const Uuid id = ticket.asset;
  std::optional<SecretBytes> secret;
  if (key) {
    ASSIGN_OR_RETURN(secret, SecretBytes::copy_of(*key));
  }
  const Result<lifecycle::ImportReport> report =
      store->finish_key_import(std::move(ticket), std::move(secret), {});
  if (!report.ok() || report->outcome != lifecycle::ImportOutcome::created) {
    const Status aborted = store->abort_import(id);
    return report.ok() ? aborted : Status(report.error());
  }
  remember(report->view, wish, key.value_or(Bytes()));
  return {};
}

Result<lifecycle::PlanView> World::request(const std::vector<std::string>& names,
                                           const domain::Actor& actor) {
  lifecycle::RetireRequest request;
  request.actor = actor;
  for (const std::string& name : names) request.assets.push_back(asset(name).id);
  request.timing = domain::Timing::now;
  request.reason = "superseded";
  return store->retire(request);
}

Status World::retire(const std::vector<std::string>& names) {
  ASSIGN_OR_RETURN(const lifecycle::PlanView view, request(names));
  const Result<lifecycle::PlanView> approved =
      store->approve(bob(), view.plan.id, to_hex(view.plan.digest));
  return approved.ok() ? Status() : Status(approved.error());
}

Status World::execute() {
  for (int round = 0; round < 200; ++round) {
    ASSIGN_OR_RETURN(const bool more, store->execute_due());
    if (!more) return {};
  }
  return make_error(Errc::unexpected, "execute_due() never comes to an end");
}

Status World::hold(const std::vector<std::string>& selectors, domain::HoldReach reach) {
  ASSIGN_OR_RETURN(std::vector<domain::Selector> match, domain::parse_selectors(selectors));
  const auto placed = store->place_hold({bob(), "case 7", "evidence", std::move(match), reach});
  return placed.ok() ? Status() : Status(placed.error());
}

Status World::erase(const std::vector<std::string>& names) {
  RETURN_IF_ERROR(retire(names));
  return execute();
}

Status World::read_back(const Imported& asset) {
  lifecycle::ExportRequest request;
  request.actor = alice();
  request.asset = asset.id;
  request.destination = "standard output";
  ASSIGN_OR_RETURN(lifecycle::ExportTicket ticket, store->begin_export(std::move(request)));
  if (ticket.key) {
    const bool same = asset.key.empty() || ticket.key->reveal([&](ByteView key) {
      return std::equal(key.begin(), key.end(), asset.key.begin(), asset.key.end());
    });
    return same ? Status() : Status(differs(asset.name));
  }
  blob::Progress progress;
  const std::vector<domain::FileEntry> files = ticket.manifest.files;
  if (files.size() != asset.files.size()) return differs(asset.name);
  ASSIGN_OR_RETURN(blob::AssetReader reader,
                   blob::AssetReader::open(disk, ticket.reader, ticket.lease.take_dek(),
                                           std::move(ticket.manifest), progress));
  for (std::size_t i = 0; i < files.size(); ++i) {
    MemorySink sink;
    RETURN_IF_ERROR(reader.copy_range(files[i], 0, files[i].bytes, sink));
    if (files[i].path != asset.files[i].path || sink.bytes != asset.files[i].bytes) {
      return differs(asset.name + "/" + asset.files[i].path);
    }
  }
  return {};
}

const Imported& World::asset(const std::string& name) const {
  const auto found = std::find_if(assets.rbegin(), assets.rend(),
                                  [&](const Imported& one) { return one.name == name; });
  if (found == assets.rend()) std::abort();
  return *found;
}

std::vector<Target> World::targets() const {
  std::vector<Target> targets;
  for (const Imported& one : assets) targets.push_back(one.target);
  return targets;
}

std::set<StolenSlot> World::slots() {
  std::set<StolenSlot> found = Adversary::slots(disk, kSlotPath);
  // He is root on this machine, and asks the TPM with what lies beside the anchor.
  const std::string path = std::string(kSlotDirectory) + "/tpm.key";
  if (!tpm || !disk.stat(path).value()) return found;
  const Bytes key = disk.content(path);
  if (key.size() < rootslot::kNvAuthBytes) return found;
  const std::set<StolenSlot> in_tpm =
      Adversary::slots(*tpm, uuid_, ByteView(key).last(rootslot::kNvAuthBytes));
  const std::set<StolenSlot> in_file = found;
  found.insert(in_tpm.begin(), in_tpm.end());
  for (const StolenSlot& one : in_tpm) {  // shares of one secret
    for (const StolenSlot& two : in_file) {
      StolenSlot both = one;
      for (std::size_t i = 0; i < both.secret.size(); ++i) both.secret[i] ^= two.secret[i];
      if (one.epoch == two.epoch) found.insert(std::move(both));
    }
  }
  return found;
}

std::set<Uuid> World::stolen() {
  adversary.learn(disk, kStoreDirectory);
  return adversary.readable(slots(), targets());
}

std::shared_ptr<const World::Moment> World::keep() const {
  auto moment = std::make_shared<Moment>();
  moment->disk = disk.snapshot();
  if (tpm) moment->tpm_memory = tpm->memory();
  moment->clock = clock;
  moment->assets = assets;
  moment->adversary = adversary;
  moment->uuid = uuid_;
  return moment;
}

void World::go_back(const Moment& moment) {
  close();
  disk.restore(*moment.disk);
  if (tpm) {
    tpm->forget();
    tpm->put_back(moment.tpm_memory);
  }
  clock = moment.clock;
  assets = moment.assets;
  adversary = moment.adversary;
  uuid_ = moment.uuid;
}

}  // namespace aierase::test
