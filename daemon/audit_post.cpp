#include "daemon/audit_post.h"

#include <unistd.h>

#include <algorithm>
#include <limits>

#include "base/log.h"
#include "daemon/journal_events.h"

namespace aierase::daemon {
namespace {

using lifecycle::AuditTrail;

constexpr std::uint64_t kSlice = std::numeric_limits<std::uint64_t>::max();

}  // namespace

void AuditPost::ended(std::uint64_t call, domain::AuditRow row, const Status& outcome) {
  row.last = now();
  row.outcome = outcome.ok() ? domain::kAuditOk : info(outcome.error().code).name;
  if (!outcome.ok()) row.detail = outcome.error().message;
  move_on();
  Ended one{call, lifecycle::writable(std::move(row))};
  const bool in_order = put_off_.empty() && !gathered_.waits();
  if (!in_order || !inbox_.try_push(one)) put_off(std::move(one));
  waits_.store(true);
  if (on_waiting_) on_waiting_();
}

bool AuditPost::wants_flush() {
  move_on();
  return waits_.load() || !put_off_.empty() || gathered_.waits();
}

// Only once there is room for about all of it: what is put off again may lose its details.
void AuditPost::move_on() {
  if (put_off_.empty() && !gathered_.waits()) return;
  if (inbox_.size() > limits::kAuditWaitingRows / 2) return;
  std::vector<Ended> waiting = std::exchange(put_off_, {});
  for (domain::AuditRow& gathered : gathered_.take()) {
    waiting.push_back({kNeverBegan, std::move(gathered)});
  }
  for (Ended& one : waiting) {
    if (!inbox_.try_push(one)) put_off(std::move(one));
  }
}

void AuditPost::put_off(Ended ended) {
  if (ended.call == kNeverBegan) {
    gathered_.end(kNeverBegan, std::move(ended.row));
  } else {
    put_off_.push_back(std::move(ended));
  }
}

void AuditPost::collect() {
  while (std::optional<Ended> one = inbox_.try_pop()) trail_.end(one->call, std::move(one->row));
}

void AuditPost::flush(lifecycle::Store& store, AuditTrail::Part part) {
  waits_.store(false);
  collect();
  const Status flushed = store.flush_audit(part);
  if (trail_.waits()) waits_.store(true);
  if (!flushed.ok() && !failing_) {
    log_error(flushed.error(), "the audit cannot be written", {field_of(kAuditUnwritten)});
  }
  if (flushed.ok() && failing_) log(LogLevel::notice, "the audit is written again");
  failing_ = !flushed.ok();
}

void AuditPost::begin_slice() {
  slice_ = {};
  slice_.time = now();
  slice_.actor.uid = getuid();
  slice_.actor.login = "aierased";
  slice_.action = "erase";
  slice_.method = "Daemon.ExecuteDue";
  trail_.begin(kSlice, slice_);
}

void AuditPost::end_slice(const Status& outcome, const std::vector<std::string>& changes) {
  if (outcome.ok() && trail_.forget(kSlice)) return;
  // Plans first: an asset is found by the plan that names it, and a round may have many assets.
  for (const char type : {'p', 'a'}) {
    for (const std::string& id : changes) {
      if (slice_.subjects.size() == limits::kAuditSubjects) break;
      if (id.front() == type) slice_.subjects.push_back({id, {}});
    }
  }
  slice_.last = now();
  slice_.outcome = outcome.ok() ? domain::kAuditOk : info(outcome.error().code).name;
  if (!outcome.ok()) slice_.detail = outcome.error().message;
  trail_.end(kSlice, std::move(slice_));
  waits_.store(true);
}

}  // namespace aierase::daemon
