// The slot secret gets another home: an erase round without an asset, between two homes that share
// their slot file. aierase-store(5) MOVING THE ROOT SLOT.

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "lifecycle/erase_round.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

Status check_movable(Core& core, SlotKind to) {
  RETURN_IF_ERROR(core.writable());
  if (core.locator.slot_kind == to && !core.locator.move) {
    return make_error(Errc::wrong_state,
                      "the root slot lies in " + std::string(to_text(to)) + " already",
                      "`aierase status` tells more");
  }
  ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> round, core.view().round());
  if (round || core.waiting || core.unproven) {
    return make_error(Errc::busy, "an erasure is not finished yet",
                      "try again in a moment; `aierase doctor` says what is in the way");
  }
  return {};
}

// Of a secret that nothing was sealed under, left by an act that was given up.
Status empty_slot(Core& core, rootslot::RootSlot& home, unsigned parity) {
  ASSIGN_OR_RETURN(const rootslot::SlotReading reading, home.read(parity));
  if (reading.content == rootslot::SlotContent::zero) return {};
  Result<domain::SlotReadBackProof> gone =
      home.destroy(parity, reading.epoch, *core.settings.clock);
  return gone.ok() ? Status() : Status(core.fatal(std::move(gone).error()));
}

Status write_move(Core& core, SlotKind to, std::uint64_t epoch) {
  SlotLocator next = core.locator;
  next.move = SlotMove{to, epoch};
  if (has_tpm(to) && !has_tpm(core.locator.slot_kind)) {
    ASSIGN_OR_RETURN(rootslot::Tpm2Facts tpm, rootslot::find_tpm2(core.settings.tpm));
    next.tpm_key_name = std::move(tpm.key_name);
    RETURN_IF_ERROR(rootslot::check_free_in_tpm2(core.settings.tpm, core.store()));
  }
  // What is durable of it is known only after a restart.
  const Status written = replace_locator(core.env(), core.settings.directory, next);
  if (!written.ok()) {
    core.stop = written.error().code != Errc::no_space;
    return written;
  }
  core.locator = std::move(next);
  return {};
}

Status begin(Core& core, const domain::Actor& actor, std::uint64_t epoch) {
  core.at_step(EraseStep::tx1);
  const std::string from(to_text(core.locator.slot_kind));
  const std::string to(to_text(core.locator.move->to));
  const UtcTime now = core.now();
  // Into a TPM from none: its counter goes on from where it stands. Committed before the new root
  // is, so that the anchor names it before the TPM is compared with it.
  std::optional<std::uint64_t> counted;
  if (!has_tpm(core.locator.slot_kind)) {
    ASSIGN_OR_RETURN(counted, core.moving->to->hold_count());
  }
  return transact(
      core, ReserveShare::half,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        state.hold_count = counted.value_or(state.hold_count);
        catalog::EraseRound row;
        row.from_epoch = epoch;
        row.intent_at = now;
        RETURN_IF_ERROR(transaction.start_round(row));
        RETURN_IF_ERROR(transaction.add_event({now, actor, "slot-move", "store", from, to, ""}));
        ASSIGN_OR_RETURN(
            std::string record,
            dump_canonical(
                Json{{"from", from}, {"to", to}, {"epoch", epoch}, {"by", actor_json(actor)}}));
        const translog::LogRecord leaf{"slot-move", now, std::move(record),
                                       translog::Visibility::committed};
        return core.append_log(transaction, state, {&leaf, 1});
      });
}

Result<crypto::RootSecret> write_secret(Core& core, std::uint64_t epoch) {
  core.at_step(EraseStep::write_slot);
  RETURN_IF_ERROR(empty_slot(core, *core.slot, static_cast<unsigned>(epoch % 2)));
  core.spare = Core::Spare::zero;
  ASSIGN_OR_RETURN(const crypto::SlotSecret secret, crypto::SlotSecret::random());
  Status written = core.slot->write(core.store(), epoch, secret);
  if (!written.ok()) return core.fatal(std::move(written).error());
  return core.root_of(secret, epoch);
}

// The root row under the new secret, and nothing else of the tree; back comes the old one.
Result<crypto::RootSecret> change_root(Core& core, const crypto::RootSecret& next) {
  core.at_step(EraseStep::tx2);
  ASSIGN_OR_RETURN(const domain::SlotAssurance assurance, core.slot->assess());
  ASSIGN_OR_RETURN(crypto::RootSecret old_root, core.root.clone());
  Status committed =
      transact(core, ReserveShare::half,
               [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                 CatalogNodes nodes(transaction);
                 ASSIGN_OR_RETURN(const domain::NodeBatch batch,
                                  keytree::erase(nodes, core.store(), old_root, next, {}));
                 RETURN_IF_ERROR(transaction.put_undo(batch.undo));
                 RETURN_IF_ERROR(transaction.put_nodes(batch.put));
                 RETURN_IF_ERROR(transaction.put_epoch({state.epoch + 1, core.now(), assurance}));
                 RETURN_IF_ERROR(transaction.set_round_state(domain::RoundState::destroying));
                 state.epoch += 1;
                 ASSIGN_OR_RETURN(crypto::RootSecret copy, next.clone());
                 return core.adopt_root(std::move(copy));
               });
  if (committed.ok()) return old_root;
  RETURN_IF_ERROR(core.adopt_root(std::move(old_root)));
  return std::move(committed).error();
}

