// TX3, undo and step 5 of the erase protocol: what recovery needs as well as a round.

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "certificate/bundle.h"
#include "certificate/statement.h"
#include "lifecycle/publishing.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

std::vector<std::string> verified_checks(domain::DestructionEvidence::Course course,
                                         std::string_view slot_kind) {
  std::string zeros = "the old root slot was read back as zeros";
  if (slot_kind == "file") zeros += ", both copies";
  if (slot_kind == "tpm2") zeros += ", by the TPM";
  if (slot_kind == "tpm2+file") zeros += ", by the TPM and in both copies of the file";
  std::vector<std::string> checks{"every rewritten node of the key tree opened under the new root",
                                  "the entry of the asset in the key tree is empty",
                                  "every other key on the rewritten paths opened unchanged",
                                  "legal holds were looked at again: none", zeros};
  if (course == domain::DestructionEvidence::Course::recovered) {
    return {"the tree opens under the new root alone", zeros + ", after a restart"};
  }
  checks.emplace_back("the old root secret was zeroized in memory, no reader held the key");
  return checks;
}

struct Signed {
  catalog::CertificateRow row;
  domain::StatementEnd end;
  translog::LogRecord leaf;
};

// The level on a certificate, by the epoch that its asset was born in: read once per round.
class Assurances {
 public:
  Assurances(Core& core, std::uint64_t last_epoch) : core_(core), last_epoch_(last_epoch) {}
  Result<domain::Level> since(std::uint64_t first_epoch) {
    const auto known = levels_.find(first_epoch);
    if (known != levels_.end()) return known->second;
    ASSIGN_OR_RETURN(const std::vector<domain::EpochRecord> epochs,
                     core_.view().epochs(first_epoch, last_epoch_));
    return levels_.emplace(first_epoch, certificate::assurance_of(epochs)).first->second;
  }

 private:
  Core& core_;
  std::uint64_t last_epoch_;
  std::map<std::uint64_t, domain::Level> levels_;
};

// What the statements of a round say of its end: the same text for all, but where a device's word
// leads to each item by a way of its own.
class Ends {
 public:
  Ends(const domain::DestroyedProof& proof, const catalog::EraseRound& round,
       domain::DestructionEvidence::Course course) {
    evidence_.slot = proof.evidence();
    evidence_.intent_at = round.intent_at;
    evidence_.course = course;
    evidence_.verified = verified_checks(course, evidence_.slot.kind);
  }
  const certificate::EvidenceText& of(const domain::IntentPath& intent) {
    if (text_ && !evidence_.slot.tpm) return *text_;
    evidence_.intent = intent;
    return text_.emplace(evidence_);
  }

 private:
  domain::DestructionEvidence evidence_;
  std::optional<certificate::EvidenceText> text_;
};

Result<Signed> sign_item(Core& core, const domain::DestroyedProof& proof,
                         const catalog::RoundItem& item, const certificate::EvidenceText& end,
                         Assurances& assurances) {
  Signed result;
  catalog::CertificateRow& row = result.row;
  row.id = item.certificate;
  row.asset = item.asset;
  row.plan = item.plan;
  row.outcome = "erased";
  row.issued = proof.evidence().verified_zero_at;
  ASSIGN_OR_RETURN(row.assurance, assurances.since(item.first_epoch));
  ASSIGN_OR_RETURN(row.statement, certificate::complete_statement(item.draft, end));
  ASSIGN_OR_RETURN(const crypto::Signature signature,
                   certificate::sign_statement(proof, row.statement, *core.signer));
  const crypto::PublicKey& key = core.signer->public_key();
  result.end = end.end();
  row.signature = copy_of(signature);
  row.public_key = copy_of(key);
  ASSIGN_OR_RETURN(result.leaf.record, certificate::log_entry_body(row.statement, signature, key));
  result.leaf.type = "certificate";
  result.leaf.time = row.issued;
  result.leaf.visibility = translog::Visibility::published;
  return result;
}

