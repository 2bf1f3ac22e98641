#include "daemon/audit_records.h"

#include <systemd/sd-bus.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "bus/names.h"
#include "domain/ids.h"

namespace aierase::daemon {
namespace {

bool is_among(const std::vector<domain::AuditSubject>& subjects, const std::string& id) {
  return std::any_of(subjects.begin(), subjects.end(),
                     [&](const domain::AuditSubject& one) { return one.id == id; });
}

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

domain::AuditRow audit_row(sd_bus_message* call, UtcTime now) {
  domain::AuditRow row;
  row.time = now;
  row.last = now;
  const char* interface = sd_bus_message_get_interface(call);
  const char* member = sd_bus_message_get_member(call);
  const std::string prefix = std::string(bus::kService) + ".";
  std::string noun = interface == nullptr ? "" : interface;
  if (noun.starts_with(prefix)) noun.erase(0, prefix.size());
  row.method = noun + (noun.empty() ? "" : ".") + (member == nullptr ? "" : member);
  return row;
}

domain::Actor unknown_caller() {
  domain::Actor actor;
  actor.uid = domain::kManyPeople;
  actor.login = "unknown";
  return actor;
}

std::vector<domain::AuditSubject> typed_subjects(const std::vector<std::string>& typed) {
  std::vector<domain::AuditSubject> subjects;
  for (const std::string& one : typed) {
    if (subjects.size() == limits::kAuditSubjects) break;
    subjects.push_back({{}, one});
  }
  return subjects;
}

void name_subject(domain::AuditRow& row, const std::string& id, const std::string& name) {
  if (id.empty()) return;
  if (row.subjects.empty()) row.subjects.emplace_back();
  row.subjects.front() = {id, name};
}

void name_result(domain::AuditRow& row, const Json& result) {
  if (!result.is_object()) return;
  const auto asset = result.find("asset");
  const Json& made = asset != result.end() && asset->is_object() ? *asset : result;
  const std::string id = text_of(made, "id");
  if (!domain::parse_id(id) || is_among(row.subjects, id)) return;
  const std::string name = text_of(made, "name");
  // An import names what did not exist yet.
  const auto typed = std::find(row.subjects.begin(), row.subjects.end(),
                               domain::AuditSubject{std::string(), name});
  if (!name.empty() && typed != row.subjects.end()) {
    typed->id = id;
    return;
  }
  // In front: a row names only so many.
  row.subjects.insert(row.subjects.begin(), {id, name});
}

Json audit_json(const domain::AuditRow& row) {
  Json subjects = Json::array();
  for (const domain::AuditSubject& subject : row.subjects) {
    Json one = Json::object();
    if (!subject.id.empty()) one["id"] = subject.id;
    if (!subject.name.empty()) one["name"] = subject.name;
    subjects.push_back(std::move(one));
  }
  Json json{
      {"number", row.number},     {"time", to_rfc3339(row.time)},    {"calls", row.calls},
      {"login", row.actor.login}, {"subjects", std::move(subjects)}, {"outcome", row.outcome}};
  if (row.actor.uid != domain::kManyPeople) json["uid"] = row.actor.uid;
  if (row.actor.audit_login_uid) json["audit_login_uid"] = *row.actor.audit_login_uid;
  if (row.last != row.time) json["last"] = to_rfc3339(row.last);
  if (row.begun) json["begun"] = *row.begun;
  if (!row.action.empty()) json["action"] = row.action;
  if (!row.method.empty()) json["method"] = row.method;
  if (!row.detail.empty()) json["message"] = row.detail;
  if (row.notice) {
    json["notice"] = Json{{"kind", row.action},
                          {"days", row.notice->days},
                          {"moment", to_rfc3339(row.notice->moment)}};
  }
  return json;
}

Json measures_json(const lifecycle::Measures& measures) {
  const auto counts = [](const std::map<std::string, std::uint64_t>& of) {
    Json json = Json::object();
    for (const auto& [state, count] : of) json[state] = count;
    return json;
  };
  Json json{{"now", to_unix(measures.now)},
            {"clock_synchronised", measures.clock_synchronised ? "yes" : "no"},
            {"plans", counts(measures.counted.plans)},
            {"certificates", counts(measures.counted.certificates)},
            {"audit_rows", measures.counted.audit_rows},
            {"key_rotations", measures.counted.key_rotations},
            {"clock_guard",
             measures.clock_guard == lifecycle::Measures::ClockGuard::open ? "open" : "closed"},
            {"overdue", measures.enforcement.last.overdue},
            {"alarms", measures.enforcement.alarms.size()},
            {"braked_plans", measures.counted.braked_plans}};
  const catalog::Enforcement& last = measures.enforcement.last;
  if (last.ended) json["enforce_ended"] = to_unix(*last.ended);
  if (last.succeeded) json["enforce_succeeded"] = to_unix(*last.succeeded);
  if (measures.counted.oldest_open_plan) {
    json["oldest_open_plan"] = to_unix(*measures.counted.oldest_open_plan);
  }
  if (measures.counted.last_erasure) {
    json["last_erasure"] = to_unix(*measures.counted.last_erasure);
  }
  return json;
}

}  // namespace aierase::daemon
