// Are the people of a statement those whom its form allows, and did those who signed sign this?
//
// Contract: as statement_check.h. Whose key it is that signed, only people.toml of that host said;
// who reads a certificate compares the fingerprint with what the person told him.
// Specified in: aierase-certificate(5) VERIFYING.
#pragma once

#include <optional>
#include <string>

#include "base/json_view.h"

namespace aierase::certificate {

bool is_known(JsonView person);  // by an account or by an entry of people.toml
// One person may stand there by his account, by his entry, or by both: each is compared with its
// like.
bool same_person(JsonView a, JsonView b);
// What is wrong with the people of a predicate; nothing where nothing is.
std::optional<std::string> people_fault(JsonView predicate);
// Whether the signature of a person on a refusal holds, and rejects that plan for that reason.
std::optional<std::string> rejection_fault(JsonView signature, JsonView predicate);
// The same of the verdict of an amendment, about the outcome of that plan.
std::optional<std::string> verdict_fault(JsonView signature, JsonView predicate);

// What a signed text leaves open about this asset, in a sentence: a text names the first assets of
// a long plan alone. Begins with a blank; empty where the asset is named. For statements without
// fault.
std::string cut_of_approvers(JsonView predicate);
std::string cut_of_validator(JsonView predicate);

}  // namespace aierase::certificate
