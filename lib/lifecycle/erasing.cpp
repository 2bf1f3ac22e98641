// The erase protocol: TX1, steps 1 to 5, TX2, TX3, as erasure-design section 5 numbers them.

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/json.h"
#include "certificate/bundle.h"
#include "certificate/statement.h"
#include "lifecycle/core.h"
#include "lifecycle/disposing.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

constexpr auto kDrainDeadline = std::chrono::seconds(10);
constexpr auto kDrainPause = std::chrono::milliseconds(5);
constexpr std::int64_t kExpiryCheckSeconds = 60;

// One item on its way through a round.
struct Candidate {
  domain::PlanItem item;
  domain::Asset asset;
  GateDecision decision;
  std::string draft;
  Uuid certificate;
};

struct Round {
  domain::Plan plan;
  std::vector<Candidate> going;    // decided to go, at TX1 and again at TX2
  std::vector<Candidate> dropped;  // fell out, with their reasons
  std::uint64_t from_epoch = 0;
};

std::vector<std::uint32_t> leaves_of(const std::vector<Candidate>& candidates) {
  std::vector<std::uint32_t> leaves;
  for (const Candidate& candidate : candidates) {
    if (candidate.asset.leaf) leaves.push_back(*candidate.asset.leaf);
  }
  return leaves;
}

std::vector<keytree::LeafErase> erasures_of(const std::vector<Candidate>& candidates) {
  std::vector<keytree::LeafErase> erasures;
  for (const Candidate& candidate : candidates) {
    erasures.push_back({*candidate.asset.leaf, candidate.asset.id, candidate.asset.kcv});
  }
  return erasures;
}

std::vector<Uuid> ids_of(const std::vector<Candidate>& candidates) {
  std::vector<Uuid> ids;
  for (const Candidate& candidate : candidates) ids.push_back(candidate.asset.id);
  return ids;
}

// Recomputes the kcv of every candidate's leaf from the key that is found there.
Result<std::map<std::uint32_t, Digest>> keys_at_leaves(Core& core, const catalog::ReadView& view,
                                                       const std::vector<Candidate>& candidates) {
  std::map<std::uint32_t, Uuid> owner;
  for (const Candidate& candidate : candidates) {
    if (candidate.asset.leaf) owner[*candidate.asset.leaf] = candidate.asset.id;
  }
  std::map<std::uint32_t, Digest> found;
  CatalogNodes nodes(view);
  RETURN_IF_ERROR(keytree::visit_leaves(
      nodes, core.store(), core.root, leaves_of(candidates),
      [&](std::uint32_t leaf, ByteView dek) -> Status {
        if (dek.empty()) return {};
        ASSIGN_OR_RETURN(const Digest kcv,
                         crypto::key_check_value(dek, core.store(), owner.at(leaf)));
        found[leaf] = kcv;
        return {};
      }));
  return found;
}

KeyCheck judge_key(const domain::Asset& asset, const std::map<std::uint32_t, Digest>& found) {
  if (!asset.leaf) return KeyCheck::absent;
  const auto kcv = found.find(*asset.leaf);
  if (kcv == found.end()) return KeyCheck::absent;
  return kcv->second == asset.kcv ? KeyCheck::matches : KeyCheck::differs;
}

// Decides every candidate anew; those that may not go move to `dropped`.
Status decide(Core& core, const catalog::ReadView& view, Round& round) {
  ASSIGN_OR_RETURN(const catalog::StoreState state, view.state());
  ASSIGN_OR_RETURN(const auto keys, keys_at_leaves(core, view, round.going));
  std::vector<Candidate> still_going;
  for (Candidate& candidate : round.going) {
    ASSIGN_OR_RETURN(std::optional<domain::Asset> asset, view.asset(candidate.item.asset));
    if (!asset) return make_error(Errc::damaged, "an asset of a plan is not in the catalog");
    candidate.asset = std::move(*asset);
    GateInput input;
    input.purpose = Purpose::execution;
    input.people_rule = state.people_rule;
    ASSIGN_OR_RETURN(input.asset, asset_facts(core, view, candidate.asset, &round.plan));
    const bool same = candidate.asset.name == candidate.item.name &&
                      candidate.asset.kcv == candidate.item.kcv;
    input.asset.binding = same ? Binding::unchanged : Binding::changed;
    input.asset.key = judge_key(candidate.asset, keys);
    input.asset.open_leases = core.keys.open_leases(candidate.asset.id);
    input.plan = {round.plan.state, round.plan.requester, round.plan.approvals, round.plan.due};
    input.clock.wall = core.now();
    input.clock.trusted = state.trusted;
    candidate.decision = Gate::decide(input);
    candidate.item.verdict = candidate.decision.verdict;
    (candidate.decision.permit ? still_going : round.dropped).push_back(std::move(candidate));
  }
  round.going = std::move(still_going);
  return {};
}

