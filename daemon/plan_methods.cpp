#include <systemd/sd-bus.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/limits.h"
#include "bus/names.h"
#include "daemon/call_options.h"
#include "daemon/methods.h"
#include "daemon/records.h"
#include "daemon/selection.h"
#include "daemon/signed_methods.h"
#include "daemon/standing_methods.h"
#include "domain/ids.h"

namespace aierase::daemon {
namespace {

using lifecycle::Store;

// ---- Retire -------------------------------------------------------------------------------------

struct RetireWish {
  lifecycle::RetireRequest request;
  std::vector<std::string> names;
  std::optional<Named> only;  // the name, where there is but one: the question names it
  std::vector<domain::Selector> match;
};

Result<RetireWish> read_retire(std::vector<std::string> names, CallOptions& options) {
  RetireWish wish;
  wish.names = std::move(names);
  if (wish.names.size() == 1) wish.only.emplace(domain::IdType::asset, wish.names.front());
  ASSIGN_OR_RETURN(wish.request.reason, options.text_or("reason", ""));
  ASSIGN_OR_RETURN(wish.request.ticket, options.text_or("ticket", ""));
  ASSIGN_OR_RETURN(wish.request.keep, options.pairs("keep"));
  ASSIGN_OR_RETURN(wish.match, read_match(options));
  ASSIGN_OR_RETURN(const bool cascade, options.agreed("cascade"));
  ASSIGN_OR_RETURN(const bool skip, options.agreed("skip_blocked"));
  ASSIGN_OR_RETURN(const bool dry_run, options.agreed("dry_run"));
  ASSIGN_OR_RETURN(const bool now, options.agreed("now"));
  ASSIGN_OR_RETURN(wish.request.below_floor, options.text_or("below_floor", ""));
  RETURN_IF_ERROR(options.finish());
  if (now) wish.request.timing = domain::Timing::now;
  if (cascade) wish.request.cascade = lifecycle::Cascade::yes;
  if (skip) wish.request.skip_blocked = lifecycle::SkipBlocked::yes;
  if (dry_run) wish.request.persist = lifecycle::Persist::dry_run;
  if (wish.request.reason.empty()) {
    return make_error(Errc::usage, "a reason is needed: it stands on the certificate",
                      "add --reason TEXT");
  }
  if (wish.names.empty() == wish.match.empty()) {
    return make_error(Errc::usage, "name the assets to retire, or match them",
                      "aierase retire ASSET... or --match K=V, never both and never neither");
  }
  return wish;
}

Result<std::vector<Uuid>> select(Store& store, const RetireWish& wish) {
  if (wish.only) {
    ASSIGN_OR_RETURN(const Uuid asset, wish.only->found());
    return std::vector<Uuid>{asset};
  }
  if (!wish.match.empty()) {
    ASSIGN_OR_RETURN(std::vector<Uuid> found,
                     store.select(wish.match, catalog::NameScope::living, limits::kItemsPerPlan));
    if (!found.empty()) return found;
    return make_error(Errc::usage, "the match selects nothing",
                      "aierase list assets with the same --match shows what it would");
  }
  std::vector<Uuid> named;
  std::set<Uuid> seen;
  for (const std::string& name : wish.names) {
    ASSIGN_OR_RETURN(const Uuid asset, store.resolve_asset(name, catalog::NameScope::any));
    if (seen.insert(asset).second) named.push_back(asset);
  }
  return named;
}

Asked ask_retire(StoreSession& session, const RetireWish& wish) {
  Details details;
  if (wish.only) details = wish.only->look_up(session);
  details.emplace_back("items", std::to_string(wish.names.size()));
  details.emplace_back("reason", wish.request.reason);
  if (wish.request.timing == domain::Timing::now) details.emplace_back("grace", "skipped");
  if (!wish.request.below_floor.empty()) {
    details.emplace_back("below_floor", wish.request.below_floor);
  }
  return {"retire", std::move(details)};
}

Status retire(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::vector<std::string> names,
                   bus::read_strings(message, limits::kItemsPerPlan));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(RetireWish read, read_retire(std::move(names), options));
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  read.request.actor = call.caller.actor;
  const bool dry_run = read.request.persist == lifecycle::Persist::dry_run;
  call.effect = dry_run ? Effect::reads : Effect::changes;
  call.typed = read.names;
  const auto wish = std::make_shared<RetireWish>(std::move(read));  // one act at a time reads it
  call.look_up = [wish](StoreSession& session) { return ask_retire(session, *wish); };
  call.work = [wish](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(wish->request.assets, select(*store, *wish));
    ASSIGN_OR_RETURN(const lifecycle::PlanView view, store->retire(wish->request));
    return with_object(plan_json(view, store->people_rule()));
  };
  service.serve(message, std::move(call));
  return {};
}

// ---- acts on one plan ---------------------------------------------------------------------------

using Act = Task<Result<lifecycle::PlanView>(Store&, const domain::Actor&, const Uuid&)>;

Status serve_plan(Service& service, sd_bus_message* message, const char* action, Effect effect,
                  std::string typed, Act act) {
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.effect = effect;
  const Named named(domain::IdType::plan, std::move(typed));
  call.typed = {named.typed()};
  call.look_up = [named, action](StoreSession& session) {
    return Asked{action, named.look_up(session)};
  };
  call.work = [actor = call.caller.actor, named,
               apply = std::move(act)](StoreSession& session) mutable -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const Uuid plan, named.found());
    ASSIGN_OR_RETURN(const lifecycle::PlanView view, apply(*store, actor, plan));
    return with_object(plan_json(view, store->people_rule()));
  };
  service.serve(message, std::move(call));
  return {};
}

