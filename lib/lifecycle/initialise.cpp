#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "certificate/bundle.h"
#include "lifecycle/core.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

constexpr const char* kInit = "/.init";
constexpr const char* kLock = "lock";

Status check_absolute(const std::string& path) {
  if (path.empty() || path.front() != '/' || path.back() == '/' ||
      path.find("/../") != std::string::npos || path.find("/./") != std::string::npos) {
    return make_error(Errc::usage,
                      "the slot path " + quoted(path) + " is not a plain absolute path",
                      "name a file, e.g. file:/var/lib/aierase-root/slot");
  }
  return {};
}

// A slot inside the store would travel with every copy of the store. Compared by inode on the way
// up, so that another spelling of the same directory does not help.
Status check_outside_store(Env& env, const std::string& slot_path, const std::string& directory) {
  ASSIGN_OR_RETURN(const std::optional<FileInfo> store, env.stat(directory));
  if (!store)
    return make_error(Errc::not_found, "the store directory " + directory + " is missing");
  for (std::string at = parent_of(slot_path);; at = parent_of(at)) {
    ASSIGN_OR_RETURN(const std::optional<FileInfo> info, env.stat(at));
    if (info && info->inode == store->inode && info->device == store->device) {
      return make_error(Errc::usage,
                        "the slot " + slot_path + " lies inside the store " + directory,
                        "a copy of the store would carry the slot along: put it elsewhere, e.g. "
                        "/var/lib/aierase-root/slot");
    }
    if (at == "/" || at.empty()) return {};
  }
}

Status check_empty(Env& env, const std::string& directory) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, env.list(directory));
  if (std::find(names.begin(), names.end(), "catalog.db") != names.end()) {
    return make_error(Errc::damaged,
                      "the file " + directory + "/root-slot is missing, and there is a catalog",
                      "it names where the root slot lies: restore it from a copy of the store; "
                      "nothing was touched",
                      directory);
  }
  for (const std::string& name : names) {
    if (name != kLock) {
      return make_error(Errc::foreign,
                        "the store directory " + directory + " is not empty: " + name,
                        "give aierased an empty directory, or move what is there away", directory);
    }
  }
  return {};
}

Status check_no_slot(Env& env, const std::string& slot_path) {
  const std::string directory = parent_of(slot_path);
  for (const std::string& path : {slot_path, directory + "/signer.key", directory + "/log.key",
                                  directory + "/tpm.key", directory + kInit}) {
    ASSIGN_OR_RETURN(const std::optional<FileInfo> there, env.stat(path));
    if (there) {
      return make_error(Errc::foreign,
                        path +
                            " is there already; it may be the slot of a store "
                            "that is not mounted, and is never overwritten",
                        "mount that store, or name another place with --root-slot file:PATH", path);
    }
  }
  return {};
}

Status open_or_make_directory(Env& env, const std::string& directory) {
  ASSIGN_OR_RETURN(const std::optional<FileInfo> there, env.stat(directory));
  if (!there) {
    RETURN_IF_ERROR(env.make_directory(directory, 0700));
    RETURN_IF_ERROR(env.sync_directory(parent_of(directory)));
  } else if (there->type != FileType::directory) {
    return make_error(Errc::invalid_input, directory + " is a link or no directory");
  }
  return env.sync_directory(directory);
}

// Before anything names it: of a directory that cannot be used, nothing could be undone either.
Status make_slot_directory(Env& env, const std::string& slot_path) {
  const std::string directory = parent_of(slot_path);
  const Status usable = open_or_make_directory(env, directory);
  if (usable.ok() || usable.error().code == Errc::io || usable.error().code == Errc::no_space) {
    return usable;
  }
  return make_error(Errc::invalid_input,
                    "the root slot cannot lie in " + directory + ": " + usable.error().message,
                    "name a file in a directory on a disk, without a link: e.g. --root-slot "
                    "file:/var/lib/aierase-root/slot",
                    directory);
}

Result<std::string> make_slot_staging(Env& env, const std::string& slot_path) {
  const std::string slot_directory = parent_of(slot_path);
  const std::string staging = slot_directory + kInit;
  RETURN_IF_ERROR(env.make_directory(staging, 0700));
  RETURN_IF_ERROR(env.sync_directory(slot_directory));
  return staging;
}