// What fell out leaves the plan with its reason, and its asset suspended until somebody decides.
Status write_dropped(Core& core, catalog::Transaction& transaction, const Round& round) {
  for (const Candidate& candidate : round.dropped) {
    domain::PlanItem item = candidate.item;
    item.state = domain::ItemState::dropped;
    item.reasons = candidate.decision.reasons;
    RETURN_IF_ERROR(transaction.put_item(round.plan.id, item));
    if (candidate.asset.state == domain::AssetState::retired) {
      RETURN_IF_ERROR(transaction.set_asset_state(
          candidate.asset.id, domain::AssetState::suspended,
          "fell out of " + plan_text(round.plan.id) + ": " + item.reasons.front().text));
    }
    core.changed(domain::IdType::asset, candidate.asset.id);
  }
  return {};
}

Result<Round> load(Core& core, const Uuid& plan_id) {
  Round round;
  ASSIGN_OR_RETURN(std::optional<domain::Plan> plan, core.view().plan_head(plan_id));
  if (!plan) return make_error(Errc::damaged, "a plan to execute is not in the catalog");
  round.plan = std::move(*plan);
  ASSIGN_OR_RETURN(std::vector<domain::PlanItem> items,
                   core.view().pending_items(plan_id, core.round_limit));
  for (domain::PlanItem& item : items) {
    Candidate candidate;
    ASSIGN_OR_RETURN(candidate.asset, core.known_asset(item.asset));
    candidate.item = std::move(item);
    round.going.push_back(std::move(candidate));
  }
  ASSIGN_OR_RETURN(const catalog::StoreState state, core.view().state());
  round.from_epoch = state.epoch;
  return round;
}

// ---- TX1 ---------------------------------------------------------------------------------------

Status draft_statements(Core& core, Round& round) {
  DispositionFacts facts(core, round.plan);
  for (Candidate& candidate : round.going) {
    candidate.certificate = Uuid::random();
    ASSIGN_OR_RETURN(candidate.draft,
                     facts.draft(candidate.asset, candidate.certificate));
  }
  return {};
}

Status tx1(Core& core, Round& round) {
  core.at_step(EraseStep::tx1);
  const UtcTime now = core.now();
  RETURN_IF_ERROR(draft_statements(core, round));
  return transact(
      core, ReserveShare::half,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        RETURN_IF_ERROR(write_dropped(core, transaction, round));
        if (round.going.empty()) return {};
        catalog::EraseRound row;
        row.from_epoch = round.from_epoch;
        row.intent_at = now;
        Json items = Json::array();
        for (const Candidate& candidate : round.going) {
          row.items.push_back({round.plan.id, candidate.asset.id, *candidate.asset.leaf,
                               candidate.draft, candidate.certificate});
          items.push_back(Json{{"asset", candidate.asset.id.hex()},
                               {"kcv", to_hex(candidate.asset.kcv)}});
        }
        RETURN_IF_ERROR(transaction.start_round(row));
        RETURN_IF_ERROR(transaction.set_plan_state(round.plan.id, domain::PlanState::running,
                                                   round.plan.due, std::nullopt));
        ASSIGN_OR_RETURN(std::string record,
                         dump_canonical(Json{{"plan", round.plan.id.hex()},
                                             {"epoch", round.from_epoch},
                                             {"items", std::move(items)}}));
        const translog::LogRecord leaf{"erase-intent", now, std::move(record),
                                       translog::Visibility::committed};
        return core.append_log(transaction, state, {&leaf, 1});
      });
}

