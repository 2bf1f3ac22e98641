// Who calls: identity from the bus, never from an argument.
//
// Contract: uid from the credentials of the connection (as the bus daemon saw it), login and groups
// from the name service, audit login uid as the kernel tells it, and else why it does not. See
// org.aierase1(5) CONVENTIONS.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/people.h"

struct sd_bus_message;

namespace aierase::daemon {

struct Caller {
  domain::Actor actor;
  std::string connection;  // unique name on the bus
};

Result<Caller> caller_of(sd_bus_message* message);

// The process behind the connection, as far as it is known. Numbers of processes are used again:
// to be told to people, never to decide by.
struct CallerProcess {
  std::uint32_t pid = 0;
  std::string unit;  // of systemd, else of his own service manager; empty: none
};
CallerProcess process_of(sd_bus_message* message);

// The caller himself, for single-operator stores.
Result<domain::Custodian> custodian_of(const domain::Actor& actor);

}  // namespace aierase::daemon