// Moves every entry of `staging` to its parent, `last` last, and removes `staging`.
Status move_up(Env& env, const std::string& staging, const std::string& last) {
  const std::string target = parent_of(staging);
  ASSIGN_OR_RETURN(std::vector<std::string> names, env.list(staging));
  std::stable_partition(names.begin(), names.end(),
                        [&](const std::string& name) { return name != last; });
  for (const std::string& name : names) {
    if (name == last) RETURN_IF_ERROR(env.sync_directory(target));
    Status moved = env.rename(staging + "/" + name, target + "/" + name);
    if (!moved.ok() && moved.error().code == Errc::already_exists) {
      moved = env.unlink(staging + "/" + name);  // CACHEDIR.TAG of an earlier slot
    }
    RETURN_IF_ERROR(std::move(moved));
  }
  RETURN_IF_ERROR(env.sync_directory(target));
  RETURN_IF_ERROR(env.sync_directory(staging));
  RETURN_IF_ERROR(env.remove_directory(staging));
  return env.sync_directory(target);
}

Result<std::optional<crypto::UnlockSecret>> unlock_secret(InitRequest& request,
                                                          SlotLocator& locator) {
  std::optional<crypto::UnlockSecret> secret;
  switch (request.unlock) {
    case UnlockKind::none:
      return secret;
    case UnlockKind::credential:
    case UnlockKind::keyfile:
      if (!request.secret) {
        return make_error(Errc::locked, "the unlock secret was not passed to the daemon",
                          "pass the credential aierase.unlock to aierased, or name a key file");
      }
      return std::optional<crypto::UnlockSecret>(std::move(*request.secret));
    case UnlockKind::passphrase:
      break;
  }
  if (!request.passphrase || request.passphrase->size() < 8) {
    return make_error(Errc::invalid_input, "the passphrase has fewer than 8 characters");
  }
  locator.passphrase_salt.resize(16);
  crypto::random_bytes(locator.passphrase_salt);
  ASSIGN_OR_RETURN(secret,
                   crypto::unlock_from_passphrase(*request.passphrase, locator.passphrase_salt,
                                                  locator.passphrase_cost));
  return secret;
}

Status first_keys(const Core& core, catalog::Transaction& transaction, const Authority& authority) {
  RETURN_IF_ERROR(transaction.add_authority_key(
      {domain::KeyPurpose::signer, authority.signer.public_key(), core.now(), 0}));
  return transaction.add_authority_key(
      {domain::KeyPurpose::log, authority.log.public_key(), core.now(), 0});
}

Status first_rows(Core& core, const domain::Actor& actor, const domain::SlotAssurance& slot,
                  const Authority& authority) {
  ASSIGN_OR_RETURN(const domain::NodeBatch tree, keytree::create(core.store(), core.root));
  return transact(core, ReserveShare::none,
                  [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                    RETURN_IF_ERROR(transaction.put_nodes(tree.put));
                    RETURN_IF_ERROR(transaction.put_epoch({0, core.now(), slot}));
                    RETURN_IF_ERROR(first_keys(core, transaction, authority));
                    const Json record{
                        {"store", core.store().hex()},
                        {"by", actor_json(actor)},
                        {"signer", certificate::key_id(authority.signer.public_key())},
                        {"log", certificate::key_id(authority.log.public_key())},
                        {"unlock", to_text(core.locator.unlock)}};
                    ASSIGN_OR_RETURN(std::string text, dump_canonical(record));
                    const translog::LogRecord leaf{"store-created", core.now(), std::move(text),
                                                   translog::Visibility::committed};
                    return core.append_log(transaction, state, {&leaf, 1});
                  });
}

Result<catalog::StoreState> first_state(const Core& core, domain::PeopleRule rule) {
  catalog::StoreState state;
  const ClockReading reading = core.settings.clock->read();
  state.store = core.locator.store;
  state.created = reading.wall;
  state.machine_id_digest = core.settings.host.machine_id_digest;
  state.people_rule = rule;
  state.at_rest = core.at_rest();
  state.log.root = translog::empty_root();
  state.trusted = reading.wall;
  state.last_wall = reading.wall;
  state.last_boottime = reading.since_boot.count();
  state.last_boot_id = reading.boot_id;
  return state;
}

