// The erase protocol: from TX1 to step 4, as erasure-design section 5 numbers them.

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/json.h"
#include "lifecycle/core.h"
#include "lifecycle/disposing.h"
#include "lifecycle/erase_round.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

constexpr auto kDrainDeadline = std::chrono::seconds(10);
constexpr std::size_t kDraftBytesPerRound = 16 << 20;
constexpr auto kDrainPause = std::chrono::milliseconds(5);

// Of one plan, or of several that share a rotation of the root.
using Rounds = std::vector<Round>;

std::vector<const Candidate*> going(const Rounds& rounds) {
  std::vector<const Candidate*> all;
  for (const Round& round : rounds) {
    for (const Candidate& candidate : round.going) all.push_back(&candidate);
  }
  return all;
}

std::vector<keytree::LeafErase> erasures_of(const Rounds& rounds) {
  std::vector<keytree::LeafErase> erasures;
  for (const Candidate* candidate : going(rounds)) {
    erasures.push_back({*candidate->asset.leaf, candidate->asset.id, candidate->asset.kcv});
  }
  return erasures;
}

std::vector<Uuid> ids_of(const Rounds& rounds) {
  std::vector<Uuid> ids;
  for (const Candidate* candidate : going(rounds)) ids.push_back(candidate->asset.id);
  return ids;
}

// ---- TX1 ---------------------------------------------------------------------------------------

Status draft_one(DispositionFacts& facts, Candidate& candidate, ByteView key) {
  candidate.certificate = Uuid::random();
  ASSIGN_OR_RETURN(candidate.draft, facts.draft(candidate.asset, key, candidate.certificate));
  return {};
}

// Whose statement cannot be drafted (a manifest that does not open) falls out with the reason; who
// comes when the drafts fill the memory of a round stays pending, and goes with the next.
Status draft_statements(Core& core, Round& round, std::size_t& bytes) {
  ASSIGN_OR_RETURN(DispositionFacts facts, DispositionFacts::of_round(core, round.plan));
  std::map<std::uint32_t, Candidate*> at;
  for (Candidate& candidate : round.going) at[*candidate.asset.leaf] = &candidate;
  CatalogNodes nodes(core.view());
  RETURN_IF_ERROR(keytree::visit_leaves(nodes, core.store(), core.root, leaves_of(round.going),
                                        [&](std::uint32_t leaf, ByteView key) -> Status {
                                          if (bytes >= kDraftBytesPerRound) return {};
                                          Candidate& candidate = *at.at(leaf);
                                          const Status drafted = draft_one(facts, candidate, key);
                                          bytes += candidate.draft.size();
                                          if (drafted.ok()) return {};
                                          if (!concerns_one(drafted.error()))
                                            return drafted.error();
                                          candidate.decision = refused_by(drafted.error());
                                          return {};
                                        }));
  std::vector<Candidate> going;
  for (Candidate& candidate : round.going) {
    if (!candidate.decision.permit) {
      round.dropped.push_back(std::move(candidate));
    } else if (!candidate.draft.empty()) {
      going.push_back(std::move(candidate));
    }
  }
  round.going = std::move(going);
  return {};
}

Status tx1_rows(Core& core, const Round& round, catalog::Transaction& transaction,
                catalog::StoreState& state, catalog::EraseRound& row) {
  RETURN_IF_ERROR(write_dropped(core, transaction, round));
  RETURN_IF_ERROR(write_braked(core, transaction, state, round));
  if (round.going.empty()) return {};
  Json items = Json::array();
  for (const Candidate& candidate : round.going) {
    row.items.push_back({round.plan.id, candidate.asset.id, *candidate.asset.leaf, candidate.draft,
                         candidate.certificate});
    items.push_back(
        Json{{"asset", candidate.asset.id.hex()}, {"kcv", to_hex(candidate.asset.kcv)}});
  }
  RETURN_IF_ERROR(transaction.set_plan_state(round.plan.id, domain::PlanState::running,
                                             round.plan.due, std::nullopt));
  ASSIGN_OR_RETURN(std::string record, dump_canonical(Json{{"plan", round.plan.id.hex()},
                                                           {"epoch", round.from_epoch},
                                                           {"items", std::move(items)}}));
  const translog::LogRecord leaf{"erase-intent", row.intent_at, std::move(record),
                                 translog::Visibility::committed};
  return core.append_log(transaction, state, {&leaf, 1});
}

