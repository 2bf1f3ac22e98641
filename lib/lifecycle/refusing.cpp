#include "lifecycle/refusing.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "certificate/bundle.h"
#include "certificate/refusal.h"
#include "lifecycle/publishing.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

// What the log commits to while nobody can sign.
Result<std::string> commitment_to(const Uuid& plan, const std::string& statement) {
  return dump_canonical(Json{{"plan", plan.hex()},
                             {"statement_sha256", to_hex(crypto::sha256(as_bytes(statement)))}});
}

Result<domain::RefusalRecord> gather(Core& core, const catalog::ReadView& view,
                                     const catalog::StoreState& state, const Uuid& id,
                                     domain::PlanEnding ending) {
  domain::RefusalRecord record;
  record.store = core.store();
  record.host = core.settings.host.host;
  record.machine_id_digest = core.settings.host.machine_id_digest;
  record.tool_version = core.settings.host.tool_version;
  record.tool_build = core.settings.host.tool_build;
  record.people_rule = state.people_rule;
  record.policy_now = core.retention.set().version();
  ASSIGN_OR_RETURN(std::optional<domain::Plan> plan, view.plan(id));
  if (!plan) return make_error(Errc::damaged, "a plan that ends is not in the catalog");
  record.plan = std::move(*plan);
  if (ending.signed_by) {
    ASSIGN_OR_RETURN(record.signed_text, view.signed_text(ending.signed_by->signature));
  }
  record.ending = std::move(ending);
  return record;
}

// Signature and leaf; `row` learns both.
Status sign_into_log(Core& core, catalog::Transaction& transaction, catalog::StoreState& state,
                     const certificate::RefusalStatement& statement, catalog::RefusalHead& row) {
  ASSIGN_OR_RETURN(const crypto::Signature signature, statement.sign(*core.signer));
  const crypto::PublicKey& key = core.signer->public_key();
  row.signature = copy_of(signature);
  row.public_key = copy_of(key);
  row.log_index = state.log.size;
  ASSIGN_OR_RETURN(std::string body, certificate::log_entry_body(statement.text(), signature, key));
  const translog::LogRecord leaf{"refusal", core.now(), std::move(body),
                                 translog::Visibility::published};
  if (core.publisher) core.publisher->certificate_added();
  return core.append_log(transaction, state, {&leaf, 1});
}

// Only what the log committed to: rows that were changed meanwhile get no signature.
Status check_kept(const Core& core, const catalog::RefusalRow& row) {
  ASSIGN_OR_RETURN(const std::string record, commitment_to(row.plan, row.statement));
  ASSIGN_OR_RETURN(const std::optional<domain::LogLeaf> leaf, core.view().log_leaf(row.log_index));
  if (leaf && leaf->type == kRefusalWaits && leaf->record == record &&
      translog::leaf_body(*leaf).ok()) {
    return {};
  }
  return make_error(Errc::damaged,
                    "the record of " + plan_text(row.plan) + " is not what the log committed to",
                    "find out who changed the database", plan_text(row.plan));
}

Status sign_waiting(Core& core, const Uuid& plan) {
  ASSIGN_OR_RETURN(std::optional<catalog::RefusalRow> row, core.view().refusal(plan));
  if (!row) return {};
  RETURN_IF_ERROR(check_kept(core, *row));
  ASSIGN_OR_RETURN(const certificate::RefusalStatement statement,
                   certificate::RefusalStatement::kept(std::move(row->statement)));
  return transact(core, ReserveShare::none,
                  [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                    RETURN_IF_ERROR(sign_into_log(core, transaction, state, statement, *row));
                    return transaction.sign_refusal(*row);
                  });
}

}  // namespace

Status record_refusal(Core& core, catalog::Transaction& transaction, catalog::StoreState& state,
                      const Uuid& plan, domain::PlanEnding ending) {
  catalog::RefusalRow row;
  row.plan = plan;
  row.issued = ending.time;
  ASSIGN_OR_RETURN(const domain::RefusalRecord record,
                   gather(core, transaction, state, plan, std::move(ending)));
  row.outcome = record.plan.state;
  ASSIGN_OR_RETURN(const certificate::RefusalStatement statement,
                   certificate::RefusalStatement::of(record));
  row.statement = statement.text();
  if (core.signer) {
    RETURN_IF_ERROR(sign_into_log(core, transaction, state, statement, row));
  } else {
    row.log_index = state.log.size;
    ASSIGN_OR_RETURN(std::string commitment, commitment_to(plan, row.statement));
    const translog::LogRecord leaf{kRefusalWaits, row.issued, std::move(commitment),
                                   translog::Visibility::committed};
    RETURN_IF_ERROR(core.append_log(transaction, state, {&leaf, 1}));
  }
  return transaction.add_refusal(row);
}

Result<catalog::RefusalRow> Store::show_refusal(const Uuid& plan) {
  Core& core = *impl_;
  ASSIGN_OR_RETURN(std::optional<catalog::RefusalRow> row, core.view().refusal(plan));
  const std::string text = plan_text(plan);
  if (!row) {
    ASSIGN_OR_RETURN(const std::optional<domain::Plan> head, core.view().plan_head(plan));
    return make_error(Errc::not_found,
                      text + " has no record of a refusal: it is " +
                          (head ? std::string(domain::to_text(head->state)) : "not there"),
                      "what was erased has certificates: aierase list certificates", text);
  }
  if (!row->signature.empty()) return std::move(*row);
  return make_error(Errc::wrong_state,
                    "the record of " + text +
                        " waits for a signature: the signer's key could not "
                        "be read",
                    "`aierase doctor` says what to do", text);
}

Status sign_waiting_refusals(Core& core) {
  if (!core.signer) return {};
  ASSIGN_OR_RETURN(const std::vector<Uuid> plans, core.view().unsigned_refusals());
  for (const Uuid& plan : plans) {
    const Status done = sign_waiting(core, plan);
    if (core.stop) return done;
    if (!done.ok()) core.refusal_fault = done.error();
  }
  return {};
}

}  // namespace aierase::lifecycle
