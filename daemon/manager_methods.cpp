#include <systemd/sd-bus.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "bus/names.h"
#include "daemon/audit_records.h"
#include "daemon/call_options.h"
#include "daemon/jobs.h"
#include "daemon/methods.h"
#include "daemon/secret_input.h"
#include "daemon/store_jobs.h"

namespace aierase::daemon {
namespace {

using lifecycle::UnlockKind;

enum class InitMode { create, adopt, tighten };

std::optional<InitMode> parse_mode(std::string_view text) noexcept {
  if (text == "create") return InitMode::create;
  if (text == "adopt") return InitMode::adopt;
  if (text == "tighten") return InitMode::tighten;
  return std::nullopt;
}

std::optional<domain::PeopleRule> parse_rule(std::string_view text) noexcept {
  if (text == "two-person") return domain::PeopleRule::two_person;
  if (text == "single-operator") return domain::PeopleRule::single_operator;
  return std::nullopt;
}

std::optional<lifecycle::CheckDepth> parse_depth(std::string_view text) noexcept {
  if (text == "structure") return lifecycle::CheckDepth::structure;
  if (text == "deep") return lifecycle::CheckDepth::deep;
  return std::nullopt;
}

Result<StoreSession::Initialisation> read_initialisation(CallOptions& options) {
  StoreSession::Initialisation init;
  ASSIGN_OR_RETURN(init.slot_kind,
                   options.word<lifecycle::SlotKind>("root_slot", lifecycle::parse_slot_kind));
  ASSIGN_OR_RETURN(init.slot_path, options.text("slot_path"));
  ASSIGN_OR_RETURN(init.unlock, options.word<UnlockKind>("unlock", lifecycle::parse_unlock_kind));
  ASSIGN_OR_RETURN(init.keyfile, options.text_or("keyfile", ""));
  ASSIGN_OR_RETURN(const std::optional<domain::PeopleRule> rule,
                   options.word<domain::PeopleRule>("people_rule", parse_rule));
  init.people_rule = rule.value_or(domain::PeopleRule::two_person);
  if ((init.unlock == UnlockKind::keyfile) == init.keyfile.empty()) {
    return CallOptions::wrong("keyfile", "goes with unlock = keyfile, and only with it");
  }
  return init;
}

Status init(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(const std::optional<InitMode> mode, options.word<InitMode>("mode", parse_mode));
  ASSIGN_OR_RETURN(StoreSession::Initialisation request, read_initialisation(options));
  std::optional<UniqueFd> passphrase = options.file(bus::kPassphraseOption);
  RETURN_IF_ERROR(options.finish());
  if ((request.unlock == UnlockKind::passphrase) != passphrase.has_value()) {
    return CallOptions::wrong("passphrase", "goes with unlock = passphrase, and only with it");
  }
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  request.actor = call.caller.actor;
  call.effect = Effect::changes;
  call.look_up = ask_plainly("manage-store", {{"act", "init"}});
  call.work = [what = mode.value_or(InitMode::create), init_request = std::move(request),
               file = std::move(passphrase)](StoreSession& session) mutable -> Result<Respond> {
    std::string choice;
    if (what == InitMode::adopt) {
      RETURN_IF_ERROR(session.adopt());
    } else if (what == InitMode::tighten) {
      ASSIGN_OR_RETURN(lifecycle::Store * store, session.store());
      RETURN_IF_ERROR(store->tighten_people_rule(init_request.actor));
    } else {
      if (file) {
        ASSIGN_OR_RETURN(init_request.passphrase, read_passphrase(file->get()));
      }
      choice = session.choose_slot(init_request);
      RETURN_IF_ERROR(session.initialise(std::move(init_request)));
    }
    Json status = session.status();
    if (!choice.empty()) status["slot_choice"] = std::move(choice);
    return with_object(std::move(status));
  };
  service.serve(message, std::move(call));
  return {};
}

Status unlock(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(UniqueFd passphrase, read_file(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.effect = Effect::changes;
  call.look_up = ask_plainly("manage-store", {{"act", "unlock"}});
  call.work = [file = std::move(passphrase)](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(const SecretBytes secret, read_passphrase(file.get()));
    RETURN_IF_ERROR(session.unlock(secret));
    return with_object(session.status());
  };
  service.serve(message, std::move(call));
  return {};
}

Status status(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(const bool measures, options.agreed("measures"));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.look_up = ask_plainly("read");
  call.work = [measures](StoreSession& session) -> Result<Respond> {
    Json now = session.status();
    const Result<lifecycle::Store*> store = session.store();
    if (measures && store.ok()) {
      ASSIGN_OR_RETURN(const lifecycle::Measures counted, (*store)->measures());
      now["measures"] = measures_json(counted);
    }
    return with_object(std::move(now));
  };
  service.serve(message, std::move(call));
  return {};
}

Status move_slot(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(const std::string home, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  RETURN_IF_ERROR(options.finish());
  const std::optional<lifecycle::SlotKind> kind = lifecycle::parse_slot_kind(home);
  if (!kind) return CallOptions::wrong("kind", "is file, tpm2 or tpm2+file");
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.effect = Effect::changes;
  call.look_up = ask_plainly("manage-store", {{"act", "slot-move"}});
  call.work = [to = *kind, actor = call.caller.actor](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(lifecycle::Store * store, session.store());
    RETURN_IF_ERROR(store->move_slot(actor, to));
    return with_object(session.status());
  };
  service.serve(message, std::move(call));
  return {};
}

Status doctor(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.look_up = ask_plainly("read");
  call.work = [](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Json findings, session.doctor());
    return with_object(std::move(findings));
  };
  service.serve(message, std::move(call));
  return {};
}

Status check(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::vector<std::string> names,
                   bus::read_strings(message, limits::kItemsPerPlan));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(const std::optional<lifecycle::CheckDepth> depth,
                   options.word<lifecycle::CheckDepth>("depth", parse_depth));
  ASSIGN_OR_RETURN(const std::optional<std::uint64_t> max_rate, options.number("max_rate"));
  RETURN_IF_ERROR(options.finish());
  CheckOrder order;
  order.depth = depth.value_or(lifecycle::CheckDepth::structure);
  order.max_rate = max_rate.value_or(0);
  if (max_rate && (*max_rate == 0 || order.depth != lifecycle::CheckDepth::deep)) {
    return CallOptions::wrong("max_rate",
                              "is bytes a second, at least 1, and goes with depth = deep");
  }
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  RETURN_IF_ERROR(service.jobs().check_room(call.caller.actor.uid, JobKind::store));
  call.typed = names;
  call.look_up = ask_plainly("read", {{"act", "check"}});
  call.work = [&jobs = service.jobs(), caller = call.caller, typed = std::move(names),
               how = std::move(order)](StoreSession& session) mutable -> Result<Respond> {
    ASSIGN_OR_RETURN(lifecycle::Store * store, session.store());
    for (const std::string& name : typed) {
      ASSIGN_OR_RETURN(const Uuid asset, store->resolve_asset(name, catalog::NameScope::any));
      how.assets.push_back(asset);
    }
    return Respond([&jobs, caller, wanted = std::move(how)]() mutable -> Result<Reply> {
      ASSIGN_OR_RETURN(Job * job, jobs.create("check", caller, Takes::nothing, JobKind::store));
      job->start(make_check(jobs, job->shared_channel(), std::move(wanted)));
      return Reply{nullptr, job->path()};
    });
  };
  service.serve(message, std::move(call));
  return {};
}

const sd_bus_vtable kVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Init", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", status),
                            serve_method<init>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Unlock", SD_BUS_ARGS("h", passphrase, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", status), serve_method<unlock>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("MoveSlot", SD_BUS_ARGS("s", kind, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", status), serve_method<move_slot>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Status", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", status),
                            serve_method<status>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Doctor", SD_BUS_ARGS("a{sv}", options),
                            SD_BUS_RESULT("a{sv}", findings), serve_method<doctor>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Check", SD_BUS_ARGS("as", assets, "a{sv}", options),
                            SD_BUS_RESULT("o", job), serve_method<check>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_SIGNAL_WITH_ARGS("Changed", SD_BUS_ARGS("as", ids), 0),
    SD_BUS_VTABLE_END,
};

}  // namespace

Status add_manager(sd_bus* bus, Service& service, Slots& slots) {
  return add_interface(bus, bus::kManagerInterface, kVtable, &service, slots);
}

}  // namespace aierase::daemon
