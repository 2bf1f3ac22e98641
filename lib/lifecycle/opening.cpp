// Start: locks, then slot, then database, then the recovery table of erasure-design section 5.
// Nothing is written before the whole table has been looked at.

#include <array>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "lifecycle/core.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

using rootslot::SlotContent;
using rootslot::SlotReading;

struct Candidate {
  SlotReading reading;
  std::optional<crypto::RootSecret> root;  // of a good copy of this store
};

struct Table {
  std::array<Candidate, 2> slots;
  unsigned current = 0;  // parity of the slot that opens the root row
  catalog::StoreState state;
  std::optional<catalog::EraseRound> round;

  Candidate& other() { return slots[1 - current]; }
  bool destroying() const { return round && round->state != domain::RoundState::intent; }
};

enum class Other { nothing, roll_forward, discard, finish };

std::string seen(const Candidate& slot, const Uuid& store) {
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

Error none_opens(const Core& core, const Table& table) {
  std::string hint = "put the right slot back, or the newer database; nothing was touched";
  if (core.unlock) hint = "the unlock secret may be a wrong one; else: " + hint;
  return make_error(Errc::damaged,
                    "no root slot opens the database of epoch " +
                        std::to_string(table.state.epoch) + ": slot A holds " +
                        seen(table.slots[0], core.store()) + ", slot B holds " +
                        seen(table.slots[1], core.store()) +
                        "; this is an older database, a lost slot or a wrong unlock secret",
                    std::move(hint), core.settings.directory);
}

Result<Table> read_table(Core& core) {
  Table table;
  ASSIGN_OR_RETURN(table.state, core.view().state());
  if (table.state.store != core.store()) {
    return make_error(
        Errc::foreign, "the database belongs to another store than its root-slot file",
        "files of two stores were mixed; nothing was touched", core.settings.directory);
  }
  ASSIGN_OR_RETURN(table.round, core.view().round());
  ASSIGN_OR_RETURN(const std::optional<Bytes> root_row, core.view().node(keytree::kRootNode));
  if (!root_row) {
    return make_error(Errc::damaged, "the root node of the key tree is missing from the database",
                      "put an undamaged copy of the current database back; nothing was touched");
  }
  int opening = 0;
  for (unsigned parity = 0; parity < 2; ++parity) {
    Candidate& slot = table.slots[parity];
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
    return make_error(Errc::damaged, "the slot that opens the database is of another epoch than it",
                      "nothing was touched; the database was changed by hand");
  }
  return table;
}

// What is to be done with the slot that is not current, or why nothing may be touched.
Result<Other> judge_other(const Core& core, Table& table) {
  const SlotReading& other = table.other().reading;
  const std::uint64_t epoch = table.state.epoch;
  const auto refuse = [&] {
    return make_error(
        Errc::damaged,
        "beside the current slot of epoch " + std::to_string(epoch) + " there is " +
            seen(table.other(), core.store()) + ", which no interrupted act leaves behind",
        "nothing was touched; find out where that slot came from", core.locator.slot_path);
  };
  switch (other.content) {
    case SlotContent::zero:
      return table.destroying() ? Other::finish : Other::nothing;
    case SlotContent::foreign:
      return make_error(Errc::foreign, "the slot file holds a slot of another store",
                        "nothing was touched; slot files of two stores were mixed",
                        core.locator.slot_path);
    case SlotContent::whole:
      if (other.store != core.store()) return refuse();
      if (table.destroying()) {
        return other.epoch + 1 == epoch ? Result<Other>(Other::roll_forward) : refuse();
      }
      return other.epoch == epoch + 1 ? Result<Other>(Other::discard) : refuse();
    case SlotContent::torn:
      if (!other.secret) return Other::discard;
      if (other.store != core.store()) return refuse();
      if (other.epoch == epoch + 1 && !table.destroying()) return Other::discard;
      if (other.epoch + 1 == epoch && table.destroying()) return Other::discard;
      return refuse();
  }
  return refuse();
}

// The newest anchor that authenticates under the root of either slot: between TX2 and its anchor
// the last one was still written under the old root.
Result<Core::Anchored> check_anchor(Core& core, Table& table) {
  std::optional<rootslot::Anchor> newest;
  for (Candidate& slot : table.slots) {
    if (!slot.root) continue;
    ASSIGN_OR_RETURN(const crypto::SealKey key, crypto::anchor_key(*slot.root));
    ASSIGN_OR_RETURN(const std::optional<rootslot::Anchor> anchor, core.slot->read_anchor(key));
    if (anchor && (!newest || anchor->generation > newest->generation)) newest = anchor;
  }
  const std::uint64_t generation = table.state.generation;
  if (!newest) {
    return make_error(
        Errc::damaged, "the anchor beside the root slot is damaged or another store's",
        "nothing was touched; put the slot file back as it was", core.locator.slot_path);
  }
  const bool same = newest->generation == generation && newest->log_size == table.state.log.size &&
                    newest->log_root == table.state.log.root;
  if (same) return Core::Anchored::same;
  if (newest->generation + 1 == generation) return Core::Anchored::one_behind;
  if (newest->generation == generation) {
    return make_error(Errc::damaged, "the log in the database is not the one that the anchor names",
                      "nothing was touched; the database was changed by hand");
  }
  return make_error(
      Errc::damaged,
      "the database is at commit " + std::to_string(generation) +
          ", the anchor beside the slot at " + std::to_string(newest->generation) +
          ": an older copy of the database was put back",
      "models and holds would vanish silently: put the newest database back; nothing was touched",
      core.settings.directory);
}

Status check_host(const Core& core, const catalog::StoreState& state, Store::Adopt adopt) {
  if (adopt == Store::Adopt::yes || state.machine_id_digest.empty()) return {};
  if (state.machine_id_digest == core.settings.host.machine_id_digest) return {};
  return make_error(Errc::foreign, "this store belongs to another host (its machine-id differs)",
                    "if it was moved here on purpose, and the other host no longer runs it: "
                    "`aierase init --adopt`",
                    core.settings.directory);
}

// Commits one row of its own: after a failed last sync of the crashed process, only a commit of
// this process says that the database will still be there once the slot is gone.
Status commit_recovery_row(Core& core, const std::string& what, Store::Adopt adopt) {
  return transact(
      core, ReserveShare::all,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        if (adopt == Store::Adopt::yes) {
          state.machine_id_digest = core.settings.host.machine_id_digest;
        }
        ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> round, transaction.round());
        if (round && round->state == domain::RoundState::intent) {
          // Never executed blindly: its plans are decided again.
          for (const catalog::RoundItem& item : round->items) {
            RETURN_IF_ERROR(transaction.set_plan_state(item.plan, domain::PlanState::approved,
                                                       round->intent_at, std::nullopt));
          }
          RETURN_IF_ERROR(transaction.end_round());
        }
        ASSIGN_OR_RETURN(std::string record, dump_canonical(Json{{"recovered", what}}));
        const translog::LogRecord leaf{"recovery", core.now(), std::move(record),
                                       translog::Visibility::committed};
        return core.append_log(transaction, state, {&leaf, 1});
      });
}

