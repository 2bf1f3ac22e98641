// The gate: the one place where it is decided whether an asset may be erased.
//
// Contract: decide() is pure: facts in, verdict and reasons out, nothing read and nothing written;
// called by dry run, request, approval, show and inside TX2. An ErasePermit, which the erase step
// demands, is made here alone and only for Purpose::execution with an empty list of reasons.
// Specified in: erasure-design section 5 (TX2), aierase(1) "WHEN IT HAPPENS".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "domain/asset.h"
#include "domain/disposition.h"
#include "domain/plan.h"
#include "domain/standing.h"

namespace aierase::lifecycle {

class ErasePermit {
 public:
  ErasePermit(ErasePermit&&) noexcept = default;
  ErasePermit& operator=(ErasePermit&&) noexcept = default;
  const Uuid& asset() const { return asset_; }

 private:
  friend class Gate;
  explicit ErasePermit(const Uuid& asset) : asset_(asset) {}
  Uuid asset_;
};

enum class Purpose { request, approval, execution };
enum class Binding { unchanged, changed };  // of an item: name, kcv and dependants as in the digest
enum class Attendance { attended, unattended };

// Of the key at the leaf, recomputed: not_read before execution.
enum class KeyCheck { not_read, matches, differs, absent, unreadable };

struct AssetFacts {
  const domain::Asset* asset = nullptr;
  std::vector<domain::Hold> holds;
  std::vector<domain::LineageName> open_dependants;  // alive, neither in the plan nor kept
  std::optional<Uuid> other_plan;                    // that already names it
  Binding binding = Binding::unchanged;
  KeyCheck key = KeyCheck::not_read;
  std::size_t open_leases = 0;  // at execution: not drained in time
};

// A standing approval that speaks for a plan, as it is now.
struct StandingFacts {
  domain::StandingApproval approval;
  Binding record = Binding::unchanged;  // row, signature and end, with what the log committed to
  std::optional<Digest> rules;          // of its class in the policy in force; none: no such class
  enum class Person { known, gone } person = Person::known;  // by account or key, today
  std::vector<std::string> capacities;                       // as whom the person may speak today
};

struct PlanFacts {
  domain::PlanState state = domain::PlanState::requested;
  domain::Actor requester;
  std::vector<domain::Approval> approvals;
  std::optional<UtcTime> due;
  UtcTime agreed{};                    // end of grace as the log has it: none goes before it
  std::optional<std::string> altered;  // login on an approval that is not as the log has it
  domain::Timing timing = domain::Timing::after_grace;
  std::string below_floor;  // legal basis; empty: floors block
  domain::PlanOrigin origin = domain::PlanOrigin::person;
  std::optional<std::uint64_t> braked_at;  // in the log: where the brake tripped for this plan
  std::vector<StandingFacts> standing;     // of every approval that was given in advance
};

// What the policy in force says of the asset.
struct PolicyFacts {
  std::vector<domain::Reason> floors;
  std::vector<domain::Reason> conflicts;
  domain::Verdict verdict = domain::Verdict::eligible;
  bool keeps_after_retirement = false;  // a floor that counts from the retirement
  std::string due_by;  // the class whose ceiling makes it due now; empty: none does
  std::optional<domain::Reason> no_haste;  // why it cannot go without grace, where that was asked
  std::uint32_t approvals = 1;
  std::vector<std::string>
      custodians;  // who may approve beside the asset's own: "alice", "@owners"
  const domain::Actor* loader = nullptr;  // who brought the policy into force; null: nobody did
};

struct ClockFacts {
  UtcTime wall{}, trusted{};
  std::vector<domain::Reason> anomalies;
};

// Of a plan of the nightly run: why its erasure would be more than the policy lets go unattended.
struct BrakeFacts {
  std::vector<domain::Reason> trips;
};

struct GateInput {
  Purpose purpose = Purpose::request;
  Attendance attendance = Attendance::attended;
  domain::PeopleRule people_rule = domain::PeopleRule::two_person;
  AssetFacts asset;
  PlanFacts plan;
  PolicyFacts policy;
  ClockFacts clock;
  BrakeFacts brake;
};

struct GateDecision {
  domain::Verdict verdict = domain::Verdict::blocked;
  std::vector<domain::Reason> reasons;  // empty only when nothing blocks
  std::optional<ErasePermit> permit;
};

class Gate {
 public:
  static GateDecision decide(const GateInput& input);
};

// Rules about people, shared by the gate and by the approval itself.
enum class Standing { counts, is_requester, is_root, not_custodian };
Standing standing_of(const domain::Actor& approver, const domain::Actor& requester,
                     domain::PeopleRule rule);
// Whether that person brought the policy into force, under any account: he does not approve as the
// custodian that it makes of him.
bool is_loader(const domain::Actor* loader, const domain::Actor& approver, domain::PeopleRule rule);
// Whether it was given as this custodian, and not as another one of that name.
bool given_as(const domain::Approval& approval, const domain::Custodian& custodian);
// Texts of those who may still approve the end of an asset, of its custodians and those of its
// classes: not who asked, not who loaded those classes, not root, and nobody twice.
std::vector<std::string> approvers_left(const std::vector<domain::Custodian>& custodians,
                                        const PolicyFacts& policy, const domain::Plan& plan,
                                        domain::PeopleRule rule);
// Why a standing approval does not count any more, if so. Its day is over by the later of the two
// clocks, and begins by the earlier one.
std::optional<domain::Reason> lapse_of(const StandingFacts& facts, const ClockFacts& clock);
// The approvals of a plan that are in force: given for it, or in advance and not lapsed; the latter
// as whom the person may speak today, and for plans of the nightly run alone. What lapsed is told.
struct InForce {
  std::vector<domain::Approval> approvals;
  std::vector<domain::Reason> lapsed;
};
InForce approvals_in_force(const std::vector<domain::Approval>& approvals,
                           const std::vector<StandingFacts>& standing, domain::PlanOrigin origin,
                           const ClockFacts& clock);

// What a plan asks of its approvals.
struct ApprovalTerms {
  const domain::Actor& requester;
  const std::string& below_floor;
  std::optional<std::uint64_t> braked_at;
};
ApprovalTerms terms_of(const domain::Plan& plan);
// How many people have to approve an item: as many as its classes ask for, one more below a floor,
// and one more where the brake has tripped. How many have, as one of its custodians; in advance,
// for what their class makes due. Behind a brake all but the last: that is somebody who has named
// the plan since it tripped.
struct ApprovalCount {
  std::size_t needed = 0;
  std::size_t counted = 0;
  bool suffices() const { return counted >= needed; }
};
ApprovalCount count_approvals(const std::vector<domain::Custodian>& custodians,
                              const PolicyFacts& policy, const ApprovalTerms& terms,
                              const std::vector<domain::Approval>& approvals,
                              domain::PeopleRule rule);

}  // namespace aierase::lifecycle
