#include <systemd/sd-bus.h>

#include <nlohmann/json.hpp>

#include "bus/names.h"
#include "daemon/call_options.h"
#include "daemon/decision_records.h"
#include "daemon/evidence_job.h"
#include "daemon/methods.h"
#include "daemon/records.h"
#include "daemon/selection.h"
#include "daemon/store_jobs.h"
#include "domain/ids.h"

namespace aierase::daemon {
namespace {

using lifecycle::Store;

Result<catalog::CertificateRow> find(StoreSession& session, const Named& named) {
  ASSIGN_OR_RETURN(Store * store, session.store());
  ASSIGN_OR_RETURN(const Uuid id, named.found());
  return store->show_certificate(id);
}

Result<lifecycle::SignedRecord> find_signed(StoreSession& session, const Named& named,
                                            domain::IdType type,
                                            std::optional<std::uint64_t> amendment) {
  if (amendment) {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const Uuid id, named.found());
    ASSIGN_OR_RETURN(catalog::AmendmentRow row, store->show_amendment(id, *amendment));
    return lifecycle::SignedRecord(std::move(row));
  }
  if (type != domain::IdType::plan) {
    ASSIGN_OR_RETURN(catalog::CertificateRow row, find(session, named));
    return lifecycle::SignedRecord(std::move(row));
  }
  ASSIGN_OR_RETURN(Store * store, session.store());
  ASSIGN_OR_RETURN(const Uuid id, named.found());
  ASSIGN_OR_RETURN(catalog::RefusalRow row, store->show_refusal(id));
  return lifecycle::SignedRecord(std::move(row));
}

std::uint64_t leaf_of(const lifecycle::SignedRecord& record) {
  return std::visit([](const auto& row) { return row.log_index; }, record);
}

// Of a subject that may be a certificate or a plan.
domain::IdType type_of(const std::string& typed) {
  const auto id = domain::parse_id(typed);
  return id && id->type == domain::IdType::plan ? domain::IdType::plan
                                                : domain::IdType::certificate;
}

Status list(Service& service, sd_bus_message* message) {
  return serve_list(service, message, "certificates", &Store::list_certificates, certificate_row);
}

Status show(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string typed, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  const Named named(domain::IdType::certificate, std::move(typed));
  call.typed = {named.typed()};
  call.look_up = [named](StoreSession& session) { return Asked{"read", named.look_up(session)}; };
  call.work = [named](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(const catalog::CertificateRow row, find(session, named));
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const std::vector<domain::ValidationAct> acts, store->validations(row.id));
    ASSIGN_OR_RETURN(const std::vector<catalog::AmendmentRow> said, store->amendments(row.id));
    Json json = certificate_json(row, acts, said);
    for (std::size_t i = 0; i < acts.size(); ++i) {
      if (!acts[i].signed_by) continue;
      ASSIGN_OR_RETURN(const domain::SignedText text, store->signed_text(*acts[i].signed_by));
      add_signed_text(json["validations"][i], text);
    }
    return with_object(std::move(json));
  };
  service.serve(message, std::move(call));
  return {};
}