// ---- steps 1 and 2 -----------------------------------------------------------------------------

// A new slot secret in the other slot; its root is what the tree will be re-keyed under.
Result<crypto::RootSecret> write_new_slot(Core& core, std::uint64_t epoch) {
  core.at_step(EraseStep::write_slot);
  ASSIGN_OR_RETURN(const crypto::SlotSecret secret, crypto::SlotSecret::random());
  Status written = core.slot->write(core.store(), epoch, secret);
  if (!written.ok()) return core.fatal(std::move(written).error());
  return core.root_of(secret, epoch);
}

// Revokes every lease of the round's assets and waits for the jobs to let go; who does not in time
// keeps his asset out of this round, never the certificate waiting.
void drain(Core& core, const Round& round) {
  core.at_step(EraseStep::drain);
  const auto deadline = std::chrono::steady_clock::now() + kDrainDeadline;
  for (const Candidate& candidate : round.going) core.keys.revoke(candidate.asset.id);
  for (const Candidate& candidate : round.going) {
    while (core.keys.open_leases(candidate.asset.id) > 0 &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(kDrainPause);
    }
  }
}

// ---- TX2, the choke point ----------------------------------------------------------------------

Status tx2_rows(Core& core, Round& round, const crypto::RootSecret& next,
                const domain::SlotAssurance& assurance, catalog::Transaction& transaction,
                catalog::StoreState& state) {
  RETURN_IF_ERROR(decide(core, transaction, round));
  for (const Candidate& candidate : round.dropped) {
    RETURN_IF_ERROR(transaction.drop_round_item(candidate.asset.id));
  }
  RETURN_IF_ERROR(write_dropped(core, transaction, round));
  if (round.going.empty()) return transaction.end_round();

  CatalogNodes nodes(transaction);
  const std::vector<keytree::LeafErase> erasures = erasures_of(round.going);
  ASSIGN_OR_RETURN(const domain::NodeBatch batch,
                   keytree::erase(nodes, core.store(), core.root, next, erasures));
  RETURN_IF_ERROR(transaction.put_undo(batch.undo));
  RETURN_IF_ERROR(transaction.put_nodes(batch.put));
  RETURN_IF_ERROR(transaction.put_epoch({state.epoch + 1, core.now(), assurance}));
  RETURN_IF_ERROR(transaction.set_round_state(domain::RoundState::destroying));
  for (const Candidate& candidate : round.going) {
    RETURN_IF_ERROR(transaction.set_asset_state(candidate.asset.id, domain::AssetState::erasing,
                                                candidate.asset.state_reason));
  }
  state.epoch += 1;
  return {};
}

// Returns the old root when the tree was re-keyed; nothing when every item fell out.
Result<std::optional<crypto::RootSecret>> tx2(Core& core, Round& round, crypto::RootSecret next) {
  core.at_step(EraseStep::tx2);
  ASSIGN_OR_RETURN(const domain::SlotAssurance assurance, core.slot->assess());
  ASSIGN_OR_RETURN(crypto::RootSecret old_root, core.root.clone());
  // The anchor of this very commit must already lie under the new root, so the root is exchanged
  // between the rows and the commit; a failed commit puts the old one back.
  const Build build = [&](catalog::Transaction& transaction,
                          catalog::StoreState& state) -> Status {
    ASSIGN_OR_RETURN(crypto::RootSecret current, old_root.clone());
    RETURN_IF_ERROR(core.adopt_root(std::move(current)));
    RETURN_IF_ERROR(tx2_rows(core, round, next, assurance, transaction, state));
    if (round.going.empty()) return {};
    ASSIGN_OR_RETURN(crypto::RootSecret copy, next.clone());
    return core.adopt_root(std::move(copy));
  };
  Status committed = transact(core, ReserveShare::half, build);
  if (!committed.ok()) {
    RETURN_IF_ERROR(core.adopt_root(std::move(old_root)));
    return std::move(committed).error();
  }
  if (round.going.empty()) return std::optional<crypto::RootSecret>();
  return std::optional<crypto::RootSecret>(std::move(old_root));
}

