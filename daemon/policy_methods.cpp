#include <systemd/sd-bus.h>

#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "base/time.h"
#include "bus/json_bridge.h"
#include "bus/names.h"
#include "daemon/call_options.h"
#include "daemon/enforce_job.h"
#include "daemon/jobs.h"
#include "daemon/methods.h"
#include "daemon/policy_records.h"

namespace aierase::daemon {
namespace {

using lifecycle::Store;

Result<std::vector<domain::PolicyFile>> read_files(sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::vector<std::string> names,
                   bus::read_strings(message, limits::kPolicyFiles));
  ASSIGN_OR_RETURN(std::vector<std::string> texts,
                   bus::read_strings(message, limits::kPolicyFiles));
  if (names.empty() || names.size() != texts.size()) {
    return make_error(Errc::usage,
                      std::to_string(names.size()) + " names came with " +
                          std::to_string(texts.size()) + " texts of policy files",
                      "give each file a name and a text, in the same order");
  }
  std::vector<domain::PolicyFile> files;
  for (std::size_t i = 0; i < names.size(); ++i) {
    files.push_back({std::move(names[i]), std::move(texts[i])});
  }
  return files;
}

Status load(Service& service, sd_bus_message* message) {
  lifecycle::PolicyRequest request;
  ASSIGN_OR_RETURN(request.files, read_files(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(request.reason, options.text_or("reason", ""));
  ASSIGN_OR_RETURN(const bool dry_run, options.agreed("dry_run"));
  RETURN_IF_ERROR(options.finish());
  if (dry_run) request.persist = lifecycle::Persist::dry_run;
  if (request.reason.empty() && !dry_run) {
    return make_error(Errc::usage, "a reason is needed: it is recorded with the policy",
                      "add --reason TEXT");
  }
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  request.actor = call.caller.actor;
  call.effect = dry_run ? Effect::reads : Effect::changes;
  call.look_up = ask_plainly("manage-policy", {{"reason", request.reason}});
  call.work = [wanted = std::move(request)](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const lifecycle::PolicyReport report, store->load_policy(wanted));
    return with_object(policy_report_json(report));
  };
  service.serve(message, std::move(call));
  return {};
}

Status confirm_clock(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.effect = Effect::changes;
  call.look_up = ask_plainly("approve");
  call.work = [actor = call.caller.actor](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const UtcTime confirmed, store->confirm_clock(actor));
    return with_object({{"time", to_rfc3339(confirmed)}});
  };
  service.serve(message, std::move(call));
  return {};
}

Result<std::optional<UtcTime>> read_moment(CallOptions& options) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, options.text("at"));
  if (!text) return std::optional<UtcTime>();
  const std::optional<UtcTime> moment = from_rfc3339(*text);
  if (!moment) return CallOptions::wrong("at", "is no moment as 2031-01-01T00:00:00Z");
  return moment;
}

Status enforce(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  lifecycle::EnforceRequest request;
  ASSIGN_OR_RETURN(const bool dry_run, options.agreed("dry_run"));
  ASSIGN_OR_RETURN(request.at, read_moment(options));
  RETURN_IF_ERROR(options.finish());
  if (dry_run) request.persist = lifecycle::Persist::dry_run;
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  RETURN_IF_ERROR(service.jobs().check_room(call.caller.actor.uid, JobKind::store));
  request.actor = call.caller.actor;
  call.effect = dry_run ? Effect::reads : Effect::changes;
  call.look_up = ask_plainly(dry_run ? "read" : "retire", {{"act", "enforce"}});
  call.work = [&jobs = service.jobs(), caller = call.caller,
               wanted = std::move(request)](StoreSession& session) mutable -> Result<Respond> {
    ASSIGN_OR_RETURN(lifecycle::Store * store, session.store());
    RETURN_IF_ERROR(lifecycle::check_request(*store, wanted));
    return Respond([&jobs, caller, run = std::move(wanted)]() mutable -> Result<Reply> {
      ASSIGN_OR_RETURN(Job * job, jobs.create("enforce", caller, Takes::nothing, JobKind::store));
      job->start(make_enforcement(jobs, job->shared_channel(), std::move(run)));
      return Reply{nullptr, job->path()};
    });
  };
  service.serve(message, std::move(call));
  return {};
}

const sd_bus_vtable kVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Load", SD_BUS_ARGS("as", names, "as", texts, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", report), serve_method<load>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Enforce", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("o", job),
                            serve_method<enforce>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ConfirmClock", SD_BUS_ARGS("a{sv}", options),
                            SD_BUS_RESULT("a{sv}", record), serve_method<confirm_clock>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

}  // namespace

Status add_policy(sd_bus* bus, Service& service, Slots& slots) {
  return add_interface(bus, bus::kPolicyInterface, kVtable, &service, slots);
}

}  // namespace aierase::daemon
