// Carries one method call from the bus to the store and back: look up, ask polkit, act, answer.
//
// Contract: runs on the loop; messages never leave it (other threads know calls by number). Every
// call gets exactly one answer. The act decides again what the question was about: between the two
// the store may have changed. At most limits::kOpenCallsPerUid calls of one uid are under way.
// Every call is audited: one that changes something before it acts, and each when it is answered,
// or when the job that it started has ended. Specified in: aierase-architecture(7) THREADS;
// org.aierase1(5).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "bus/handles.h"
#include "daemon/audit_post.h"
#include "daemon/authority.h"
#include "daemon/caller.h"
#include "daemon/enrolment.h"
#include "daemon/store_thread.h"

namespace aierase::daemon {

class Jobs;

// What is answered: an object, a job, or nothing.
struct Reply {
  std::shared_ptr<const Json> object;
  std::string job;
};
using Respond = Task<Result<Reply>()>;  // runs on the loop, after the act
Respond with_object(Json object);
Respond with_nothing();

// What polkit is asked.
struct Asked {
  std::string action;  // without the prefix: "retire"
  Details details;
};

// Changes are logged, and audited before they begin; plaintext that leaves counts as one.
enum class Effect { reads, changes };

struct Call {
  Caller caller;
  Effect effect = Effect::reads;
  std::vector<std::string> typed;      // what the caller named; the audit keeps the first
  Task<Asked(StoreSession&)> look_up;  // store thread; unknown things: empty details
  // Store thread, once polkit agreed. An empty answer is a slice of long work: what others asked
  // meanwhile comes first, and then it is called again.
  Task<Result<Respond>(StoreSession&)> work;
};

// For calls whose question needs nothing from the store.
Task<Asked(StoreSession&)> ask_plainly(std::string action, Details details = {});

class Service {
 public:
  Service(StoreThread& store, Authority& authority, Jobs& jobs, AuditPost& audit,
          const Enrolment& people)
      : store_(store), authority_(authority), jobs_(jobs), audit_(audit), people_(people) {}

  void serve(sd_bus_message* message, Call call);
  // Of a call that is refused before it is served.
  void refuse(sd_bus_message* message, const Error& error);
  Jobs& jobs() { return jobs_; }
  StoreThread& store() { return store_; }
  AuditPost& audit() { return audit_; }
  const Enrolment& people() const { return people_; }

 private:
  struct OpenCall {
    bus::MessagePtr message;
    Caller caller;
    Effect effect = Effect::reads;
    domain::AuditRow row;
    Task<Result<Respond>(StoreSession&)> work;
    Asked asked;
    std::uint64_t begun = AuditPost::kNeverBegan;  // its number, once it may have begun
  };
  void ask(std::uint64_t number, Asked asked);
  void act(std::uint64_t number);
  // `begun`: the row of a call that changes something, before its first slice.
  Status post_slice(std::uint64_t number, std::optional<domain::AuditRow> begun,
                    Task<Result<Respond>(StoreSession&)> work);
  void go_on(std::uint64_t number, Task<Result<Respond>(StoreSession&)> work);
  void finish(std::uint64_t number, Result<Respond> outcome);
  void answer(std::uint64_t number, Result<Reply> reply);
  std::size_t open_calls_of(std::uint32_t uid) const;

  void audit(OpenCall call, const Result<Reply>& reply);

  StoreThread& store_;
  Authority& authority_;
  Jobs& jobs_;
  AuditPost& audit_;
  const Enrolment& people_;
  std::uint64_t next_ = AuditPost::kNeverBegan + 1;
  std::map<std::uint64_t, OpenCall> open_;
};

// Sends an answer to a call; failures to send are logged: the caller has gone.
void send_reply(sd_bus_message* call, const Result<Reply>& reply);

}  // namespace aierase::daemon