Status zero_unused_slot(Core& core, std::uint64_t epoch) {
  Result<domain::SlotReadBackProof> gone =
      core.slot->destroy(static_cast<unsigned>(epoch % 2), epoch, *core.settings.clock);
  return gone.ok() ? Status() : Status(core.fatal(std::move(gone).error()));
}

// TX1 is durable, but the round cannot go on (full disk): back to approved, decided again later.
Status give_up(Core& core, const Round& round, Error why) {
  RETURN_IF_ERROR(zero_unused_slot(core, round.from_epoch + 1));
  RETURN_IF_ERROR(transact(core, ReserveShare::all,
                           [](catalog::Transaction& transaction, catalog::StoreState&) {
                             return transaction.end_round();
                           }));
  return why;
}

// ---- steps 3 and 4 -----------------------------------------------------------------------------

enum class LastLook { destroy, held, broken };

// Paths re-read from disk, untouched entries equal; holds looked at once more.
Result<LastLook> last_look(Core& core, const Round& round, const crypto::RootSecret& old_root) {
  core.at_step(EraseStep::check);
  RETURN_IF_ERROR(core.catalog->drop_page_cache());
  ASSIGN_OR_RETURN(std::vector<domain::NodeRow> undo_rows, core.view().undo_nodes());
  RowNodes before(std::move(undo_rows));
  CatalogNodes now(core.view());
  const Status intact = keytree::verify_erased(now, before, core.store(), old_root, core.root,
                                               erasures_of(round.going));
  if (!intact.ok()) return LastLook::broken;
  for (const Candidate& candidate : round.going) {
    ASSIGN_OR_RETURN(const std::vector<domain::Hold> holds,
                     core.view().holds_on(candidate.asset.id));
    if (!holds.empty()) return LastLook::held;
  }
  return LastLook::destroy;
}

Result<domain::DestroyedProof> destroy_old(Core& core, const Round& round,
                                           crypto::RootSecret old_root) {
  core.at_step(EraseStep::zero_slot);
  core.point_of_no_return = Core::Return::past;
  Result<domain::SlotReadBackProof> read_back = core.slot->destroy(
      static_cast<unsigned>(round.from_epoch % 2), round.from_epoch, *core.settings.clock);
  if (!read_back.ok()) return core.fatal(std::move(read_back).error());
  const std::vector<Uuid> assets = ids_of(round.going);
  ASSIGN_OR_RETURN(domain::KeysGoneProof keys, core.keys.keys_gone(assets, std::move(old_root)));
  return domain::DestroyedProof::combine(std::move(read_back).value(), std::move(keys));
}

// ---- TX3 ---------------------------------------------------------------------------------------

std::vector<std::string> verified_checks(domain::DestructionEvidence::Course course) {
  std::vector<std::string> checks{"every rewritten node of the key tree opened under the new root",
                                  "the entry of the asset in the key tree is empty",
                                  "every other key on the rewritten paths opened unchanged",
                                  "legal holds were looked at again: none",
                                  "the old root slot was read back as zeros, both copies"};
  if (course == domain::DestructionEvidence::Course::recovered) {
    return {"the tree opens under the new root alone",
            "the old root slot was read back as zeros, both copies, after a restart"};
  }
  checks.emplace_back("the old root secret was zeroized in memory, no reader held the key");
  return checks;
}

struct Signed {
  catalog::CertificateRow row;
  translog::LogRecord leaf;
};

