#include <systemd/sd-bus.h>

#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "bus/names.h"
#include "daemon/call_options.h"
#include "daemon/export_job.h"
#include "daemon/import_job.h"
#include "daemon/import_options.h"
#include "daemon/methods.h"
#include "daemon/mount_job.h"
#include "daemon/records.h"
#include "daemon/selection.h"
#include "domain/ids.h"

namespace aierase::daemon {
namespace {

using lifecycle::Store;

// ---- Import -------------------------------------------------------------------------------------

// In a single-operator store the caller answers for what nobody was named for.
Status default_custodian(Store& store, lifecycle::ImportRequest& request) {
  if (!request.custodians.empty()) return {};
  if (store.people_rule() == domain::PeopleRule::single_operator) {
    ASSIGN_OR_RETURN(domain::Custodian self, custodian_of(request.actor));
    request.custodians.push_back(std::move(self));
    return {};
  }
  return make_error(Errc::usage, "an asset needs at least one data custodian: who approves its end",
                    "add --custodian USER or --custodian @GROUP");
}

Result<Reply> start_import(Service& service, const Caller& caller, ImportOrder order) {
  Jobs& jobs = service.jobs();
  const Uuid asset = order.ticket.asset;
  Result<Job*> job = jobs.create("import", caller, Takes::files, JobKind::transfer);
  if (!job.ok()) {
    abort_on_store(service.store(), asset);
    return job.error();
  }
  (*job)->start(make_import(jobs, (*job)->shared_channel(), std::move(order)));
  return Reply{nullptr, (*job)->path()};
}

Status import_asset(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string name, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(ImportWish wish, read_import(options, service.people()));
  ASSIGN_OR_RETURN(const domain::AssetName parsed, domain::AssetName::parse(name));
  wish.request.name = parsed.text();
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  RETURN_IF_ERROR(service.jobs().check_room(call.caller.actor.uid, JobKind::transfer));
  wish.request.actor = call.caller.actor;
  call.effect = Effect::changes;
  call.typed = {parsed.text()};
  call.look_up = ask_plainly("import", {{"name", parsed.text()},
                                        {"kind", std::string(domain::to_text(wish.request.kind))},
                                        {"retention", wish.request.retention}});
  call.work = [&service, caller = call.caller,
               wanted = std::move(wish)](StoreSession& session) mutable -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    RETURN_IF_ERROR(default_custodian(*store, wanted.request));
    ImportOrder order;
    order.actor = caller.actor;
    order.sources = std::move(wanted.sources);
    order.asserts_encrypted = wanted.asserts_encrypted;
    order.generates_key = wanted.generates_key;
    order.without_files = wanted.without_files;
    order.metadata = std::move(wanted.metadata);
    ASSIGN_OR_RETURN(order.ticket, store->begin_import(std::move(wanted.request)));
    return Respond([&service, caller, begun = std::move(order)]() mutable {
      return start_import(service, caller, std::move(begun));
    });
  };
  service.serve(message, std::move(call));
  return {};
}

// ---- Export -------------------------------------------------------------------------------------

Asked ask_export(StoreSession& session, const Named& named) {
  Asked asked{"export", named.look_up(session)};
  for (const auto& detail : asked.details) {
    if (detail.first == "kind" && detail.second == "dataset-key") asked.action = "export-key";
  }
  return asked;
}

Status export_asset(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string typed, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  lifecycle::ExportRequest request;
  ASSIGN_OR_RETURN(request.file, options.text("file"));
  ASSIGN_OR_RETURN(const std::optional<std::uint64_t> first, options.number("first"));
  ASSIGN_OR_RETURN(const std::optional<std::uint64_t> last, options.number("last"));
  ASSIGN_OR_RETURN(request.destination, options.text_or("destination", ""));
  RETURN_IF_ERROR(options.finish());
  if (first.has_value() != last.has_value()) {
    return CallOptions::wrong("first", "and last go together");
  }
  if (first) request.range = std::pair(*first, *last);
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  RETURN_IF_ERROR(service.jobs().check_room(call.caller.actor.uid, JobKind::transfer));
  request.actor = call.caller.actor;
  call.effect = Effect::changes;
  const Named named(domain::IdType::asset, std::move(typed));
  call.typed = {named.typed()};
  call.look_up = [named](StoreSession& session) { return ask_export(session, named); };
  call.work = [&jobs = service.jobs(), caller = call.caller, named,
               wanted = std::move(request)](StoreSession& session) mutable -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(wanted.asset, named.found());
    RETURN_IF_ERROR(store->check_use(wanted.actor, wanted.asset));
    return Respond([&jobs, caller, order = std::move(wanted)]() mutable -> Result<Reply> {
      ASSIGN_OR_RETURN(Job * job, jobs.create("export", caller, Takes::files, JobKind::transfer));
      job->start(make_export(jobs, job->shared_channel(), std::move(order)));
      return Reply{nullptr, job->path()};
    });
  };
  service.serve(message, std::move(call));
  return {};
}

