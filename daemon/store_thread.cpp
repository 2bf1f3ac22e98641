#include "daemon/store_thread.h"

#include <new>
#include <system_error>

#include "base/limits.h"
#include "base/log.h"
#include "daemon/journal_events.h"

namespace aierase::daemon {

Error fault_error(const std::exception& fault, const std::string& what) {
  if (dynamic_cast<const std::bad_alloc*>(&fault) != nullptr) {
    return make_error(Errc::resource_limit, what + ": there is no memory left for it",
                      "run fewer jobs at once, or raise MemoryMax= of the unit");
  }
  // A thread that could not be had is the one such error of the system that is thrown here.
  if (dynamic_cast<const std::system_error*>(&fault) != nullptr) {
    return make_error(Errc::resource_limit, what + ": no thread could be started for it",
                      "run fewer jobs at once, or raise TasksMax= of the unit");
  }
  return make_error(Errc::unexpected, what + ": " + fault.what());
}

StoreThread::StoreThread(Loop& loop, std::unique_ptr<StoreSession> session, AuditPost& audit,
                         Listeners listeners)
    : loop_(loop),
      session_(std::move(session)),
      audit_(audit),
      listeners_(std::move(listeners)),
      acts_(limits::kStoreQueue) {}

StoreThread::~StoreThread() {
  stop();
}

void StoreThread::start() {
  thread_ = std::thread(&StoreThread::work, this);
}

void StoreThread::stop() {
  acts_.close();
  if (thread_.joinable()) thread_.join();
  session_->close();
}

Status StoreThread::post(Act act) {
  if (acts_.try_push(act)) return {};
  return make_error(
      Errc::resource_limit,
      "more than " + std::to_string(limits::kStoreQueue) + " calls wait for the store",
      "try again in a moment");
}

void StoreThread::nudge() {
  // What is due is looked for behind every act, also behind this one.
  Act look = [this](StoreSession& session) {
    Waiting what = Waiting::nothing;
    const Result<lifecycle::Store*> store = session.store();
    if (store.ok() && !failed_) {
      const Result<bool> plans = (*store)->plans_wait();
      if (!plans.ok() || *plans) what = Waiting::something;
    }
    if (session.waits_for_tpm()) {
      what = Waiting::something;
      session.give_way();
    }
    return Then([this, what] { listeners_.on_looked(what); });
  };
  acts_.try_push(look);  // a full queue looks for itself
}

void StoreThread::flush_audit() {
  Act flush = [this](StoreSession& session) {
    const Result<lifecycle::Store*> store = session.store();
    if (store.ok() && !failed_) audit_.flush(**store, lifecycle::AuditTrail::Part::due);
    return Then();
  };
  acts_.try_push(flush);  // a full queue: the next tick asks again
}

void StoreThread::work() {
  bool more = true;
  for (;;) {
    std::optional<Act> act = more ? acts_.try_pop() : acts_.pop();
    if (act) {
      perform(std::move(*act));
      more = true;
    } else if (acts_.closed()) {
      return write_last_audit();
    } else {
      more = execute_slice();
    }
    report();
    ++progress_;
  }
}

void StoreThread::perform(Act act) {
  // No exception may end this thread, and none of what comes before an act may keep it from its
  // turn: whoever waits for an answer has it from the act alone, which catches its own.
  try {
    audit_.collect();
    session_->try_again();
  } catch (const std::exception& fault) {
    log_error(fault_error(fault, "what goes before an act failed"), "the store goes on");
  }
  Then then;
  try {
    then = act(*session_);
  } catch (const std::exception& fault) {
    log_error(fault_error(fault, "the act failed"), "an act on the store that nobody waits for");
  }
  if (then) loop_.post(std::move(then));
}

bool StoreThread::execute_slice() {
  if (failed_ || !session_->is_open()) return false;
  const Result<lifecycle::Store*> store = session_->store();
  audit_.begin_slice();
  const Result<bool> more = (*store)->execute_due();
  std::vector<std::string> changes = (*store)->take_changes();
  audit_.end_slice(more.ok() ? Status() : Status(more.error()), changes);
  tell_erased(changes);
  report_changes(std::move(changes));
  if (more.ok()) return *more;
  log_error(more.error(), "what is due could not be done; it is tried again",
            {field_of(kErasingFails)});
  return false;
}

void StoreThread::write_last_audit() {
  const Result<lifecycle::Store*> store = session_->store();
  if (store.ok() && !failed_) audit_.flush(**store, lifecycle::AuditTrail::Part::all);
}

void StoreThread::report_changes(std::vector<std::string> changes) {
  if (changes.empty()) return;
  loop_.post([this, ids = std::move(changes)]() mutable { listeners_.on_changes(std::move(ids)); });
}

void StoreThread::report_notices(lifecycle::Store& store) {
  Result<std::vector<domain::AuditRow>> notices = store.take_notices();
  if (!notices.ok()) return log_error(notices.error(), "notices cannot be read");
  if (notices->empty()) return;
  std::vector<std::int64_t> numbers;
  for (const domain::AuditRow& row : *notices) {
    numbers.push_back(row.number);
    tell_notice(row);
  }
  loop_.post(
      [this, told = std::move(numbers)]() mutable { listeners_.on_notices(std::move(told)); });
}

void StoreThread::report() {
  if (session_->is_open()) {
    if (audit_.waits()) loop_.post([this] { listeners_.on_audit_waits(); });
    const Result<lifecycle::Store*> store = session_->store();
    report_changes((*store)->take_changes());
    if (!failed_) report_notices(**store);
  }
  if (failed_ || !session_->must_stop()) return;
  failed_ = true;
  const Error why = session_->fault().value_or(
      make_error(Errc::io, "the disk or the TPM refused a write of the store",
                 "see the kernel's log; the next start recovers"));
  loop_.post([this, why] { listeners_.on_fatal(why); });
}

}  // namespace aierase::daemon