Result<Signed> sign_item(Core& core, const domain::DestroyedProof& proof,
                         const catalog::EraseRound& round, const catalog::RoundItem& item,
                         domain::DestructionEvidence::Course course) {
  domain::DestructionEvidence evidence;
  evidence.slot = proof.evidence();
  evidence.intent_at = round.intent_at;
  evidence.course = course;
  evidence.verified = verified_checks(course);
  Signed result;
  catalog::CertificateRow& row = result.row;
  row.id = item.certificate;
  row.asset = item.asset;
  row.plan = item.plan;
  row.outcome = "erased";
  row.issued = proof.evidence().verified_zero_at;
  ASSIGN_OR_RETURN(const domain::Asset asset, core.known_asset(item.asset));
  ASSIGN_OR_RETURN(const std::vector<domain::EpochRecord> epochs,
                   core.view().epochs(asset.first_epoch, round.from_epoch));
  row.assurance = certificate::assurance_of(epochs);
  ASSIGN_OR_RETURN(row.statement, certificate::complete_statement(item.draft, evidence));
  ASSIGN_OR_RETURN(const crypto::Signature signature,
                   certificate::sign_statement(proof, row.statement, *core.signer));
  const crypto::PublicKey& key = core.signer->public_key();
  row.signature = copy_of(signature);
  row.public_key = copy_of(key);
  ASSIGN_OR_RETURN(result.leaf.record, certificate::log_entry_body(row.statement, signature, key));
  result.leaf.type = "certificate";
  result.leaf.time = row.issued;
  result.leaf.visibility = translog::Visibility::published;
  return result;
}

Status tx3_item(Core& core, catalog::Transaction& transaction, const catalog::RoundItem& item,
                const catalog::CertificateRow& row) {
  RETURN_IF_ERROR(transaction.add_certificate(row));
  RETURN_IF_ERROR(transaction.mark_erased(item.asset, row.issued));
  ASSIGN_OR_RETURN(const domain::Asset asset, core.known_asset(item.asset));
  domain::PlanItem plan_item;
  plan_item.asset = item.asset;
  plan_item.name = asset.name;
  plan_item.kcv = asset.kcv;
  plan_item.verdict = domain::Verdict::due;
  plan_item.state = domain::ItemState::erased;
  plan_item.certificate = row.id;
  return transaction.put_item(item.plan, plan_item);
}

}  // namespace

std::vector<Uuid> assets_of(const catalog::EraseRound& round) {
  std::vector<Uuid> ids;
  for (const catalog::RoundItem& item : round.items) ids.push_back(item.asset);
  return ids;
}

Status finish_round(Core& core, domain::DestroyedProof proof,
                    domain::DestructionEvidence::Course course) {
  core.at_step(EraseStep::tx3);
  ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> round, core.view().round());
  if (!round) return make_error(Errc::damaged, "the erase round to finish is not in the database");
  if (!core.signer) {
    core.unsigned_proof.emplace(std::move(proof));
    return make_error(Errc::damaged, "the keys are destroyed, but the signer's key is not here",
                      "restore signer.key beside the root slot and restart: the certificates "
                      "are signed then");
  }
  std::vector<Signed> signed_items;
  std::vector<translog::LogRecord> leaves;
  for (const catalog::RoundItem& item : round->items) {
    ASSIGN_OR_RETURN(Signed one, sign_item(core, proof, *round, item, course));
    leaves.push_back(one.leaf);
    signed_items.push_back(std::move(one));
  }
  Status done = transact(
      core, ReserveShare::all,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        const std::uint64_t first = state.log.size;
        for (std::size_t i = 0; i < round->items.size(); ++i) {
          signed_items[i].row.log_index = first + i;
          RETURN_IF_ERROR(tx3_item(core, transaction, round->items[i], signed_items[i].row));
        }
        RETURN_IF_ERROR(core.append_log(transaction, state, leaves));
        RETURN_IF_ERROR(transaction.clear_undo());
        return transaction.end_round();
      });
  if (!done.ok()) {
    if (done.error().code == Errc::no_space) core.unsigned_proof.emplace(std::move(proof));
    return done;
  }
  core.point_of_no_return = Core::Return::possible;
  for (const catalog::RoundItem& item : round->items) {
    core.changed(domain::IdType::asset, item.asset);
    core.changed(domain::IdType::certificate, item.certificate);
    core.changed(domain::IdType::plan, item.plan);
  }
  return {};
}