Status tx1(Core& core, Rounds& rounds) {
  core.at_step(EraseStep::tx1);
  const bool as_loaded = std::all_of(rounds.begin(), rounds.end(), [&](const Round& round) {
    return round.loaded_at == core.view().rows_changed();
  });
  const UtcTime now = core.now();
  RETURN_IF_ERROR(record_slot_review(core));
  std::size_t bytes = 0;
  for (Round& round : rounds) RETURN_IF_ERROR(draft_statements(core, round, bytes));
  RETURN_IF_ERROR(
      transact(core, ReserveShare::half,
               [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                 catalog::EraseRound row;
                 row.from_epoch = rounds.front().from_epoch;
                 row.intent_at = now;
                 for (const Round& round : rounds) {
                   RETURN_IF_ERROR(tx1_rows(core, round, transaction, state, row));
                 }
                 return row.items.empty() ? Status() : transaction.start_round(row);
               }));
  // Where nobody fell out, what was written since they were loaded is the round, the state of its
  // plans, the epoch, log and audit: the facts of those that go are what they were.
  const bool as_decided = as_loaded && std::all_of(rounds.begin(), rounds.end(), [](const auto& r) {
                            return r.dropped.empty() && r.trips.empty();
                          });
  for (Round& round : rounds) {
    if (as_decided) round.known_at = core.view().rows_changed();
  }
  return {};
}

// ---- steps 1 and 2 -----------------------------------------------------------------------------

// A new slot secret in the other slot; its root is what the tree will be re-keyed under.
Result<crypto::RootSecret> write_new_slot(Core& core, std::uint64_t epoch) {
  core.at_step(EraseStep::write_slot);
  if (core.spare != Core::Spare::zero) RETURN_IF_ERROR(zero_unused_slot(core, epoch));
  ASSIGN_OR_RETURN(const crypto::SlotSecret secret, crypto::SlotSecret::random());
  Status written = core.slot->write(core.store(), epoch, secret);
  if (!written.ok()) return core.fatal(std::move(written).error());
  return core.root_of(secret, epoch);
}

// Revokes every lease of the round's assets and waits for the jobs to let go; who does not in time
// keeps his asset out of this round, never the certificate waiting.
void drain(Core& core, const Rounds& rounds) {
  core.at_step(EraseStep::drain);
  const auto deadline = std::chrono::steady_clock::now() + kDrainDeadline;
  const std::vector<Uuid> assets = ids_of(rounds);
  for (const Uuid& asset : assets) core.keys.revoke(asset);
  for (const Uuid& asset : assets) {
    while (core.keys.open_leases(asset) > 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(kDrainPause);
    }
  }
}

// ---- TX2, the choke point ----------------------------------------------------------------------

Status tx2_decide(Core& core, Round& round, catalog::Transaction& transaction,
                  catalog::StoreState& state) {
  RETURN_IF_ERROR(decide(core, transaction, round, Readers::drained));
  if (!round.trips.empty()) {  // it waits, and the plans beside it may go
    ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> row,
                     transaction.round(catalog::Drafts::left_out));
    if (!row) return make_error(Errc::damaged, "the erase round is not in the database");
    for (const catalog::RoundItem& item : row->items) {
      if (item.plan == round.plan.id) RETURN_IF_ERROR(transaction.drop_round_item(item.asset));
    }
  }
  for (const Candidate& candidate : round.dropped) {
    RETURN_IF_ERROR(transaction.drop_round_item(candidate.asset.id));
  }
  RETURN_IF_ERROR(write_dropped(core, transaction, round));
  return write_braked(core, transaction, state, round);
}

Status tx2_rows(Core& core, Rounds& rounds, const crypto::RootSecret& next,
                const domain::SlotAssurance& assurance, catalog::Transaction& transaction,
                catalog::StoreState& state) {
  for (Round& round : rounds) RETURN_IF_ERROR(tx2_decide(core, round, transaction, state));
  if (going(rounds).empty()) return transaction.end_round();

  CatalogNodes nodes(transaction);
  const std::vector<keytree::LeafErase> erasures = erasures_of(rounds);
  ASSIGN_OR_RETURN(const domain::NodeBatch batch,
                   keytree::erase(nodes, core.store(), core.root, next, erasures));
  RETURN_IF_ERROR(transaction.put_undo(batch.undo));
  RETURN_IF_ERROR(transaction.put_nodes(batch.put));
  RETURN_IF_ERROR(transaction.put_epoch({state.epoch + 1, core.now(), assurance}));
  RETURN_IF_ERROR(transaction.set_round_state(domain::RoundState::destroying));
  RETURN_IF_ERROR(transaction.mark_round_erasing());
  state.epoch += 1;
  return {};
}

