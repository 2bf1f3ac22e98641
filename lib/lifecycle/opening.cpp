// Start: locks, then slot, then database, then the recovery table of erasure-design section 5.
// Nothing is written before the whole table has been looked at.

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "catalog/journal.h"
#include "lifecycle/amending.h"
#include "lifecycle/opening_table.h"
#include "lifecycle/publishing.h"
#include "lifecycle/refusing.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

using rootslot::SlotContent;

// Commits one row of its own: after a failed last sync of the crashed process, only a commit of
// this process says that the database will still be there once the slot is gone.
Status commit_recovery_row(Core& core, const std::string& what, Store::Adopt adopt) {
  std::optional<std::uint64_t> counted;  // what the TPM has counted of holds, accepted
  if (adopt == Store::Adopt::yes) {
    ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
    ASSIGN_OR_RETURN(counted, home_of(core, state.epoch).renew_hold_count());
    // Less: holds that it has not counted yet, which are as durable as the others.
    if (*counted <= state.hold_count) counted.reset();
  }
  return transact(core, ReserveShare::all,
                  [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                    if (adopt == Store::Adopt::yes) {
                      state.machine_id_digest = core.settings.host.machine_id_digest;
                    }
                    ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> round,
                                     transaction.round(catalog::Drafts::left_out));
                    if (round && round->state == domain::RoundState::intent) {
                      RETURN_IF_ERROR(end_undecided(transaction, *round));
                    }
                    Json told{{"recovered", what}};
                    if (counted) {
                      state.hold_count = *counted;
                      told["hold_count_accepted"] = *counted;
                    }
                    ASSIGN_OR_RETURN(std::string record, dump_canonical(told));
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

enum class Recovery { forward, undo };

// A hold that came before the first byte of step 4, a check that does not hold, or a slot that was
// copied since: undo. The statement was drafted for a slot that lay where it was recorded.
Result<Recovery> recovery_of(Core& core, StartTable& table) {
  ASSIGN_OR_RETURN(const SlotReview review, review_slot(core));
  if (review.worse) return Recovery::undo;
  ASSIGN_OR_RETURN(const bool held, core.view().is_round_held());
  if (held) return Recovery::undo;
  std::vector<domain::Asset> assets;
  for (const catalog::RoundItem& item : table.round->items) {
    ASSIGN_OR_RETURN(domain::Asset asset, core.known_asset(item.asset));
    assets.push_back(std::move(asset));
  }
  ASSIGN_OR_RETURN(std::vector<domain::NodeRow> undo_rows, core.view().undo_nodes());
  RowNodes before(std::move(undo_rows));
  CatalogNodes now(core.view());
  const Status holds_together = keytree::verify_erased(
      now, before, core.store(), *table.other().root, core.root, leaves_of(assets, *table.round));
  return holds_together.ok() ? Recovery::forward : Recovery::undo;
}

Status finish_with(Core& core, domain::SlotReadBackProof read_back, SlotCandidate& dead) {
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

Status destroy_and_finish(Core& core, StartTable& table) {
  Result<domain::SlotReadBackProof> proof = destroy_slot(core, *table.round);
  if (!proof.ok()) return wait_for_proof(core, *table.round, std::move(proof).error());
  return finish_with(core, std::move(*proof), table.other());
}

Status discard_other(Core& core, StartTable& table) {
  if (table.destroying()) return destroy_and_finish(core, table);  // step 4 had begun
  return spare_zeroed_or_kept(core, table.state.epoch + 1);
}

Status undo(Core& core, StartTable& table) {
  RETURN_IF_ERROR(undo_round(core, std::move(*table.other().root)));
  return spare_zeroed_or_kept(core, table.state.epoch);
}

Status roll_forward(Core& core, StartTable& table) {
  ASSIGN_OR_RETURN(const Recovery recovery, recovery_of(core, table));
  if (recovery == Recovery::undo) return undo(core, table);
  Result<domain::SlotReadBackProof> proof = destroy_slot(core, *table.round);
  if (proof.ok()) return finish_with(core, std::move(*proof), table.other());
  if (core.stop || !uses_tpm(core.locator)) {
    return wait_for_proof(core, *table.round, std::move(proof).error());
  }
  return undo(core, table);  // refused, and the old secret was seen: as in the round itself
}

// Accepted by a person: of the old home only what lies in the file can still be destroyed.
Status leave_silent_home(Core& core, StartTable& table) {
  SlotCandidate& old = table.other();
  old.reading.secret.reset();
  if (old.reading.content != SlotContent::zero) {
    const Result<domain::SlotReadBackProof> gone =
        core.in_file->destroy(1 - table.current, table.round->from_epoch, *core.settings.clock);
    if (!gone.ok()) return core.fatal(gone.error());
  }
  return finish_unproven_move(core, *table.round,
                              "the old home did not answer: not proven destroyed");
}

Status recover(Core& core, StartTable& table, OtherSlot other, Store::Adopt adopt) {
  SlotCandidate& current = table.slots[table.current];
  const bool torn = current.reading.content == SlotContent::torn;
  if (torn) {
    Status mended = core.slot->write(core.store(), table.state.epoch, *current.reading.secret);
    if (!mended.ok()) return core.fatal(std::move(mended).error());
  }
  const bool intent = table.round && table.round->state == domain::RoundState::intent;
  if (!torn && !intent && other == OtherSlot::nothing && core.anchored == Core::Anchored::same &&
      adopt == Store::Adopt::no) {
    return {};
  }
  std::string what = torn ? "twin of the slot" : "last commit";
  if (intent || other != OtherSlot::nothing) what = "interrupted erasure";
  RETURN_IF_ERROR(commit_recovery_row(core, what, adopt));
  if (core.move_fault && table.destroying()) return leave_silent_home(core, table);
  switch (other) {
    case OtherSlot::nothing:
      return {};
    case OtherSlot::discard:
      return discard_other(core, table);
    case OtherSlot::roll_forward:
      return roll_forward(core, table);
    case OtherSlot::finish:
      break;
  }
  // It reads as zeros, written by a process that did not live to hear whether they are durable:
  // written once more, or a power cut after the certificate could bring the secret back.
  return destroy_and_finish(core, table);
}

// Without its signer a store still serves its models; erasures wait, and status says so.
void load_signer(Core& core) {
  Result<crypto::SigningKey> key = read_authority_key(core, domain::KeyPurpose::signer);
  if (key.ok()) {
    core.signer.emplace(std::move(key).value());
  } else {
    core.settings.host.findings.push_back("the signer's key cannot be read: " +
                                          key.error().message);
  }
  Result<crypto::SigningKey> log_key = read_authority_key(core, domain::KeyPurpose::log);
  if (log_key.ok()) core.log_key.emplace(std::move(log_key).value());
}

// Whoever accepts the one with `init --adopt` accepts the other: he is told of both.
Error both_faults(const Error& host, const Error& holds) {
  return make_error(holds.code, host.message + "; and " + holds.message, holds.hint, holds.subject);
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
  RETURN_IF_ERROR(open_slot(core));
  RETURN_IF_ERROR(check_files(core));
  RETURN_IF_ERROR(catalog::settle_journal(*settings.env, database_of(core)));
  ASSIGN_OR_RETURN(core.catalog, catalog::Catalog::open(*settings.env, database_of(core)));
  ASSIGN_OR_RETURN(StartTable table, read_table(core, adopt));
  ASSIGN_OR_RETURN(const OtherSlot other, judge_other(core, table));
  ASSIGN_OR_RETURN(core.anchored, check_anchor(core, table));
  const Status at_home = check_host(core, table.state, adopt);
  const Status newest = check_hold_count(core, table.state, table.anchored_holds, adopt);
  if (!at_home.ok() && !newest.ok()) return both_faults(at_home.error(), newest.error());
  RETURN_IF_ERROR(at_home);
  RETURN_IF_ERROR(newest);

  ASSIGN_OR_RETURN(crypto::RootSecret root, table.slots[table.current].root->clone());
  RETURN_IF_ERROR(core.adopt_root(std::move(root)));
  load_signer(core);
  RETURN_IF_ERROR(recover(core, table, other, adopt));
  const Status at_rest = settle_home(core);
  if (!at_rest.ok() && at_rest.error().code != Errc::no_space) return at_rest.error();
  if (core.uncounted_hold) count_holds(core);
  // Only now: until recovery the commit that made the new keys those in force may not be durable.
  const Status settled = settle_key_files(core);
  if (!settled.ok()) {
    core.settings.host.findings.push_back("a rotation of keys is not finished: " +
                                          settled.error().message);
  }
  ASSIGN_OR_RETURN(core.retention, Retention::in_force(core.view()));
  ASSIGN_OR_RETURN(core.noticed, core.view().last_notice());
  RETURN_IF_ERROR(record_slot_review(core));
  core.unlinking.owe(1);  // what an earlier process has left, if anything
  refill_reserve(core);
  RETURN_IF_ERROR(sign_waiting_refusals(core));
  RETURN_IF_ERROR(sign_waiting_verdicts(core));
  core.publisher = std::make_unique<Publisher>(core);
  RETURN_IF_ERROR(core.publisher->start());
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
