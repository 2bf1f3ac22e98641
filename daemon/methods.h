// The methods of org.aierase1, one file per noun: decode on the loop, say what polkit is asked,
// say what is done.
//
// Contract: a method reads all its arguments before anything happens; what is malformed is refused
// on the spot, and the audit is its only trace. Specified in: lib/bus/interfaces/*.xml,
// org.aierase1(5).
#pragma once

#include <errno.h>
#include <systemd/sd-bus.h>

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "base/result.h"
#include "bus/handles.h"
#include "daemon/service.h"

namespace aierase::daemon {

using Slots = std::vector<bus::SlotPtr>;
Status add_manager(sd_bus* bus, Service& service, Slots& slots);
Status add_asset(sd_bus* bus, Service& service, Slots& slots);
Status add_plan(sd_bus* bus, Service& service, Slots& slots);
Status add_hold(sd_bus* bus, Service& service, Slots& slots);
Status add_policy(sd_bus* bus, Service& service, Slots& slots);
Status add_log(sd_bus* bus, Service& service, Slots& slots);
Status add_certificate(sd_bus* bus, Service& service, Slots& slots);
Status add_jobs(sd_bus* bus, Jobs& jobs, Slots& slots);
Status add_interface(sd_bus* bus, const char* interface, const sd_bus_vtable* vtable, void* data,
                     Slots& slots);
void emit_changes(sd_bus* bus, const std::vector<std::string>& ids);
// Numbers in the audit.
void emit_notices(sd_bus* bus, const std::vector<std::int64_t>& numbers);

// The wall between sd-bus and us: no exception gets out, every refusal is answered.
template <Status (*Method)(Service&, sd_bus_message*)>
int serve_method(sd_bus_message* message, void* service, sd_bus_error*) noexcept {
  try {
    Status status = make_error(Errc::unexpected, "the call failed");
    try {
      status = Method(*static_cast<Service*>(service), message);
    } catch (const std::exception& fault) {
      status = make_error(Errc::unexpected, std::string("the call failed: ") + fault.what());
    }
    if (!status.ok()) static_cast<Service*>(service)->refuse(message, status.error());
    return 1;
  } catch (...) {
    return -ENOMEM;
  }
}

// The next string argument.
Result<std::string> read_text(sd_bus_message* message);
// The next descriptor, as a duplicate of our own.
Result<UniqueFd> read_file(sd_bus_message* message);

}  // namespace aierase::daemon