Status give_up(Core& core, std::uint64_t unused_epoch, Error why) {
  RETURN_IF_ERROR(spare_zeroed_or_kept(core, unused_epoch));
  RETURN_IF_ERROR(transact(core, ReserveShare::all,
                           [](catalog::Transaction& transaction, catalog::StoreState&) {
                             return transaction.end_round();
                           }));
  return why;
}

Status undo(Core& core, crypto::RootSecret old_root, std::uint64_t unused_epoch, Error why) {
  RETURN_IF_ERROR(undo_round(core, std::move(old_root)));
  RETURN_IF_ERROR(spare_zeroed_or_kept(core, unused_epoch));
  return why;
}

Status check_new_root(Core& core, const crypto::RootSecret& old_root) {
  core.at_step(EraseStep::check);
  RETURN_IF_ERROR(core.catalog->drop_page_cache());
  ASSIGN_OR_RETURN(std::vector<domain::NodeRow> undo_rows, core.view().undo_nodes());
  RowNodes before(std::move(undo_rows));
  CatalogNodes now(core.view());
  return keytree::verify_erased(now, before, core.store(), old_root, core.root, {});
}

// The round, as erasing.cpp has it with assets.
Status run(Core& core, const domain::Actor& actor, std::uint64_t epoch) {
  RETURN_IF_ERROR(begin(core, actor, epoch));
  Result<crypto::RootSecret> next = write_secret(core, epoch + 1);
  if (!next.ok()) {
    if (core.stop) return std::move(next).error();
    return give_up(core, epoch + 1, std::move(next).error());
  }
  Result<crypto::RootSecret> old_root = change_root(core, *next);
  if (!old_root.ok()) {
    if (core.stop) return std::move(old_root).error();
    return give_up(core, epoch + 1, std::move(old_root).error());
  }
  const Status intact = check_new_root(core, *old_root);
  if (!intact.ok()) return undo(core, std::move(*old_root), epoch + 1, intact.error());
  core.at_step(EraseStep::zero_slot);
  ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> round, core.view().round());
  if (!round) return make_error(Errc::damaged, "the round of the move is not in the database");
  Result<domain::SlotReadBackProof> gone = destroy_slot(core, *round);
  if (gone.ok()) {
    ASSIGN_OR_RETURN(domain::KeysGoneProof keys, core.keys.keys_gone({}, std::move(*old_root)));
    return finish_round(core, domain::DestroyedProof::combine(std::move(*gone), std::move(keys)),
                        domain::DestructionEvidence::Course::undisturbed);
  }
  if (core.stop) return std::move(gone).error();
  return undo(core, std::move(*old_root), epoch + 1, std::move(gone).error());
}

}  // namespace

Digest move_digest(const Core& core, std::uint64_t from_epoch) {
  return crypto::sha256(
      as_bytes("aierase/slot-move/v1 " + core.store().text() + " " + std::to_string(from_epoch)));
}

rootslot::RootSlot& home_of(Core& core, std::uint64_t epoch) {
  if (!core.moving) return *core.slot;
  return epoch > core.locator.move->from_epoch ? *core.moving->to : *core.moving->from;
}

Status finish_move(Core& core, const domain::SlotEvidence& evidence) {
  const UtcTime now = core.now();
  return transact(core, ReserveShare::all,
                  [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                    RETURN_IF_ERROR(transaction.end_round());
                    RETURN_IF_ERROR(transaction.clear_undo());
                    ASSIGN_OR_RETURN(std::string record,
                                     dump_canonical(Json{{"epoch", evidence.epoch},
                                                         {"left", evidence.kind},
                                                         {"checks", evidence.checks}}));
                    const translog::LogRecord leaf{"slot-moved", now, std::move(record),
                                                   translog::Visibility::committed};
                    return core.append_log(transaction, state, {&leaf, 1});
                  });
}

Status finish_unproven_move(Core& core, const catalog::EraseRound& round, std::string_view why) {
  const UtcTime now = core.now();
  const std::string left(to_text(core.locator.slot_kind));
  return transact(
      core, ReserveShare::all,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        RETURN_IF_ERROR(transaction.end_round());
        RETURN_IF_ERROR(transaction.clear_undo());
        ASSIGN_OR_RETURN(
            std::string record,
            dump_canonical(Json{{"epoch", round.from_epoch}, {"left", left}, {"unproven", why}}));
        const translog::LogRecord leaf{"slot-moved", now, std::move(record),
                                       translog::Visibility::committed};
        return core.append_log(transaction, state, {&leaf, 1});
      });
}