Status undo_round(Core& core, crypto::RootSecret old_root) {
  ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> round, core.view().round());
  if (!round) return make_error(Errc::damaged, "the erase round to undo is not in the database");
  RETURN_IF_ERROR(core.adopt_root(std::move(old_root)));
  const Build build = [&](catalog::Transaction& transaction,
                          catalog::StoreState& state) -> Status {
    ASSIGN_OR_RETURN(const std::vector<domain::NodeRow> rows, transaction.undo_nodes());
    RETURN_IF_ERROR(transaction.put_nodes(rows));
    RETURN_IF_ERROR(transaction.clear_undo());
    RETURN_IF_ERROR(transaction.remove_epoch(state.epoch));
    state.epoch = round->from_epoch;
    for (const catalog::RoundItem& item : round->items) {
      RETURN_IF_ERROR(transaction.set_asset_state(item.asset, domain::AssetState::retired,
                                                  "its erasure was undone before the point of no "
                                                  "return"));
    }
    return transaction.end_round();
  };
  return transact(core, ReserveShare::all, build);
}

Status remove_orphans(Core& core) {
  ASSIGN_OR_RETURN(const std::vector<Uuid> blobs, core.view().orphan_blobs());
  if (blobs.empty()) return {};
  core.at_step(EraseStep::unlink);
  std::set<std::string> directories;
  for (const Uuid& blob : blobs) {
    const std::string path = blob::blob_path(core.blob_directory(), blob);
    const Status gone = core.env().unlink(path);
    if (!gone.ok() && gone.error().code != Errc::not_found) return gone;
    directories.insert(parent_of(path));
  }
  for (const std::string& directory : directories) {
    const Status synced = core.env().sync_directory(directory);
    if (!synced.ok() && synced.error().code != Errc::not_found) return core.fatal(synced.error());
  }
  return transact(core, ReserveShare::all,
                  [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                    Json ids = Json::array();
                    for (const Uuid& blob : blobs) {
                      ids.push_back(blob.hex());
                      RETURN_IF_ERROR(transaction.forget_blob(blob));
                    }
                    ASSIGN_OR_RETURN(std::string record,
                                     dump_canonical(Json{{"blobs", std::move(ids)}}));
                    const translog::LogRecord leaf{"ciphertext-removed", core.now(),
                                                   std::move(record),
                                                   translog::Visibility::committed};
                    return core.append_log(transaction, state, {&leaf, 1});
                  });
}

namespace {

Status end_plan(Core& core, const Uuid& id) {
  ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, core.view().plan(id));
  if (!plan) return make_error(Errc::damaged, "a plan to finish is not in the catalog");
  std::size_t erased = 0;
  std::size_t dropped = 0;
  for (const domain::PlanItem& item : plan->items) {
    if (item.state == domain::ItemState::erased) ++erased;
    if (item.state == domain::ItemState::dropped) ++dropped;
  }
  domain::PlanState end = domain::PlanState::done;
  if (dropped > 0) end = erased > 0 ? domain::PlanState::partial : domain::PlanState::failed;
  core.changed(domain::IdType::plan, id);
  return transact(core, ReserveShare::half,
                  [&](catalog::Transaction& transaction, catalog::StoreState&) {
                    return transaction.set_plan_state(id, end, plan->due, core.now());
                  });
}

Status drop_all(Core& core, Round round) {
  for (Candidate& candidate : round.going) {
    candidate.decision.reasons = {
        {Errc::damaged, "the re-keyed tree did not read back as written; nothing was destroyed"}};
    candidate.asset.state = domain::AssetState::retired;
    round.dropped.push_back(std::move(candidate));
  }
  round.going.clear();
  return transact(core, ReserveShare::half,
                  [&](catalog::Transaction& transaction, catalog::StoreState&) {
                    return write_dropped(core, transaction, round);
                  });
}

