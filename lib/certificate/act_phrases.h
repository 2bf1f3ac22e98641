// The fixed words of texts to sign, shared by their writer and their reader alone.
// Specified in: aierase-approval(5) TEXTS. A changed word is another format.
#pragma once

#include <string>
#include <string_view>

#include "certificate/signed_act.h"

namespace aierase::certificate {

inline constexpr std::string_view kDecisionTitle = "AIERASE DECISION, FORMAT 1\n\n";

inline constexpr std::string_view kStandingTitle =
    "AIERASE STANDING APPROVAL, FORMAT 1\n"
    "\n"
    "By signing this text I approve in advance that assets of one retention class\n"
    "are erased when its rules make them due, without my being asked each time.\n"
    "Their keys are destroyed; nobody can bring them back. A legal hold still stops\n"
    "it, and it ends with the day below, with a change of the rules, or when I\n"
    "revoke it.\n"
    "\n";

inline constexpr std::string_view kRevocationTitle =
    "AIERASE REVOCATION OF A STANDING APPROVAL, FORMAT 1\n"
    "\n"
    "By signing this text I revoke my standing approval below, for good.\n"
    "\n";

inline constexpr std::string_view kHowToSign =
    "\n"
    "Sign this text unchanged, or not at all:\n"
    "  ssh-keygen -Y sign -n aierase-approval@v1 -f KEY FILE\n";

namespace label {
inline constexpr std::string_view kDecision = "Decision:";
inline constexpr std::string_view kValidFrom = "Valid from:";
inline constexpr std::string_view kValidUntil = "Valid until:";
inline constexpr std::string_view kComment = "Comment:";
inline constexpr std::string_view kPlans = "Plans:";
inline constexpr std::string_view kAssets = "Assets:";
inline constexpr std::string_view kPlan = "  Plan:";
inline constexpr std::string_view kDigest = "  Digest:";
inline constexpr std::string_view kPlanStore = "  Store:";
inline constexpr std::string_view kPlanHost = "  Host:";
inline constexpr std::string_view kRequester = "  Requested by:";
inline constexpr std::string_view kReason = "  Reason:";
inline constexpr std::string_view kTicket = "  Ticket:";
inline constexpr std::string_view kNote = "  Note:";
inline constexpr std::string_view kErased = "  Erased:";
inline constexpr std::string_view kNotErased = "  Not erased:";
inline constexpr std::string_view kCertificates = "  Certificates:";
inline constexpr std::string_view kPlanAssets = "  Assets:";
inline constexpr std::string_view kAsset = "   ";  // and a blank
inline constexpr std::string_view kApproval = "Approval:";
inline constexpr std::string_view kStore = "Store:";
inline constexpr std::string_view kHost = "Host:";
inline constexpr std::string_view kClass = "Class:";
inline constexpr std::string_view kRules = "Rules:";
inline constexpr std::string_view kApprover = "Approver:";
}  // namespace label

inline std::string_view meaning_of(ActDecision decision) {
  switch (decision) {
    case ActDecision::approve:
      return "By signing this text I approve that the assets of the plans below are erased.\n"
             "Their keys are destroyed; nobody can bring them back.\n\n";
    case ActDecision::reject:
      return "By signing this text I reject the plans below: their assets stay as they are.\n\n";
    case ActDecision::accept:
      return "By signing this text I accept the erasure below as it was carried out.\n\n";
    case ActDecision::reject_outcome:
      return "By signing this text I do not accept the erasure below as it was carried out.\n\n";
    case ActDecision::escalate:
      return "By signing this text I hand the judgement on the erasure below to somebody above\n"
             "me. Until then it is not accepted.\n\n";
  }
  return {};
}

inline std::string more_assets(const ActPlan& plan) {
  return "    and " + std::to_string(plan.asset_count - plan.assets.size()) +
         " more; the digest covers all of them\n";
}

}  // namespace aierase::certificate
