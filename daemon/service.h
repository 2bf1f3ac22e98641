// Carries one method call from the bus to the store and back: look up, ask polkit, act, answer.
//
// Contract: runs on the loop; messages never leave it (other threads know calls by number). Every
// call gets exactly one answer. The act decides again what the question was about: between the two
// the store may have changed. At most limits::kOpenCallsPerUid calls of one uid are under way.
// Specified in: aierase-architecture(7) THREADS; org.aierase1(5).
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
#include "daemon/authority.h"
#include "daemon/caller.h"
#include "daemon/loop.h"
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

enum class Effect { reads, changes };  // changes are logged

struct Call {
  Caller caller;
  Effect effect = Effect::reads;
  Task<Asked(StoreSession&)> look_up;         // store thread; unknown things: empty details
  Task<Result<Respond>(StoreSession&)> work;  // store thread, once polkit agreed
};

// For calls whose question needs nothing from the store.
Task<Asked(StoreSession&)> ask_plainly(std::string action, Details details = {});

class Service {
 public:
  Service(Loop& loop, StoreThread& store, Authority& authority, Jobs& jobs)
      : loop_(loop), store_(store), authority_(authority), jobs_(jobs) {}

  void serve(sd_bus_message* message, Call call);
  Jobs& jobs() { return jobs_; }
  StoreThread& store() { return store_; }

 private:
  struct OpenCall {
    bus::MessagePtr message;
    Caller caller;
    Effect effect = Effect::reads;
    Task<Result<Respond>(StoreSession&)> work;
    Asked asked;
  };
  void ask(std::uint64_t number, Asked asked);
  void act(std::uint64_t number);
  void finish(std::uint64_t number, Result<Respond> outcome);
  void answer(std::uint64_t number, Result<Reply> reply);
  std::size_t open_calls_of(std::uint32_t uid) const;

  Loop& loop_;
  StoreThread& store_;
  Authority& authority_;
  Jobs& jobs_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, OpenCall> open_;
};

// Sends an answer to a call; failures to send are logged: the caller has gone.
void send_reply(sd_bus_message* call, const Result<Reply>& reply);

}  // namespace aierase::daemon