Status export_certificate(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string typed, read_text(message));
  ASSIGN_OR_RETURN(UniqueFd file, read_file(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  ASSIGN_OR_RETURN(const std::optional<std::uint64_t> amendment, options.number("amendment"));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  RETURN_IF_ERROR(service.jobs().check_room(call.caller.actor.uid, JobKind::store));
  const domain::IdType type = type_of(typed);
  if (amendment && type == domain::IdType::plan) {
    return make_error(Errc::usage, "the record of a plan has no amendments");
  }
  const Named named(type, std::move(typed));
  call.typed = {named.typed()};
  call.look_up = [named](StoreSession& session) { return Asked{"read", named.look_up(session)}; };
  call.work = [&jobs = service.jobs(), caller = call.caller, named, type, amendment,
               to = std::move(file)](StoreSession& session) mutable -> Result<Respond> {
    ASSIGN_OR_RETURN(lifecycle::SignedRecord found, find_signed(session, named, type, amendment));
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(std::optional<lifecycle::LogProof> in_log, store->prove(leaf_of(found)));
    if (!in_log) return Respond();
    return Respond([&jobs, caller, record = std::move(found), proof = std::move(*in_log),
                    target = std::move(to)]() mutable -> Result<Reply> {
      ASSIGN_OR_RETURN(Job * job,
                       jobs.create("certificate-export", caller, Takes::nothing, JobKind::store));
      job->start(make_certificate_export(job->shared_channel(), std::move(record), std::move(proof),
                                         std::move(target)));
      return Reply{nullptr, job->path()};
    });
  };
  service.serve(message, std::move(call));
  return {};
}

Status bundle(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(UniqueFd file, read_file(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  lifecycle::EvidenceWish wish;
  ASSIGN_OR_RETURN(wish.from, options.time("from"));
  ASSIGN_OR_RETURN(wish.until, options.time("until"));
  ASSIGN_OR_RETURN(wish.match, read_match(options));
  RETURN_IF_ERROR(options.finish());
  if (wish.from && wish.until && *wish.from > *wish.until) {
    return make_error(Errc::usage, "the period ends before it begins");
  }
  for (const domain::Selector& selector : wish.match) {
    if (!domain::asks_for_time(selector.key)) continue;
    return make_error(Errc::usage, "certificates cannot be matched by " + quoted(selector.text()),
                      "what is erased was neither used nor is it due; --from and --to say when");
  }
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  RETURN_IF_ERROR(service.jobs().check_room(call.caller.actor.uid, JobKind::store));
  call.look_up = ask_plainly("read", {{"act", "bundle"}});
  call.work = [&jobs = service.jobs(), caller = call.caller, wanted = std::move(wish),
               to = std::move(file)](StoreSession& session) mutable -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    static_cast<void>(store);
    return Respond([&jobs, caller, wish = std::move(wanted),
                    target = std::move(to)]() mutable -> Result<Reply> {
      ASSIGN_OR_RETURN(Job * job,
                       jobs.create("certificate-bundle", caller, Takes::nothing, JobKind::store));
      job->start(make_evidence(jobs, job->shared_channel(), std::move(wish), std::move(target)));
      return Reply{nullptr, job->path()};
    });
  };
  service.serve(message, std::move(call));
  return {};
}

std::optional<domain::Validation> parse_verdict(std::string_view word) {
  if (word == "accept") return domain::Validation::accepted;
  if (word == "reject") return domain::Validation::rejected;
  if (word == "escalate") return domain::Validation::escalated;
  return std::nullopt;
}

Status validate(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string typed, read_text(message));
  ASSIGN_OR_RETURN(const std::string word, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  lifecycle::ValidateRequest request;
  ASSIGN_OR_RETURN(request.reason, options.text_or("reason", ""));
  ASSIGN_OR_RETURN(request.remedy, options.text_or("remedy", ""));
  RETURN_IF_ERROR(options.finish());
  const std::optional<domain::Validation> verdict = parse_verdict(word);
  if (!verdict) {
    return make_error(Errc::usage, "an outcome is not validated by " + quoted(word),
                      "accept, reject or escalate");
  }
  request.verdict = *verdict;
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  request.actor = call.caller.actor;
  call.effect = Effect::changes;
  const domain::IdType type = type_of(typed);
  const bool plan = type == domain::IdType::plan;
  const Named named(type, std::move(typed));
  call.typed = {named.typed()};
  call.look_up = [named](StoreSession& session) {
    return Asked{"validate", named.look_up(session)};
  };
  call.work = [named, plan,
               wanted = std::move(request)](StoreSession& session) mutable -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(const Uuid found, named.found());
    wanted.certificate = found;
    if (plan) wanted.plan = found;
    ASSIGN_OR_RETURN(const lifecycle::ValidateReport report, store->validate(wanted));
    Json certificates = Json::array();
    for (const Uuid& one : report.certificates) {
      certificates.push_back(domain::id_text(domain::IdType::certificate, one));
    }
    return with_object({{"verdict", domain::to_text(report.verdict)},
                        {"certificates", std::move(certificates)},
                        {"awaiting", report.awaiting}});
  };
  service.serve(message, std::move(call));
  return {};
}

Result<std::optional<domain::EvidenceFile>> read_evidence(CallOptions& options) {
  ASSIGN_OR_RETURN(const std::optional<std::string> name, options.text("evidence"));
  ASSIGN_OR_RETURN(const std::optional<std::string> sha256, options.text("evidence-sha256"));
  ASSIGN_OR_RETURN(const std::optional<std::uint64_t> bytes, options.number("evidence-bytes"));
  ASSIGN_OR_RETURN(const std::optional<std::string> media_type, options.text("media-type"));
  if (!name && !sha256 && !bytes && !media_type) return std::optional<domain::EvidenceFile>();
  const std::optional<Bytes> digest = sha256 ? from_hex(*sha256) : std::nullopt;
  domain::EvidenceFile file;
  if (!name || !bytes || !media_type || !digest || digest->size() != file.sha256.size()) {
    return make_error(Errc::usage,
                      "a file of evidence is named by evidence, evidence-sha256 in hex, "
                      "evidence-bytes and media-type");
  }
  std::copy(digest->begin(), digest->end(), file.sha256.begin());
  file.name = *name;
  file.bytes = *bytes;
  file.media_type = *media_type;
  return std::optional<domain::EvidenceFile>(std::move(file));
}

Status amend(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(std::string typed, read_text(message));
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  lifecycle::AmendRequest request;
  ASSIGN_OR_RETURN(request.reason, options.text_or("reason", ""));
  ASSIGN_OR_RETURN(request.evidence, read_evidence(options));
  ASSIGN_OR_RETURN(request.closes, options.texts("closes"));
  ASSIGN_OR_RETURN(const std::optional<std::string> again, options.text("erased-again"));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  request.actor = call.caller.actor;
  call.effect = Effect::changes;
  const Named named(domain::IdType::certificate, std::move(typed));
  std::optional<Named> later;
  if (again) later.emplace(domain::IdType::certificate, *again);
  call.typed = {named.typed()};
  call.look_up = [named, later](StoreSession& session) {
    if (later) later->look_up(session);
    return Asked{"validate", named.look_up(session)};
  };
  call.work = [named, later,
               wanted = std::move(request)](StoreSession& session) mutable -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(wanted.certificate, named.found());
    if (later) {
      ASSIGN_OR_RETURN(wanted.again, later->found());
    }
    ASSIGN_OR_RETURN(const lifecycle::AmendReport report, store->amend(wanted));
    return with_object(
        {{"certificate", domain::id_text(domain::IdType::certificate, report.certificate)},
         {"number", report.number},
         {"validation", domain::to_text(report.validation)},
         {"residuals_open", report.open},
         {"outcome",
          domain::is_final(report.validation, report.open.size()) ? "final" : "partial"}});
  };
  service.serve(message, std::move(call));
  return {};
}

