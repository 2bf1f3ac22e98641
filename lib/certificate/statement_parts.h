// The parts of a disposal statement's predicate, each as canonical JSON text.
//
// Contract: pure; the record has passed the checks of draft_statement(). No labels, no digest of a
// dataset key or of configuration in any part. Specified in: aierase-certificate(5) STATEMENT.
#pragma once

#include <string>

#include "certificate/claims.h"
#include "domain/disposition.h"

namespace aierase::certificate {

std::string subjects_part(const domain::DispositionRecord& record);
std::string asset_part(const domain::DispositionRecord& record);
std::string disposal_part(const domain::DispositionRecord& record);
std::string people_part(const domain::DispositionRecord& record);
std::string policy_part(const domain::DispositionRecord& record);
std::string method_part(const domain::DispositionRecord& record, const Claim& claim);
std::string keys_part(const domain::DispositionRecord& record);
std::string assurance_part(const domain::DispositionRecord& record);
std::string root_slots_part(const domain::DispositionRecord& record);
std::string media_part(const domain::DispositionRecord& record);
std::string source_part(const domain::DispositionRecord& record);
std::string exports_part(const domain::DispositionRecord& record);
std::string ciphertext_part(const domain::DispositionRecord& record);
std::string residuals_part(const domain::DispositionRecord& record);
std::string not_claimed_part();

// Did the requester approve? Decides what may be said about two people.
bool requester_approved(const domain::DispositionRecord& record);

}  // namespace aierase::certificate
