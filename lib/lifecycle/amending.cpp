#include "lifecycle/amending.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "certificate/amendment.h"
#include "certificate/bundle.h"
#include "lifecycle/publishing.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

using domain::AmendmentKind;
using domain::AmendmentRecord;

constexpr std::size_t kVerdictsPerPage = 200;

template <typename Row>
Status check_logged(const catalog::ReadView& view, const Row& row, std::string_view type,
                    const Uuid& certificate) {
  ASSIGN_OR_RETURN(const bool logged, is_logged(view, row.log_index, type, row.signature,
                                                row.public_key, row.statement));
  if (logged) return {};
  return make_error(
      Errc::damaged,
      certificate_text(certificate) + " or an amendment of it is not what the log took in",
      "find out who changed the database", certificate_text(certificate));
}

Result<catalog::CertificateRow> known_certificate(const catalog::ReadView& view, const Uuid& id) {
  ASSIGN_OR_RETURN(std::optional<catalog::CertificateRow> row, view.certificate(id));
  if (!row) {
    return make_error(Errc::not_found, "there is no certificate " + certificate_text(id));
  }
  RETURN_IF_ERROR(check_logged(view, *row, "certificate", id));
  return std::move(*row);
}

Error altered(const Uuid& certificate, const std::string& what) {
  return make_error(Errc::damaged, "of " + certificate_text(certificate) + " " + what,
                    "run `aierase check`; find out who changed the database",
                    certificate_text(certificate));
}

// The rows of verdicts say what was signed last, and what waits.
Status check_verdicts(const catalog::ReadView& view, const catalog::CertificateRow& row,
                      const domain::AmendedState& state) {
  ASSIGN_OR_RETURN(const auto acts, view.validations(row.id));
  domain::Validation newest = domain::Validation::awaiting, last_signed = newest;
  bool known = true;
  for (const domain::ValidationAct& act : acts) {
    newest = act.verdict;
    if (!act.amendment) continue;
    last_signed = act.verdict;
    known = known && *act.amendment <= state.number;
  }
  if (known && newest == row.validation && last_signed == state.validation) return {};
  return altered(row.id, "verdicts and amendments contradict each other");
}

// Looked through once, not for each certificate of a plan of thousands.
Status check_none_missing(Core& core, const catalog::ReadView& view, const Uuid& certificate,
                          std::uint64_t from) {
  if (core.nothing_missing_from && from >= *core.nothing_missing_from) return {};
  ASSIGN_OR_RETURN(const bool missing, view.said_without_row(from));
  if (missing)
    return altered(certificate, "the log has an amendment or a verdict that is not here");
  core.nothing_missing_from = from;
  return {};
}

Result<domain::AmendedState> state_before(Core& core, const catalog::ReadView& view,
                                          const catalog::CertificateRow& row) {
  ASSIGN_OR_RETURN(const std::optional<catalog::AmendmentRow> last, view.last_amendment(row.id));
  domain::AmendedState state;
  if (last) {
    RETURN_IF_ERROR(check_logged(view, *last, "amendment", row.id));
    ASSIGN_OR_RETURN(certificate::AmendmentSummary is, said_by(*last));
    if (is.certificate_sha256 != to_hex(crypto::sha256(as_bytes(row.statement)))) {
      return altered(row.id, "an amendment is of another statement");
    }
    state.number = is.number;
    state.last_sha256 = crypto::sha256(as_bytes(last->statement));
    state.validation = is.validation;
    state.open = std::move(is.open);
  } else {
    ASSIGN_OR_RETURN(state, certificate::state_of_certificate(row.statement));
  }
  RETURN_IF_ERROR(check_verdicts(view, row, state));
  RETURN_IF_ERROR(
      check_none_missing(core, view, row.id, (last ? last->log_index : row.log_index) + 1));
  return state;
}

Status check_file(const domain::EvidenceFile& file) {
  const auto wrong = [](const char* what) {
    return make_error(Errc::usage, std::string("of the file of evidence ") + what);
  };
  if (file.name.empty() || file.name.size() > limits::kPathComponentBytes ||
      !is_printable_utf8(file.name) || file.name.find('/') != std::string::npos) {
    return wrong("the name is none: up to 255 bytes without a slash");
  }
  if (file.media_type.empty() || file.media_type.size() > limits::kMediaTypeBytes ||
      !std::all_of(file.media_type.begin(), file.media_type.end(),
                   [](char c) { return c > ' ' && c < 0x7f; }) ||
      file.media_type.find('/') == std::string::npos) {
    return wrong("the media type is none, such as application/pdf");
  }
  return {};
}