std::vector<keytree::LeafErase> leaves_of(const std::vector<domain::Asset>& assets,
                                          const catalog::EraseRound& round) {
  std::vector<keytree::LeafErase> leaves;
  for (std::size_t i = 0; i < assets.size(); ++i) {
    leaves.push_back({round.items[i].leaf, assets[i].id, assets[i].kcv});
  }
  return leaves;
}

enum class Course { forward, undo };

// A hold that came before the first byte of step 4, a check that does not hold, or a slot that was
// copied since: undo. The statement was drafted for a slot that lay where it was recorded.
Result<Course> course_of(Core& core, Table& table) {
  ASSIGN_OR_RETURN(const SlotReview review, review_slot(core));
  if (review.worse) return Course::undo;
  std::vector<domain::Asset> assets;
  for (const catalog::RoundItem& item : table.round->items) {
    ASSIGN_OR_RETURN(const std::vector<domain::Hold> holds, core.view().holds_on(item.asset));
    if (!holds.empty()) return Course::undo;
    ASSIGN_OR_RETURN(domain::Asset asset, core.known_asset(item.asset));
    assets.push_back(std::move(asset));
  }
  ASSIGN_OR_RETURN(std::vector<domain::NodeRow> undo_rows, core.view().undo_nodes());
  RowNodes before(std::move(undo_rows));
  CatalogNodes now(core.view());
  const Status holds_together = keytree::verify_erased(
      now, before, core.store(), *table.other().root, core.root, leaves_of(assets, *table.round));
  return holds_together.ok() ? Course::forward : Course::undo;
}

Status finish_with(Core& core, domain::SlotReadBackProof read_back, Candidate& dead) {
  dead.reading.secret.reset();
  ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> round, core.view().round());
  if (!round) return make_error(Errc::damaged, "the erase round to finish is not in the database");
  const std::vector<Uuid> assets = assets_of(*round);
  ASSIGN_OR_RETURN(domain::KeysGoneProof keys, core.keys.keys_gone(assets, std::move(dead.root)));
  Status done =
      finish_round(core, domain::DestroyedProof::combine(std::move(read_back), std::move(keys)),
                   domain::DestructionEvidence::Course::recovered);
  // On a full disk the record waits, and the living models are served all the same.
  if (!done.ok() && done.error().code == Errc::no_space && core.waiting) return {};
  return done;
}

Status destroy_and_finish(Core& core, Table& table) {
  const std::uint64_t dead = table.state.epoch - 1;
  Result<domain::SlotReadBackProof> proof =
      core.slot->destroy(1 - table.current, dead, *core.settings.clock);
  if (!proof.ok()) return core.fatal(std::move(proof).error());
  return finish_with(core, std::move(proof).value(), table.other());
}