// Everything that init makes, inside the two staging directories.
Result<StatusReport> build(Core& core, const InitRequest& request, const std::string& staging,
                           const std::string& slot_staging) {
  Env& env = core.env();
  ASSIGN_OR_RETURN(core.slot, make_slot(core, slot_staging));
  ASSIGN_OR_RETURN(const crypto::SlotSecret secret, crypto::SlotSecret::random());
  RETURN_IF_ERROR(core.slot->write(core.store(), 0, secret));
  const crypto::UnlockSecret* unlock = core.unlock ? &*core.unlock : nullptr;
  ASSIGN_OR_RETURN(const Authority authority,
                   write_key_files(env, slot_staging, core.store(), unlock, ""));
  RETURN_IF_ERROR(env.sync_directory(slot_staging));
  ASSIGN_OR_RETURN(crypto::RootSecret root, core.root_of(secret, 0));
  RETURN_IF_ERROR(core.adopt_root(std::move(root)));
  ASSIGN_OR_RETURN(const domain::SlotAssurance assurance, core.slot->assess());

  RETURN_IF_ERROR(create_reserve(env, staging));
  RETURN_IF_ERROR(env.make_directory(staging + "/blobs", 0700));
  ASSIGN_OR_RETURN(catalog::StoreState state, first_state(core, request.people_rule));
  ASSIGN_OR_RETURN(const std::optional<std::uint64_t> counted, core.slot->hold_count());
  state.hold_count = counted.value_or(0);
  ASSIGN_OR_RETURN(core.catalog, catalog::Catalog::create(env, staging + "/catalog.db", state));
  core.settings.directory = staging;
  RETURN_IF_ERROR(first_rows(core, request.actor, assurance, authority));
  // One more commit, so that both anchor blocks and the whole commit path have worked once.
  RETURN_IF_ERROR(transact(core, ReserveShare::none,
                           [](catalog::Transaction&, catalog::StoreState&) { return Status(); }));

  StatusReport report;
  ASSIGN_OR_RETURN(report.state, core.view().state());
  report.slot = assurance;
  report.unlock = core.locator.unlock;
  report.signer = authority.signer.public_key();
  report.findings = core.settings.host.findings;
  core.catalog.reset();
  // The last journal stays behind, ended; without its database it would only confuse.
  ASSIGN_OR_RETURN(const std::optional<FileInfo> journal,
                   env.stat(staging + "/catalog.db-journal"));
  if (journal) RETURN_IF_ERROR(env.unlink(staging + "/catalog.db-journal"));
  RETURN_IF_ERROR(env.sync_directory(staging));
  return report;
}

// ---- undoing an interrupted init ---------------------------------------------------------------

Result<bool> carries_only(rootslot::RootSlot& slot, const Uuid& store) {
  for (const unsigned parity : {0U, 1U}) {
    ASSIGN_OR_RETURN(const rootslot::SlotReading reading, slot.read(parity));
    if (reading.content == rootslot::SlotContent::zero) continue;
    if (reading.content == rootslot::SlotContent::torn && !reading.secret) continue;
    if (reading.store != store) return false;
  }
  return true;
}

Status remove_if_there(Env& env, const std::string& path) {
  ASSIGN_OR_RETURN(const std::optional<FileInfo> info, env.stat(path));
  return info ? env.unlink(path) : Status();
}

// Zeroes the slot at `path` if it is of `store` and nothing else; says whether it is ours to
// unlink. The file stays until the keys beside it are gone: an undo may be interrupted, too.
Result<bool> zero_slot(Env& env, const Clock& clock, const std::string& path, const Uuid& store) {
  ASSIGN_OR_RETURN(const std::optional<FileInfo> info, env.stat(path));
  if (!info) return false;
  Result<std::unique_ptr<rootslot::RootSlot>> slot = rootslot::open_file_slot(env, {path});
  if (slot.ok()) {
    if ((*slot)->store() != store) return false;
    ASSIGN_OR_RETURN(const bool ours, carries_only(**slot, store));
    if (!ours) return false;
    for (const unsigned parity : {0U, 1U}) {
      const Result<domain::SlotReadBackProof> gone = (*slot)->destroy(parity, 0, clock);
      if (!gone.ok()) return gone.error();
    }
  } else if (slot.error().code != Errc::damaged) {
    return std::move(slot).error();
  } else if (path.find(kInit) == std::string::npos) {
    return false;  // not a slot that we could have made: leave it alone
  }
  return true;
}

Status check_made_by_init(const std::string& staging, const std::vector<std::string>& names,
                          const std::vector<std::string>& made) {
  for (const std::string& name : names) {
    if (std::find(made.begin(), made.end(), name) != made.end()) continue;
    return make_error(Errc::foreign,
                      staging + "/" + name + " is not of the init that was interrupted here",
                      "it may belong to another store: move " + staging +
                          " away, and try again; nothing was removed",
                      staging);
  }
  return {};
}