// Returns the old root when the tree was re-keyed; nothing when every item fell out.
Result<std::optional<crypto::RootSecret>> tx2(Core& core, Rounds& rounds, crypto::RootSecret next) {
  core.at_step(EraseStep::tx2);
  ASSIGN_OR_RETURN(const domain::SlotAssurance assurance, core.slot->assess());
  ASSIGN_OR_RETURN(crypto::RootSecret old_root, core.root.clone());
  // The anchor of this very commit must already lie under the new root, so the root is exchanged
  // between the rows and the commit; a failed commit puts the old one back.
  const Build build = [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
    ASSIGN_OR_RETURN(crypto::RootSecret current, old_root.clone());
    RETURN_IF_ERROR(core.adopt_root(std::move(current)));
    RETURN_IF_ERROR(tx2_rows(core, rounds, next, assurance, transaction, state));
    if (going(rounds).empty()) return {};
    ASSIGN_OR_RETURN(crypto::RootSecret copy, next.clone());
    return core.adopt_root(std::move(copy));
  };
  Status committed = transact(core, ReserveShare::half, build);
  if (!committed.ok()) {
    RETURN_IF_ERROR(core.adopt_root(std::move(old_root)));
    return std::move(committed).error();
  }
  if (going(rounds).empty()) return std::optional<crypto::RootSecret>();
  return std::optional<crypto::RootSecret>(std::move(old_root));
}

// TX1 is durable, but the round cannot go on (full disk, busy TPM): back to approved, decided again
// later.
Status give_up(Core& core, const Rounds& rounds, Error why) {
  RETURN_IF_ERROR(spare_zeroed_or_kept(core, rounds.front().from_epoch + 1));
  RETURN_IF_ERROR(transact(core, ReserveShare::all,
                           [&](catalog::Transaction& transaction, catalog::StoreState&) -> Status {
                             ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> row,
                                              transaction.round(catalog::Drafts::left_out));
                             return row ? end_undecided(transaction, *row) : Status();
                           }));
  return why;
}

// ---- steps 3 and 4 -----------------------------------------------------------------------------

enum class LastLook { destroy, held, broken };

// Whether what will be signed is what was drafted: behind step 4 it would be too late.
Result<bool> drafts_are_as_written(const Core& core, const Rounds& rounds) {
  std::map<Uuid, const Candidate*> written;
  for (const Candidate* candidate : going(rounds)) written[candidate->asset.id] = candidate;
  ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> row, core.view().round());
  if (!row || row->items.size() != written.size()) return false;
  return std::all_of(row->items.begin(), row->items.end(), [&](const catalog::RoundItem& item) {
    const auto one = written.find(item.asset);
    return one != written.end() && one->second->draft == item.draft &&
           one->second->certificate == item.certificate;
  });
}

// Paths and drafts re-read from disk, untouched entries equal; holds looked at once more.
Result<LastLook> last_look(Core& core, const Rounds& rounds, const crypto::RootSecret& old_root) {
  core.at_step(EraseStep::check);
  RETURN_IF_ERROR(core.catalog->drop_page_cache());
  const Result<bool> drafts = drafts_are_as_written(core, rounds);
  if (!drafts.ok() && drafts.error().code == Errc::io) return core.fatal(drafts.error());
  if (!drafts.ok() || !*drafts) return LastLook::broken;
  ASSIGN_OR_RETURN(std::vector<domain::NodeRow> undo_rows, core.view().undo_nodes());
  RowNodes before(std::move(undo_rows));
  CatalogNodes now(core.view());
  const Status intact =
      keytree::verify_erased(now, before, core.store(), old_root, core.root, erasures_of(rounds));
  if (!intact.ok() && intact.error().code == Errc::io) return core.fatal(intact.error());
  if (!intact.ok()) return LastLook::broken;
  ASSIGN_OR_RETURN(const bool held, core.view().is_round_held());
  return held ? LastLook::held : LastLook::destroy;
}

Result<domain::DestroyedProof> destroy_old(Core& core, const Rounds& rounds,
                                           crypto::RootSecret old_root) {
  core.point_of_no_return = Core::Return::past;
  core.at_step(EraseStep::zero_slot);
  ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> row,
                   core.view().round(catalog::Drafts::left_out));
  if (!row) return make_error(Errc::damaged, "the erase round is not in the database");
  Result<domain::SlotReadBackProof> read_back = destroy_slot(core, *row);
  if (!read_back.ok()) {
    Error fault = std::move(read_back).error();
    if (core.stop) return fault;
    // Refused, with nothing changed: nobody knows for how long, and nobody has to wait for it.
    core.point_of_no_return = Core::Return::possible;
    RETURN_IF_ERROR(undo_round(core, std::move(old_root)));
    RETURN_IF_ERROR(spare_zeroed_or_kept(core, rounds.front().from_epoch + 1));
    return fault;
  }
  const std::vector<Uuid> assets = ids_of(rounds);
  ASSIGN_OR_RETURN(domain::KeysGoneProof keys, core.keys.keys_gone(assets, std::move(old_root)));
  return domain::DestroyedProof::combine(std::move(read_back).value(), std::move(keys));
}

