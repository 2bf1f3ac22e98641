#include <algorithm>

#include "rootslot/tpm2_slot.h"

namespace aierase::rootslot {
namespace {

std::shared_ptr<Tpm2Slot> assemble(Env& env, Tpm2SlotOptions options,
                                   std::shared_ptr<RootSlot> anchor) {
  const Result<StorageInfo> storage = env.storage(options.file_path);
  return std::make_shared<Tpm2Slot>(
      Tpm2Slot::Parts{std::move(anchor), options.tpm, options.key_name, std::move(options.auth),
                      storage.ok() ? storage->virtual_machine : "unknown"});
}

}  // namespace

Result<Tpm2Facts> find_tpm2(const Tpm2Settings& settings) {
  ASSIGN_OR_RETURN(const Tpm2 tpm, Tpm2::connect(settings));
  return tpm.facts();
}

Status check_free_in_tpm2(const Tpm2Settings& settings, const Uuid& store) {
  ASSIGN_OR_RETURN(Tpm2 tpm, Tpm2::connect(settings));
  const Tpm2Indexes indexes = indexes_of(store);
  for (const NvIndex index : {indexes.slot[0], indexes.slot[1], indexes.counter, indexes.holds}) {
    ASSIGN_OR_RETURN(const NvState state, tpm.state(index, NvKind::slot));
    if (state == NvState::absent) continue;
    return make_error(Errc::already_exists,
                      "NV index " + nv_text(index) + " of the TPM is in use already",
                      "try again: each new store draws other numbers", nv_text(index));
  }
  return {};
}

Result<std::shared_ptr<RootSlot>> create_tpm2_slot(Env& env, std::shared_ptr<RootSlot> file,
                                                   Tpm2SlotOptions options) {
  std::shared_ptr<Tpm2Slot> slot = assemble(env, std::move(options), std::move(file));
  RETURN_IF_ERROR(slot->define_all());
  return std::shared_ptr<RootSlot>(std::move(slot));
}

Result<std::shared_ptr<RootSlot>> open_tpm2_slot(Env& env, std::shared_ptr<RootSlot> file,
                                                 Tpm2SlotOptions options) {
  std::shared_ptr<Tpm2Slot> slot = assemble(env, std::move(options), std::move(file));
  RETURN_IF_ERROR(slot->look());
  return std::shared_ptr<RootSlot>(std::move(slot));
}

Status remove_from_tpm2(const Tpm2Settings& settings, const Uuid& store) {
  ASSIGN_OR_RETURN(Tpm2 tpm, Tpm2::connect(settings));
  return remove_indexes(tpm, indexes_of(store));
}

Result<Retired> retire_from_tpm2(const Tpm2Settings& settings, const Uuid& store, ByteView key_name,
                                 const std::function<Result<SecretBytes>()>& auth,
                                 std::uint64_t epoch) {
  ASSIGN_OR_RETURN(Tpm2 tpm, Tpm2::connect(settings));
  const Bytes& found = tpm.facts().key_name;
  if (!std::equal(found.begin(), found.end(), key_name.begin(), key_name.end())) {
    return Retired::another_tpm;
  }
  RETURN_IF_ERROR(check_unused(tpm, store, auth, epoch));
  RETURN_IF_ERROR(remove_indexes(tpm, indexes_of(store)));
  return Retired::nothing_left;
}

}  // namespace aierase::rootslot
