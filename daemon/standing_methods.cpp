#include "daemon/standing_methods.h"

#include <nlohmann/json.hpp>

#include "daemon/call_options.h"
#include "daemon/decision_records.h"
#include "daemon/methods.h"
#include "daemon/selection.h"
#include "lifecycle/standing.h"

namespace aierase::daemon {
namespace {

using lifecycle::StandingView;
using lifecycle::Store;

Result<UtcTime> read_moment(std::string_view key, const std::string& text) {
  if (const std::optional<UtcTime> moment = from_rfc3339(text)) return *moment;
  return CallOptions::wrong(key, "is " + quoted(text) + ", not a time like 2026-12-20T00:00:00Z");
}

// For the audit: no asset has a name with a blank.
std::vector<std::string> class_as_typed(const std::string& name) {
  return {"class " + name};
}

}  // namespace

Status approve_standing(Service& service, sd_bus_message* message) {
  lifecycle::StandingRequest request;
  ASSIGN_OR_RETURN(request.retention_class, read_text(message));
  ASSIGN_OR_RETURN(const std::string until, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  RETURN_IF_ERROR(options.finish());
  ASSIGN_OR_RETURN(request.until, read_moment("until", until));
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  request.actor = call.caller.actor;
  call.effect = Effect::changes;
  call.typed = class_as_typed(request.retention_class);
  call.look_up = ask_plainly("approve", {{"standing", request.retention_class}, {"until", until}});
  call.work = [wanted = std::move(request)](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const StandingView view, store->approve_standing(wanted));
    return with_object(standing_json(view));
  };
  service.serve(message, std::move(call));
  return {};
}

Status reject_standing(Service& service, sd_bus_message* message) {
  lifecycle::StandingRevocation request;
  ASSIGN_OR_RETURN(request.retention_class, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(request.reason, options.text_or("reason", ""));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  request.actor = call.caller.actor;
  call.effect = Effect::changes;
  call.typed = class_as_typed(request.retention_class);
  call.look_up = ask_plainly("approve", {{"standing", request.retention_class}});
  call.work = [wanted = std::move(request)](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const std::vector<StandingView> views, store->revoke_standing(wanted));
    Json approvals = Json::array();
    for (const StandingView& view : views) approvals.push_back(standing_json(view));
    return with_object({{"approvals", std::move(approvals)}});
  };
  service.serve(message, std::move(call));
  return {};
}

Status list_approvals(Service& service, sd_bus_message* message) {
  return serve_list(service, message, "approvals", &Store::list_standing, standing_json);
}

Status standing_to_sign(Service& service, sd_bus_message* message) {
  lifecycle::StandingWish wish;
  ASSIGN_OR_RETURN(wish.retention_class, read_text(message));
  ASSIGN_OR_RETURN(wish.approver, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(wish.decision, options.text_or("decision", "approve"));
  ASSIGN_OR_RETURN(wish.comment, options.text_or("comment", ""));
  ASSIGN_OR_RETURN(const std::optional<std::string> until, options.text("valid_until"));
  ASSIGN_OR_RETURN(const std::optional<std::string> approval, options.text("approval"));
  RETURN_IF_ERROR(options.finish());
  if (until) {
    ASSIGN_OR_RETURN(wish.until, read_moment("valid_until", *until));
  }
  if (approval) {
    wish.approval = Uuid::from_text(*approval);
    if (!wish.approval) {
      return CallOptions::wrong("approval", "is " + quoted(*approval) + ", no id of 26 characters");
    }
  }
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.typed = class_as_typed(wish.retention_class);
  call.look_up = ask_plainly("read");
  call.work = [wanted = std::move(wish)](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const certificate::SignedAct act, store->standing_to_sign(wanted));
    Json json{{"decision", wanted.decision}};
    ASSIGN_OR_RETURN(json["text"], certificate::render(act));
    return with_object(std::move(json));
  };
  service.serve(message, std::move(call));
  return {};
}

}  // namespace aierase::daemon
