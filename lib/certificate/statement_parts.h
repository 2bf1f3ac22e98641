// The parts of a disposal statement's predicate, each as canonical JSON text; the last ones also of
// a refusal's.
//
// Contract: pure; the record has passed the checks of draft_statement(). No labels, no digest of a
// dataset key or of configuration in any part. Specified in: aierase-certificate(5) STATEMENT.
#pragma once

#include <optional>
#include <string>
#include <string_view>

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

// Somebody who acted by his account alone.
std::string known_by_account(std::string_view role, const domain::Actor& actor, UtcTime time);
// Somebody who decided: `kept` is what he signed, for a reader who checks it; null: digests alone.
std::string decider_part(std::string_view role, const domain::Actor& actor, UtcTime time,
                         const std::optional<domain::SignedBy>& by, const domain::SignedText* kept);
// In the place of a reason or a remedy that nobody gave.
inline constexpr std::string_view kNoneGiven = "not applicable: none was given";
std::string_view or_none(std::string_view text);
std::string machine_text(std::string_view digest);  // of the machine id, hex or empty
std::string tool_part(std::string_view version, std::string_view build);

// Did the requester approve? Decides what may be said about two people.
bool requester_approved(const domain::DispositionRecord& record);

}  // namespace aierase::certificate
