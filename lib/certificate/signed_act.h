// What a person signs: a decision over plans of any number of stores, a standing approval, or its
// revocation, as a text that says to its reader what it does.
//
// Contract: values and pure functions. render() is deterministic and refuses what would not be
// understood (limits, missing reasons, broken UTF-8); parse() accepts exactly what render() writes,
// so text and value are the same thing.
// Whoever acts upon a text must compare every part of it with his own records, not the digest
// alone: a DecisionAct's plan with ==, a StandingApproval's store, class and rules. Otherwise
// somebody could have had a person sign the digest of one plan under the names of another.
// Specified in: aierase-approval(5).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "domain/ids.h"

namespace aierase::certificate {

// approve and reject come before the erasure, the others validate what was done.
enum class ActDecision { approve, reject, accept, reject_outcome, escalate };
std::string_view to_text(ActDecision decision) noexcept;  // "reject-outcome"
std::optional<ActDecision> parse_act_decision(std::string_view text) noexcept;
bool is_validation(ActDecision decision) noexcept;
bool needs_comment(ActDecision decision) noexcept;

// What became of a plan; stands in texts of validation alone.
struct ActOutcome {
  std::size_t erased = 0;
  Digest certificates{};  // certificates_digest()
  friend bool operator==(const ActOutcome&, const ActOutcome&) = default;
};

struct ActPlan {
  Uuid store;
  std::string host;
  Uuid plan;
  Digest digest{};  // of the plan
  std::string requester;
  std::string reason;
  std::string ticket;                     // or empty
  std::vector<std::string> notes;         // what is out of the ordinary: below a floor, no grace
  std::size_t asset_count = 0;            // 1 to limits::kItemsPerPlan
  std::vector<domain::AssetName> assets;  // the first limits::kNamesPerSignedPlan of the plan
  std::optional<ActOutcome> outcome;
  friend bool operator==(const ActPlan&, const ActPlan&) = default;
};

struct DecisionAct {
  ActDecision decision = ActDecision::approve;
  UtcTime valid_until{};
  std::string comment;  // the signer's reason
  std::vector<ActPlan> plans;
  friend bool operator==(const DecisionAct&, const DecisionAct&) = default;
};

struct StandingApproval {
  Uuid id;  // random: a revoked approval does not come back with its old signature
  Uuid store;
  std::string host;
  std::string retention_class;
  Digest rules{};        // SHA-256 over the canonical rules of the class: it dies with them
  std::string approver;  // the person U of people.toml, or the user
  UtcTime valid_from{};
  UtcTime valid_until{};
  friend bool operator==(const StandingApproval&, const StandingApproval&) = default;
};

struct StandingRevocation {
  Uuid approval;
  Uuid store;
  std::string host;
  std::string retention_class;
  std::string approver;
  std::string comment;  // or empty
  friend bool operator==(const StandingRevocation&, const StandingRevocation&) = default;
};

using SignedAct = std::variant<DecisionAct, StandingApproval, StandingRevocation>;

Result<std::string> render(const SignedAct& act);
Result<SignedAct> parse_signed_act(std::string_view text);

// Errc::approval_expired at or after valid_until, Errc::wrong_state before valid_from. A revocation
// is always valid.
Status check_validity(const SignedAct& act, UtcTime now);

// Texts of several hosts as one: the same decision and comment, the earliest end, no plan twice.
Result<DecisionAct> merge(const std::vector<DecisionAct>& acts);

// SHA-256 over lines "<sha256 of the statement>  <certificate id>\n" in byte order of the ids, as
// sha256sum prints them of files that are named so.
struct CertifiedStatement {
  Uuid certificate;
  Digest sha256{};
};
Digest certificates_digest(const std::vector<CertifiedStatement>& statements);

// The parts of a file that holds a text and its signature one behind the other. Without a signature
// in it, that part is empty: it lies in a file of its own.
struct SignedFile {
  std::string_view text;
  std::string_view signature;
};
SignedFile split_signed_file(std::string_view file);

}  // namespace aierase::certificate
