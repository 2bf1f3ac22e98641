#include "lifecycle/opening_table.h"

#include <algorithm>

namespace aierase::lifecycle {

std::string database_of(const Core& core) {
  return core.settings.directory + "/catalog.db";
}

Result<crypto::SigningKey> read_signer(const Core& core) {
  return read_key_file(core.env(), parent_of(core.locator.slot_path) + "/signer.key", core.store(),
                       core.unlock ? &*core.unlock : nullptr, "signer");
}

namespace {

using rootslot::SlotContent;
using rootslot::SlotReading;

std::string seen(const SlotCandidate& slot, const Uuid& store) {
  const SlotReading& reading = slot.reading;
  switch (reading.content) {
    case SlotContent::zero:
      return "zeros";
    case SlotContent::whole:
      return "epoch " + std::to_string(reading.epoch);
    case SlotContent::torn:
      return reading.secret ? "one copy of epoch " + std::to_string(reading.epoch) : "no good copy";
    case SlotContent::foreign:
      return "a slot of another store (" + reading.store.text() + ", not " + store.text() + ")";
  }
  return "nothing known";
}

// The slot is of the database's own epoch and does not open it; nor does the unlock secret open
// the signer's key, for which no slot is needed.
bool unlock_is_wrong(const Core& core, const StartTable& table) {
  if (!core.unlock) return false;
  const bool slot_fits =
      std::any_of(table.slots.begin(), table.slots.end(), [&](const SlotCandidate& slot) {
        return slot.root && slot.reading.epoch == table.state.epoch;
      });
  if (!slot_fits) return false;
  const Result<crypto::SigningKey> signer = read_signer(core);
  return !signer.ok() && signer.error().code == Errc::damaged;
}

Error none_opens(const Core& core, const StartTable& table) {
  if (unlock_is_wrong(core, table)) {
    return make_error(Errc::locked,
                      "the unlock secret is wrong: neither the database " + database_of(core) +
                          " nor the signer's key opens with it",
                      core.locator.unlock == UnlockKind::passphrase
                          ? "`aierase unlock` asks for the passphrase again; nothing was touched"
                          : "pass the right one to aierased and restart it; nothing was touched",
                      core.settings.directory);
  }
  if (core.move_fault) return *core.move_fault;
  std::string hint =
      core.locator.slot_kind == SlotKind::file
          ? "put the right slot file back, or the newer database; nothing was touched"
          : "put the newest database back: what the TPM held before is gone, as it "
            "should be; nothing was touched";
  std::string cause = "this is an older database or a lost slot";
  if (core.unlock) {
    hint = "the unlock secret may be a wrong one; else: " + hint;
    cause = "this is an older database, a lost slot or a wrong unlock secret";
  }
  return make_error(Errc::damaged,
                    "no root slot in " + core.slot->where() + " opens the database " +
                        database_of(core) + " of epoch " + std::to_string(table.state.epoch) +
                        ": slot A holds " + seen(table.slots[0], core.store()) + ", slot B holds " +
                        seen(table.slots[1], core.store()) + "; " + cause,
                    std::move(hint), core.settings.directory);
}

Error old_home_silent(const Error& why) {
  return make_error(
      why.code, "the root slot was leaving a TPM: " + why.message,
      (why.hint.empty() ? std::string("give the machine its TPM back") : why.hint) +
          ". If it never comes back: `aierase init --adopt` ends the move without it, "
          "and the log says that the old secret was not proven destroyed",
      why.subject);
}

// A move begins in one epoch and ends in the next: with any other the locator is of another time.
Status check_move(const Core& core, std::uint64_t epoch) {
  if (!core.locator.move) return {};
  const std::uint64_t from = core.locator.move->from_epoch;
  if (epoch == from || (epoch > from && epoch - from == 1)) return {};
  return make_error(Errc::damaged,
                    core.settings.directory + "/root-slot tells of a move in epoch " +
                        std::to_string(from) + ", and the database is of epoch " +
                        std::to_string(epoch),
                    "an older copy of that file was put back: put the newest one back; nothing was "
                    "touched",
                    core.settings.directory);
}

}  // namespace

Result<StartTable> read_table(Core& core, Store::Adopt adopt) {
  StartTable table;
  ASSIGN_OR_RETURN(table.state, core.view().state());
  if (table.state.store != core.store()) {
    return make_error(
        Errc::foreign,
        "the database " + database_of(core) + " belongs to another store than its root-slot file",
        "files of two stores were mixed: put this store's own back; nothing was touched",
        core.settings.directory);
  }
  RETURN_IF_ERROR(check_move(core, table.state.epoch));
  ASSIGN_OR_RETURN(table.round, core.view().round());
  ASSIGN_OR_RETURN(const std::optional<Bytes> root_row, core.view().node(keytree::kRootNode));
  if (!root_row) {
    return make_error(Errc::damaged,
                      "the root node of the key tree is missing from " + database_of(core),
                      "put an undamaged copy of the current database back; nothing was touched");
  }
  int opening = 0;
  for (unsigned parity = 0; parity < 2; ++parity) {
    SlotCandidate& slot = table.slots[parity];
    ASSIGN_OR_RETURN(slot.reading, core.slot->read(parity));
    if (!slot.reading.secret || slot.reading.store != core.store()) continue;
    ASSIGN_OR_RETURN(slot.root, core.root_of(*slot.reading.secret, slot.reading.epoch));
    ASSIGN_OR_RETURN(const bool opens, keytree::opens_root(*root_row, core.store(), *slot.root));
    if (!opens) continue;
    table.current = parity;
    ++opening;
  }
  if (opening != 1) return none_opens(core, table);
  if (table.slots[table.current].reading.epoch != table.state.epoch) {
    return make_error(
        Errc::damaged,
        "the slot that opens the database " + database_of(core) + " is of another epoch than it",
        "the database was changed by hand: put it back as it was last in use; "
        "nothing was touched",
        core.settings.directory);
  }
  // The slot that dies may lie in the home that does not open.
  if (core.move_fault && table.destroying()) {
    if (!table.round->items.empty()) return *core.move_fault;
    if (adopt == Store::Adopt::no) return old_home_silent(*core.move_fault);
  }
  return table;
}

// Before the database is opened: the slot file is this store's, and the database is there.
Status check_files(const Core& core) {
  if (core.slot->store() != core.store()) {
    return make_error(Errc::foreign,
                      "the root slot " + core.locator.slot_path + " belongs to another store (" +
                          core.slot->store().text() + ") than " + core.settings.directory +
                          "/root-slot says (" + core.store().text() + ")",
                      "files of two stores were mixed: put the one that is not this store's back "
                      "as it was last in use; nothing was touched",
                      core.locator.slot_path);
  }
  ASSIGN_OR_RETURN(const std::optional<FileInfo> database, core.env().stat(database_of(core)));
  if (database) return {};
  return make_error(Errc::damaged, "the catalog " + database_of(core) + " is missing",
                    "put the database back as it was last in use; nothing was touched",
                    core.settings.directory);
}

// What is to be done with the slot that is not current, or why nothing may be touched.
Result<OtherSlot> judge_other(const Core& core, StartTable& table) {
  const SlotReading& other = table.other().reading;
  const std::uint64_t epoch = table.state.epoch;
  const auto refuse = [&] {
    return make_error(
        Errc::damaged,
        "beside the current slot of epoch " + std::to_string(epoch) + " in " + core.slot->where() +
            " there is " + seen(table.other(), core.store()) +
            ", which no interrupted act leaves behind",
        "find out where that slot came from, and put the root slot back as it was last in use; "
        "nothing was touched",
        core.slot->where());
  };
  switch (other.content) {
    case SlotContent::zero:
      return table.destroying() ? OtherSlot::finish : OtherSlot::nothing;
    case SlotContent::foreign:
      return make_error(Errc::foreign,
                        "the root slot " + core.slot->where() + " holds a slot of another store",
                        "root slots of two stores were mixed: put this store's own back; nothing "
                        "was touched",
                        core.slot->where());
    case SlotContent::whole:
      if (other.store != core.store()) return refuse();
      if (table.destroying()) {
        return other.epoch + 1 == epoch ? Result<OtherSlot>(OtherSlot::roll_forward) : refuse();
      }
      return other.epoch == epoch + 1 ? Result<OtherSlot>(OtherSlot::discard) : refuse();
    case SlotContent::torn:
      if (!other.secret) return OtherSlot::discard;
      if (other.store != core.store()) return refuse();
      if (other.epoch == epoch + 1 && !table.destroying()) return OtherSlot::discard;
      if (other.epoch + 1 == epoch && table.destroying()) return OtherSlot::discard;
      return refuse();
  }
  return refuse();
}

// The newest anchor that authenticates under the root of either slot: between TX2 and its anchor
// the last one was still written under the old root.
Result<Core::Anchored> check_anchor(Core& core, StartTable& table) {
  std::optional<rootslot::Anchor> newest;
  for (SlotCandidate& slot : table.slots) {
    if (!slot.root) continue;
    ASSIGN_OR_RETURN(const crypto::SealKey key, crypto::anchor_key(*slot.root));
    ASSIGN_OR_RETURN(const std::optional<rootslot::Anchor> anchor, core.slot->read_anchor(key));
    if (anchor && (!newest || anchor->generation > newest->generation)) newest = anchor;
  }
  const std::uint64_t generation = table.state.generation;
  if (!newest) {
    return make_error(
        Errc::damaged,
        "the anchor in the slot file " + core.locator.slot_path + " is damaged or another store's",
        "put the slot file back as it was last in use; nothing was touched",
        core.locator.slot_path);
  }
  const bool same = newest->generation == generation && newest->log_size == table.state.log.size &&
                    newest->log_root == table.state.log.root;
  table.anchored_holds = newest->hold_count;
  if (same) {
    if (newest->hold_count == table.state.hold_count) return Core::Anchored::same;
    return make_error(Errc::damaged,
                      "the count of holds in the database " + database_of(core) +
                          " is not the one that the anchor beside the slot names",
                      "the database was changed by hand: put it back as it was last in use; "
                      "nothing was touched",
                      core.settings.directory);
  }
  if (newest->generation + 1 == generation) return Core::Anchored::one_behind;
  if (newest->generation == generation) {
    return make_error(Errc::damaged,
                      "the log in the database " + database_of(core) +
                          " is not the one that the anchor beside the slot names",
                      "the database was changed by hand: put it back as it was last in use; "
                      "nothing was touched",
                      core.settings.directory);
  }
  const std::string commits = " is at commit " + std::to_string(generation) +
                              ", the anchor in the slot file " + core.locator.slot_path + " at " +
                              std::to_string(newest->generation);
  if (newest->generation < generation) {
    return make_error(Errc::damaged,
                      "the database " + database_of(core) + commits +
                          ": an older copy of the slot file was put back",
                      "put the slot file back as it was last in use; nothing was touched",
                      core.locator.slot_path);
  }
  return make_error(
      Errc::damaged,
      "the database " + database_of(core) + commits +
          ": an older copy of the database was put back",
      "models and holds would vanish silently: put the newest database back; nothing was touched",
      core.settings.directory);
}

Status check_host(const Core& core, const catalog::StoreState& state, Store::Adopt adopt) {
  if (adopt == Store::Adopt::yes || state.machine_id_digest.empty()) return {};
  if (state.machine_id_digest == core.settings.host.machine_id_digest) return {};
  return make_error(
      Errc::foreign,
      "the store " + core.settings.directory + " belongs to another host (its machine-id differs)",
      "if it was moved here on purpose, and the other host no longer runs it: "
      "`aierase init --adopt`",
      core.settings.directory);
}

}  // namespace aierase::lifecycle