// ---- Mount --------------------------------------------------------------------------------------

Status mount_asset(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string typed, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  lifecycle::MountRequest request;
  ASSIGN_OR_RETURN(request.holder.mount_point, options.text_or("mount_point", ""));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  RETURN_IF_ERROR(service.jobs().check_room(call.caller.actor.uid, JobKind::view));
  CallerProcess process = process_of(message);
  request.holder.actor = call.caller.actor;
  request.holder.pid = process.pid;
  request.holder.unit = std::move(process.unit);
  call.effect = Effect::changes;
  const Named named(domain::IdType::asset, std::move(typed));
  call.typed = {named.typed()};
  call.look_up = [named](StoreSession& session) { return Asked{"mount", named.look_up(session)}; };
  call.work = [&jobs = service.jobs(), caller = call.caller, named,
               wanted = std::move(request)](StoreSession& session) mutable -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(wanted.asset, named.found());
    RETURN_IF_ERROR(store->check_use(caller.actor, wanted.asset));
    return Respond([&jobs, caller, order = std::move(wanted)]() mutable -> Result<Reply> {
      ASSIGN_OR_RETURN(Job * job, jobs.create("mount", caller, Takes::files, JobKind::view));
      job->start(make_mount(jobs, job->shared_channel(), std::move(order)));
      return Reply{nullptr, job->path()};
    });
  };
  service.serve(message, std::move(call));
  return {};
}

// ---- List, Show ---------------------------------------------------------------------------------

Status list(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(std::vector<domain::Selector> match, read_match(options));
  ASSIGN_OR_RETURN(PageWish wish, read_page(options));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.look_up = ask_plainly("read");
  call.work = [selectors = std::move(match),
               wish = std::move(wish)](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const catalog::Page<domain::Asset> page,
                     store->list_assets(selectors, wish.cursor, wish.rows));
    Json assets = Json::array();
    for (const domain::Asset& asset : page.rows) assets.push_back(asset_row(asset));
    return with_object({{"assets", std::move(assets)}, {"next", page.next}});
  };
  service.serve(message, std::move(call));
  return {};
}

Status show(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string typed, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(const std::optional<std::uint64_t> first, options.number("first_file"));
  ASSIGN_OR_RETURN(const bool metadata, options.agreed("metadata"));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  const Named named(domain::IdType::asset, std::move(typed));
  call.typed = {named.typed()};
  call.look_up = [named](StoreSession& session) { return Asked{"read", named.look_up(session)}; };
  call.work = [named, metadata, from = static_cast<std::size_t>(first.value_or(0))](
                  StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const Uuid asset, named.found());
    ASSIGN_OR_RETURN(const lifecycle::AssetView view, store->show_asset(asset));
    Json shown = asset_json(view, from);
    if (metadata && !view.metadata.empty()) shown["metadata"] = view.metadata;
    return with_object(std::move(shown));
  };
  service.serve(message, std::move(call));
  return {};
}

// ---- Set, Suspend, Resume -----------------------------------------------------------------------

using Change = Task<Result<lifecycle::AssetView>(Store&, const domain::Actor&, const Uuid&)>;

Status serve_change(Service& service, sd_bus_message* message, std::string typed, Change change) {
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.effect = Effect::changes;
  const Named named(domain::IdType::asset, std::move(typed));
  call.typed = {named.typed()};
  call.look_up = [named](StoreSession& session) { return Asked{"change", named.look_up(session)}; };
  call.work = [actor = call.caller.actor, named,
               apply = std::move(change)](StoreSession& session) mutable -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const Uuid asset, named.found());
    ASSIGN_OR_RETURN(const lifecycle::AssetView view, apply(*store, actor, asset));
    Json json = asset_json(view);
    if (view.changed == lifecycle::Changed::no) json["changed"] = "no";
    return with_object(std::move(json));
  };
  service.serve(message, std::move(call));
  return {};
}