Status drop_all(Core& core, Rounds rounds) {
  for (Round& round : rounds) {
    for (Candidate& candidate : round.going) {
      candidate.decision.reasons = {
          {Errc::damaged, "what was re-keyed did not read back as written; nothing was destroyed"}};
      candidate.asset.state = domain::AssetState::retired;
      round.dropped.push_back(std::move(candidate));
    }
    round.going.clear();
  }
  return transact(core, ReserveShare::half,
                  [&](catalog::Transaction& transaction, catalog::StoreState&) -> Status {
                    for (const Round& round : rounds) {
                      RETURN_IF_ERROR(write_dropped(core, transaction, round));
                    }
                    return {};
                  });
}

// From decision to certificate. Errc::no_space means: nothing happened, try smaller.
Status run_rounds(Core& core, Rounds rounds) {
  RETURN_IF_ERROR(check_slot_file(core));
  for (Round& round : rounds) {
    RETURN_IF_ERROR(decide(core, core.view(), round, Readers::to_be_drained));
  }
  RETURN_IF_ERROR(tx1(core, rounds));
  for (Round& round : rounds) {
    round.dropped.clear();  // durable with TX1
    if (!round.going.empty()) round.plan.state = domain::PlanState::running;
  }
  std::erase_if(rounds, [](const Round& round) { return round.going.empty(); });
  if (rounds.empty()) return {};
  const std::uint64_t unused_epoch = rounds.front().from_epoch + 1;

  Result<crypto::RootSecret> next = write_new_slot(core, unused_epoch);
  if (!next.ok()) {
    if (core.stop) return std::move(next).error();
    return give_up(core, rounds, std::move(next).error());
  }
  drain(core, rounds);
  Result<std::optional<crypto::RootSecret>> old_root = tx2(core, rounds, std::move(*next));
  if (!old_root.ok()) {
    if (core.stop) return std::move(old_root).error();
    return give_up(core, rounds, std::move(old_root).error());
  }
  if (!*old_root) return spare_zeroed_or_kept(core, unused_epoch);  // everything fell out

  ASSIGN_OR_RETURN(const LastLook look, last_look(core, rounds, **old_root));
  if (look != LastLook::destroy) {
    RETURN_IF_ERROR(undo_round(core, std::move(**old_root)));
    RETURN_IF_ERROR(spare_zeroed_or_kept(core, unused_epoch));
    // A hold: the rest is decided again in the next round. Broken: nobody tries it twice.
    if (look == LastLook::held) return {};
    if (rounds.size() == 1) return drop_all(core, std::move(rounds));
    return make_error(Errc::damaged,  // whose path it was shows where each plan goes alone
                      "what was re-keyed did not read back as written; nothing was destroyed",
                      "each plan of this round is tried by itself");
  }
  ASSIGN_OR_RETURN(domain::DestroyedProof proof, destroy_old(core, rounds, std::move(**old_root)));
  RETURN_IF_ERROR(
      finish_round(core, std::move(proof), domain::DestructionEvidence::Course::undisturbed));
  // Step 5 waits until no plan is due: here every directory of blobs would be synced in each round.
  // What waits is ciphertext without its key, and recovery knows it.
  core.unlinking.owe(going(rounds).size());
  refill_reserve(core);
  return {};
}

}  // namespace

Result<RoundCourse> run_next_round(Core& core, const Uuid& plan, const std::vector<Uuid>& along) {
  Rounds rounds(1);
  ASSIGN_OR_RETURN(rounds.front(), load_round(core, plan));
  if (rounds.front().going.empty()) return RoundCourse::nothing_pending;
  std::size_t items = rounds.front().going.size();
  for (const Uuid& other : along) {
    Result<Round> round = load_round(core, other);
    if (!round.ok()) continue;  // it has a round of its own, and says there what is wrong
    items += round->going.size();
    if (items > core.round_limit) break;
    if (!round->going.empty()) rounds.push_back(std::move(*round));
  }
  RETURN_IF_ERROR(run_rounds(core, std::move(rounds)));
  return RoundCourse::ran;
}

}  // namespace aierase::lifecycle
