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

Result<std::unique_ptr<rootslot::RootSlot>> make_tpm_slot(Core& core,
                                                          const rootslot::FileSlotOptions& anchor) {
  ASSIGN_OR_RETURN(SecretBytes auth, SecretBytes::random(rootslot::kNvAuthBytes));
  // Before the indexes are defined: without it they could not be used.
  RETURN_IF_ERROR(write_secret_file(core.env(), parent_of(anchor.path) + kTpmKey, core.store(),
                                    unlock_of(core), kTpmPurpose, auth));
  return rootslot::create_tpm2_slot(
      core.env(), {anchor, core.settings.tpm, core.locator.tpm_key_name, std::move(auth)},
      core.store());
}

Result<std::unique_ptr<rootslot::RootSlot>> open_tpm_slot(const Core& core) {
  const std::string key = parent_of(core.locator.slot_path) + kTpmKey;
  Result<SecretBytes> auth =
      read_secret_file(core.env(), key, core.store(), unlock_of(core), kTpmPurpose);
  if (!auth.ok()) return about_tpm_key(core, std::move(auth).error());
  return rootslot::open_tpm2_slot(
      core.env(),
      {{core.locator.slot_path}, core.settings.tpm, core.locator.tpm_key_name, std::move(*auth)});
}

}  // namespace

void Store::prepare_process() {
  rootslot::quiet_tpm_library();
}

Result<std::unique_ptr<rootslot::RootSlot>> make_slot(Core& core, const std::string& staging) {
  const std::string& path = core.locator.slot_path;
  const rootslot::FileSlotOptions file{staging + "/" + base_name(path), path};
  if (core.locator.slot_kind == SlotKind::tpm2) return make_tpm_slot(core, file);
  return rootslot::create_file_slot(core.env(), file, core.store());
}

Result<std::unique_ptr<rootslot::RootSlot>> open_slot(const Core& core) {
  const std::string& path = core.locator.slot_path;
  Result<std::unique_ptr<rootslot::RootSlot>> slot =
      core.locator.slot_kind == SlotKind::tpm2 ? open_tpm_slot(core)
                                               : rootslot::open_file_slot(core.env(), {path});
  if (slot.ok() || slot.error().code != Errc::not_found) return slot;
  const std::string missing = slot.error().subject.empty() ? path : slot.error().subject;
  return make_error(Errc::damaged, "the root slot " + missing + " is not there",
                    "mount or restore what holds it; without it no model can be read", missing);
}

Status remove_slot_of_init(const StoreSettings& settings, const SlotLocator& locator) {
  if (locator.slot_kind != SlotKind::tpm2) return {};
  return rootslot::remove_from_tpm2(settings.tpm, locator.store);
}

}  // namespace aierase::lifecycle