// A round from decision to certificate. Errc::no_space means: nothing happened, try smaller.
Status run_round(Core& core, Round round) {
  RETURN_IF_ERROR(decide(core, core.view(), round));
  RETURN_IF_ERROR(tx1(core, round));
  round.dropped.clear();  // durable with TX1
  if (round.going.empty()) return {};
  round.plan.state = domain::PlanState::running;

  ASSIGN_OR_RETURN(crypto::RootSecret next, write_new_slot(core, round.from_epoch + 1));
  drain(core, round);
  Result<std::optional<crypto::RootSecret>> old_root = tx2(core, round, std::move(next));
  if (!old_root.ok()) {
    if (core.stop) return std::move(old_root).error();
    return give_up(core, round, std::move(old_root).error());
  }
  if (!*old_root) return zero_unused_slot(core, round.from_epoch + 1);  // everything fell out

  ASSIGN_OR_RETURN(const LastLook look, last_look(core, round, **old_root));
  if (look != LastLook::destroy) {
    RETURN_IF_ERROR(undo_round(core, std::move(**old_root)));
    RETURN_IF_ERROR(zero_unused_slot(core, round.from_epoch + 1));
    // A hold: the rest is decided again in the next round. Broken: nobody tries it twice.
    return look == LastLook::held ? Status() : drop_all(core, std::move(round));
  }
  ASSIGN_OR_RETURN(domain::DestroyedProof proof,
                   destroy_old(core, round, std::move(**old_root)));
  RETURN_IF_ERROR(finish_round(core, std::move(proof),
                               domain::DestructionEvidence::Course::undisturbed));
  RETURN_IF_ERROR(remove_orphans(core));
  refill_reserve(core);
  return {};
}

Status expire_requests(Core& core) {
  const UtcTime now = core.now();
  if (now < core.next_expiry_check) return {};
  core.next_expiry_check = now + std::chrono::seconds(kExpiryCheckSeconds);
  ASSIGN_OR_RETURN(const std::vector<Uuid> plans,
                   core.view().plans_in(domain::PlanState::requested));
  for (const Uuid& id : plans) {
    ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, core.view().plan_head(id));
    if (!plan || now < plan->expires) continue;
    core.changed(domain::IdType::plan, id);
    RETURN_IF_ERROR(transact(
        core, ReserveShare::none,
        [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
          RETURN_IF_ERROR(transaction.set_plan_state(id, domain::PlanState::expired, std::nullopt,
                                                     now));
          ASSIGN_OR_RETURN(std::string record, dump_canonical(Json{{"plan", id.hex()}}));
          const translog::LogRecord leaf{"plan-expired", now, std::move(record),
                                         translog::Visibility::committed};
          return core.append_log(transaction, state, {&leaf, 1});
        }));
  }
  return {};
}

Result<std::optional<Uuid>> next_plan(Core& core) {
  for (const domain::PlanState state : {domain::PlanState::running, domain::PlanState::approved}) {
    ASSIGN_OR_RETURN(const std::vector<Uuid> plans, core.view().plans_in(state));
    if (!plans.empty()) return std::optional<Uuid>(plans.front());
  }
  return std::optional<Uuid>();
}

}  // namespace

Result<bool> Store::execute_due() {
  Core& core = *impl_;
  if (core.stop) return false;
  if (core.unsigned_proof) {
    if (!core.signer) return false;
    domain::DestroyedProof proof = std::move(*core.unsigned_proof);
    core.unsigned_proof.reset();
    RETURN_IF_ERROR(finish_round(core, std::move(proof),
                                 domain::DestructionEvidence::Course::undisturbed));
    RETURN_IF_ERROR(remove_orphans(core));
    refill_reserve(core);
    return true;
  }
  RETURN_IF_ERROR(expire_requests(core));
  ASSIGN_OR_RETURN(const std::optional<Uuid> plan, next_plan(core));
  if (!plan || !core.signer) return false;
  ASSIGN_OR_RETURN(Round round, load(core, *plan));
  if (round.going.empty()) {
    RETURN_IF_ERROR(end_plan(core, *plan));
    return true;
  }
  Status done = run_round(core, std::move(round));
  if (done.ok()) {
    core.round_limit = limits::kItemsPerEraseRound;
    return true;
  }
  // A full disk: one item needs no more than the reserve holds.
  if (done.error().code == Errc::no_space && core.round_limit > 1) {
    core.round_limit = 1;
    return true;
  }
  return std::move(done).error();
}

std::vector<std::string> Store::take_changes() {
  std::vector<std::string> taken(impl_->changes.begin(), impl_->changes.end());
  impl_->changes.clear();
  return taken;
}

}  // namespace aierase::lifecycle
