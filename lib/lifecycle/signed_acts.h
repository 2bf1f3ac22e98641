// Decisions of people who do not come to this host: the text that one of them would sign, and what
// he signed, handed in by anybody.
//
// Contract: what counts is the signature and the text, never who carries them. A text acts upon a
// plan of this store only if this store would have written every part of it so; plans of other
// stores are named and left alone. Of one text each plan is decided once: handed in again it goes
// on with those that it has not decided yet, and is refused where there are none. Specified in:
// aierase-approval(5), aierase-people(5).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "certificate/signed_act.h"
#include "certificate/ssh_key.h"
#include "lifecycle/standing.h"
#include "lifecycle/store.h"

namespace aierase::lifecycle {

// What is to be decided: before an erasure `approve` or `reject`, after it `accept`, `reject` or
// `escalate`; "reject" is what fits the plans.
struct SigningWish {
  std::vector<Uuid> plans;
  std::string decision = "approve";
  std::string comment;
  std::optional<UtcTime> valid_until;  // none: the end of the plans, or thirty days
};

enum class HandInVerb { approve, reject, validate };
// The person whose key this is, with uid and groups of the account, if there is one.
using FindSigner = std::function<Result<domain::Actor>(const certificate::SshPublicKey&)>;

struct HandIn {
  HandInVerb verb = HandInVerb::approve;
  std::string text;
  std::string signature;  // armoured
  domain::Actor carrier;
  FindSigner find_signer;
};

struct HandInReport {
  enum class Course { recorded, already, refused };
  struct Here {
    Uuid plan;
    Course course = Course::recorded;
    domain::PlanState state = domain::PlanState::requested;  // afterwards
    std::size_t items_waiting = 0;                           // for more approvals
    std::optional<Error> refusal;
  };
  struct Elsewhere {
    Uuid plan;
    Uuid store;
    std::string host;
  };
  domain::Actor signer;
  std::string key;  // fingerprint
  certificate::ActDecision decision = certificate::ActDecision::approve;
  std::vector<Here> here;                // at least one is recorded, unless it was about
  std::optional<StandingView> standing;  // an approval in advance, given or revoked
  std::vector<Elsewhere> elsewhere;
};

class Core;
// Asked of the very time that an act is recorded with: a text about many plans may end while they
// are decided, and a certificate whose approval is later than its text does not verify.
Status check_counts_at(const SignedDecision* decision, UtcTime at);
// signed_plans.cpp: what this store would have people sign of a plan; with its outcome where the
// decision is a validation.
Result<certificate::ActPlan> act_plan(Core& core, const domain::Plan& plan,
                                      certificate::ActDecision decision);
// Whether what was signed is that, part by part; the error names the first part that is not.
Status check_same(const certificate::ActPlan& ours, const certificate::ActPlan& signed_plan);

}  // namespace aierase::lifecycle
