#include "daemon/policy_records.h"

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/duration.h"
#include "base/time.h"
#include "daemon/json_members.h"
#include "domain/ids.h"

namespace aierase::daemon {
namespace {

Json rule_list(const std::vector<policy::Rule>& rules) {
  Json list = Json::array();
  for (const policy::Rule& rule : rules) {
    Json row{{"class", rule.retention_class},
             {"trigger", policy::to_text(rule.trigger)},
             {"period", to_iso8601(rule.period)},
             {"standing", policy::to_text(rule.standing)},
             {"sentence", rule.sentence}};
    put(row, "event", rule.event);
    put(row, "moment", rule.moment);
    list.push_back(std::move(row));
  }
  return list;
}

}  // namespace

Json reasons_json(const std::vector<domain::Reason>& reasons) {
  Json list = Json::array();
  for (const domain::Reason& reason : reasons) {
    list.push_back({{"code", info(reason.code).name}, {"text", reason.text}});
  }
  return list;
}

Json rules_json(const policy::Decision& decision) {
  const policy::Terms& terms = decision.terms;
  Json json{{"verdict", domain::to_text(decision.verdict)},
            {"classes", decision.classes},
            {"explanation", decision.explanation},
            {"floors", rule_list(decision.floors)},
            {"ceilings", rule_list(decision.ceilings)},
            {"floors_in_force", reasons_json(decision.floors_in_force)},
            {"conflicts", reasons_json(decision.conflicts)},
            {"grace", to_iso8601(terms.grace)},
            {"grace_words", to_words(terms.grace)},
            {"allow_now", terms.allow_now == policy::AllowNow::yes},
            {"approvals", terms.approvals},
            {"custodians", terms.custodians},
            {"validation", policy::to_text(terms.validation)},
            {"require_assurance", domain::to_text(terms.require_assurance)},
            {"basis", terms.bases}};
  put(json, "kept_until", decision.floor_open ? std::nullopt : decision.floor);
  put(json, "due", decision.due);
  return json;
}

Json in_force_json(const lifecycle::Retention& retention) {
  Json json{{"version", to_hex(retention.set().version())}, {"built_in", !retention.loaded()}};
  if (retention.altered()) json["altered"] = *retention.altered();
  if (!retention.loaded()) return json;
  const domain::LoadedPolicy& loaded = *retention.loaded();
  Json files = Json::array();
  for (const domain::PolicyFile& file : loaded.files) files.push_back(file.name);
  json["files"] = std::move(files);
  json["loaded"] = to_rfc3339(loaded.loaded);
  json["loaded_by"] = {{"uid", loaded.actor.uid}, {"login", loaded.actor.login}};
  json["reason"] = loaded.reason;
  return json;
}

Json enforce_json(const lifecycle::EnforceReport& report,
                  const lifecycle::EnforceRequest& request) {
  using lifecycle::EnforceOutcome;
  Json items = Json::array();
  for (const lifecycle::EnforceItem& item : report.items) {
    Json row{{"asset", domain::id_text(domain::IdType::asset, item.asset)},
             {"name", item.name.text()},
             {"outcome", to_text(item.outcome)},
             {"class", item.retention_class},
             {"reason", item.reason}};
    put(row, "due", item.due);
    put(row, "erasure", item.erasure);
    if (item.plan) row["plan"] = domain::id_text(domain::IdType::plan, *item.plan);
    items.push_back(std::move(row));
  }
  Json plans = Json::array();
  for (const Uuid& plan : report.plans) {
    plans.push_back(domain::id_text(domain::IdType::plan, plan));
  }
  Json json{{"end", to_text(report.end())},
            {"moment", to_rfc3339(report.moment)},
            {"looked_at", report.looked_at},
            {"erased", report.erased},
            {"held", report.count(EnforceOutcome::held)},
            {"floored", report.count(EnforceOutcome::floored)},
            {"in_grace", report.count(EnforceOutcome::in_grace)},
            {"failed", report.count(EnforceOutcome::failed)},
            {"waiting", report.count(EnforceOutcome::waiting)},
            {"braked", report.count(EnforceOutcome::braked)},
            {"conflict", report.count(EnforceOutcome::conflict)},
            {"blocked", report.count(EnforceOutcome::blocked)},
            {"refused", report.count(EnforceOutcome::refused)},
            {"overdue", report.overdue},
            {"plans", std::move(plans)},
            {"brake", report.brake},
            {"clock", report.clock},
            {"items", std::move(items)}};
  json["approval_expires"] =
      report.approval_expires ? to_rfc3339(*report.approval_expires) : std::string();
  if (request.persist == lifecycle::Persist::dry_run) json["dry_run"] = true;
  return json;
}

Json enforcement_json(const lifecycle::EnforceState& state) {
  Json json{{"overdue", state.last.overdue}, {"alarms", state.alarms}};
  if (!state.last.outcome.empty()) json["outcome"] = state.last.outcome;
  put(json, "started", state.last.started);
  put(json, "ended", state.last.ended);
  put(json, "succeeded", state.last.succeeded);
  return json;
}

Json policy_report_json(const lifecycle::PolicyReport& report) {
  Json rows = Json::array();
  for (const lifecycle::PolicyReport::Row& row : report.rows) {
    Json one{{"asset", domain::id_text(domain::IdType::asset, row.asset)},
             {"name", row.name.text()},
             {"weaker", row.change.sentences}};
    put(one, "due_before", row.change.erasure_before);
    put(one, "due_after", row.change.erasure_after);
    rows.push_back(std::move(one));
  }
  Json voided = Json::array();
  for (const domain::StandingApproval& approval : report.voided) {
    voided.push_back(Json{{"id", approval.terms.id.text()},
                          {"class", approval.terms.retention_class},
                          {"login", approval.actor.login}});
  }
  return {{"version", to_hex(report.version)}, {"previous", to_hex(report.previous)},
          {"assets_count", report.assets},     {"weakened_count", report.weakened},
          {"due_count", report.due},           {"in_conflict_count", report.in_conflict},
          {"weakened", std::move(rows)},       {"approvals_voided", std::move(voided)}};
}

}  // namespace aierase::daemon