// The slot is made first and removed last: beside one that is not ours, or none, no key is ours.
Status undo_slot_staging(
    const StoreSettings& settings, const SlotLocator& locator,
    const std::function<Status(const std::vector<std::string>&)>& remove_keys) {
  Env& env = *settings.env;
  const std::string staging = parent_of(locator.slot_path) + kInit;
  ASSIGN_OR_RETURN(const std::optional<FileInfo> there, env.stat(staging));
  if (!there) return {};
  ASSIGN_OR_RETURN(const std::vector<std::string> names, env.list(staging));
  const std::string slot = base_name(locator.slot_path);
  RETURN_IF_ERROR(check_made_by_init(staging, names,
                                     {slot, "CACHEDIR.TAG", "log.key", "signer.key", "tpm.key"}));
  const std::string slot_file = staging + "/" + slot;
  ASSIGN_OR_RETURN(const bool ours, zero_slot(env, *settings.clock, slot_file, locator.store));
  if (ours) {
    RETURN_IF_ERROR(remove_keys(names));
  } else {
    RETURN_IF_ERROR(check_made_by_init(staging, names, {"CACHEDIR.TAG"}));
  }
  for (const std::string& name : names) {
    const std::string path = staging + "/" + name;
    if (path != slot_file) RETURN_IF_ERROR(env.unlink(path));
  }
  RETURN_IF_ERROR(env.sync_directory(staging));
  RETURN_IF_ERROR(remove_if_there(env, slot_file));
  return env.remove_directory(staging);
}

Status undo_slot_side(const StoreSettings& settings, const SlotLocator& locator) {
  Env& env = *settings.env;
  RETURN_IF_ERROR(remove_slot_of_init(settings, locator));
  const std::string directory = parent_of(locator.slot_path);
  ASSIGN_OR_RETURN(const std::optional<FileInfo> there, env.stat(directory));
  // No init gets further than this with a link or a file, or where no directory is ever synced, as
  // in /proc: there is nothing of ours.
  if (!there || there->type != FileType::directory) return {};
  const Status usable = env.sync_directory(directory);
  if (!usable.ok() && usable.error().code == Errc::invalid_input) return {};
  RETURN_IF_ERROR(usable);
  // Key files that are no longer in the staging directory were moved up by this very init.
  const auto remove_keys = [&](const std::vector<std::string>& staged) -> Status {
    for (const char* name : {"log.key", "signer.key", "tpm.key"}) {
      if (std::find(staged.begin(), staged.end(), name) != staged.end()) continue;
      RETURN_IF_ERROR(remove_if_there(env, directory + "/" + name));
    }
    return env.sync_directory(directory);
  };
  ASSIGN_OR_RETURN(const bool moved,
                   zero_slot(env, *settings.clock, locator.slot_path, locator.store));
  if (moved) {
    RETURN_IF_ERROR(remove_keys({}));
    RETURN_IF_ERROR(env.unlink(locator.slot_path));
  }
  RETURN_IF_ERROR(undo_slot_staging(settings, locator, remove_keys));
  return env.sync_directory(directory);
}

Status remove_tree_of_init(Env& env, const std::string& directory) {
  ASSIGN_OR_RETURN(const std::optional<FileInfo> blobs, env.stat(directory + "/blobs"));
  if (blobs) RETURN_IF_ERROR(env.remove_directory(directory + "/blobs"));
  for (const char* name : {"/catalog.db-journal", "/catalog.db", "/reserve"}) {
    RETURN_IF_ERROR(remove_if_there(env, directory + name));
  }
  return {};
}

// The locator is written first and moved last: while it is in the staging directory the init was
// not finished, and everything that carries its store uuid is undone.
Status undo_interrupted_init(const StoreSettings& settings) {
  Env& env = *settings.env;
  const std::string staging = settings.directory + kInit;
  ASSIGN_OR_RETURN(const std::optional<FileInfo> finished,
                   env.stat(settings.directory + "/root-slot"));
  ASSIGN_OR_RETURN(const std::optional<FileInfo> locator_file, env.stat(staging + "/root-slot"));
  if (!finished && locator_file) {
    const Result<SlotLocator> locator = read_locator_file(env, staging + "/root-slot");
    // A torn locator was never synced, and nothing follows an unsynced locator.
    if (locator.ok()) RETURN_IF_ERROR(undo_slot_side(settings, *locator));
    RETURN_IF_ERROR(remove_tree_of_init(env, settings.directory));
    // Durable before the locator goes: without it nobody would know whose these files were.
    RETURN_IF_ERROR(env.sync_directory(settings.directory));
  }
  RETURN_IF_ERROR(remove_tree_of_init(env, staging));
  RETURN_IF_ERROR(remove_if_there(env, staging + "/root-slot"));
  RETURN_IF_ERROR(env.remove_directory(staging));
  return env.sync_directory(settings.directory);
}

}  // namespace

