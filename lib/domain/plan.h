// Plans: an exact set of assets that somebody asks to erase, and the acts of people upon it.
//
// Contract: values. The digest is SHA-256 over the canonical JSON `aierase/plan/v1`, computed once
// at the request; an approval names it. Specified in: aierase(1) "WHEN IT HAPPENS".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/errc.h"
#include "domain/asset.h"

namespace aierase::domain {

struct Reason {
  Errc code = Errc::unexpected;
  std::string text;
  friend bool operator==(const Reason&, const Reason&) = default;
};

struct PlanItem {
  Uuid asset;
  AssetName name;
  Digest kcv{};
  Verdict verdict = Verdict::eligible;
  std::vector<Reason> reasons;  // why blocked, or why it fell out
  ItemState state = ItemState::pending;
  std::optional<Uuid> certificate;
};

// What a person signed, and by which key: kept once for all that it decides.
struct SignedText {
  std::string text;
  std::string signature;  // armoured, as ssh-keygen writes it
  std::string key;        // a line of a .pub file
};

// That somebody decided by a signature. Its text and bytes are kept beside it, under `signature`.
struct SignedBy {
  Digest text{};       // SHA-256 of what was signed
  Digest signature{};  // SHA-256 of the armoured signature
  std::string key;     // fingerprint: "SHA256:..."
  Actor carrier;       // who handed it in, and decided nothing
};

// Of an approval that was given in advance: what was given then.
struct StandingUse {
  Uuid id;
  std::string retention_class;
  Digest rules{};   // SHA-256 of the class in canonical form
  UtcTime given{};  // when the store recorded it
  UtcTime from{}, until{};
  std::uint64_t log_index = 0;  // of its own leaf
};

struct Approval {
  Uuid plan;
  Decision decision = Decision::approve;
  Actor actor;
  UtcTime time{};
  std::string reason;  // of a rejection
  // As whom: texts of the custodians that the actor was at that time ("alice", "@ml-owners").
  std::vector<std::string> capacities;
  std::uint64_t log_index = 0;
  std::optional<SignedBy> signed_by{};    // none: by the account
  std::optional<UtcTime> due{};           // of the last that was needed: the end of grace
  std::optional<StandingUse> standing{};  // none: given for this plan
};

// A dependant that stays although what it came from goes.
struct KeptDependant {
  Uuid asset;
  std::string reason;
};

struct Plan {
  Uuid id;
  PlanState state = PlanState::requested;
  Actor requester;
  std::string reason;
  std::string ticket;
  UtcTime created{};
  UtcTime expires{};           // unapproved by then: expired
  std::optional<UtcTime> due;  // set by the last needed approval
  std::optional<UtcTime> finished;
  Digest digest{};
  Digest policy{};  // version in force at the request
  PlanOrigin origin = PlanOrigin::person;
  Timing timing = Timing::after_grace;
  std::string
      below_floor;    // the legal basis for an erasure below a floor; empty: none is asked for
  std::string brake;  // why the brake has tripped: it needs one approval more; empty: it has not
  std::uint64_t brake_log_index = 0;  // of the leaf that says so
  std::vector<PlanItem> items;
  std::vector<LineageEdge> edges;  // among and into the items, at the request
  std::vector<KeptDependant> kept;
  std::vector<Approval> approvals;
};

// That somebody wanted to use an asset after the plan had retired it: it may still be needed.
struct AttemptedUse {
  Uuid asset;
  std::uint64_t count = 0;
  UtcTime last{};
  Actor by;  // the last
};

// A custodian's act after: what was found when the outcome was looked at.
struct ValidationAct {
  Uuid certificate;
  Validation verdict = Validation::accepted;  // never awaiting
  Actor actor;
  UtcTime time{};
  std::string reason;
  std::string remedy;                   // what has to be done, of what is not accepted
  std::vector<std::string> capacities;  // as Approval's
  std::uint64_t log_index = 0;
  std::optional<SignedBy> signed_by{};
  std::optional<std::uint64_t> amendment{};  // that says it; none: it waits for the signer's key
};

// Of a hold that was lifted.
struct Lift {
  Actor actor;
  UtcTime time{};
  std::string reason;
};

struct Hold {
  Uuid id;
  std::string matter;
  std::string reason;
  std::vector<std::string> selectors;  // "K=V", all of which an asset has to match
  HoldReach reach = HoldReach::present;
  Actor placed_by;
  UtcTime placed{};
  std::optional<Lift> lifted;  // none: in force
  std::uint64_t log_index = 0;
  std::vector<Uuid> assets;  // that it binds; where one was asked for, that one
};

}  // namespace aierase::domain