// "K=V" sets, "K-" removes.
Status read_label_changes(CallOptions& options, Store::Changes& changes) {
  ASSIGN_OR_RETURN(const std::vector<std::string> labels, options.texts("labels"));
  for (const std::string& label : labels) {
    const std::size_t equals = label.find('=');
    if (equals != std::string::npos && equals > 0) {
      changes.labels.emplace_back(label.substr(0, equals), label.substr(equals + 1));
    } else if (equals == std::string::npos && label.size() > 1 && label.back() == '-') {
      changes.labels.emplace_back(label.substr(0, label.size() - 1), std::nullopt);
    } else {
      return CallOptions::wrong("labels", "has " + quoted(label) + ", which is neither K=V nor K-");
    }
  }
  return {};
}

Status read_event(CallOptions& options, Store::Changes& changes) {
  ASSIGN_OR_RETURN(const std::optional<std::string> placed, options.text("placed_on_market"));
  if (!placed) return {};
  changes.placed_on_market = from_rfc3339(*placed);
  if (changes.placed_on_market) return {};
  return CallOptions::wrong("placed_on_market",
                            "is " + quoted(*placed) + ", not a time like 2026-11-02T00:00:00Z");
}

Status set(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string typed, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  Store::Changes changes;
  RETURN_IF_ERROR(read_label_changes(options, changes));
  ASSIGN_OR_RETURN(changes.retention, options.text("retention"));
  ASSIGN_OR_RETURN(changes.custodians, read_custodians(options, service.people()));
  ASSIGN_OR_RETURN(changes.reason, options.text_or("reason", ""));
  RETURN_IF_ERROR(read_event(options, changes));
  RETURN_IF_ERROR(options.finish());
  return serve_change(
      service, message, std::move(typed),
      [wanted = std::move(changes)](Store& store, const domain::Actor& actor, const Uuid& asset) {
        return store.set_asset(actor, asset, wanted);
      });
}

template <Result<lifecycle::AssetView> (Store::*Act)(const domain::Actor&, const Uuid&,
                                                     const std::string&)>
Status change_state(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string typed, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(std::string reason, options.text_or("reason", ""));
  RETURN_IF_ERROR(options.finish());
  return serve_change(
      service, message, std::move(typed),
      [why = std::move(reason)](Store& store, const domain::Actor& actor, const Uuid& asset) {
        return (store.*Act)(actor, asset, why);
      });
}

Status report_sources_removed(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string typed, read_text(message));
  ASSIGN_OR_RETURN(std::vector<std::string> descriptions,
                   bus::read_strings(message, limits::kSourcesPerAsset));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.effect = Effect::changes;
  const Named named(domain::IdType::asset, std::move(typed));
  call.typed = {named.typed()};
  call.look_up = [named](StoreSession& session) { return Asked{"import", named.look_up(session)}; };
  call.work = [actor = call.caller.actor, named,
               gone = std::move(descriptions)](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const Uuid asset, named.found());
    RETURN_IF_ERROR(store->report_sources_removed(actor, asset, gone));
    return with_nothing();
  };
  service.serve(message, std::move(call));
  return {};
}

const sd_bus_vtable kVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Import", SD_BUS_ARGS("s", name, "a{sv}", options),
                            SD_BUS_RESULT("o", job), serve_method<import_asset>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Export", SD_BUS_ARGS("s", asset, "a{sv}", options),
                            SD_BUS_RESULT("o", job), serve_method<export_asset>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Mount", SD_BUS_ARGS("s", asset, "a{sv}", options),
                            SD_BUS_RESULT("o", job), serve_method<mount_asset>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("List", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", page),
                            serve_method<list>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Show", SD_BUS_ARGS("s", asset, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", record), serve_method<show>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Set", SD_BUS_ARGS("s", asset, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", record), serve_method<set>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS(
        "Suspend", SD_BUS_ARGS("s", asset, "a{sv}", options), SD_BUS_RESULT("a{sv}", record),
        serve_method<change_state<&Store::suspend_asset>>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS(
        "Resume", SD_BUS_ARGS("s", asset, "a{sv}", options), SD_BUS_RESULT("a{sv}", record),
        serve_method<change_state<&Store::resume_asset>>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS(
        "ReportSourcesRemoved", SD_BUS_ARGS("s", asset, "as", descriptions, "a{sv}", options),
        SD_BUS_NO_RESULT, serve_method<report_sources_removed>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

}  // namespace

Status add_asset(sd_bus* bus, Service& service, Slots& slots) {
  return add_interface(bus, bus::kAssetInterface, kVtable, &service, slots);
}

}  // namespace aierase::daemon