Result<std::unique_ptr<File>> Store::lock(const StoreSettings& settings) {
  Env& env = *settings.env;
  const std::string path = settings.directory + "/" + kLock;
  ASSIGN_OR_RETURN(const std::optional<FileInfo> directory, env.stat(settings.directory));
  if (!directory || directory->type != FileType::directory) {
    return make_error(Errc::not_found, "the store directory " + settings.directory + " is missing",
                      "create it (mode 0700), or name another with --store", settings.directory);
  }
  Result<std::unique_ptr<File>> file = env.open(path, {.mode = OpenMode::read_write});
  if (!file.ok() && file.error().code == Errc::not_found) {
    file = env.open(path, {.mode = OpenMode::create_new});
    if (!file.ok() && file.error().code == Errc::already_exists) {
      file = env.open(path, {.mode = OpenMode::read_write});
    }
  }
  if (!file.ok()) return std::move(file).error();
  const Status locked = (*file)->lock_exclusive();
  if (!locked.ok()) {
    if (locked.error().code != Errc::busy) return locked.error();
    return make_error(Errc::busy, "another aierased holds the store " + settings.directory,
                      "stop it first; two daemons on one store would destroy it",
                      settings.directory);
  }
  return file;
}

Result<Store::Presence> Store::presence(const StoreSettings& settings) {
  Env& env = *settings.env;
  ASSIGN_OR_RETURN(const std::optional<FileInfo> staging, env.stat(settings.directory + kInit));
  if (staging) RETURN_IF_ERROR(undo_interrupted_init(settings));
  ASSIGN_OR_RETURN(const std::optional<FileInfo> locator,
                   env.stat(settings.directory + "/root-slot"));
  if (locator) return Presence::present;
  RETURN_IF_ERROR(check_empty(env, settings.directory));
  return Presence::absent;
}

Result<SlotLocator> Store::read_locator(const StoreSettings& settings) {
  return read_locator_file(*settings.env, settings.directory + "/root-slot");
}

Result<StatusReport> Store::initialise(const StoreSettings& settings, InitRequest request) {
  Env& env = *settings.env;
  RETURN_IF_ERROR(check_absolute(request.slot_path));
  ASSIGN_OR_RETURN(const Presence present, presence(settings));
  if (present == Presence::present) {
    return make_error(Errc::already_exists,
                      "there is a store in " + settings.directory + " already",
                      "`aierase status` shows it", settings.directory);
  }
  RETURN_IF_ERROR(check_outside_store(env, request.slot_path, settings.directory));
  RETURN_IF_ERROR(check_no_slot(env, request.slot_path));

  Core core;
  core.settings = settings;
  core.locator.store = Uuid::random();
  core.locator.slot_kind = request.slot_kind;
  core.locator.slot_path = request.slot_path;
  core.locator.unlock = request.unlock;
  core.locator.keyfile_path = request.keyfile_path;
  ASSIGN_OR_RETURN(core.unlock, unlock_secret(request, core.locator));

  if (has_tpm(request.slot_kind)) {
    ASSIGN_OR_RETURN(rootslot::Tpm2Facts tpm, rootslot::find_tpm2(settings.tpm));
    core.locator.tpm_key_name = std::move(tpm.key_name);
    RETURN_IF_ERROR(rootslot::check_free_in_tpm2(settings.tpm, core.store()));
  }
  RETURN_IF_ERROR(make_slot_directory(env, request.slot_path));
  const std::string staging = settings.directory + kInit;
  RETURN_IF_ERROR(env.make_directory(staging, 0700));
  RETURN_IF_ERROR(write_locator(env, staging, core.locator));
  RETURN_IF_ERROR(env.sync_directory(settings.directory));
  ASSIGN_OR_RETURN(const std::string slot_staging, make_slot_staging(env, request.slot_path));
  ASSIGN_OR_RETURN(StatusReport report, build(core, request, staging, slot_staging));
  RETURN_IF_ERROR(move_up(env, slot_staging, base_name(request.slot_path)));
  RETURN_IF_ERROR(move_up(env, staging, "root-slot"));
  return report;
}

}  // namespace aierase::lifecycle
