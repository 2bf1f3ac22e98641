// Approvals in advance, over the bus: given, revoked, listed, and as a text to sign.
// Contract: as methods.h. Specified in: org.aierase1.Plan.xml, aierase-approval(5).
#pragma once

#include "daemon/service.h"

namespace aierase::daemon {

Status approve_standing(Service& service, sd_bus_message* message);
Status reject_standing(Service& service, sd_bus_message* message);
Status list_approvals(Service& service, sd_bus_message* message);
Status standing_to_sign(Service& service, sd_bus_message* message);

}  // namespace aierase::daemon
