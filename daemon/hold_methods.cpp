#include <systemd/sd-bus.h>

#include <nlohmann/json.hpp>

#include "bus/names.h"
#include "daemon/call_options.h"
#include "daemon/methods.h"
#include "daemon/records.h"
#include "daemon/selection.h"
#include "domain/ids.h"

namespace aierase::daemon {
namespace {

using lifecycle::Store;

std::string joined(const std::vector<domain::Selector>& selectors) {
  std::string text;
  for (const domain::Selector& one : selectors) text += (text.empty() ? "" : " ") + one.text();
  return text;
}

Status place(Service& service, sd_bus_message* message) {
  lifecycle::HoldRequest request;
  ASSIGN_OR_RETURN(request.matter, read_text(message));
  ASSIGN_OR_RETURN(request.reason, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(request.selectors, read_match(options));
  ASSIGN_OR_RETURN(const bool future, options.agreed("future"));
  RETURN_IF_ERROR(options.finish());
  if (future) request.reach = domain::HoldReach::future;
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  request.actor = call.caller.actor;
  call.effect = Effect::changes;
  call.typed = {"matter " + request.matter};  // no asset has a name with a space
  call.look_up =
      ask_plainly("place-hold", {{"matter", request.matter}, {"match", joined(request.selectors)}});
  call.work = [wanted = std::move(request)](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const lifecycle::HoldView view, store->place_hold(wanted));
    return with_object(hold_json(view));
  };
  service.serve(message, std::move(call));
  return {};
}

Status lift(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string typed, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(std::string reason, options.text_or("reason", ""));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.effect = Effect::changes;
  const Named named(domain::IdType::hold, std::move(typed));
  call.typed = {named.typed()};
  call.look_up = [named](StoreSession& session) {
    return Asked{"lift-hold", named.look_up(session)};
  };
  call.work = [actor = call.caller.actor, named,
               why = std::move(reason)](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const Uuid hold, named.found());
    ASSIGN_OR_RETURN(const lifecycle::HoldView view, store->lift_hold(actor, hold, why));
    return with_object(hold_detail_json(view));
  };
  service.serve(message, std::move(call));
  return {};
}

Status show(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string typed, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  const Named named(domain::IdType::hold, std::move(typed));
  call.typed = {named.typed()};
  call.look_up = [named](StoreSession& session) { return Asked{"read", named.look_up(session)}; };
  call.work = [named](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const Uuid hold, named.found());
    ASSIGN_OR_RETURN(const lifecycle::HoldView view, store->show_hold(hold));
    return with_object(hold_detail_json(view));
  };
  service.serve(message, std::move(call));
  return {};
}

Status list(Service& service, sd_bus_message* message) {
  return serve_list(service, message, "holds", &Store::list_holds, hold_json);
}

const sd_bus_vtable kVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Place", SD_BUS_ARGS("s", matter, "s", reason, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", record), serve_method<place>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Lift", SD_BUS_ARGS("s", hold, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", record), serve_method<lift>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Show", SD_BUS_ARGS("s", hold, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", record), serve_method<show>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("List", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", page),
                            serve_method<list>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

}  // namespace

Status add_hold(sd_bus* bus, Service& service, Slots& slots) {
  return add_interface(bus, bus::kHoldInterface, kVtable, &service, slots);
}

}  // namespace aierase::daemon
