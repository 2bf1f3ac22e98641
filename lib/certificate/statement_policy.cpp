// What the policy said of the asset, on its certificate.

#include "base/time.h"
#include "certificate/canonical_text.h"
#include "certificate/statement_parts.h"

namespace aierase::certificate {
namespace {

std::string below_floor_part(const domain::PolicyApplied& policy) {
  return ObjectText()
      .text("legal_basis", policy.below_floor)
      .raw("floors", array_of_texts(policy.floors))
      .finish();
}

std::string brake_part(const domain::PolicyApplied& policy) {
  return ObjectText()
      .text("tripped", policy.brake)
      .text("released_by", policy.released_by)
      .finish();
}

std::string grace_text(const domain::PolicyApplied& policy) {
  if (policy.timing == domain::Timing::now) return "skipped: requested with --now";
  return policy.due ? "ended at " + to_rfc3339(*policy.due) : std::string("not applicable");
}

}  // namespace

std::string policy_part(const domain::DispositionRecord& record) {
  const domain::PolicyApplied& policy = record.policy;
  ObjectText object;
  object.text("retention_class", policy.retention_class)
      .raw("classes", array_of_texts(policy.classes))
      .text("version_sha256", to_hex(policy.version))
      .text("in_force_since", policy.in_force_since
                                  ? to_rfc3339(*policy.in_force_since)
                                  : std::string("not applicable: built in, no policy was loaded"))
      .raw("basis", array_of_texts(policy.bases))
      .text("grace", grace_text(policy));
  if (policy.below_floor.empty()) {
    object.text("below_floor", "not applicable: no floor was in force");
  } else {
    object.raw("below_floor", below_floor_part(policy));
  }
  object.text("asked_for_by", policy.origin == domain::PlanOrigin::person
                                  ? "a person"
                                  : "the nightly run, by the class");
  if (policy.brake.empty()) {
    object.text("brake", policy.origin == domain::PlanOrigin::person
                             ? "not applicable: a person asked for it"
                             : "had not tripped");
  } else {
    object.raw("brake", brake_part(policy));
  }
  return object.finish();
}

}  // namespace aierase::certificate
