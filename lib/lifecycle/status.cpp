// Status and doctor: what is so, and how to better it.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "lifecycle/publishing.h"
#include "lifecycle/reserve.h"

namespace aierase::lifecycle {
namespace {

using Severity = Finding::Severity;

// Chips name half a million writes and more, and say nothing of what comes after.
constexpr std::uint64_t kRotationsADay = 50;

void look_at_tpm(const Core& core, const StatusReport& report, std::vector<Finding>& findings) {
  const std::string where = core.slot->where();
  if (uses_tpm(core.locator) && report.rotations > kRotationsADay) {
    findings.push_back({Severity::warning, "slot-wear", where,
                        std::to_string(report.rotations) +
                            " rotations of the root secret in 24 hours: each one writes the TPM's "
                            "memory twice, and it wears out",
                        "ask for more assets in one plan, leave out --now, or raise coalesce in "
                        "aierased.toml; above " +
                            std::to_string(kRotationsADay) + " a day this is said"});
  }
  if (core.uncounted_hold) {
    const Error& why = core.uncounted_hold->why;
    findings.push_back({Severity::error, "hold-uncounted", where,
                        "a legal hold is in force, and the TPM has not counted it yet: an image of "
                        "the disk from before it would not be recognised: " +
                            why.message,
                        (why.hint.empty() ? std::string("see to the TPM") : why.hint) +
                            "; it is tried again every ten minutes"});
  }
  if (core.uncleared_tpm) {
    const Error& why = core.uncleared_tpm->why;
    findings.push_back({Severity::warning, "tpm-left", core.settings.tpm.tcti,
                        "the root slot has left a TPM, where its indexes are still defined; they "
                        "hold no secret that opens anything: " +
                            why.message,
                        "it is tried again every ten minutes"});
  }
}

void look_at_slot(const StatusReport& report, std::vector<Finding>& findings) {
  const domain::SlotAssurance& slot = report.slot;
  const Severity severity = slot.level == domain::Level::ea0 ? Severity::warning : Severity::note;
  const std::string& subject = slot.path.empty() ? slot.device : slot.path;
  findings.push_back(
      {severity, "slot-level", subject,
       "erasures reach " + std::string(domain::to_text(slot.level)) + ": " + slot.reason,
       slot.next_level});
  for (const std::string& copy : slot.may_have_copied) {
    findings.push_back({Severity::note, "slot-copies", subject,
                        "may hold a copy of the slot: " + copy,
                        "keep the slot out of backups, images and snapshots"});
  }
}

Status look_at_earlier_slots(const Core& core, const StatusReport& report,
                             std::vector<Finding>& findings) {
  ASSIGN_OR_RETURN(const auto weak, core.view().weak_epoch(report.slot.level));
  if (!weak || *weak >= report.state.epoch) return {};
  ASSIGN_OR_RETURN(const auto epochs, core.view().epochs(*weak, *weak + 1));
  if (epochs.size() != 2) return {};
  const domain::SlotAssurance& then = epochs.front().assurance;
  findings.push_back(
      {Severity::note, "earlier-slot", core.settings.directory,
       "what was imported before " + to_rfc3339(epochs.back().started) +
           " and lives reaches at most " + std::string(domain::to_text(then.level)) +
           " when it is erased, and not " + std::string(domain::to_text(report.slot.level)) +
           ": its key lay under a " + then.kind + " slot of that level",
       "`aierase export A - --tar | aierase import NEW - --tar --supersedes A` makes a copy "
       "under a key of its own, and `aierase retire A` ends the old one; copies of store and slot "
       "from "
       "before still open the old one, as its certificate says"});
  return {};
}

void look_at_keys(const Core& core, const StatusReport& report, std::vector<Finding>& findings) {
  if (report.unlock == UnlockKind::none) {
    findings.push_back({Severity::warning, "at-rest-none", core.settings.directory,
                        "whoever takes the disk reads every living model: the store has no unlock "
                        "secret",
                        "a new store with `aierase init --unlock credential` has one"});
  }
  findings.push_back({Severity::note, "recovery-none", core.locator.slot_path,
                      "there is no recovery: if the root slot is lost, every model is lost",
                      "keep the plaintext of what you cannot make again somewhere else"});
  if (report.state.people_rule == domain::PeopleRule::single_operator) {
    findings.push_back({Severity::note, "single-operator", core.settings.directory,
                        "one person may request and approve; every certificate says so",
                        "`aierase init --two-person` asks for two persons from then on, for good"});
  }
  if (!core.signer) {
    findings.push_back({Severity::error, "signer-missing",
                        parent_of(core.locator.slot_path) + "/signer.key",
                        "the signer's key cannot be read: nothing is erased until it can",
                        "restore it from a copy of that directory and restart aierased"});
  }
}

Status look_at_rows(Core& core, const StatusReport& report, std::vector<Finding>& findings) {
  ASSIGN_OR_RETURN(const std::vector<catalog::ImportIntent> imports, core.view().imports());
  for (const catalog::ImportIntent& intent : imports) {
    if (core.importing.count(intent.asset) != 0) continue;
    findings.push_back({Severity::warning, "import-interrupted", asset_text(intent.asset),
                        "an import begun at " + to_rfc3339(intent.started) +
                            " was interrupted; its ciphertext is still there",
                        "`aierase check` removes it"});
  }
  if (const std::optional<Error>& fault = core.unlinking.fault()) {
    findings.push_back(
        {Severity::warning, "ciphertext-left", core.blob_directory(),
         "files of what was erased could not be removed: " + fault->message,
         "nobody can decrypt them any more; it is tried again within ten minutes. " + fault->hint});
  }
  for (const auto& [plan, stuck] : core.stuck) {
    findings.push_back(
        {Severity::error, "plan-stuck", plan_text(plan),
         "its last attempt failed: " + stuck.why.message,
         "it is tried again within ten minutes; other plans go on. " + stuck.why.hint});
  }
  ASSIGN_OR_RETURN(const ClockFacts clock, core.clock_facts());
  ASSIGN_OR_RETURN(const std::vector<Uuid> due, core.view().due_plans(clock.wall));
  for (const Uuid& id : due) {
    const Result<std::optional<domain::Plan>> plan = core.view().plan_head(id);
    if (!plan.ok()) continue;  // it is among the stuck ones
    if (!*plan || is_due(**plan, clock)) continue;
    findings.push_back({Severity::warning, "clock-unconfirmed", plan_text(id),
                        "its grace ended by the wall clock, but trusted time has only come to " +
                            to_rfc3339(clock.trusted),
                        "if the clock is right: `aierase enforce --confirm-clock`"});
  }
  if (!clock.anomalies.empty()) {
    findings.push_back({Severity::warning, "clock-guard", core.settings.host.host,
                        clock.anomalies.front().text + ": nothing is erased unattended",
                        "if the clock is right: `aierase enforce --confirm-clock`"});
  }
  for (const std::string& alarm : report.enforcement.alarms) {
    findings.push_back({Severity::error, "enforce", core.settings.directory, alarm,
                        "`aierase enforce --dry-run` names each asset and what it waits for; "
                        "`systemctl list-timers aierase-enforce` shows the timer"});
  }
  if (core.retention.altered()) {
    findings.push_back({Severity::error, "policy-altered", core.settings.directory,
                        *core.retention.altered() + ": nothing is erased",
                        "find out who changed the database; `aierase policy load` of the policy "
                        "that shall be in force mends it"});
  }
  if (core.unproven) {
    const Error& why = core.unproven->why;
    findings.push_back({Severity::error, "round-open", core.settings.directory,
                        "an erasure has passed its point of no return and waits for the word of "
                        "the TPM: " +
                            why.message,
                        (why.hint.empty() ? std::string("see to the TPM") : why.hint) +
                            "; it is asked again every ten minutes"});
  } else if (report.round && *report.round != domain::RoundState::intent) {
    findings.push_back({Severity::error, "round-open", core.settings.directory,
                        "an erasure has passed its point of no return and waits for its record",
                        "free disk space, or restart aierased: it finishes by itself"});
  }
  return {};
}

Status look_at_records(const Core& core, std::vector<Finding>& findings) {
  ASSIGN_OR_RETURN(const std::vector<Uuid> waiting, core.view().unsigned_refusals());
  ASSIGN_OR_RETURN(const auto verdicts, core.view().unsigned_validations(0, limits::kListPageRows));
  const std::string why = core.refusal_fault ? core.refusal_fault->message
                                             : std::string("the signer's key could not be read");
  const auto tell = [&](std::string subject, std::size_t count, const char* one, const char* many) {
    findings.push_back(
        {Severity::error, "record-unsigned", std::move(subject),
         std::to_string(count) + (count == 1 ? one : many) + " for a signature: " + why,
         core.refusal_fault && !core.refusal_fault->hint.empty()
             ? core.refusal_fault->hint
             : "restore the signer's key and restart aierased: it signs them then"});
  };
  if (!waiting.empty()) {
    tell(plan_text(waiting.front()), waiting.size(), " record of a plan that ended waits",
         " records of plans that ended wait");
  }
  if (!verdicts.empty()) {
    tell(domain::id_text(domain::IdType::certificate, verdicts.front().certificate),
         verdicts.size(), " verdict on an outcome waits", " verdicts on outcomes wait");
  }
  return {};
}

void look_at_log(const Core& core, std::vector<Finding>& findings) {
  const std::string directory = Publisher::directory_of(core);
  if (!core.log_key) {
    findings.push_back({Severity::error, "log-key-missing",
                        parent_of(core.locator.slot_path) + "/log.key",
                        "the key of the log cannot be read: certificates get no proof until it can",
                        "restore it from a copy of that directory and restart aierased"});
  }
  if (core.publisher->fault()) {
    findings.push_back({Severity::error, "log-unpublished", directory,
                        "the log was not published: " + core.publisher->fault()->message,
                        core.publisher->fault()->hint});
  }
}

void look_at_host(const Core& core, std::vector<Finding>& findings) {
  for (const std::string& text : core.settings.host.findings) {
    findings.push_back({Severity::warning, "host", core.settings.host.host, text,
                        "certificates carry this sentence until it is mended"});
  }
  if (!core.settings.clock->read().synchronised) {
    findings.push_back({Severity::warning, "clock", core.settings.host.host,
                        "the clock is not synchronised: trusted time stands still",
                        "enable a time service, e.g. systemd-timesyncd"});
  }
  const Result<std::uint64_t> space = core.env().free_space(core.settings.directory);
  constexpr std::uint64_t kLow = 64ULL << 20;
  if (space.ok() && *space < kLow) {
    findings.push_back({Severity::warning, "disk-full", core.settings.directory,
                        "less than 64 MiB are free; erasures go on one by one from the reserve",
                        "free disk space"});
  }
}

// A timer of one day that was missed twice.
constexpr auto kTwoPeriods = std::chrono::hours(48);
constexpr auto kOneDay = std::chrono::hours(24);

std::string overdue_text(std::uint64_t overdue) {
  return std::to_string(overdue) + (overdue == 1 ? " asset is" : " assets are") +
         " due and waiting for people for more than a day, as the last run of enforce found";
}

}  // namespace

Result<EnforceState> enforce_state(const Core& core) {
  EnforceState state;
  ASSIGN_OR_RETURN(state.last, core.view().enforcement());
  if (state.last.overdue > 0) state.alarms.push_back(overdue_text(state.last.overdue));
  // Where no rule makes anything due nobody needs a run.
  if (!core.retention.has_ceilings() || !core.retention.loaded()) return state;
  const UtcTime since =
      std::max(state.last.succeeded.value_or(UtcTime{}), core.retention.loaded()->loaded);
  if (core.now() < since + kTwoPeriods) return state;
  state.alarms.push_back("no run of enforce has come through since " + to_rfc3339(since) +
                         (state.last.outcome.empty()
                              ? std::string()
                              : "; the last one ended with \"" + state.last.outcome + "\""));
  return state;
}

UtcTime Store::now() const {
  return impl_->now();
}

Result<StatusReport> Store::status() {
  Core& core = *impl_;
  StatusReport report;
  ASSIGN_OR_RETURN(report.state, core.view().state());
  ASSIGN_OR_RETURN(report.counts, core.view().counts());
  ASSIGN_OR_RETURN(report.slot, core.slot->assess());
  ASSIGN_OR_RETURN(report.slot_place, core.in_file->place());
  report.unlock = core.locator.unlock;
  if (core.signer) report.signer = core.signer->public_key();
  ASSIGN_OR_RETURN(const std::optional<catalog::EraseRound> round, core.view().round());
  if (round) report.round = round->state;
  report.findings = core.settings.host.findings;
  ASSIGN_OR_RETURN(report.enforcement, enforce_state(core));
  ASSIGN_OR_RETURN(report.rotations, core.view().epochs_since(core.now() - kOneDay));
  return report;
}

Result<std::vector<Finding>> Store::doctor() {
  Core& core = *impl_;
  ASSIGN_OR_RETURN(const StatusReport report, status());
  std::vector<Finding> findings;
  if (const std::optional<Finding> lost = lost_slot_file(core)) findings.push_back(*lost);
  look_at_slot(report, findings);
  RETURN_IF_ERROR(look_at_earlier_slots(core, report, findings));
  look_at_tpm(core, report, findings);
  look_at_keys(core, report, findings);
  RETURN_IF_ERROR(look_at_rows(core, report, findings));
  RETURN_IF_ERROR(look_at_records(core, findings));
  look_at_log(core, findings);
  look_at_host(core, findings);
  return findings;
}

const crypto::PublicKey& Store::signer() const {
  static constexpr crypto::PublicKey kNone{};
  return impl_->signer ? impl_->signer->public_key() : kNone;
}

domain::PeopleRule Store::people_rule() const {
  const Result<catalog::StoreState> state = impl_->view().state();
  return state.ok() ? state->people_rule : domain::PeopleRule::two_person;
}

Status Store::tighten_people_rule(const domain::Actor& actor) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.writable());
  return transact(
      core, ReserveShare::none,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        if (state.people_rule == domain::PeopleRule::two_person) {
          return make_error(Errc::wrong_state, "this store already asks for two persons");
        }
        state.people_rule = domain::PeopleRule::two_person;
        RETURN_IF_ERROR(transaction.add_event(
            {core.now(), actor, "tighten", "store", "single-operator", "two-person", ""}));
        ASSIGN_OR_RETURN(std::string record, dump_canonical(Json{{"people_rule", "two-person"},
                                                                 {"by", actor_json(actor)}}));
        const translog::LogRecord leaf{"people-rule", core.now(), std::move(record),
                                       translog::Visibility::committed};
        return core.append_log(transaction, state, {&leaf, 1});
      });
}

}  // namespace aierase::lifecycle
