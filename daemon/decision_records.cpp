#include "daemon/decision_records.h"

#include <nlohmann/json.hpp>

#include "daemon/json_members.h"
#include "domain/ids.h"

namespace aierase::daemon {
namespace {

using domain::id_text;
using domain::IdType;
using lifecycle::HandInReport;

Json entry_json(const domain::PersonEntry& entry) {
  Json json{{"id", entry.id}, {"name", entry.name}};
  put(json, "title", entry.title);
  put(json, "organisation", entry.organisation);
  put(json, "location", entry.location);
  put(json, "contact", entry.contact);
  return json;
}

Json decider_json(const domain::Actor& actor, const std::optional<domain::SignedBy>& signed_by) {
  Json json = person_json(actor);
  if (actor.person) json["person"] = entry_json(*actor.person);
  if (!signed_by) return json;
  json["signed"] = Json{{"key", signed_by->key},
                        {"text_sha256", to_hex(signed_by->text)},
                        {"signature_sha256", to_hex(signed_by->signature)},
                        {"carried_by", person_json(signed_by->carrier)}};
  return json;
}

std::string_view course_text(HandInReport::Course course) {
  switch (course) {
    case HandInReport::Course::recorded:
      return "recorded";
    case HandInReport::Course::already:
      return "already";
    case HandInReport::Course::refused:
      return "refused";
  }
  return {};
}

Json here_json(const HandInReport::Here& here) {
  Json row{{"id", id_text(IdType::plan, here.plan)},
           {"course", course_text(here.course)},
           {"state", domain::to_text(here.state)},
           {"items_waiting", here.items_waiting}};
  if (here.refusal) {
    row["code"] = info(here.refusal->code).name;
    row["why"] = here.refusal->message;
    put(row, "hint", here.refusal->hint);
  }
  return row;
}

}  // namespace

Json person_json(const domain::Actor& actor) {
  Json json{{"login", actor.login}};
  if (actor.uid != domain::kNoUid) json["uid"] = actor.uid;
  return json;
}

Json given_json(const std::vector<domain::Approval>& approvals) {
  Json list = Json::array();
  for (const domain::Approval& approval : approvals) {
    Json row = decider_json(approval.actor, approval.signed_by);
    row["time"] = to_rfc3339(approval.time);
    row["decision"] = domain::to_text(approval.decision);
    row["as"] = approval.capacities;
    put(row, "reason", approval.reason);
    if (approval.standing) {
      row["standing"] = Json{{"id", approval.standing->id.text()},
                             {"class", approval.standing->retention_class},
                             {"given", to_rfc3339(approval.standing->given)},
                             {"valid_until", to_rfc3339(approval.standing->until)}};
    }
    list.push_back(std::move(row));
  }
  return list;
}

Json standing_json(const lifecycle::StandingView& view) {
  const domain::StandingApproval& approval = view.approval;
  const domain::StandingUse& terms = approval.terms;
  Json json{{"id", terms.id.text()},
            {"class", terms.retention_class},
            {"state", lifecycle::to_text(view.state)},
            {"by", decider_json(approval.actor, approval.signed_by)},
            {"given", to_rfc3339(terms.given)},
            {"valid_from", to_rfc3339(terms.from)},
            {"valid_until", to_rfc3339(terms.until)},
            {"rules_sha256", to_hex(terms.rules)},
            {"log_index", terms.log_index}};
  put(json, "why", view.why);
  if (!approval.end) return json;
  json["ended"] = Json{{"cause", domain::to_text(approval.end->cause)},
                       {"by", decider_json(approval.end->actor, approval.end->signed_by)},
                       {"time", to_rfc3339(approval.end->time)},
                       {"log_index", approval.end->log_index}};
  put(json["ended"], "reason", approval.end->reason);
  return json;
}

Json validation_json(const domain::ValidationAct& act) {
  Json row = decider_json(act.actor, act.signed_by);
  row["verdict"] = domain::to_text(act.verdict);
  row["time"] = to_rfc3339(act.time);
  row["as"] = act.capacities;
  put(row, "reason", act.reason);
  put(row, "remedy", act.remedy);
  if (act.amendment) row["amendment"] = *act.amendment;
  return row;
}

void add_signed_text(Json& decision, const domain::SignedText& text) {
  Json& part = decision["signed"];
  part["text"] = text.text;
  part["signature"] = text.signature;
  part["public_key"] = text.key;
}

Json hand_in_json(const HandInReport& report) {
  Json here = Json::array(), elsewhere = Json::array();
  for (const HandInReport::Here& one : report.here) here.push_back(here_json(one));
  for (const HandInReport::Elsewhere& one : report.elsewhere) {
    elsewhere.push_back(Json{
        {"id", id_text(IdType::plan, one.plan)}, {"store", one.store.text()}, {"host", one.host}});
  }
  Json json{{"decision", certificate::to_text(report.decision)},
            {"signer", person_json(report.signer)},
            {"key", report.key},
            {"plans", std::move(here)},
            {"elsewhere", std::move(elsewhere)}};
  if (report.standing) json["approval"] = standing_json(*report.standing);
  return json;
}

}  // namespace aierase::daemon
