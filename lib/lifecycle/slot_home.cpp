// Where the root slot lives, by its kind.

#include "lifecycle/core.h"

namespace aierase::lifecycle {
namespace {

constexpr const char* kTpmKey = "/tpm.key";
constexpr const char* kTpmPurpose = "tpm";

const crypto::UnlockSecret* unlock_of(const Core& core) {
  return core.unlock ? &*core.unlock : nullptr;
}

// The file does not open: is it the file, or the unlock secret?
Error about_tpm_key(const Core& core, Error error) {
  if (error.code != Errc::damaged || !core.unlock) return error;
  const std::string signer = parent_of(core.locator.slot_path) + "/signer.key";
  if (read_key_file(core.env(), signer, core.store(), unlock_of(core), "signer").ok()) return error;
  return make_error(Errc::locked,
                    "the unlock secret is wrong: neither the TPM's key nor the signer's opens with "
                    "it",
                    core.locator.unlock == UnlockKind::passphrase
                        ? "`aierase unlock` asks for the passphrase again; nothing was touched"
                        : "pass the right one to aierased and restart it; nothing was touched",
                    core.settings.directory);
}

using Home = std::shared_ptr<rootslot::RootSlot>;

rootslot::Tpm2SlotOptions tpm_options(const Core& core, const std::string& file, SecretBytes auth) {
  return {file, core.settings.tpm, core.locator.tpm_key_name, std::move(auth)};
}

// `path` is the slot file's, now.
Result<Home> make_in_tpm(Core& core, const std::string& path, Home file) {
  ASSIGN_OR_RETURN(SecretBytes auth, SecretBytes::random(rootslot::kNvAuthBytes));
  // Before the indexes are defined: without it they could not be used.
  RETURN_IF_ERROR(write_secret_file(core.env(), parent_of(path) + kTpmKey, core.store(),
                                    unlock_of(core), kTpmPurpose, auth));
  RETURN_IF_ERROR(core.env().sync_directory(parent_of(path)));
  return rootslot::create_tpm2_slot(core.env(), std::move(file),
                                    tpm_options(core, path, std::move(auth)));
}

Result<Home> open_in_tpm(const Core& core, Home file) {
  const std::string& path = core.locator.slot_path;
  Result<SecretBytes> auth = read_secret_file(core.env(), parent_of(path) + kTpmKey, core.store(),
                                              unlock_of(core), kTpmPurpose);
  if (!auth.ok()) return about_tpm_key(core, std::move(auth).error());
  return rootslot::open_tpm2_slot(core.env(), std::move(file),
                                  tpm_options(core, path, std::move(*auth)));
}

Result<Home> open_file(const Core& core) {
  ASSIGN_OR_RETURN(Home file, rootslot::open_file_slot(core.env(), {core.locator.slot_path}));
  return file;
}

Error not_there(const Core& core, Error error) {
  if (error.code != Errc::not_found) return error;
  const std::string missing = error.subject.empty() ? core.locator.slot_path : error.subject;
  return make_error(Errc::damaged, "the root slot " + missing + " is not there",
                    "mount or restore what holds it; without it no model can be read", missing);
}

Home join(const Core& core, SlotKind kind) {
  if (kind == SlotKind::file) return core.in_file;
  return kind == SlotKind::tpm2 ? core.in_tpm : rootslot::both_slots(core.in_tpm, core.in_file);
}

void join_moving(Core& core) {
  const SlotMove& move = *core.locator.move;
  core.moving = Core::Homes{join(core, core.locator.slot_kind), join(core, move.to)};
  core.slot = rootslot::moving_slot(core.moving->from, core.moving->to, move.from_epoch);
}

// One home, or the two of a move. Where one of those does not open, the other may do: before the
// tree was keyed for the second nothing hangs on that, and after the first was destroyed nothing on
// the first.
Status open_kinds(Core& core) {
  const SlotLocator& locator = core.locator;
  ASSIGN_OR_RETURN(core.in_file, open_file(core));
  if (uses_tpm(locator)) {
    Result<Home> tpm = open_in_tpm(core, core.in_file);
    if (tpm.ok()) {
      core.in_tpm = std::move(*tpm);
    } else if (locator.move && !(has_tpm(locator.slot_kind) && has_tpm(locator.move->to))) {
      core.move_fault = std::move(tpm).error();
      core.slot = core.in_file;
      return {};
    } else {
      return std::move(tpm).error();
    }
  }
  if (locator.move) {
    join_moving(core);
  } else {
    core.slot = join(core, locator.slot_kind);
  }
  return {};
}

}  // namespace

void Store::prepare_process() {
  rootslot::quiet_tpm_library();
}

Store::SlotChoice Store::choose_slot(const StoreSettings& settings) {
  const Result<rootslot::Tpm2Facts> tpm = rootslot::find_tpm2(settings.tpm);
  if (tpm.ok()) {
    return {SlotKind::tpm2, "A TPM answers at " + settings.tpm.tcti +
                                ": the root slot went there, where no image of a disk reaches it. "
                                "Whoever clears or replaces the TPM loses every model. "
                                "`--root-slot file` would have put it into a file."};
  }
  return {SlotKind::file,
          "No TPM can be used here, so the root slot is a file: " + tpm.error().message +
              ". `aierase slot move tpm2` moves it, once there is one."};
}

Result<std::shared_ptr<rootslot::RootSlot>> make_slot(Core& core, const std::string& staging) {
  const std::string& path = core.locator.slot_path;
  const rootslot::FileSlotOptions options{staging + "/" + base_name(path), path};
  ASSIGN_OR_RETURN(core.in_file, rootslot::create_file_slot(core.env(), options, core.store()));
  if (has_tpm(core.locator.slot_kind)) {
    ASSIGN_OR_RETURN(core.in_tpm, make_in_tpm(core, options.path, core.in_file));
  }
  return join(core, core.locator.slot_kind);
}

Status open_slot(Core& core) {
  Status opened = open_kinds(core);
  return opened.ok() ? Status() : Status(not_there(core, std::move(opened).error()));
}

Status make_new_home(Core& core) {
  if (has_tpm(core.locator.move->to) && !core.in_tpm) {
    ASSIGN_OR_RETURN(core.in_tpm, make_in_tpm(core, core.locator.slot_path, core.in_file));
  }
  join_moving(core);
  return {};
}

Result<bool> holds_living_secret(Core& core, rootslot::RootSlot& home) {
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  ASSIGN_OR_RETURN(const rootslot::SlotReading reading,
                   home.read(static_cast<unsigned>(state.epoch % 2)));
  if (!reading.secret || reading.store != core.store() || reading.epoch != state.epoch) {
    return false;
  }
  ASSIGN_OR_RETURN(const crypto::RootSecret root, core.root_of(*reading.secret, reading.epoch));
  ASSIGN_OR_RETURN(const std::optional<Bytes> row, core.view().node(keytree::kRootNode));
  if (!row) return false;
  return keytree::opens_root(*row, core.store(), root);
}

// The file's secret opens the tree, and what the TPM holds is of no later life of the store: both
// are looked at, whatever the locator says.
Status clear_left_tpm(Core& core) {
  ASSIGN_OR_RETURN(const bool lives_in_file, holds_living_secret(core, *core.in_file));
  if (!lives_in_file) {
    return make_error(Errc::damaged,
                      "the slot file " + core.locator.slot_path +
                          " does not hold the secret that opens the store",
                      "the TPM was not cleared; put the newest state of the store back",
                      core.locator.slot_path);
  }
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  const auto auth = [&] {
    return read_secret_file(core.env(), parent_of(core.locator.slot_path) + kTpmKey, core.store(),
                            unlock_of(core), kTpmPurpose);
  };
  // Of another TPM, or one that was cleared: there is nothing of ours that could be removed.
  const Result<rootslot::Retired> retired = rootslot::retire_from_tpm2(
      core.settings.tpm, core.store(), core.locator.tpm_key_name, auth, state.epoch);
  if (!retired.ok()) return retired.error();
  const std::string directory = parent_of(core.locator.slot_path);
  const Status gone = core.env().unlink(directory + kTpmKey);
  if (!gone.ok() && gone.error().code != Errc::not_found) return gone;
  RETURN_IF_ERROR(core.env().sync_directory(directory));
  SlotLocator cleared = core.locator;
  cleared.left_tpm = SlotLocator::LeftTpm::none;
  cleared.tpm_key_name.clear();
  RETURN_IF_ERROR(replace_locator(core.env(), core.settings.directory, cleared));
  core.locator = std::move(cleared);
  return {};
}

Status remove_slot_of_init(const StoreSettings& settings, const SlotLocator& locator) {
  if (!has_tpm(locator.slot_kind)) return {};
  return rootslot::remove_from_tpm2(settings.tpm, locator.store);
}

}  // namespace aierase::lifecycle
