// A policy comes into force: what it changes is told first, and stays in the log.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "base/limits.h"
#include "lifecycle/core.h"
#include "lifecycle/reserve.h"
#include "lifecycle/standing.h"

namespace aierase::lifecycle {
namespace {

// Nobody of that name could ever approve: the assets of the class would never be erased.
Status check_custodians(Core& core, const policy::PolicySet& set) {
  std::set<std::string> names;
  for (const policy::RetentionClass& value : set.classes()) {
    names.insert(value.custodians.begin(), value.custodians.end());
  }
  if (names.empty()) return {};
  const auto found =
      core.settings.find_custodians(std::vector<std::string>(names.begin(), names.end()));
  if (found.ok()) return {};
  return make_error(
      Errc::invalid_input,
      "a class names custodians that this host does not know: " + found.error().message,
      found.error().hint);
}

Status compare_one(Core& core, const Retention& next, UtcTime now, const domain::Asset& asset,
                   PolicyReport& report) {
  using policy::Detail;
  ++report.assets;
  ASSIGN_OR_RETURN(const policy::Decision before,
                   core.retention.decide(core.view(), asset, now, Detail::verdicts));
  ASSIGN_OR_RETURN(const policy::Decision after,
                   next.decide(core.view(), asset, now, Detail::verdicts));
  if (after.verdict == domain::Verdict::due) ++report.due;
  if (after.verdict == domain::Verdict::conflict) ++report.in_conflict;
  policy::Change change = policy::compare(before, after);
  if (!change.weakens()) return {};
  ++report.weakened;
  if (report.rows.size() < limits::kPolicyRowsShown) {
    report.rows.push_back({asset.id, asset.name, std::move(change)});
  }
  return {};
}

Status put_in_force(Core& core, domain::LoadedPolicy loaded, const PolicyReport& report) {
  return transact(
      core, ReserveShare::none,
      [&](catalog::Transaction& transaction, catalog::StoreState& state) -> Status {
        ASSIGN_OR_RETURN(std::string record, policy_record(loaded));
        const translog::LogRecord leaf{"policy-loaded", loaded.loaded, std::move(record),
                                       translog::Visibility::committed};
        loaded.log_index = state.log.size;
        RETURN_IF_ERROR(core.append_log(transaction, state, {&leaf, 1}));
        RETURN_IF_ERROR(transaction.add_policy(loaded));
        for (const domain::StandingApproval& approval : report.voided) {
          RETURN_IF_ERROR(end_standing(
              core, transaction, state, approval,
              {domain::StandingCause::rules_changed, loaded.actor, loaded.loaded,
               "policy " + to_hex(loaded.version) + " came into force", 0, std::nullopt}));
        }
        return transaction.add_event({loaded.loaded, loaded.actor, "policy-load", "store",
                                      to_hex(report.previous), to_hex(loaded.version),
                                      loaded.reason});
      });
}

}  // namespace

Result<PolicyReport> Store::load_policy(const PolicyRequest& request) {
  Core& core = *impl_;
  RETURN_IF_ERROR(core.writable());
  if (request.persist == Persist::yes) RETURN_IF_ERROR(core.check_login(request.actor));
  RETURN_IF_ERROR(check_text("the reason", request.reason, limits::kReasonBytes));
  std::vector<policy::PolicyText> texts;
  for (const domain::PolicyFile& file : request.files) {
    RETURN_IF_ERROR(check_text("the name of a policy file", file.name, limits::kPathBytes));
    texts.push_back({file.name, file.text});
  }
  ASSIGN_OR_RETURN(policy::PolicySet set, policy::load_policy(texts));
  RETURN_IF_ERROR(check_custodians(core, set));
  PolicyReport report;
  report.version = set.version();
  report.previous = core.retention.set().version();
  ASSIGN_OR_RETURN(report.voided, bound_to_other_rules(core, set));
  const Retention next(std::move(set));
  const UtcTime now = core.now();
  RETURN_IF_ERROR(core.view().visit_living(
      [&](const domain::Asset& asset) { return compare_one(core, next, now, asset, report); }));
  if (request.persist == Persist::dry_run) return report;
  if (report.version == report.previous && core.retention.loaded() && !core.retention.altered()) {
    return report;  // in force already
  }
  domain::LoadedPolicy loaded;
  loaded.files = request.files;
  loaded.version = report.version;
  loaded.loaded = now;
  loaded.actor = request.actor;
  loaded.reason = request.reason;
  RETURN_IF_ERROR(put_in_force(core, std::move(loaded), report));
  ASSIGN_OR_RETURN(core.retention, Retention::in_force(core.view()));
  core.dispensable.clear();
  core.next_expiry_check = {};  // plans that counted on what is void now are looked at at once
  return report;
}

const Retention& Store::retention() const {
  return impl_->retention;
}

}  // namespace aierase::lifecycle