Status check_request(const AmendRequest& request) {
  RETURN_IF_ERROR(check_text("the reason", request.reason, limits::kReasonBytes));
  if (request.reason.empty()) {
    return make_error(Errc::usage, "an amendment needs a reason", "add --reason TEXT");
  }
  if (request.evidence.has_value() == request.again.has_value()) {
    return make_error(Errc::usage, "an amendment names a file of evidence or a later erasure",
                      "add --evidence FILE or --erased-again C");
  }
  if (request.again && !request.closes.empty()) {
    return make_error(Errc::usage, "a residual is closed by a file of evidence alone",
                      "add --evidence FILE");
  }
  return request.evidence ? check_file(*request.evidence) : Status();
}

// The codes in order, each once, and each still open.
Result<std::vector<std::string>> residuals_to_close(const AmendRequest& request,
                                                    const domain::AmendedState& before) {
  std::vector<std::string> closed = request.closes;
  std::sort(closed.begin(), closed.end());
  closed.erase(std::unique(closed.begin(), closed.end()), closed.end());
  for (const std::string& code : closed) {
    if (std::binary_search(before.open.begin(), before.open.end(), code)) continue;
    std::string open;
    for (const std::string& one : before.open) open += (open.empty() ? "" : ", ") + one;
    return make_error(Errc::usage, "no residual " + quoted(code) + " is open",
                      open.empty() ? "none is open" : "open are: " + open,
                      certificate_text(request.certificate));
  }
  return closed;
}

std::string manifest_of(const catalog::CertificateRow& row) {
  const auto json = read_json(row.statement, JsonLimits{limits::kCertificateBytes, 32});
  if (!json.ok()) return {};
  const JsonView asset = json->root()["predicate"]["asset"];
  std::string digest(asset["manifest_sha256"].text());
  return from_hex(digest) ? digest : std::string();
}

// That the later erasure is of the same content, by what both certificates say.
Result<domain::ErasedAgain> erased_again(const catalog::ReadView& view, const Uuid& first,
                                         const Uuid& later) {
  ASSIGN_OR_RETURN(const catalog::CertificateRow before, known_certificate(view, first));
  ASSIGN_OR_RETURN(const catalog::CertificateRow row, known_certificate(view, later));
  const std::string digest = manifest_of(row);
  if (digest.empty() || digest != manifest_of(before)) {
    return make_error(Errc::invalid_input,
                      certificate_text(later) + " is not of the same content, or cannot show it",
                      "compare manifest_sha256 of both certificates", certificate_text(later));
  }
  if (row.log_index <= before.log_index) {
    return make_error(Errc::invalid_input,
                      certificate_text(later) + " is not later than " + certificate_text(first),
                      "amend the earlier certificate", certificate_text(later));
  }
  return domain::ErasedAgain{later, crypto::sha256(as_bytes(row.statement))};
}

// What waits was said before all that is signed of its certificate behind it, but for the verdicts
// that waited before it.
Result<bool> is_next(const catalog::ReadView& view, const domain::ValidationAct& act) {
  ASSIGN_OR_RETURN(const auto last, view.last_amendment(act.certificate));
  ASSIGN_OR_RETURN(const auto acts, view.validations(act.certificate));
  bool of_earlier = !last || last->log_index < act.log_index;
  for (const domain::ValidationAct& one : acts) {
    if (one.log_index == act.log_index) continue;
    const bool earlier = one.log_index < act.log_index;
    if (one.amendment.has_value() != earlier) return false;
    if (earlier && last && *one.amendment == last->number) of_earlier = true;
  }
  return of_earlier;
}

// Only what the log committed to: rows that were changed meanwhile get no signature.
Status sign_waiting(Core& core, const domain::ValidationAct& act) {
  ASSIGN_OR_RETURN(const std::string record, validation_record(act));
  ASSIGN_OR_RETURN(const std::optional<domain::LogLeaf> leaf, core.view().log_leaf(act.log_index));
  ASSIGN_OR_RETURN(const bool next, is_next(core.view(), act));
  const bool same = leaf && leaf->type == kVerdictWaits && leaf->record == record &&
                    leaf->time == act.time && translog::leaf_body(*leaf).ok();
  if (!same || !next) {
    return make_error(
        Errc::damaged,
        "a verdict on " + certificate_text(act.certificate) + " is not what the log committed to",
        "find out who changed the database", certificate_text(act.certificate));
  }
  std::optional<domain::SignedText> text;
  if (act.signed_by) {
    ASSIGN_OR_RETURN(text, core.view().signed_text(act.signed_by->signature));
  }
  return transact(core, ReserveShare::none,
                  [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
                    ASSIGN_OR_RETURN(AmendmentRecord begun,
                                     begin_amendment(core, transaction, act.certificate));
                    ASSIGN_OR_RETURN(
                        const std::uint64_t number,
                        amend_by_verdict(core, transaction, state, std::move(begun), act, text));
                    return transaction.sign_validation(act.log_index, number);
                  });
}

}  // namespace

