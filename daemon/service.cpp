#include "daemon/service.h"

#include <systemd/sd-bus.h>

#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "base/log.h"
#include "bus/errors.h"
#include "bus/json_bridge.h"
#include "bus/names.h"
#include "daemon/audit_records.h"
#include "daemon/jobs.h"
#include "daemon/journal_events.h"

namespace aierase::daemon {
namespace {

Result<bus::MessagePtr> make_reply(sd_bus_message* call, const Reply& reply) {
  sd_bus_message* raw = nullptr;
  int result = sd_bus_message_new_method_return(call, &raw);
  if (result < 0) return bus::bus_error(result, "cannot make a reply");
  bus::MessagePtr message(raw);
  if (reply.object) RETURN_IF_ERROR(bus::append_object(raw, *reply.object));
  if (!reply.job.empty()) result = sd_bus_message_append_basic(raw, 'o', reply.job.c_str());
  if (result < 0) return bus::bus_error(result, "cannot make a reply");
  return message;
}

// What stands in the log, and in the details of the question.
std::string detail(const Asked& asked, std::string_view key) {
  for (const auto& entry : asked.details) {
    if (entry.first == key) return entry.second;
  }
  return {};
}

}  // namespace

Respond with_object(Json object) {
  return [content = std::make_shared<const Json>(std::move(object))]() -> Result<Reply> {
    return Reply{content, {}};
  };
}

Respond with_nothing() {
  return []() -> Result<Reply> { return Reply{}; };
}

Task<Asked(StoreSession&)> ask_plainly(std::string action, Details details) {
  return [asked = Asked{std::move(action), std::move(details)}](StoreSession&) { return asked; };
}

void send_reply(sd_bus_message* call, const Result<Reply>& reply) {
  Result<bus::MessagePtr> message =
      reply.ok() ? make_reply(call, *reply) : bus::error_reply(call, reply.error());
  if (!message.ok()) message = bus::error_reply(call, message.error());
  int sent = message.ok() ? sd_bus_send(nullptr, message->get(), nullptr) : -1;
  if (sent < 0) log(LogLevel::debug, "an answer could not be sent: the caller has gone");
}

std::size_t Service::open_calls_of(std::uint32_t uid) const {
  std::size_t count = 0;
  for (const auto& entry : open_) count += entry.second.caller.actor.uid == uid ? 1 : 0;
  return count;
}

void Service::refuse(sd_bus_message* message, const Error& error) {
  domain::AuditRow row = audit_row(message, audit_.now());
  const Result<Caller> caller = caller_of(message);
  row.actor = caller.ok() ? caller->actor : unknown_caller();
  audit_.ended(AuditPost::kNeverBegan, std::move(row), error);
  send_reply(message, error);
}

void Service::serve(sd_bus_message* message, Call call) {
  domain::AuditRow row = audit_row(message, audit_.now());
  row.actor = call.caller.actor;
  row.subjects = typed_subjects(call.typed);
  if (open_calls_of(call.caller.actor.uid) >= limits::kOpenCallsPerUid) {
    const Error refusal = make_error(
        Errc::resource_limit,
        std::to_string(limits::kOpenCallsPerUid) + " calls of yours wait for an answer already",
        "wait for some of them");
    audit_.ended(AuditPost::kNeverBegan, std::move(row), refusal);
    return send_reply(message, refusal);
  }
  const std::uint64_t number = next_++;
  open_.emplace(number, OpenCall{bus::share(message),
                                 std::move(call.caller),
                                 call.effect,
                                 std::move(row),
                                 std::move(call.work),
                                 {},
                                 AuditPost::kNeverBegan});
  const Status posted =
      store_.post([this, number, look_up = std::move(call.look_up)](StoreSession& session) mutable {
        // Declared here, so that a look-up that throws still leads to a question and an answer.
        Asked asked;
        try {
          asked = look_up(session);
        } catch (const std::exception&) {
          asked.action.clear();
        }
        return StoreThread::Then(
            [this, number, found = std::move(asked)]() mutable { ask(number, std::move(found)); });
      });
  if (!posted.ok()) answer(number, posted.error());
}

void Service::ask(std::uint64_t number, Asked asked) {
  OpenCall& call = open_.at(number);
  if (asked.action.empty()) {
    return answer(number, make_error(Errc::unexpected, "the call could not be looked up"));
  }
  call.asked = std::move(asked);
  call.row.action = call.asked.action;
  name_subject(call.row, detail(call.asked, "subject"), detail(call.asked, "name"));
  Authority::Question question;
  question.call = call.message.get();
  question.uid = call.caller.actor.uid;
  question.action = bus::kActionPrefix + call.asked.action;
  question.details = call.asked.details;
  authority_.ask(std::move(question), [this, number](Status decision) {
    if (decision.ok()) return act(number);
    answer(number, std::move(decision).error());
  });
}

void Service::act(std::uint64_t number) {
  OpenCall& call = open_.at(number);
  // Whatever the act commits carries the row of the call that asked for it.
  std::optional<domain::AuditRow> begun;
  if (call.effect == Effect::changes) begun = call.row;
  const Status posted = post_slice(number, std::move(begun), std::move(call.work));
  if (!posted.ok()) return answer(number, posted.error());
  if (call.effect == Effect::changes) call.begun = number;
}

Status Service::post_slice(std::uint64_t number, std::optional<domain::AuditRow> begun,
                           Task<Result<Respond>(StoreSession&)> work) {
  return store_.post([this, number, row = std::move(begun),
                      slice = std::move(work)](StoreSession& session) mutable {
    Result<Respond> outcome = make_error(Errc::unexpected, "the act failed");
    try {
      if (row) audit_.trail().begin(number, std::move(*row));
      outcome = slice(session);
    } catch (const std::exception& fault) {
      outcome = make_error(Errc::unexpected, std::string("the act failed: ") + fault.what());
    }
    if (outcome.ok() && !*outcome) {
      return StoreThread::Then(
          [this, number, rest = std::move(slice)]() mutable { go_on(number, std::move(rest)); });
    }
    return StoreThread::Then([this, number, result = std::move(outcome)]() mutable {
      finish(number, std::move(result));
    });
  });
}

// By way of the loop: so the store thread comes to what is due in between, too.
void Service::go_on(std::uint64_t number, Task<Result<Respond>(StoreSession&)> work) {
  const Status posted = post_slice(number, std::nullopt, std::move(work));
  if (!posted.ok()) answer(number, posted.error());
}

void Service::finish(std::uint64_t number, Result<Respond> outcome) {
  if (!outcome.ok()) return answer(number, std::move(outcome).error());
  answer(number, (*outcome)());
}

void Service::answer(std::uint64_t number, Result<Reply> reply) {
  const auto found = open_.find(number);
  if (found == open_.end()) return;
  OpenCall call = std::move(found->second);
  open_.erase(found);
  send_reply(call.message.get(), reply);
  audit(std::move(call), reply);
}

// What became of a call that started a job is known when the job has ended.
void Service::audit(OpenCall call, const Result<Reply>& reply) {
  if (Job* job = reply.ok() && !reply->job.empty() ? jobs_.find_path(reply->job) : nullptr) {
    return job->audit_at_end(call.begun, std::move(call.row));
  }
  const Status outcome = reply.ok() ? Status() : Status(reply.error());
  if (call.effect == Effect::changes && reply.ok() && reply->object) {
    name_result(call.row, *reply->object);
  }
  if (call.effect == Effect::changes || !outcome.ok()) tell_call(call.row, outcome);
  audit_.ended(call.begun, std::move(call.row), outcome);
}

}  // namespace aierase::daemon
