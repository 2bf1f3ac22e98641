#include "domain/people.h"

#include <algorithm>

namespace aierase::domain {

bool is_custodian(const Actor& actor, const std::vector<Custodian>& custodians) {
  return std::any_of(custodians.begin(), custodians.end(), [&](const Custodian& custodian) {
    if (custodian.kind == CustodianKind::user) return custodian.id == actor.uid;
    return std::find(actor.groups.begin(), actor.groups.end(), custodian.id) != actor.groups.end();
  });
}

}  // namespace aierase::domain