Status show(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string typed, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  RETURN_IF_ERROR(options.finish());
  return serve_plan(
      service, message, "read", Effect::reads, std::move(typed),
      [](Store& store, const domain::Actor&, const Uuid& plan) { return store.show_plan(plan); });
}

Status approve(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string typed, read_text(message));
  ASSIGN_OR_RETURN(std::string digest, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  RETURN_IF_ERROR(options.finish());
  return serve_plan(
      service, message, "approve", Effect::changes, std::move(typed),
      [prefix = std::move(digest)](Store& store, const domain::Actor& actor, const Uuid& plan) {
        return store.approve(actor, plan, prefix);
      });
}

Status reject(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string typed, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(std::string reason, options.text_or("reason", ""));
  RETURN_IF_ERROR(options.finish());
  return serve_plan(
      service, message, "approve", Effect::changes, std::move(typed),
      [why = std::move(reason)](Store& store, const domain::Actor& actor, const Uuid& plan) {
        return store.reject(actor, plan, why);
      });
}

Status cancel(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string typed, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  RETURN_IF_ERROR(options.finish());
  return serve_plan(service, message, "retire", Effect::changes, std::move(typed),
                    [](Store& store, const domain::Actor& actor, const Uuid& plan) {
                      return store.cancel(actor, plan);
                    });
}

Status list(Service& service, sd_bus_message* message) {
  return serve_list(service, message, "plans", &Store::list_plans, plan_row);
}

const sd_bus_vtable kVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Retire", SD_BUS_ARGS("as", assets, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", record), serve_method<retire>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("List", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", page),
                            serve_method<list>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Show", SD_BUS_ARGS("s", plan, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", record), serve_method<show>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Approve", SD_BUS_ARGS("s", plan, "s", digest, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", record), serve_method<approve>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Reject", SD_BUS_ARGS("s", plan, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", record), serve_method<reject>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_ARGS("s", plan, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", record), serve_method<cancel>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("TextToSign", SD_BUS_ARGS("as", plans, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", record), serve_method<text_to_sign>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS(
        "HandIn", SD_BUS_ARGS("s", verb, "s", text, "s", signature, "a{sv}", options),
        SD_BUS_RESULT("a{sv}", record), serve_method<hand_in>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS(
        "ApproveStanding", SD_BUS_ARGS("s", class, "s", until, "a{sv}", options),
        SD_BUS_RESULT("a{sv}", record), serve_method<approve_standing>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("RejectStanding", SD_BUS_ARGS("s", class, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", record), serve_method<reject_standing>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListApprovals", SD_BUS_ARGS("a{sv}", options),
                            SD_BUS_RESULT("a{sv}", page), serve_method<list_approvals>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS(
        "StandingToSign", SD_BUS_ARGS("s", class, "s", approver, "a{sv}", options),
        SD_BUS_RESULT("a{sv}", record), serve_method<standing_to_sign>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

}  // namespace

Status add_plan(sd_bus* bus, Service& service, Slots& slots) {
  return add_interface(bus, bus::kPlanInterface, kVtable, &service, slots);
}

}  // namespace aierase::daemon
