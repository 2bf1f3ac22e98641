// Standing approvals: what a custodian approves in advance, of one retention class and up to a day,
// for plans of the nightly run.
//
// Contract: one counts as that person's approval of an item while it is in force, its class makes
// the item due, and the person answers for the item that day. It is looked at when such a plan is
// made and again by the gate; where it lapsed in between, the plan waits for people and nothing is
// erased. Given and ended in the log, and compared with that word for word.
// Specified in: aierase-approval(5) STANDING APPROVALS.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certificate/signed_act.h"
#include "domain/standing.h"
#include "lifecycle/store.h"

namespace aierase::lifecycle {

struct StandingRequest {
  domain::Actor actor;
  std::string retention_class;
  UtcTime until{};
};
// Of all that the actor has in force for the class.
struct StandingRevocation {
  domain::Actor actor;
  std::string retention_class;
  std::string reason;  // or empty
};

// waiting: its day has not begun by both clocks; voided: the class has other rules, or the person
// is not known here any more.
enum class StandingState { in_force, waiting, expired, revoked, voided };
std::string_view to_text(StandingState state) noexcept;  // "in-force", "void"

struct StandingView {
  domain::StandingApproval approval;
  StandingState state = StandingState::in_force;
  std::string why;  // it is not in force
};

// The text that a person signs to give one, or to revoke one.
struct StandingWish {
  std::string retention_class;
  std::string approver;              // the person of people.toml who will sign
  std::string decision = "approve";  // or "reject"
  std::optional<UtcTime> until;      // of an approval
  std::optional<Uuid> approval;      // of a revocation, where there are several
  std::string comment;               // of a revocation
};

class Core;

// standing.cpp: records, and what is so of one today.
Result<std::string> standing_record(const domain::StandingApproval& approval);
Result<std::string> standing_end_record(const Uuid& id, const domain::StandingEnd& end);
// `custodians`: of the assets that it is asked about. Facts of every one in the list.
Result<std::vector<StandingFacts>> standing_facts(
    Core& core, const catalog::ReadView& view,
    const std::vector<domain::StandingApproval>& approvals,
    const std::vector<domain::Custodian>& custodians);
// The same, of those by which a plan is approved; none: nothing is looked up.
Result<std::vector<StandingFacts>> standing_facts(Core& core, const catalog::ReadView& view,
                                                  const domain::Plan& plan,
                                                  const std::vector<domain::Custodian>& custodians);
bool is_by_standing(const domain::Plan& plan);
Result<StandingView> standing_view(Core& core, const Uuid& id);
// Those of its approvals that are in force.
Result<InForce> approvals_today(Core& core, const domain::Plan& plan);

// standing_acts.cpp: what was signed, handed in. Handed in before: Errc::wrong_state.
Result<StandingView> hand_in_standing(Core& core, const domain::Actor& signer,
                                      const SignedDecision& decision,
                                      const certificate::SignedAct& act);
// Those in force whose class has other rules in the next policy: they end with it.
Result<std::vector<domain::StandingApproval>> bound_to_other_rules(Core& core,
                                                                   const policy::PolicySet& next);
Status end_standing(Core& core, catalog::Transaction& transaction, catalog::StoreState& state,
                    const domain::StandingApproval& approval, domain::StandingEnd end);

// standing_use.cpp: what standing approvals say of a plan of the nightly run, when it is made, by
// that clock.
struct WordInAdvance {
  std::vector<domain::Approval> approvals;
  std::optional<UtcTime> due;  // where they are all that is needed: the end of grace
};
Result<WordInAdvance> word_in_advance(Core& core, const domain::Plan& plan,
                                      const ClockFacts& clock);
// In the transaction that makes the plan.
Status record_word(Core& core, catalog::Transaction& transaction, catalog::StoreState& state,
                   const domain::Plan& plan, WordInAdvance word);
// A plan whose standing approvals do not suffice any more waits for people again; of one that has
// erased already, what is left falls out. Whether that was so.
Result<bool> return_to_people(Core& core, const Uuid& plan);
// The same for every approved plan of which one has lapsed.
Status return_lapsed(Core& core);

}  // namespace aierase::lifecycle
