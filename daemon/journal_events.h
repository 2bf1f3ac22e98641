// What the daemon tells the journal, by number: MESSAGE_ID of each event that a person may want to
// look for, and the fields to look by.
//
// Contract: a number never changes its meaning. units/aierase.catalog explains each of them, and
// tests/system compares the two. No text of a model, no key and no passphrase is ever among the
// fields: ids, names, numbers and the daemon's own sentences. Specified in: aierased(8) JOURNAL.
#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "domain/audit.h"
#include "domain/states.h"

namespace aierase::daemon {

struct JournalEvent {
  const char* id;
};
inline constexpr JournalEvent kReady{"aa3c7de967714337870241ec55836c53"};
inline constexpr JournalEvent kStoreUnusable{"fe88961156574010be7f58fa2f5cda39"};
inline constexpr JournalEvent kStoreStops{"1758cf295e7b495a9eb8143caa24ad5b"};
inline constexpr JournalEvent kPeopleUnusable{"8cab6b5033974caba2d8f41766e3aac7"};
inline constexpr JournalEvent kConfigurationRefused{"55f93c11332141a18847e27c76b83c7c"};
inline constexpr JournalEvent kPolkitUndecided{"9bc47bb5ecd2426e93d8242e43bb4136"};
inline constexpr JournalEvent kAuditUnwritten{"7e5b2ce586534720822e5b89672baf9d"};
inline constexpr JournalEvent kErasingFails{"f304d32a8bac42a3bc5d62f1d5191b3e"};
inline constexpr JournalEvent kCallDone{"466ce0bfb37147f293c898f3d2bfe6b8"};
inline constexpr JournalEvent kCallRefused{"ffa4a7f718434c6c9a9683c12aaf19a0"};
inline constexpr JournalEvent kCallDenied{"739a1b0231144ec69640e0f6a543ca5a"};
inline constexpr JournalEvent kErased{"2d6de05ee4e14717bd9777dea378ee2d"};
inline constexpr JournalEvent kPlanWaits{"b5fa6aa104334df1824445743d5a0865"};
inline constexpr JournalEvent kErasureComes{"1ce9507b8c6441c0acd105c76dfcb441"};
inline constexpr JournalEvent kValidationWaits{"1304efa517c145df8b45baa651a1a751"};
inline constexpr JournalEvent kApprovalEnds{"3d4322d8ccb94d84af1d7f7ef4a53a28"};
inline constexpr JournalEvent kPlanExpires{"6d34df10ab204264bc77a2f2073ef1e6"};
inline constexpr JournalEvent kErasureStopped{"a75394bed92745e3ac4adb79be0319ee"};
inline constexpr JournalEvent kOverdue{"48f0c3a1a7c84f77a3b0b3b2f9f3a4d6"};
inline constexpr JournalEvent kEnrolment{"c3fd4c8a6d5e4a2bb9b1c1a9a0f7d2e8"};

LogField field_of(JournalEvent event);

// A call that changed something, handed something out, or was not done.
void tell_call(const domain::AuditRow& row, const Status& outcome);
// What the daemon did by itself; tells only of what has a certificate now. `ids` are those that
// changed, typed.
void tell_erased(const std::vector<std::string>& ids);
// A row of the audit with the outcome notice.
void tell_notice(const domain::AuditRow& row);

}  // namespace aierase::daemon
