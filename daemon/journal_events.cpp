#include "daemon/journal_events.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "domain/ids.h"

namespace aierase::daemon {
namespace {

// The journal takes 1,024 fields in an entry; what does not fit goes into the next one.
constexpr std::size_t kIdsPerEntry = 512;

struct NoticeEvent {
  domain::NoticeKind kind;
  JournalEvent event;
};
constexpr std::array kNotices{
    NoticeEvent{domain::NoticeKind::plan_waits, kPlanWaits},
    NoticeEvent{domain::NoticeKind::erasure_comes, kErasureComes},
    NoticeEvent{domain::NoticeKind::validation_waits, kValidationWaits},
    NoticeEvent{domain::NoticeKind::approval_ends, kApprovalEnds},
    NoticeEvent{domain::NoticeKind::plan_expires, kPlanExpires},
    NoticeEvent{domain::NoticeKind::stopped, kErasureStopped},
    NoticeEvent{domain::NoticeKind::overdue, kOverdue},
    NoticeEvent{domain::NoticeKind::enrolment, kEnrolment},
};

// By its letter; what was typed and is nothing that we know has none.
std::string_view field_for(std::string_view id) {
  if (id.starts_with("a-")) return "AIERASE_ASSET";
  if (id.starts_with("p-")) return "AIERASE_PLAN";
  if (id.starts_with("c-")) return "AIERASE_CERTIFICATE";
  if (id.starts_with("h-")) return "AIERASE_HOLD";
  return {};
}

void add_id(std::vector<LogField>& fields, const std::string& id) {
  const std::string_view field = field_for(id);
  if (!field.empty()) fields.emplace_back(field, id);
}

std::string told_subject(const domain::AuditRow& row) {
  if (row.subjects.empty()) return {};
  const domain::AuditSubject& first = row.subjects.front();
  return " " + (first.name.empty() ? first.id : first.name);
}

JournalEvent event_of(const Status& outcome) {
  if (outcome.ok()) return kCallDone;
  return outcome.error().code == Errc::access_denied ? kCallDenied : kCallRefused;
}

LogLevel level_of(const Status& outcome) {
  if (outcome.ok()) return LogLevel::notice;
  switch (outcome.error().code) {
    case Errc::cancelled:
      return LogLevel::notice;
    case Errc::access_denied:
    case Errc::io:
    case Errc::unexpected:
      return LogLevel::warning;
    default:
      return LogLevel::info;
  }
}

}  // namespace

LogField field_of(JournalEvent event) {
  return {"MESSAGE_ID", event.id};
}

void tell_call(const domain::AuditRow& row, const Status& outcome) {
  std::vector<LogField> fields{
      field_of(event_of(outcome)),
      {"AIERASE_METHOD", row.method},
      {"AIERASE_ACTION", row.action},
      {"AIERASE_UID", std::to_string(row.actor.uid)},
      {"AIERASE_OUTCOME",
       std::string(outcome.ok() ? domain::kAuditOk : info(outcome.error().code).name)}};
  if (row.actor.audit_login_uid) {
    fields.emplace_back("AIERASE_LOGIN_UID", std::to_string(*row.actor.audit_login_uid));
  }
  for (const domain::AuditSubject& subject : row.subjects) add_id(fields, subject.id);
  log(level_of(outcome),
      row.actor.login + ": " + row.method + told_subject(row) +
          (outcome.ok() ? ": done" : ": " + outcome.error().message),
      fields);
}

void tell_erased(const std::vector<std::string>& ids) {
  const auto assets = std::count_if(ids.begin(), ids.end(),
                                    [](const std::string& id) { return id.starts_with("a-"); });
  const bool certified = std::any_of(ids.begin(), ids.end(),
                                     [](const std::string& id) { return id.starts_with("c-"); });
  if (!certified) return;
  const std::string message =
      "erased, with a certificate each: " + std::to_string(assets) + " assets";
  for (std::size_t at = 0; at < ids.size(); at += kIdsPerEntry) {
    std::vector<LogField> fields{field_of(kErased),
                                 {"AIERASE_OUTCOME", std::string(domain::kAuditOk)}};
    const std::size_t end = std::min(at + kIdsPerEntry, ids.size());
    for (std::size_t i = at; i < end; ++i) add_id(fields, ids[i]);
    log(LogLevel::notice, message, fields);
  }
}

void tell_notice(const domain::AuditRow& row) {
  std::vector<LogField> fields{{"AIERASE_NOTICE", row.action},
                               {"AIERASE_NUMBER", std::to_string(row.number)},
                               {"AIERASE_DAYS", std::to_string(row.notice ? row.notice->days : 0)},
                               {"AIERASE_OUTCOME", std::string(domain::kAuditNotice)}};
  for (const NoticeEvent& known : kNotices) {
    if (to_text(known.kind) == row.action) fields.push_back(field_of(known.event));
  }
  for (const domain::AuditSubject& subject : row.subjects) add_id(fields, subject.id);
  if (!row.subjects.empty()) fields.emplace_back("AIERASE_SUBJECT", row.subjects.front().id);
  log(LogLevel::notice, row.detail, fields);
}

}  // namespace aierase::daemon
