// Tells the service manager how we are doing, where there is one.
//
// Contract: without NOTIFY_SOCKET in the environment nothing happens; failures do not matter to the
// caller. See sd_notify(3).
#pragma once

#include <string>

namespace aierase::bus {

void notify_ready(const std::string& status);
void notify_status(const std::string& status);
void notify_stopping();

}  // namespace aierase::bus