namespace {

// Whether the store lives where the move ends; the locator alone is not believed.
Status check_kept(Core& core, bool moved) {
  rootslot::RootSlot* kept = core.slot.get();
  if (core.moving) kept = moved ? core.moving->to.get() : core.moving->from.get();
  const SlotKind kind = moved ? core.locator.move->to : core.locator.slot_kind;
  // Where a home did not open, what is open is the file.
  bool there = core.moving || (core.move_fault ? !has_tpm(kind) : !moved);
  if (there) {
    ASSIGN_OR_RETURN(there, holds_living_secret(core, *kept));
  }
  if (there) return {};
  return make_error(Errc::damaged,
                    core.settings.directory + "/root-slot says that the root slot lies in " +
                        std::string(to_text(kind)) +
                        " now, and the secret of the store is not there",
                    "an older copy of that file was put back: put the newest one back; nothing was "
                    "touched",
                    core.settings.directory);
}

}  // namespace

Status settle_home(Core& core) {
  if (core.locator.move) {
    ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> round, core.view().round());
    if (round) return {};
    ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
    SlotLocator settled = core.locator;
    const bool moved = state.epoch > settled.move->from_epoch;
    RETURN_IF_ERROR(check_kept(core, moved));
    if (moved) settled.slot_kind = settled.move->to;
    settled.move.reset();
    if (!has_tpm(settled.slot_kind)) settled.left_tpm = SlotLocator::LeftTpm::to_be_cleared;
    Status written = replace_locator(core.env(), core.settings.directory, settled);
    if (!written.ok() && written.error().code == Errc::no_space) {
      RETURN_IF_ERROR(give_back_reserve(core));
      written = replace_locator(core.env(), core.settings.directory, settled);
    }
    if (!written.ok()) {
      core.stop = written.error().code != Errc::no_space;
      return written;
    }
    core.locator = std::move(settled);
    if (core.moving) core.slot = moved ? core.moving->to : core.moving->from;
    core.moving.reset();
    core.move_fault.reset();
    if (!has_tpm(core.locator.slot_kind)) core.in_tpm.reset();
  }
  if (core.locator.left_tpm == SlotLocator::LeftTpm::none) return {};
  const Status cleared = clear_left_tpm(core);
  core.uncleared_tpm.reset();
  // The secret is zero there: no model waits for it.
  if (!cleared.ok()) {
    core.uncleared_tpm = Core::Stuck{core.since_boot() + kStuckPause, cleared.error()};
  }
  return {};
}

namespace {

// The slot file was removed, and nothing but the open one knows the secret. What the removed one
// was copied to, nobody knows: that is durable before the new one looks as if it had always lain
// there.
Status put_slot_file_back(Core& core, const domain::Actor& actor) {
  RETURN_IF_ERROR(record_slot_review(core));
  const Status put = core.in_file->put_back();
  if (!put.ok()) {
    return make_error(
        Errc::damaged,
        "the slot file " + core.locator.slot_path + " could not be written anew: " +
            put.error().message + "; do NOT stop aierased, it has the only good one, open",
        put.error().hint.empty() ? "export the models that are needed" : put.error().hint,
        core.locator.slot_path);
  }
  core.stuck.clear();
  const std::string kind(to_text(core.locator.slot_kind));
  return transact(core, ReserveShare::half,
                  [&](catalog::Transaction& transaction, catalog::StoreState&) {
                    return transaction.add_event({core.now(), actor, "slot-move", "store", kind,
                                                  kind, "the slot file was gone: written anew"});
                  });
}

}  // namespace

Status Store::move_slot(const domain::Actor& actor, SlotKind to) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.alive());
  ASSIGN_OR_RETURN(const rootslot::SlotPlace place, core.in_file->place());
  if (place == rootslot::SlotPlace::missing && to == core.locator.slot_kind) {
    return put_slot_file_back(core, actor);
  }
  RETURN_IF_ERROR(check_slot_file(core));
  RETURN_IF_ERROR(settle_home(core));
  RETURN_IF_ERROR(check_movable(core, to));
  if (core.uncleared_tpm) return core.uncleared_tpm->why;
  RETURN_IF_ERROR(record_slot_review(core));
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  if (core.spare != Core::Spare::zero) RETURN_IF_ERROR(zero_unused_slot(core, state.epoch + 1));
  if (core.locator.slot_kind == SlotKind::tpm2) {  // the file's own slots are to be zero
    for (const unsigned parity : {0U, 1U}) RETURN_IF_ERROR(empty_slot(core, *core.in_file, parity));
  }
  RETURN_IF_ERROR(write_move(core, to, state.epoch));
  Status moved = make_new_home(core);
  if (moved.ok()) moved = run(core, actor, state.epoch);
  // What has passed the choke point is finished or undone by recovery alone.
  const Result<std::optional<catalog::EraseRound>> open = core.view().round();
  if (!core.waiting && (!open.ok() || *open)) core.stop = true;
  if (core.stop) return moved;
  const Status settled = settle_home(core);
  // On a full disk only the locator is behind, and erasures and moves wait for it.
  if (!settled.ok() && settled.error().code == Errc::no_space) return moved;
  return moved.ok() ? settled : moved;
}

}  // namespace aierase::lifecycle
