// The columns that approvals and validations have in common: who the person was, and by which
// signature the decision came.
//
// Contract: the columns stand in the order of kDecisionColumns, behind all others that are read.
#pragma once

#include <optional>
#include <string>

#include "catalog/row.h"
#include "domain/plan.h"

namespace aierase::catalog {

inline const std::string kDecisionColumns =
    "person, signed_sha256, signature, key, carrier_uid, carrier_login, carrier_audit_uid";

struct DecisionColumns {
  static Result<DecisionColumns> of(const domain::Actor& actor,
                                    const std::optional<domain::SignedBy>& signed_by);

  std::optional<std::string> person;
  std::optional<Digest> text, signature;
  std::optional<std::string> key;
  std::optional<std::uint32_t> carrier_uid;
  std::optional<std::string> carrier_login;
  std::optional<std::uint32_t> carrier_audit_uid;
};

std::optional<domain::PersonEntry> read_person(Row& row);
std::optional<domain::SignedBy> read_signed_by(Row& row);

}  // namespace aierase::catalog