Status tx3_item(catalog::Transaction& transaction, const catalog::RoundItem& item,
                const Signed& made) {
  const catalog::CertificateRow& row = made.row;
  RETURN_IF_ERROR(transaction.add_certificate(row, item.draft_row, made.end));
  RETURN_IF_ERROR(transaction.add_event({row.issued, own_actor(), "erase", asset_text(item.asset),
                                         "retired", "erased", "executed " + plan_text(item.plan)}));
  domain::PlanItem plan_item;  // name and kcv stand in the row and do not change
  plan_item.asset = item.asset;
  plan_item.verdict = domain::Verdict::due;
  plan_item.state = domain::ItemState::erased;
  plan_item.certificate = row.id;
  return transaction.put_item(item.plan, plan_item);
}

// Without a signer the certificates wait; status and doctor say so, living models are served.
Status mark_destroyed(Core& core) {
  return transact(core, ReserveShare::all,
                  [](catalog::Transaction& transaction, catalog::StoreState&) {
                    return transaction.set_round_state(domain::RoundState::destroyed);
                  });
}

}  // namespace

std::vector<Uuid> assets_of(const catalog::EraseRound& round) {
  std::vector<Uuid> ids;
  for (const catalog::RoundItem& item : round.items) ids.push_back(item.asset);
  return ids;
}

Result<domain::SlotReadBackProof> destroy_slot(Core& core, const catalog::EraseRound& round) {
  RETURN_IF_ERROR(check_slot_file(core));  // what lies at the path would keep the secret
  rootslot::Dying dying(round.from_epoch);
  if (uses_tpm(core.locator)) {
    ASSIGN_OR_RETURN(dying.intent, intents_digest(core, round));
  }
  Result<domain::SlotReadBackProof> proof =
      core.slot->destroy(static_cast<unsigned>(round.from_epoch % 2), dying, *core.settings.clock);
  if (!proof.ok()) return core.fatal(std::move(proof).error());
  return proof;
}

Status zero_unused_slot(Core& core, std::uint64_t epoch) {
  core.spare = Core::Spare::unused_secret;
  Result<domain::SlotReadBackProof> gone =
      core.slot->destroy(static_cast<unsigned>(epoch % 2), epoch, *core.settings.clock);
  if (!gone.ok()) return core.fatal(std::move(gone).error());
  core.spare = Core::Spare::zero;
  return {};
}

Status spare_zeroed_or_kept(Core& core, std::uint64_t epoch) {
  Status zeroed = zero_unused_slot(core, epoch);
  return core.stop ? std::move(zeroed) : Status();
}

Status wait_for_proof(Core& core, const catalog::EraseRound& round, Error why) {
  if (!uses_tpm(core.locator)) return why;
  const Result<rootslot::SlotReading> now =
      core.slot->read(static_cast<unsigned>(round.from_epoch % 2));
  if (!now.ok() || now->content != rootslot::SlotContent::zero) return why;
  core.stop = false;          // what was not known was seen now
  if (round.items.empty()) {  // no certificate waits for what the TPM would sign
    return finish_unproven_move(core, round,
                                "the old home reads as zeros, and did not sign for it");
  }
  core.unproven = Core::Stuck{core.since_boot() + kStuckPause, std::move(why)};
  return round.state == domain::RoundState::destroyed ? Status() : mark_destroyed(core);
}

Result<bool> ask_for_proof(Core& core) {
  if (core.since_boot() < core.unproven->until) return false;
  ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> round, core.view().round());
  if (!round) return make_error(Errc::damaged, "the erase round to prove is not in the database");
  Result<domain::SlotReadBackProof> proof = destroy_slot(core, *round);
  if (!proof.ok()) {
    // The secret is gone since long: whatever the TPM did now, nothing hangs on it.
    core.stop = false;
    core.unproven = Core::Stuck{core.since_boot() + kStuckPause, proof.error()};
    return std::move(proof).error();
  }
  ASSIGN_OR_RETURN(domain::KeysGoneProof keys,
                   core.keys.keys_gone(assets_of(*round), std::nullopt));
  core.unproven.reset();
  RETURN_IF_ERROR(finish_round(core,
                               domain::DestroyedProof::combine(std::move(*proof), std::move(keys)),
                               domain::DestructionEvidence::Course::recovered));
  core.unlinking.owe(round->items.size());
  refill_reserve(core);
  return true;
}

