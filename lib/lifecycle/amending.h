// What is said of a certificate after it was issued: each as a signed amendment, in the transaction
// that records what was said.
//
// Contract: nothing is signed about a certificate or an amendment whose row is not what the log
// took in. Where the signer's key cannot be read a verdict is recorded all the same, the log
// commits to it, and the next start that has the key signs its amendment; evidence is refused then,
// and a later verdict on that certificate waits behind it.
// Specified in: aierase-certificate(5) AMENDMENTS.
#pragma once

#include "certificate/amendment.h"
#include "domain/amendment.h"
#include "lifecycle/core.h"

namespace aierase::lifecycle {

// Whether the log took in, at that leaf, this statement with this signature.
Result<bool> is_logged(const catalog::ReadView& view, std::uint64_t leaf, std::string_view type,
                       const Bytes& signature, const Bytes& key, std::string_view statement);

// What was signed, which counts, if the columns beside it say the same.
Result<certificate::AmendmentSummary> said_by(const catalog::AmendmentRow& row);

// All that an amendment of that certificate says before anybody said something.
Result<domain::AmendmentRecord> begin_amendment(Core& core, const catalog::ReadView& view,
                                                const Uuid& certificate);
// The number that it has then.
Result<std::uint64_t> record_amendment(Core& core, catalog::Transaction& transaction,
                                       catalog::StoreState& state,
                                       const domain::AmendmentRecord& record);
// The verdict as an amendment, begun before the verdict got its row; `text`: what the person
// signed, if so.
Result<std::uint64_t> amend_by_verdict(Core& core, catalog::Transaction& transaction,
                                       catalog::StoreState& state, domain::AmendmentRecord record,
                                       const domain::ValidationAct& act,
                                       std::optional<domain::SignedText> text);
// Of that certificate a verdict waits to be signed: nothing is signed before it.
Result<bool> verdict_waits(const catalog::ReadView& view, const Uuid& certificate);
// Verdicts of an earlier life without the key, those of one certificate in their order. What cannot
// be signed waits on, and doctor says so; back comes only what must stop the store.
inline constexpr const char* kVerdictWaits = "validation-unsigned";  // its leaf
Status sign_waiting_verdicts(Core& core);

// validating.cpp: in which capacities the actor may judge that outcome, by the rules about people;
// none: he is no custodian of it.
Result<std::vector<std::string>> capacities_over(Core& core, const domain::Actor& actor,
                                                 domain::PeopleRule rule,
                                                 const catalog::CertificateHead& head);
// validating.cpp: what the log commits to.
Result<std::string> validation_record(const domain::ValidationAct& act);

}  // namespace aierase::lifecycle
