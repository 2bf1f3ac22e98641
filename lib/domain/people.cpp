#include "domain/people.h"

#include <algorithm>

namespace aierase::domain {

namespace {

bool has_account(const Actor& actor, std::uint32_t uid) {
  return uid != kNoUid && actor.uid == uid;
}

bool is_one_of(const Actor& actor, const Custodian& custodian) {
  switch (custodian.kind) {
    case CustodianKind::user:
      return has_account(actor, custodian.id);
    case CustodianKind::person:
      return has_account(actor, custodian.id) ||
             (actor.person && actor.person->id == custodian.name);
    case CustodianKind::group:
      return std::find(actor.groups.begin(), actor.groups.end(), custodian.id) !=
             actor.groups.end();
  }
  return false;
}

}  // namespace

bool same_person(const Actor& a, const Actor& b) {
  if (a.person && b.person && a.person->id == b.person->id) return true;
  return has_account(a, b.uid);
}

bool is_custodian(const Actor& actor, const std::vector<Custodian>& custodians) {
  return std::any_of(custodians.begin(), custodians.end(),
                     [&](const Custodian& custodian) { return is_one_of(actor, custodian); });
}

}  // namespace aierase::domain
