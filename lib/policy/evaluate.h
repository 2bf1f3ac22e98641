// What a policy says about one asset at one moment: kept, due, or in conflict, and by which rule.
//
// Contract: pure, no clock, no I/O; the same facts and moment give the same decision. Between `now`
// and next_change verdict, floors_in_force and conflicts stay as they are unless a fact changes.
// Holds, approvals given, brake and clock are not policy: the gate knows them. A decision that is
// not Verdict::due erases nothing unattended; a person's retirement is blocked exactly by
// `floors_in_force` and `conflicts`. Specified in: aierase-policy(5) HOW RULES COMBINE.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/plan.h"
#include "policy/policy_set.h"

namespace aierase::policy {

// Dates of events; created is the asset's own. None: did not happen, or is not recorded.
struct Events {
  std::optional<UtcTime> last_used;         // latest mount, read or export known to the store
  std::optional<UtcTime> retired;           // of the retirement that is going on now
  std::optional<UtcTime> superseded;        // earliest import or record that supersedes it
  std::optional<UtcTime> placed_on_market;  // recorded by people alone
};

struct Facts {
  const domain::Asset* asset = nullptr;  // never null, alive, not owned
  Events events;
  std::uint64_t exports_outstanding = 0;  // copies that may still be in use: last use is unknown
  domain::Ancestry ancestry;
  // For each class with keep-last that applies: place among the versions, 0 the newest (ranks.h).
  std::map<std::string, std::size_t> ranks;
};

enum class Standing {
  decides,    // the latest floor, or the earliest ceiling
  outranked,  // counts, but another one decides
  open,       // a floor whose event is not recorded: it keeps until it is
  waiting,    // its event has not happened: no effect yet
  exempt,     // a ceiling that keep-last sets aside
  unknown,    // a ceiling by last use while an export is outstanding
};
std::string_view to_text(Standing standing) noexcept;

struct Rule {
  std::string retention_class;
  Trigger trigger = Trigger::created;
  Duration period;
  std::optional<UtcTime> event;
  std::optional<UtcTime> moment;  // event + period
  Standing standing = Standing::waiting;
  std::string sentence;  // for people
};

// Combined over the classes that apply; each the strictest of them.
struct Terms {
  Duration grace{7, Duration::Unit::days};
  AllowNow allow_now = AllowNow::no;
  std::uint32_t approvals = 1;
  ValidationRule validation = ValidationRule::any_custodian;
  domain::Level require_assurance = domain::Level::ea0;
  OnConflict on_conflict = OnConflict::keep;
  std::vector<std::string> custodians;  // beside the asset's own
  std::vector<std::string> bases;
};

struct Decision {
  domain::Verdict verdict = domain::Verdict::blocked;  // blocked: a floor keeps it
  std::vector<std::string> classes;                    // that apply; the asset's own first
  std::vector<Rule> floors;                            // the one that decides first
  std::vector<Rule> ceilings;                          // the one that decides first
  std::optional<UtcTime> floor;  // of the dated floors, the latest; may have passed
  bool floor_open = false;       // some floor has no date yet: it keeps without an end
  std::optional<UtcTime> due;    // of the ceilings that count, the earliest
  // The longest floor that counts from the retirement, before there is one: at the approval the
  // plan is due at the later of the ends of grace and of this.
  std::optional<Duration> retain_after_retirement;
  Terms terms;
  std::optional<UtcTime> next_change;
  std::vector<domain::Reason> floors_in_force;  // block every erasure now
  std::vector<domain::Reason> conflicts;        // block every erasure now
  std::vector<std::string> explanation;         // all that was decided, for people
};

bool applies(const RetentionClass& value, const Facts& facts);

// verdicts: all but the texts of rules, reasons and explanation, for sweeps over a whole store.
enum class Detail { sentences, verdicts };
Decision evaluate(const PolicySet& set, const Facts& facts, UtcTime now,
                  Detail detail = Detail::sentences);

}  // namespace aierase::policy