Result<bool> is_logged(const catalog::ReadView& view, std::uint64_t leaf_index,
                       std::string_view type, const Bytes& signature_bytes, const Bytes& key_bytes,
                       std::string_view statement) {
  crypto::Signature signature{};
  crypto::PublicKey key{};
  ASSIGN_OR_RETURN(const std::optional<domain::LogLeaf> leaf, view.log_leaf(leaf_index));
  if (!leaf || leaf->type != type || signature_bytes.size() != signature.size() ||
      key_bytes.size() != key.size() || !translog::leaf_body(*leaf).ok()) {
    return false;
  }
  std::copy(signature_bytes.begin(), signature_bytes.end(), signature.begin());
  std::copy(key_bytes.begin(), key_bytes.end(), key.begin());
  ASSIGN_OR_RETURN(const std::string body, certificate::log_entry_body(statement, signature, key));
  return leaf->record == body;
}

Result<certificate::AmendmentSummary> said_by(const catalog::AmendmentRow& row) {
  ASSIGN_OR_RETURN(const JsonDocument document,
                   read_json(row.statement, JsonLimits{limits::kCertificateBytes, 32}));
  const JsonView statement = document.root();
  if (const auto fault = certificate::amendment_fault(statement)) {
    return altered(row.certificate, "an amendment cannot be read: " + *fault);
  }
  certificate::AmendmentSummary is = certificate::summary_of_amendment(statement, row.statement);
  if (is.certificate == certificate_text(row.certificate) && is.number == row.number &&
      is.kind == row.kind && is.open == row.open && is.at == to_rfc3339(row.issued)) {
    return is;
  }
  return altered(row.certificate, "the row of an amendment is not what was signed");
}

Result<AmendmentRecord> begin_amendment(Core& core, const catalog::ReadView& view,
                                        const Uuid& certificate) {
  ASSIGN_OR_RETURN(const catalog::CertificateRow row, known_certificate(view, certificate));
  AmendmentRecord record;
  ASSIGN_OR_RETURN(record.before, state_before(core, view, row));
  ASSIGN_OR_RETURN(const domain::Asset asset, core.known_asset(row.asset));
  ASSIGN_OR_RETURN(const std::optional<domain::Plan> plan, view.plan_head(row.plan));
  if (!plan) return make_error(Errc::damaged, "the plan of a certificate is not in the catalog");
  record.store = core.store();
  record.host = core.settings.host.host;
  record.machine_id_digest = core.settings.host.machine_id_digest;
  record.tool_version = core.settings.host.tool_version;
  record.tool_build = core.settings.host.tool_build;
  record.certificate = certificate;
  record.certificate_sha256 = crypto::sha256(as_bytes(row.statement));
  record.asset = row.asset;
  record.asset_name = asset.name;
  record.plan = row.plan;
  record.plan_digest = plan->digest;
  record.validation = record.before.validation;
  return record;
}

Result<std::uint64_t> record_amendment(Core& core, catalog::Transaction& transaction,
                                       catalog::StoreState& state, const AmendmentRecord& record) {
  ASSIGN_OR_RETURN(const certificate::AmendmentStatement statement,
                   certificate::AmendmentStatement::of(record));
  ASSIGN_OR_RETURN(const crypto::Signature signature, statement.sign(*core.signer));
  const crypto::PublicKey& key = core.signer->public_key();
  catalog::AmendmentRow row;
  row.certificate = record.certificate;
  row.number = record.before.number + 1;
  row.kind = record.kind;
  row.issued = record.time;
  std::set_difference(record.before.open.begin(), record.before.open.end(), record.closed.begin(),
                      record.closed.end(), std::back_inserter(row.open));
  row.log_index = state.log.size;
  row.public_key = copy_of(key);
  row.signature = copy_of(signature);
  row.statement = statement.text();
  ASSIGN_OR_RETURN(std::string body, certificate::log_entry_body(row.statement, signature, key));
  const translog::LogRecord leaf{"amendment", core.now(), std::move(body),
                                 translog::Visibility::published};
  if (core.publisher) core.publisher->certificate_added();
  RETURN_IF_ERROR(core.append_log(transaction, state, {&leaf, 1}));
  RETURN_IF_ERROR(transaction.add_amendment(row));
  return row.number;
}

Result<std::uint64_t> amend_by_verdict(Core& core, catalog::Transaction& transaction,
                                       catalog::StoreState& state, AmendmentRecord record,
                                       const domain::ValidationAct& act,
                                       std::optional<domain::SignedText> text) {
  record.kind = AmendmentKind::validation;
  record.validation = act.verdict;
  record.actor = act.actor;
  record.time = act.time;
  record.reason = act.reason;
  record.remedy = act.remedy;
  record.capacities = act.capacities;
  record.signed_by = act.signed_by;
  record.signed_text = std::move(text);
  return record_amendment(core, transaction, state, record);
}

