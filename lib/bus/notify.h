// Tells the service manager how we are doing, where there is one.
//
// Contract: without NOTIFY_SOCKET in the environment nothing happens; failures do not matter to the
// caller. See sd_notify(3).
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace aierase::bus {

void notify_ready(const std::string& status);
void notify_status(const std::string& status);
void notify_stopping();
void notify_alive();
// Within which time notify_alive() is wanted again; nothing where nobody waits for it.
std::optional<std::chrono::microseconds> watchdog_time();

}  // namespace aierase::bus
