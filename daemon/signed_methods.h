// The methods of org.aierase1.Plan about texts that people sign: making one, and handing one in.
//
// Contract: as methods.h. Handing in asks polkit for `read` alone: what decides is the signature,
// and anybody may carry it. Specified in: lib/bus/interfaces/org.aierase1.Plan.xml,
// aierase-approval(5).
#pragma once

#include <systemd/sd-bus.h>

#include "base/result.h"
#include "daemon/service.h"

namespace aierase::daemon {

Status text_to_sign(Service& service, sd_bus_message* message);
Status hand_in(Service& service, sd_bus_message* message);

}  // namespace aierase::daemon