Status finish_round(Core& core, domain::DestroyedProof proof,
                    domain::DestructionEvidence::Course course) {
  core.point_of_no_return = Core::Return::past;
  core.at_step(EraseStep::tx3);
  ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> round, core.view().round());
  if (!round) return make_error(Errc::damaged, "the erase round to finish is not in the database");
  if (round->items.empty()) {  // the slot has moved
    Status moved = finish_move(core, proof.evidence());
    if (moved.ok()) core.point_of_no_return = Core::Return::possible;
    if (!moved.ok() && moved.error().code == Errc::no_space) {
      core.waiting.emplace(Core::Unsigned{std::move(proof), course});
    }
    return moved;
  }
  if (!core.signer) {
    core.waiting.emplace(Core::Unsigned{std::move(proof), course});
    return mark_destroyed(core);
  }
  std::vector<Signed> signed_items;
  std::vector<translog::LogRecord> leaves;
  Assurances assurances(core, round->from_epoch);
  std::vector<domain::IntentPath> intents(round->items.size());
  if (proof.evidence().tpm) {
    ASSIGN_OR_RETURN(intents, intent_paths(core, *round));
  }
  Ends ends(proof, *round, course);
  for (std::size_t i = 0; i < round->items.size(); ++i) {
    ASSIGN_OR_RETURN(Signed one,
                     sign_item(core, proof, round->items[i], ends.of(intents[i]), assurances));
    leaves.push_back(std::move(one.leaf));
    signed_items.push_back(std::move(one));
  }
  Status done =
      transact(core, ReserveShare::all,
               [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                 const std::uint64_t first = state.log.size;
                 RETURN_IF_ERROR(transaction.count_unattended(state.trusted));
                 RETURN_IF_ERROR(transaction.mark_round_erased(signed_items.front().row.issued));
                 for (std::size_t i = 0; i < round->items.size(); ++i) {
                   signed_items[i].row.log_index = first + i;
                   RETURN_IF_ERROR(tx3_item(transaction, round->items[i], signed_items[i]));
                 }
                 RETURN_IF_ERROR(transaction.end_round());
                 RETURN_IF_ERROR(core.append_log(transaction, state, leaves));
                 return transaction.clear_undo();
               });
  if (!done.ok()) {
    if (done.error().code == Errc::no_space) {
      core.waiting.emplace(Core::Unsigned{std::move(proof), course});
    }
    return done;
  }
  core.point_of_no_return = Core::Return::possible;
  if (core.publisher) core.publisher->certificate_added();
  for (const catalog::RoundItem& item : round->items) {
    core.changed(domain::IdType::asset, item.asset);
    core.changed(domain::IdType::certificate, item.certificate);
    core.changed(domain::IdType::plan, item.plan);
  }
  return {};
}

Status end_undecided(catalog::Transaction& transaction, const catalog::EraseRound& round) {
  std::set<Uuid> plans;
  for (const catalog::RoundItem& item : round.items) {
    if (!plans.insert(item.plan).second) continue;
    ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, transaction.plan_head(item.plan));
    if (!plan) return make_error(Errc::damaged, "a plan of the round is not in the catalog");
    RETURN_IF_ERROR(transaction.set_plan_state(item.plan, domain::PlanState::approved,
                                               plan->due.value_or(agreed_due(*plan)),
                                               std::nullopt));
  }
  return transaction.end_round();
}

Status undo_round(Core& core, crypto::RootSecret old_root) {
  ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> round,
                   core.view().round(catalog::Drafts::left_out));
  if (!round) return make_error(Errc::damaged, "the erase round to undo is not in the database");
  ASSIGN_OR_RETURN(crypto::RootSecret new_root, core.root.clone());
  RETURN_IF_ERROR(core.adopt_root(std::move(old_root)));
  const Build build = [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
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
    return end_undecided(transaction, *round);
  };
  Status undone = transact(core, ReserveShare::all, build);
  if (!undone.ok()) RETURN_IF_ERROR(core.adopt_root(std::move(new_root)));
  return undone;
}

}  // namespace aierase::lifecycle
