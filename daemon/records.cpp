#include "daemon/records.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "base/bytes.h"
#include "base/time.h"
#include "certificate/amendment.h"
#include "daemon/decision_records.h"
#include "daemon/json_members.h"
#include "daemon/policy_records.h"
#include "domain/ids.h"

namespace aierase::daemon {
namespace {

using domain::id_text;
using domain::IdType;

std::string asset_id(const Uuid& id) {
  return id_text(IdType::asset, id);
}

Json custodians_json(const std::vector<domain::Custodian>& custodians) {
  Json list = Json::array();
  for (const domain::Custodian& custodian : custodians) list.push_back(custodian.text());
  return list;
}

Json sources_json(const std::vector<domain::Source>& sources) {
  Json list = Json::array();
  for (const domain::Source& source : sources) {
    Json row{{"description", source.description},
             {"filesystem", source.filesystem},
             {"history", domain::to_text(source.history)},
             {"files", source.files},
             {"bytes", source.bytes}};
    if (source.asserted_by) row["asserted_by"] = person_json(*source.asserted_by);
    put(row, "removed_at", source.removed_at);
    list.push_back(std::move(row));
  }
  return list;
}

constexpr std::size_t kFilesMessageBytes = 20 << 20;
constexpr std::size_t kFileMessageBytes = 160;  // of one entry, besides its name
constexpr std::size_t kExportsShown = 1'000;
constexpr std::size_t kStatementBytes = 8 << 20;

Json files_json(const lifecycle::AssetView& view, std::size_t first) {
  Json list = Json::array();
  std::size_t bytes = 0;
  for (std::size_t i = first; i < view.files.size(); ++i) {
    const domain::FileEntry& file = view.files[i];
    bytes += kFileMessageBytes + file.path.size();
    if (bytes > kFilesMessageBytes) break;
    Json row{{"name", file.path}, {"bytes", file.bytes}};
    if (domain::carries_digest(view.asset.kind)) row["sha256"] = to_hex(file.sha256);
    list.push_back(std::move(row));
  }
  return list;
}

Json lineage_json(const std::vector<domain::LineageName>& names) {
  Json list = Json::array();
  for (const domain::LineageName& name : names) {
    list.push_back({{"relation", domain::to_text(name.relation)},
                    {"id", asset_id(name.asset)},
                    {"name", name.name.text()},
                    {"state", domain::to_text(name.state)}});
  }
  return list;
}

Json exports_json(std::span<const domain::ExportRecord> records) {
  Json list = Json::array();
  for (const domain::ExportRecord& record : records) {
    Json row = person_json(record.actor);
    row["time"] = to_rfc3339(record.time);
    row["kind"] = domain::to_text(record.kind);
    row["medium"] = domain::to_text(record.medium);
    row["scope"] = record.scope;
    put(row, "destination", record.destination);
    list.push_back(std::move(row));
  }
  return list;
}

Json hold_row(const domain::Hold& hold) {
  Json row{{"id", id_text(IdType::hold, hold.id)},
           {"matter", hold.matter},
           {"reason", hold.reason},
           {"match", hold.selectors},
           {"reach", domain::to_text(hold.reach)},
           {"state", hold.lifted ? "lifted" : "in force"},
           {"placed_by", person_json(hold.placed_by)},
           {"placed", to_rfc3339(hold.placed)}};
  if (hold.lifted) {
    row["lifted_by"] = person_json(hold.lifted->actor);
    row["lifted"] = to_rfc3339(hold.lifted->time);
    row["lift_reason"] = hold.lifted->reason;
  }
  return row;
}

Json holds_json(const std::vector<domain::Hold>& holds) {
  Json list = Json::array();
  for (const domain::Hold& hold : holds) list.push_back(hold_row(hold));
  return list;
}

Json events_json(const std::vector<catalog::Event>& events) {
  Json list = Json::array();
  for (const catalog::Event& event : events) {
    Json row = person_json(event.actor);
    row["time"] = to_rfc3339(event.time);
    row["action"] = event.action;
    put(row, "from", event.from);
    put(row, "to", event.to);
    put(row, "reason", event.reason);
    list.push_back(std::move(row));
  }
  return list;
}

Json leases_json(const std::vector<lifecycle::Holder>& holders) {
  Json list = Json::array();
  for (const lifecycle::Holder& holder : holders) {
    Json row = person_json(holder.actor);
    if (holder.pid != 0) row["pid"] = holder.pid;
    put(row, "unit", holder.unit);
    row["mount_point"] = holder.mount_point;
    row["since"] = to_rfc3339(holder.since);
    list.push_back(std::move(row));
  }
  return list;
}

Json items_json(const lifecycle::PlanView& view) {
  Json list = Json::array();
  for (const domain::PlanItem& item : view.plan.items) {
    Json row{{"asset", asset_id(item.asset)},
             {"name", item.name.text()},
             {"verdict", domain::to_text(item.verdict)},
             {"state", domain::to_text(item.state)},
             {"reasons", reasons_json(item.reasons)}};
    put_id(row, "certificate", IdType::certificate, item.certificate);
    const auto holders = view.holders.find(item.asset);
    if (holders != view.holders.end()) row["leases"] = leases_json(holders->second);
    list.push_back(std::move(row));
  }
  return list;
}

Json left_out_json(const std::vector<domain::PlanItem>& items) {
  Json list = Json::array();
  for (const domain::PlanItem& item : items) {
    list.push_back({{"asset", asset_id(item.asset)},
                    {"name", item.name.text()},
                    {"verdict", domain::to_text(item.verdict)},
                    {"reasons", reasons_json(item.reasons)}});
  }
  return list;
}

Json kept_json(const lifecycle::PlanView& view) {
  Json list = Json::array();
  for (const domain::KeptDependant& kept : view.plan.kept) {
    Json row{{"asset", asset_id(kept.asset)}, {"reason", kept.reason}};
    const auto name = view.kept_names.find(kept.asset);
    if (name != view.kept_names.end()) row["name"] = name->second.text();
    list.push_back(std::move(row));
  }
  return list;
}

// What somebody who puts an older state of the machine back can hide.
std::string rollback_text(const domain::SlotAssurance& slot) {
  if (slot.kind == "file") {
    return "an older database is recognised; an image of the whole disk brings the slot along and "
           "is not: what was erased since is back, and holds placed since are gone";
  }
  const std::string seen =
      "an older image of the disk is recognised by the TPM where an erasure or a hold lies between";
  if (slot.level > domain::Level::ea2) return seen;
  return seen +
         "; not where the TPM goes back with it, as in a snapshot of a virtual machine: what "
         "was erased since is back, and holds placed since are gone";
}

Json slot_json(const domain::SlotAssurance& slot, rootslot::SlotPlace place) {
  Json row{{"kind", slot.kind},
           {"path", slot.path},
           {"level", domain::to_text(slot.level)},
           {"reason", slot.reason},
           {"device", slot.device},
           {"filesystem", slot.filesystem},
           {"may_have_copied", slot.may_have_copied},
           {"state", rootslot::to_text(place)}};
  put(row, "device_model", slot.device_model);
  put(row, "next_level", slot.next_level);
  return row;
}

std::string_view rule_text(domain::PeopleRule rule) {
  return rule == domain::PeopleRule::single_operator ? "single-operator" : "two-person";
}

Json tool_json(const lifecycle::StoreSettings& settings) {
  return {{"version", settings.host.tool_version},
          {"build", settings.host.tool_build},
          {"host", settings.host.host},
          {"recovery", "none"}};
}

std::string state_text(Errc code) {
  switch (code) {
    case Errc::uninitialised:
      return "uninitialised";
    case Errc::locked:
    case Errc::busy:  // its TPM does not answer
      return "locked";
    case Errc::foreign:
      return "foreign";
    case Errc::newer_format:
      return "newer-format";
    default:
      return "damaged";
  }
}

}  // namespace

Json findings_json(const std::vector<lifecycle::Finding>& findings) {
  Json list = Json::array();
  for (const lifecycle::Finding& finding : findings) {
    if (list.size() == kFindingsShown) break;
    const char* severity = "note";
    if (finding.severity == lifecycle::Finding::Severity::warning) severity = "warning";
    if (finding.severity == lifecycle::Finding::Severity::error) severity = "error";
    list.push_back({{"severity", severity},
                    {"code", finding.code},
                    {"subject", finding.subject},
                    {"text", finding.text},
                    {"mend", finding.mend}});
  }
  return list;
}

Json trust_json(const crypto::PublicKey& key, const Uuid& store) {
  const std::string fingerprint = to_hex(crypto::key_fingerprint(key));
  return {{"public_key_pem", crypto::public_key_pem(key)},
          {"key_id", fingerprint},
          {"fingerprint", "SHA256:" + fingerprint},
          {"store", store.text()}};
}

Json open_status(const lifecycle::StatusReport& report, const lifecycle::StoreSettings& settings) {
  Json status = tool_json(settings);
  const catalog::StoreState& state = report.state;
  const catalog::StoreCounts& counts = report.counts;
  status["state"] = "open";
  status["store"] = {{"id", state.store.text()},
                     {"assets",
                      {{"active", counts.active},
                       {"suspended", counts.suspended},
                       {"retired", counts.retired},
                       {"erasing", counts.erasing},
                       {"erased", counts.erased}}},
                     {"bytes", counts.bytes},
                     {"open_plans", counts.open_plans},
                     {"certificates", counts.certificates},
                     {"holds", counts.holds},
                     {"epoch", state.epoch},
                     {"format", state.format},
                     {"created", to_rfc3339(state.created)},
                     {"people_rule", rule_text(state.people_rule)},
                     {"log_size", state.log.size},
                     {"directory", settings.directory}};
  Json slot = slot_json(report.slot, report.slot_place);
  slot["rotations_last_day"] = report.rotations;
  slot["rollback"] = rollback_text(report.slot);
  status["root_slots"] = Json::array({std::move(slot)});
  status["at_rest"] = domain::to_text(state.at_rest);
  status["unlock"] = lifecycle::to_text(report.unlock);
  Json signer = trust_json(report.signer, state.store);
  signer.erase("store");
  status["signer"] = std::move(signer);
  status["findings"] = report.findings;
  if (report.round) status["erase_round"] = domain::to_text(*report.round);
  return status;
}

Json closed_status(const Error& reason, const lifecycle::StoreSettings& settings) {
  Json status = tool_json(settings);
  status["state"] = state_text(reason.code);
  status["store"] = {{"directory", settings.directory}};
  status["findings"] = settings.host.findings;
  status["message"] = reason.message;
  put(status, "next", reason.hint);
  return status;
}

Json asset_row(const domain::Asset& asset) {
  Json row{{"id", asset_id(asset.id)},
           {"name", asset.name.text()},
           {"kind", domain::to_text(asset.kind)},
           {"state", domain::to_text(asset.state)},
           {"bytes", asset.bytes},
           {"files_count", asset.file_count},
           {"created", to_rfc3339(asset.created)},
           {"importer", person_json(asset.importer)},
           {"custodians", custodians_json(asset.custodians)},
           {"labels", asset.labels},
           {"retention", asset.retention},
           {"source_history", domain::to_text(asset.source_history)},
           {"key_check_value", to_hex(asset.kcv)}};
  put(row, "state_reason", asset.state_reason);
  put(row, "erased_at", asset.erased_at);
  return row;
}

Json asset_json(const lifecycle::AssetView& view, std::size_t first_file) {
  Json json = asset_row(view.asset);
  if (view.unreadable) json["unreadable"] = view.unreadable->message;
  json["sources"] = sources_json(view.asset.sources);
  json["files"] = files_json(view, first_file);
  const std::size_t shown_files = first_file + json["files"].size();
  if (shown_files < view.files.size()) json["files_omitted"] = view.files.size() - shown_files;
  if (view.manifest_sha256) json["manifest_sha256"] = to_hex(*view.manifest_sha256);
  json["lineage"] = {{"parents", lineage_json(view.parents)},
                     {"dependants", lineage_json(view.dependants)}};
  json["holds"] = holds_json(view.holds);
  const std::size_t shown_exports = std::min(view.exports.size(), kExportsShown);
  json["exports"] = exports_json(std::span(view.exports).last(shown_exports));
  if (shown_exports < view.exports.size()) {
    json["exports_omitted"] = view.exports.size() - shown_exports;
  }
  json["leases"] = leases_json(view.holders);
  json["exports_running"] = view.running_exports;
  if (view.retention) json["rules"] = rules_json(*view.retention);
  json["events"] = events_json(view.events);
  if (!view.remarks.empty()) json["remarks"] = view.remarks;
  put_id(json, "open_plan", IdType::plan, view.open_plan);
  put_id(json, "certificate", IdType::certificate, view.certificate);
  return json;
}

Json plan_row(const domain::Plan& plan) {
  Json row{{"id", id_text(IdType::plan, plan.id)},
           {"digest", to_hex(plan.digest)},
           {"state", domain::to_text(plan.state)},
           {"requester", person_json(plan.requester)},
           {"reason", plan.reason},
           {"created", to_rfc3339(plan.created)},
           {"expires", to_rfc3339(plan.expires)},
           {"origin", domain::to_text(plan.origin)},
           {"timing", domain::to_text(plan.timing)},
           {"items_count", plan.items.size()}};
  put(row, "ticket", plan.ticket);
  put(row, "due", plan.due);
  put(row, "finished", plan.finished);
  return row;
}

Json attempted_json(const lifecycle::PlanView& view) {
  Json uses = Json::array();
  for (const domain::AttemptedUse& use : view.attempted_uses) {
    uses.push_back({{"asset", asset_id(use.asset)},
                    {"count", use.count},
                    {"last", to_rfc3339(use.last)},
                    {"by", person_json(use.by)}});
  }
  return uses;
}

Json plan_json(const lifecycle::PlanView& view, domain::PeopleRule rule) {
  Json json = plan_row(view.plan);
  if (view.persist == lifecycle::Persist::dry_run) {  // of a plan that nobody can ask for
    json.erase("id");
    json.erase("digest");
  }
  json["items"] = items_json(view);
  if (!view.left_out.empty()) json["left_out"] = left_out_json(view.left_out);
  json["approvals"] = {{"needed", view.needed.custodians},
                       {"by_signature", view.needed.by_signature},
                       {"items_of_nobody", view.needed.items_of_nobody},
                       {"people", view.needed.people},
                       {"given", given_json(view.plan.approvals)}};
  json["policy"] = to_hex(view.plan.policy);
  if (view.waits_for != lifecycle::WaitsFor::nothing) {
    json["waits_for"] = lifecycle::to_text(view.waits_for);
  }
  put(json, "waits_until", view.waits_until);
  put(json, "below_floor", view.plan.below_floor);
  put(json, "brake", view.plan.brake);
  put(json, "due_if_approved_now", view.due_if_approved_now);
  json["items_waiting"] = view.needed.items_waiting;
  json["people_rule"] = rule_text(rule);
  json["kept"] = kept_json(view);
  json["attempted_uses"] = attempted_json(view);
  if (view.refusal) json["record"] = refusal_json(*view.refusal);
  return json;
}

Json hold_json(const lifecycle::HoldView& view) {
  Json json = hold_row(view.hold);
  json["assets_count"] = view.bound;
  return json;
}

Json hold_detail_json(const lifecycle::HoldView& view) {
  Json json = hold_json(view);
  Json assets = Json::array();
  for (const lifecycle::HoldView::Bound& bound : view.assets) {
    assets.push_back({{"id", asset_id(bound.asset)},
                      {"name", bound.name.text()},
                      {"state", domain::to_text(bound.state)}});
  }
  if (assets.size() < view.bound) json["assets_omitted"] = view.bound - assets.size();
  json["assets"] = std::move(assets);
  Json requeued = Json::array();
  for (const Uuid& plan : view.requeued) requeued.push_back(id_text(IdType::plan, plan));
  json["plans_due_again"] = std::move(requeued);
  json["events"] = events_json(view.events);
  return json;
}

namespace {

void add_key_id(Json& json, const Bytes& public_key) {
  crypto::PublicKey key{};
  if (public_key.size() != key.size()) return;
  std::copy(public_key.begin(), public_key.end(), key.begin());
  json["key_id"] = to_hex(crypto::key_fingerprint(key));
}
}  // namespace

Json refusal_json(const catalog::RefusalHead& head) {
  Json json{{"plan", id_text(IdType::plan, head.plan)},
            {"outcome", domain::to_text(head.outcome)},
            {"issued", to_rfc3339(head.issued)},
            {"log_index", head.log_index},
            {"state", head.signature.empty() ? "waits-for-signature" : "signed"}};
  add_key_id(json, head.public_key);
  return json;
}

Json certificate_row(const catalog::CertificateRow& row) {
  Json json{{"id", id_text(IdType::certificate, row.id)},    {"asset", asset_id(row.asset)},
            {"plan", id_text(IdType::plan, row.plan)},       {"outcome", row.outcome},
            {"assurance", domain::to_text(row.assurance)},   {"issued", to_rfc3339(row.issued)},
            {"validation", domain::to_text(row.validation)}, {"log_index", row.log_index}};
  put(json, "name", row.name);
  add_key_id(json, row.public_key);
  return json;
}

Json amendment_row(const catalog::AmendmentRow& row) {
  Json json{{"certificate", id_text(IdType::certificate, row.certificate)},
            {"number", row.number},
            {"kind", domain::to_text(row.kind)},
            {"issued", to_rfc3339(row.issued)},
            {"residuals_open", row.open},
            {"log_index", row.log_index}};
  add_key_id(json, row.public_key);
  const Result<JsonDocument> statement = read_json(row.statement);
  if (!statement.ok() || certificate::amendment_fault(statement->root())) return json;
  const certificate::AmendmentSummary is =
      certificate::summary_of_amendment(statement->root(), row.statement);
  json["outcome"] = is.outcome;
  json["validation"] = domain::to_text(is.validation);
  json["by"] = is.by;
  json["text"] = is.sentence;
  return json;
}

Json certificate_json(const catalog::CertificateRow& row,
                      const std::vector<domain::ValidationAct>& validations,
                      const std::vector<catalog::AmendmentRow>& amendments) {
  Json json = certificate_row(row);
  Json said = Json::array();
  for (const catalog::AmendmentRow& one : amendments) said.push_back(amendment_row(one));
  json["amendments"] = std::move(said);
  Json acts = Json::array();
  for (const domain::ValidationAct& act : validations) {
    acts.push_back(validation_json(act));
  }
  json["validations"] = std::move(acts);
  JsonLimits limits;
  limits.max_bytes = kStatementBytes;
  Result<Json> statement = parse_json(row.statement, limits);
  if (statement.ok()) json["statement"] = std::move(*statement);
  return json;
}

}  // namespace aierase::daemon