Status discard_other(Core& core, Table& table) {
  if (table.destroying()) return destroy_and_finish(core, table);  // step 4 had begun
  const Result<domain::SlotReadBackProof> proof =
      core.slot->destroy(1 - table.current, table.state.epoch + 1, *core.settings.clock);
  return proof.ok() ? Status() : Status(core.fatal(proof.error()));
}

Status roll_forward(Core& core, Table& table) {
  ASSIGN_OR_RETURN(const Course course, course_of(core, table));
  if (course == Course::forward) return destroy_and_finish(core, table);
  RETURN_IF_ERROR(undo_round(core, std::move(*table.other().root)));
  const Result<domain::SlotReadBackProof> proof =
      core.slot->destroy(table.current, table.state.epoch, *core.settings.clock);
  return proof.ok() ? Status() : Status(core.fatal(proof.error()));
}

Status recover(Core& core, Table& table, Other other, Store::Adopt adopt) {
  Candidate& current = table.slots[table.current];
  const bool torn = current.reading.content == SlotContent::torn;
  if (torn) {
    Status mended = core.slot->write(core.store(), table.state.epoch, *current.reading.secret);
    if (!mended.ok()) return core.fatal(std::move(mended).error());
  }
  const bool intent = table.round && table.round->state == domain::RoundState::intent;
  if (!torn && !intent && other == Other::nothing && core.anchored == Core::Anchored::same &&
      adopt == Store::Adopt::no) {
    return {};
  }
  std::string what = torn ? "twin of the slot" : "last commit";
  if (intent || other != Other::nothing) what = "interrupted erasure";
  RETURN_IF_ERROR(commit_recovery_row(core, what, adopt));
  switch (other) {
    case Other::nothing:
      return {};
    case Other::discard:
      return discard_other(core, table);
    case Other::roll_forward:
      return roll_forward(core, table);
    case Other::finish:
      break;
  }
  Result<domain::SlotReadBackProof> proof =
      core.slot->confirm_zero(1 - table.current, table.state.epoch - 1, *core.settings.clock);
  if (!proof.ok()) return core.fatal(std::move(proof).error());
  return finish_with(core, std::move(proof).value(), table.other());
}

// Without its signer a store still serves its models; erasures wait, and status says so.
void load_signer(Core& core) {
  const crypto::UnlockSecret* unlock = core.unlock ? &*core.unlock : nullptr;
  Result<crypto::SigningKey> key =
      read_key_file(core.env(), parent_of(core.locator.slot_path) + "/signer.key", core.store(),
                    unlock, "signer");
  if (key.ok()) {
    core.signer.emplace(std::move(key).value());
  } else {
    core.settings.host.findings.push_back("the signer's key cannot be read: " +
                                          key.error().message);
  }
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const StoreSettings& settings,
                                           std::unique_ptr<File> lock,
                                           std::optional<crypto::UnlockSecret> unlock,
                                           Adopt adopt) {
  auto impl = std::make_unique<Impl>();
  Core& core = *impl;
  core.settings = settings;
  core.store_lock = std::move(lock);
  ASSIGN_OR_RETURN(core.locator, read_locator(settings));
  if (core.locator.unlock != UnlockKind::none) {
    if (!unlock) {
      return make_error(Errc::locked,
                        "the store has an unlock secret (" +
                            std::string(to_text(core.locator.unlock)) + ") and it is not here",
                        core.locator.unlock == UnlockKind::passphrase
                            ? "`aierase unlock`"
                            : "pass it to aierased and restart it",
                        settings.directory);
    }
    core.unlock = std::move(unlock);
  }
  Result<std::unique_ptr<rootslot::RootSlot>> slot =
      rootslot::open_file_slot(*settings.env, {core.locator.slot_path});
  if (!slot.ok()) {
    if (slot.error().code != Errc::not_found) return std::move(slot).error();
    return make_error(Errc::damaged, "the root slot " + core.locator.slot_path + " is not there",
                      "mount or restore what holds it; without it no model can be read",
                      core.locator.slot_path);
  }
  core.slot = std::move(slot).value();
  ASSIGN_OR_RETURN(core.catalog,
                   catalog::Catalog::open(*settings.env, settings.directory + "/catalog.db"));
  ASSIGN_OR_RETURN(Table table, read_table(core));
  RETURN_IF_ERROR(check_host(core, table.state, adopt));
  ASSIGN_OR_RETURN(const Other other, judge_other(core, table));
  ASSIGN_OR_RETURN(core.anchored, check_anchor(core, table));

  ASSIGN_OR_RETURN(crypto::RootSecret root, table.slots[table.current].root->clone());
  RETURN_IF_ERROR(core.adopt_root(std::move(root)));
  load_signer(core);
  RETURN_IF_ERROR(recover(core, table, other, adopt));
  RETURN_IF_ERROR(record_slot_review(core));
  RETURN_IF_ERROR(remove_orphans(core));
  refill_reserve(core);
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() {
  if (impl_) impl_->keys.revoke_all();
}
bool Store::must_stop() const {
  return impl_->stop;
}

}  // namespace aierase::lifecycle