Result<bool> verdict_waits(const catalog::ReadView& view, const Uuid& certificate) {
  ASSIGN_OR_RETURN(const auto acts, view.validations(certificate));
  return std::any_of(acts.begin(), acts.end(),
                     [](const domain::ValidationAct& act) { return !act.amendment; });
}

Status sign_waiting_verdicts(Core& core) {
  if (!core.signer) return {};
  std::set<Uuid> stuck;
  for (std::uint64_t leaf = 0;;) {
    ASSIGN_OR_RETURN(const std::vector<domain::ValidationAct> acts,
                     core.view().unsigned_validations(leaf, kVerdictsPerPage));
    for (const domain::ValidationAct& act : acts) {
      leaf = act.log_index + 1;
      if (stuck.count(act.certificate) != 0) continue;
      const Status done = sign_waiting(core, act);
      if (core.stop) return done;
      if (done.ok()) continue;
      core.refusal_fault = done.error();
      stuck.insert(act.certificate);
    }
    if (acts.size() < kVerdictsPerPage) return {};
  }
}

Result<AmendReport> Store::amend(const AmendRequest& wanted) {
  Core& core = *impl_;
  AmendRequest request = wanted;
  RETURN_IF_ERROR(core.writable());
  ASSIGN_OR_RETURN(request.actor, core.with_entry(wanted.actor));
  RETURN_IF_ERROR(check_request(request));
  ASSIGN_OR_RETURN(const catalog::StoreState now, core.view().state());
  ASSIGN_OR_RETURN(const auto head, core.view().certificate_head(request.certificate));
  if (!head) {
    return make_error(Errc::not_found,
                      "there is no certificate " + certificate_text(request.certificate));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> capacities,
                   capacities_over(core, request.actor, now.people_rule, *head));
  if (capacities.empty()) {
    return make_error(Errc::access_denied,
                      request.actor.login + " is no custodian of what was erased",
                      "`aierase show` of the asset names its custodians");
  }
  ASSIGN_OR_RETURN(const bool waits, verdict_waits(core.view(), request.certificate));
  if (!core.signer || waits) {
    return make_error(Errc::wrong_state,
                      waits ? "a verdict on it waits for its signature"
                            : "the signer's key could not be read when it was needed",
                      "`aierase doctor` says what to do", certificate_text(request.certificate));
  }
  ASSIGN_OR_RETURN(AmendmentRecord record, begin_amendment(core, core.view(), request.certificate));
  if (record.before.number >= limits::kAmendmentsPerCertificate) {
    return make_error(Errc::resource_limit,
                      certificate_text(request.certificate) + " has " +
                          std::to_string(record.before.number) +
                          " amendments, and may have no more but verdicts",
                      {}, certificate_text(request.certificate));
  }
  record.kind = request.evidence ? AmendmentKind::evidence : AmendmentKind::erased_again;
  ASSIGN_OR_RETURN(record.closed, residuals_to_close(request, record.before));
  if (request.again) {
    ASSIGN_OR_RETURN(record.again, erased_again(core.view(), request.certificate, *request.again));
  }
  record.evidence = request.evidence;
  record.actor = request.actor;
  record.time = core.now();
  record.reason = request.reason;
  record.capacities = capacities;
  AmendReport report;
  RETURN_IF_ERROR(transact(
      core, ReserveShare::none,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        ASSIGN_OR_RETURN(report.number, record_amendment(core, transaction, state, record));
        return transaction.add_event({record.time, record.actor, "amend", asset_text(head->asset),
                                      std::to_string(record.before.number),
                                      std::to_string(report.number), record.reason});
      }));
  core.changed(domain::IdType::certificate, request.certificate);
  report.certificate = request.certificate;
  report.validation = record.validation;
  ASSIGN_OR_RETURN(const auto last, core.view().last_amendment(request.certificate));
  if (last) report.open = last->open;
  return report;
}

Result<std::vector<catalog::AmendmentRow>> Store::amendments(const Uuid& certificate) {
  return impl_->view().amendments(certificate);
}

Result<catalog::AmendmentRow> Store::show_amendment(const Uuid& certificate, std::uint64_t number) {
  ASSIGN_OR_RETURN(std::optional<catalog::AmendmentRow> row,
                   impl_->view().amendment(certificate, number));
  if (row) return std::move(*row);
  return make_error(Errc::not_found,
                    certificate_text(certificate) + " has no amendment " + std::to_string(number),
                    "`aierase show` of the certificate lists them", certificate_text(certificate));
}

}  // namespace aierase::lifecycle
