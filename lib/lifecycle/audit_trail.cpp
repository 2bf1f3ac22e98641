#include "lifecycle/audit_trail.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/limits.h"

namespace aierase::lifecycle {
namespace {

using domain::AuditRow;

constexpr std::chrono::seconds kMinute{60};

bool alike(const AuditRow& a, const AuditRow& b) {
  return a.actor.uid == b.actor.uid && a.actor.login == b.actor.login &&
         a.actor.audit_login_uid == b.actor.audit_login_uid && a.method == b.method &&
         a.action == b.action && a.outcome == b.outcome && a.subjects == b.subjects;
}

// A clock that was set back ends the minute, too.
bool is_over(UtcTime since, UtcTime now) {
  return now < since || now >= since + kMinute;
}

// A copy: what is kept for a minute must not hold the megabytes that somebody sent.
std::string cut(std::string_view text) {
  if (text.size() <= limits::kAuditTextBytes) return std::string(text);
  std::size_t end = limits::kAuditTextBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end));
}

std::string clean(std::string_view text) {
  std::string result = cut(text);
  return is_printable_utf8(result) ? result : cut(quoted(result));
}

}  // namespace

AuditRow writable(AuditRow row) {
  for (std::string* text :
       {&row.actor.login, &row.action, &row.method, &row.outcome, &row.detail}) {
    *text = clean(*text);
  }
  if (row.subjects.size() > limits::kAuditSubjects) row.subjects.resize(limits::kAuditSubjects);
  for (domain::AuditSubject& subject : row.subjects) {
    subject.id = clean(subject.id);
    subject.name = clean(subject.name);
  }
  return row;
}

void AuditTrail::begin(std::uint64_t call, AuditRow row) {
  row = writable(std::move(row));
  row.outcome = domain::kAuditBegun;
  open_.insert_or_assign(call, Begun{std::move(row)});
}

bool AuditTrail::forget(std::uint64_t call) {
  const auto found = open_.find(call);
  if (found == open_.end()) return true;
  if (found->second.row.number != 0) return false;
  open_.erase(found);
  return true;
}

void AuditTrail::end(std::uint64_t call, AuditRow row) {
  row = writable(std::move(row));
  const auto found = open_.find(call);
  if (found != open_.end()) {
    if (found->second.row.number != 0) row.begun = found->second.row.number;
    open_.erase(found);
  }
  look_at_minute(row.last);
  if (row.begun) {
    waiting_.push_back({std::move(row)});
  } else if (!fold(row)) {
    if (has_room(row)) {
      waiting_.push_back({std::move(row)});
    } else {
      gather(std::move(row));
    }
  }
}

void AuditTrail::look_at_minute(UtcTime now) {
  if (!is_over(minute_, now)) return;
  minute_ = now;
  refusals_.clear();
  all_refusals_ = 0;
}

bool AuditTrail::fold(const AuditRow& row) {
  for (Waiting& waiting : waiting_) {
    if (waiting.row.begun || is_over(waiting.row.time, row.last)) continue;
    if (!alike(waiting.row, row)) continue;
    waiting.row.calls += row.calls;
    waiting.row.last = std::max(waiting.row.last, row.last);
    return true;
  }
  return false;
}

// Counted by rows, not by calls: what was folded takes no room.
bool AuditTrail::has_room(const AuditRow& row) {
  if (waiting_.size() >= limits::kAuditWaitingRows) return false;
  if (row.outcome == domain::kAuditOk) return true;
  std::size_t& own = refusals_[row.actor.uid];
  if (own >= limits::kAuditRefusalsPerUid || all_refusals_ >= limits::kAuditRefusals) return false;
  ++own;
  ++all_refusals_;
  return true;
}

void AuditTrail::gather(AuditRow row) {
  row.actor.audit_login_uid.reset();
  row.action.clear();
  row.method.clear();
  row.subjects.clear();
  row.detail.clear();
  if (fold(row)) return;
  const auto gathered = std::count_if(waiting_.begin(), waiting_.end(),
                                      [](const Waiting& waiting) { return waiting.gathered; });
  if (static_cast<std::size_t>(gathered) >= limits::kAuditRefusals) {
    row.actor = {domain::kManyPeople, "several people", std::nullopt, {}};
    if (fold(row)) return;
  }
  waiting_.push_back({std::move(row), true});
}

std::vector<AuditRow> AuditTrail::rows(Part part, UtcTime now) {
  handed_begun_.clear();
  handed_waiting_.clear();
  std::vector<AuditRow> rows;
  if (part == Part::none) return rows;
  for (const auto& [call, begun] : open_) {
    if (begun.row.number != 0) continue;
    handed_begun_.push_back(call);
    rows.push_back(begun.row);
  }
  if (part == Part::begun) return rows;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const Waiting& waiting = waiting_[i];
    const bool cheap = !waiting.row.begun && waiting.row.outcome == domain::kAuditOk;
    const bool kept = (waiting.gathered && part != Part::all) || (cheap && part == Part::due);
    if (kept && !is_over(waiting.row.time, now)) continue;
    handed_waiting_.push_back(i);
    rows.push_back(waiting.row);
  }
  return rows;
}

void AuditTrail::written(const std::vector<std::int64_t>& numbers) {
  for (std::size_t i = 0; i < handed_begun_.size(); ++i) {
    open_.at(handed_begun_[i]).row.number = numbers.at(i);
  }
  // From the back, so that the other places stay what they are.
  for (auto at = handed_waiting_.rbegin(); at != handed_waiting_.rend(); ++at) {
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(*at));
  }
  handed_begun_.clear();
  handed_waiting_.clear();
}

std::vector<AuditRow> AuditTrail::take() {
  std::vector<AuditRow> rows;
  for (Waiting& waiting : waiting_) rows.push_back(std::move(waiting.row));
  waiting_.clear();
  return rows;
}

}  // namespace aierase::lifecycle
