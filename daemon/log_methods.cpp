#include <systemd/sd-bus.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "bus/names.h"
#include "daemon/audit_records.h"
#include "daemon/call_options.h"
#include "daemon/methods.h"
#include "daemon/selection.h"
#include "domain/ids.h"

namespace aierase::daemon {
namespace {

using lifecycle::AuditTrail;
using lifecycle::Store;

struct AuditWish {
  Store::AuditRequest request;
  std::string asset;  // as typed
  PageWish page;
};

// All digits are a uid; a login may not be that.
void pick_person(const std::string& who, catalog::AuditQuery& query) {
  std::uint32_t uid = 0;
  const char* end = who.data() + who.size();
  const std::from_chars_result read = std::from_chars(who.data(), end, uid);
  if (read.ec == std::errc() && read.ptr == end) {
    query.uid = uid;
  } else {
    query.login = who;
  }
}

bool is_outcome(const std::string& word) {
  for (const std::string_view known :
       {domain::kAuditOk, domain::kAuditBegun, domain::kAuditNotice}) {
    if (word == known) return true;
  }
  for (int code = 0; code <= static_cast<int>(Errc::busy); ++code) {
    if (info(static_cast<Errc>(code)).name == word) return true;
  }
  return false;
}

Result<AuditWish> read_wish(CallOptions& options) {
  AuditWish wish;
  catalog::AuditQuery& query = wish.request.query;
  ASSIGN_OR_RETURN(query.since, options.time("since"));
  ASSIGN_OR_RETURN(query.until, options.time("until"));
  ASSIGN_OR_RETURN(const std::string who, options.text_or("who", ""));
  if (!who.empty()) pick_person(who, query);
  ASSIGN_OR_RETURN(query.action, options.text("action"));
  ASSIGN_OR_RETURN(query.outcome, options.text("outcome"));
  if (query.outcome && !is_outcome(*query.outcome)) {
    return CallOptions::wrong("outcome", "does not know " + quoted(*query.outcome) +
                                             "; ok, begun, notice or the code of an error");
  }
  ASSIGN_OR_RETURN(wish.asset, options.text_or("asset", ""));
  ASSIGN_OR_RETURN(wish.page, read_page(options));
  RETURN_IF_ERROR(options.finish());
  return wish;
}

// Somebody asks what was done to a thing that never was, too: then by the name alone.
Result<std::optional<Store::AuditRequest::Asset>> find_asset(Store& store,
                                                             const std::string& typed) {
  using Asset = Store::AuditRequest::Asset;
  if (typed.empty()) return std::optional<Asset>();
  const Result<Uuid> id = store.resolve_asset(typed, catalog::NameScope::any);
  if (!id.ok()) {
    if (id.error().code != Errc::not_found) return id.error();
    return std::optional<Asset>(Asset{std::nullopt, typed});
  }
  ASSIGN_OR_RETURN(const domain::Asset asset, store.glance_at_asset(*id));
  return std::optional<Asset>(Asset{*id, asset.name.text()});
}

Status audit(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(AuditWish wish, read_wish(options));
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.look_up = ask_plainly("read", {{"act", "audit"}});
  call.work = [&post = service.audit(),
               wanted = std::move(wish)](StoreSession& session) mutable -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    // What was answered before this call is in its answer; a full disk leaves it to the next.
    post.flush(*store, AuditTrail::Part::shown);
    ASSIGN_OR_RETURN(wanted.request.asset, find_asset(*store, wanted.asset));
    ASSIGN_OR_RETURN(const Store::AuditPage page,
                     store->audit(wanted.request, wanted.page.cursor, wanted.page.rows));
    Json calls = Json::array();
    for (const domain::AuditRow& row : page.rows) calls.push_back(audit_json(row));
    return with_object({{"calls", std::move(calls)},
                        {"next", page.next},
                        {"newest", std::to_string(page.newest)}});
  };
  service.serve(message, std::move(call));
  return {};
}

Status checkpoint(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(const std::optional<std::uint64_t> from, options.number("from"));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.look_up = ask_plainly("read", {{"act", "checkpoint"}});
  call.work = [from](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const std::optional<lifecycle::LogHead> log, store->log_head(from));
    if (!log) return Respond();
    Json hashes = Json::array();
    for (const Digest& hash : log->consistency) hashes.push_back(to_base64(hash));
    return with_object({{"checkpoint", log->head.checkpoint},
                        {"size", log->head.size},
                        {"root", to_base64(log->head.root)},
                        {"signed_at", to_rfc3339(log->head.signed_at)},
                        {"consistency", std::move(hashes)}});
  };
  service.serve(message, std::move(call));
  return {};
}

const sd_bus_vtable kVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Audit", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", page),
                            serve_method<audit>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Checkpoint", SD_BUS_ARGS("a{sv}", options),
                            SD_BUS_RESULT("a{sv}", head), serve_method<checkpoint>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_SIGNAL_WITH_ARGS("Noticed", SD_BUS_ARGS("ax", numbers), 0),
    SD_BUS_VTABLE_END,
};

}  // namespace

Status add_log(sd_bus* bus, Service& service, Slots& slots) {
  return add_interface(bus, bus::kLogInterface, kVtable, &service, slots);
}

}  // namespace aierase::daemon