// Signer, keyring and trusted root: what somebody needs who verifies.
Result<Json> trust_of(Store& store) {
  ASSIGN_OR_RETURN(const lifecycle::StatusReport report, store.status());
  ASSIGN_OR_RETURN(const certificate::Keyring keyring, store.keyring());
  Json trust = trust_json(store.signer(), report.state.store);
  ASSIGN_OR_RETURN(trust["keyring"], certificate::keyring_json(keyring));
  ASSIGN_OR_RETURN(trust["trusted_root"], certificate::trusted_root_json(keyring));
  return trust;
}

Status rotate_keys(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.effect = Effect::changes;
  call.look_up = ask_plainly("manage-store", {{"act", "rotate-keys"}});
  call.work = [actor = call.caller.actor](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    RETURN_IF_ERROR(store->rotate_keys(actor));
    ASSIGN_OR_RETURN(Json trust, trust_of(*store));
    return with_object(std::move(trust));
  };
  service.serve(message, std::move(call));
  return {};
}

Status trust(Service& service, sd_bus_message* message) {
  ASSIGN_OR_RETURN(CallOptions options, CallOptions::read(message));
  RETURN_IF_ERROR(options.finish());
  Call call;
  ASSIGN_OR_RETURN(call.caller, caller_of(message));
  call.look_up = ask_plainly("read");
  call.work = [](StoreSession& session) -> Result<Respond> {
    ASSIGN_OR_RETURN(Store * store, session.store());
    ASSIGN_OR_RETURN(Json trust, trust_of(*store));
    return with_object(std::move(trust));
  };
  service.serve(message, std::move(call));
  return {};
}

const sd_bus_vtable kVtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("List", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", page),
                            serve_method<list>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Show", SD_BUS_ARGS("s", certificate, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", record), serve_method<show>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Export", SD_BUS_ARGS("s", subject, "h", file, "a{sv}", options),
                            SD_BUS_RESULT("o", job), serve_method<export_certificate>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Bundle", SD_BUS_ARGS("h", file, "a{sv}", options),
                            SD_BUS_RESULT("o", job), serve_method<bundle>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Trust", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", trust),
                            serve_method<trust>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("RotateKeys", SD_BUS_ARGS("a{sv}", options),
                            SD_BUS_RESULT("a{sv}", trust), serve_method<rotate_keys>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Validate", SD_BUS_ARGS("s", subject, "s", verdict, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", record), serve_method<validate>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Amend", SD_BUS_ARGS("s", certificate, "a{sv}", options),
                            SD_BUS_RESULT("a{sv}", record), serve_method<amend>,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

}  // namespace

Status add_certificate(sd_bus* bus, Service& service, Slots& slots) {
  return add_interface(bus, bus::kCertificateInterface, kVtable, &service, slots);
}

}  // namespace aierase::daemon
